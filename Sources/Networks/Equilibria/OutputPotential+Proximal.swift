import LinearAlgebra
import NeuralSheaves

extension OutputPotential {
  /// The minimiser of ½‖z − m‖²_Γ + G(z) + Σ (γ/2)(z_i − t)² over the coordinates that are not held, for
  /// sample j, by Newton's method on convex models, damped where they promise too much.
  func proximal(
    _ m: Matrix, weights: [Double], sample j: Int, from start: Matrix, held: Set<Int>,
    springs: [(row: Int, stiffness: Double, value: Double)]
  ) -> Matrix {
    let free = (0..<m.rows).filter { !held.contains($0) }
    func value(_ z: Matrix) -> Double {
      var d = z
      d.add(m, scale: -1)
      return d.sumOfSquares(column: 0, weights: weights) / 2 + self.value(z, sample: j)
        + springs.reduce(0) {
          $0 + $1.stiffness / 2 * (z[$1.row, 0] - $1.value) * (z[$1.row, 0] - $1.value)
        }
    }
    var z = start
    var (now, damping) = (value(z), 0.0)
    for _ in 0..<60 {
      let model = OutputModel(self, at: z, sample: j, damping: damping)
      var hessian = Matrix.diagonal(weights)
      hessian.addGram(ofColumns: 0..<m.rows, of: model.factor.transposed)
      var force = m
      force.add(z, scale: -1)
      force.scaleRows(by: weights)
      force.add(Matrix(column: model.gradient), scale: -1)
      for s in springs {
        hessian[s.row, s.row] += s.stiffness
        force[s.row, 0] -= s.stiffness * (z[s.row, 0] - s.value)
      }
      var step = force[rows: free, columns: [0]]
      guard step.maximumMagnitude > 1e-15 * max(1, m.maximumMagnitude),
        let factor = try? CholeskyFactorization(hessian[rows: free, columns: free])
      else { break }
      factor.solve(&step)
      var next = z
      for (p, i) in free.enumerated() { next[i, 0] += step[p, 0] }
      let there = value(next)
      if there <= now + 1e-15 * abs(now) {
        (z, now, damping) = (next, there, damping / 10)
        if damping < 1e-6 * largestWeight { damping = 0 }
      } else {
        damping = max(4 * damping, 0.05 * largestWeight)
      }
      if step.maximumMagnitude <= 1e-15 * max(1, z.maximumMagnitude) { break }
    }
    return z
  }
}

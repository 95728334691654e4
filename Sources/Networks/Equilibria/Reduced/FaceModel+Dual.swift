import LinearAlgebra
import NeuralSheaves

/// Where forces stand in the dual of a model.
struct FaceDual {
  /// What is left of each equation.
  let residual: Matrix
  /// By sample, the model's value at no step less that of the dual: how far the model falls at most.
  let promises: [Double]
  /// The model's value at no step.
  let sizes: [Double]
}

extension FaceModel {
  /// ½ Σ r²/C: with a residual r of its forces, how far the model's value at their step is from the least, at
  /// most. It is the difference of primal and dual value.
  func gap(_ residual: ArraySlice<Double>, _ j: Int) -> Double {
    var sum = 0.0
    for (k, r) in residual.prefix(forceCount(j)).enumerated() {
      sum += 0.5 * r * r / compliance(k, j)
    }
    return sum
  }

  /// The residual of forces, and what they promise. Cost: two sweeps.
  func dual(at forces: Matrix) -> FaceDual {
    let dn = change(forces)
    var change = dn
    var held = blankHeld()
    substituteForward(&change, held: &held)
    var seen = Matrix(rows: rows, columns: batch)
    observed(change, held: held, into: &seen)
    var residual = Matrix(rows: rows, columns: batch)
    var (promises, sizes) = (
      [Double](repeating: 0, count: batch), [Double](repeating: 0, count: batch)
    )
    let last = network.lastVertex
    for j in 0..<batch {
      var (now, then) = (0.0, 0.0)
      for k in 0..<forceCount(j) {
        let r = k < observations[j].count ? observations[j][k].residual : 0
        let c = compliance(k, j)
        residual[k, j] = -(c * forces[k, j] + r + seen[k, j])
        now += 0.5 * r * r / c
        then += 0.5 * (r + seen[k, j]) * (r + seen[k, j]) / c
      }
      for v in dn.indices {
        let d = dn[v].rows
        for k in j * d..<(j + 1) * d where compliances[v].elements[k] > 0 {
          let (n, c) = (noises[v].elements[k], compliances[v].elements[k])
          let moved = n + dn[v].elements[k]
          now += 0.5 * n * n / c
          then += 0.5 * moved * moved / c
        }
      }
      if let gradient = outputs?[j].gradient {
        for (i, g) in gradient.enumerated() { then += g * change[last][i, j] }
      }
      sizes[j] = now
      promises[j] =
        now - then + gap(residual.elements[j * residual.rows..<(j + 1) * residual.rows], j)
    }
    return FaceDual(residual: residual, promises: promises, sizes: sizes)
  }
}

import LinearAlgebra
import PiecewiseEnergies

/// The branches of all rows of a sample, the coordinates that rest on a boundary, and those tied at a maximum.
struct Face: Sendable {
  /// The branch of each row.
  var branches: [Int]
  /// The value at which each coordinate rests.
  var rests: [Int: Double] = [:]
  /// The coordinates tied at the maximum of a row, that of its branch among them.
  var ties: [Int: [Int]] = [:]

  /// The coordinates that move as one.
  var groups: [[Int]] { ties.sorted { $0.key < $1.key }.map(\.value) }

  /// The Hessian on the free coordinates for these branches, and the force at a state.
  func assemble(_ pieces: QuadraticPieces, _ x: [Double], sample: Int) -> (Matrix, [Double]) {
    var hessian = pieces.hessian
    var free = Matrix(rows: pieces.free.count, columns: 1)
    for (i, c) in pieces.free.enumerated() { free[i, 0] = x[c] }
    var forces = Matrix(column: pieces.linear.column(sample))
    forces.addProduct(pieces.hessian, free, scale: -1)
    for (r, row) in pieces.flat.rows.enumerated() {
      let branch = pieces.flat.function(r, branches[r])
      let gamma = pieces.gamma[row.target]
      let (t, s) = (pieces.place[row.target], pieces.place[branch.source])
      let (p, slope) = (gamma * pieces.discrepancy(r, branches, x), gamma * branch.slope)
      if t >= 0 {
        hessian[t, t] += gamma
        forces[t, 0] -= p
      }
      if s >= 0 {
        hessian[s, s] += slope * branch.slope
        forces[s, 0] += branch.slope * p
      }
      if t >= 0 && s >= 0 {
        hessian[t, s] -= slope
        hessian[s, t] -= slope
      }
    }
    return (hessian, forces.column(0))
  }

  /// The force on one free coordinate.
  func force(on c: Int, _ pieces: QuadraticPieces, _ x: [Double], sample: Int) -> Double {
    let i = pieces.place[c]
    var force = pieces.linear[i, sample]
    for (k, d) in pieces.free.enumerated() { force -= pieces.hessian[k, i] * x[d] }
    func momentum(_ r: Int) -> Double {
      pieces.gamma[pieces.flat.rows[r].target] * pieces.discrepancy(r, branches, x)
    }
    if pieces.rowOf[c] >= 0 { force -= momentum(pieces.rowOf[c]) }
    for r in pieces.readers(c) {
      let branch = pieces.flat.function(r, branches[r])
      if branch.source == c { force += branch.slope * momentum(r) }
    }
    return force
  }

  /// The sides of a coordinate that is at a boundary value.
  func sides(
    of c: Int, at threshold: Double, _ pieces: QuadraticPieces, _ x: [Double]
  ) -> KinkSides {
    pieces.flat.sides(of: c, at: threshold, weights: pieces.gamma) {
      branches[$0]
    } rho: {
      pieces.discrepancy(pieces.rowOf[$0], branches, x)
    }
  }
}

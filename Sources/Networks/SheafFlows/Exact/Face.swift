import LinearAlgebra

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

  /// A row that changes branch on one side of a boundary, and γ times the change of its slope there.
  struct Change {
    let row, branch: Int
    let jump: Double
  }

  /// The Hessian on the free coordinates for these branches, and the force at a state.
  func assemble(_ pieces: QuadraticPieces, _ x: [Double], sample: Int) -> (Matrix, [Double]) {
    var hessian = pieces.hessian
    var free = Matrix(rows: pieces.free.count, columns: 1)
    for (i, c) in pieces.free.enumerated() { free[i, 0] = x[c] }
    var forces = Matrix(column: pieces.linear.column(sample))
    forces.addProduct(pieces.hessian, free, scale: -1)
    for (r, row) in pieces.rows.enumerated() {
      let branch = row.branches[branches[r]]
      let (t, s) = (pieces.place[row.target], pieces.place[branch.source])
      let rho = x[row.target] - branch.slope * x[branch.source] - branch.offset
      let (p, slope) = (row.stiffness * rho, row.stiffness * branch.slope)
      if t >= 0 {
        hessian[t, t] += row.stiffness
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
      let row = pieces.rows[r]
      let branch = row.branches[branches[r]]
      return row.stiffness
        * (x[row.target] - branch.slope * x[branch.source] - branch.offset)
    }
    if pieces.rowOf[c] >= 0 { force -= momentum(pieces.rowOf[c]) }
    for r in pieces.readers[c] {
      let branch = pieces.rows[r].branches[branches[r]]
      if branch.source == c { force += branch.slope * momentum(r) }
    }
    return force
  }

  /// What the forces on a coordinate at a boundary value gain on its left and on its right, and the rows that
  /// change branch there.
  func sides(of c: Int, at threshold: Double, _ pieces: QuadraticPieces, _ x: [Double])
    -> (left: Double, right: Double, toLeft: [Change], toRight: [Change])
  {
    var (left, right) = (0.0, 0.0)
    var (toLeft, toRight): ([Change], [Change]) = ([], [])
    for r in pieces.readers[c] {
      let row = pieces.rows[r]
      let here = row.branches[branches[r]]
      guard here.source == c else { continue }
      let rho = x[row.target] - here.slope * x[c] - here.offset
      for b in here.boundaries where b.other == nil && b.threshold == threshold {
        let jump = row.stiffness * (row.branches[b.neighbour].slope - here.slope)
        if b.sign > 0 {
          left += jump * rho
          toLeft.append(Change(row: r, branch: b.neighbour, jump: jump))
        } else {
          right += jump * rho
          toRight.append(Change(row: r, branch: b.neighbour, jump: jump))
        }
      }
    }
    return (left, right, toLeft, toRight)
  }
}

import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

extension ActiveSet {
  /// Moves sample j along the path towards the minimiser of its face; whether it got there without
  /// meeting a breakpoint.
  mutating func walk(_ j: Int, along face: FaceMinimizer) -> Bool {
    let network = sheaf.network
    let zero = [Double](repeating: 0, count: flat.count)
    var (x, velocity, rho, rate) = (zero, zero, zero, zero)
    flat.gather(state.stalks, j, into: &x)
    flat.gather(face.step, j, into: &velocity)
    flat.gather(self.rho, j, into: &rho)
    flat.gather(face.rhoStep, j, into: &rate)
    straighten(&velocity, j)
    var path = BreakpointPath(
      flat, network.edges.map(\.operation), x: x, velocity: velocity, rho: rho,
      rhoVelocity: rate, branches: flat.rows.map { patterns[$0.edge][$0.row, j] },
      kinks: kinks[j], springs: springs(j), isHeld: isHeld)
    path.walk()
    for v in network.vertices.indices.dropFirst() {
      for i in 0..<network.vertices[v].dimension {
        state.stalks[v][i, j] = path.x[flat.starts[v] + i]
      }
    }
    for (r, row) in flat.rows.enumerated() {
      patterns[row.edge][row.row, j] = path.branches[r]
    }
    kinks[j] = path.kinks
    return path.events == 0
  }

  /// What is held or rests does not move and what is tied moves as one, beyond rounding.
  private func straighten(_ velocity: inout [Double], _ j: Int) {
    for c in velocity.indices where isHeld[c] { velocity[c] = 0 }
    for kink in kinks[j] {
      switch kink {
      case .value(let c, _): velocity[c] = 0
      case .tie(let r, let branch):
        velocity[source(of: branch, row: r)] = velocity[source(of: self.branch(j, row: r), row: r)]
      }
    }
  }

  /// The branch of a state-dependent row.
  func branch(_ j: Int, row r: Int) -> Int {
    patterns[flat.rows[r].edge][flat.rows[r].row, j]
  }

  /// The coordinate that a row reads on a branch.
  func source(of branch: Int, row r: Int) -> Int {
    let row = flat.rows[r]
    return row.source
      + sheaf.network.edges[row.edge].operation.branch(branch, ofRow: row.row).source
  }
}

import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

extension ActiveSet {
  /// How a walk ended.
  struct Walk {
    /// Whether it came to the minimiser without meeting a breakpoint.
    let isWhole: Bool
    /// The change of E, with the model of a smooth output edge in place of its potential.
    let change: Double
  }

  /// Moves sample j along the path towards the minimiser of its face.
  mutating func walk(_ j: Int, along face: FaceStep) -> Walk {
    let zero = [Double](repeating: 0, count: flat.count)
    var (velocity, rate) = (zero, zero)
    flat.gather(face.step, j, into: &velocity)
    flat.gather(face.rhoStep, j, into: &rate)
    straighten(&velocity, j)
    return walk(
      j, velocity: velocity, rhoVelocity: rate, model: face.models?[j], slopeTolerance: 1e-12)
  }

  /// Moves sample j along a path that starts with the given velocities.
  mutating func walk(
    _ j: Int, velocity: [Double], rhoVelocity: [Double], model: OutputModel?,
    slopeTolerance: Double = 0
  ) -> Walk {
    let network = sheaf.network
    let zero = [Double](repeating: 0, count: flat.count)
    var (x, rho) = (zero, zero)
    flat.gather(state.stalks, j, into: &x)
    flat.gather(self.rho, j, into: &rho)
    var extra = (0.0, 0.0)
    if let model {
      let first = flat.starts[network.lastVertex]
      extra = model.slopeAndCurvature(
        along: velocity[first..<first + network.outputDimension])
    }
    var path = BreakpointPath(
      flat, x: x, velocity: velocity, rho: rho, rhoVelocity: rhoVelocity, weights: weights,
      branches: flat.rows.map { patterns[$0.edge][$0.row, j] },
      kinks: progress[j].kinks,
      springs: springs.enumerated().map {
        ($1.coordinate, $1.stiffness, springValues[$0, samples[j]])
      },
      isHeld: isHeld, extraSlope: extra.0, extraCurvature: extra.1,
      stopsAtFirst: progress[j].stopsAtFirst, slopeTolerance: slopeTolerance)
    path.walk()
    for v in network.vertices.indices where v > 0 || freed != nil {
      state.stalks[v].setColumn(j, to: path.x, from: flat.starts[v])
    }
    for (r, row) in flat.rows.enumerated() {
      patterns[row.edge][row.row, j] = path.branches[r]
    }
    for v in network.vertices.indices.dropFirst() {
      self.rho[v].setColumn(j, to: path.rho, from: flat.starts[v])
    }
    progress[j].kinks = path.kinks
    return Walk(isWhole: path.events == 0, change: path.energyChange)
  }

  /// What is held or rests does not move and what is tied moves as one, beyond rounding.
  func straighten(_ velocity: inout [Double], _ j: Int) {
    for c in velocity.indices where isHeld[c] { velocity[c] = 0 }
    for kink in progress[j].kinks {
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
  func source(of branch: Int, row r: Int) -> Int { flat.function(r, branch).source }
}

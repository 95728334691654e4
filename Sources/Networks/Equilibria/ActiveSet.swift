import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// The equilibrium problem of some samples and where their solution stands: a state, a face, and what
/// is known of them.
struct ActiveSet: Sendable {
  let sheaf: NeuralSheaf
  let flat: FlatNetwork
  /// The energy of the smooth output edge.
  let potential: OutputPotential?
  /// Γ, and its diagonal by coordinate.
  let stiffness: Stiffness
  let weights: [Double]
  /// Which coordinates are held.
  let isHeld: [Bool]
  /// The held coordinates but for the input's, with their values (count, caller's batch).
  let held: [Int]
  let heldValues: Matrix
  /// The soft pins, and the identity's output edge: coordinates, stiffness and values (count,
  /// caller's batch).
  let springs: [Spring]
  let springValues: Matrix
  /// The freed input coordinates.
  let freed: FreedInput?

  /// The numbers of the samples in the caller's batch that are still at work.
  var samples: [Int]
  /// The stalks of those samples.
  var state: SheafState
  /// One branch for each state-dependent row, as patterns of the edges.
  var patterns: [ActivationPattern]
  /// ρ on those patterns.
  var rho: [Matrix]
  /// The progress of each sample.
  var progress: [Progress]

  /// What is known of a sample beside its state.
  struct Progress: Sendable {
    /// The kinks that it rests on.
    var kinks: [Kink] = []
    /// Whether it releases one kink at a time.
    var isCautious = false
    /// Whether it has gone along the smallest element of ∂E.
    var wentSteepest = false
    /// Whether it rests at every breakpoint.
    var stopsAtFirst = false
    /// E.
    var energy = 0.0
    /// The steps so far.
    var iterations = 0
    /// Whether it has been at an equilibrium from the start.
    var isSettled = false
    /// What the model of the output potential has been damped with.
    var damping = 0.0
    /// How far its gradient was from the potential's after the last whole step.
    var modelGap = Double.infinity
    /// The whole steps since it last became smaller.
    var stuckSteps = 0
    /// Whether its free input has been made as short as the face allows.
    var isLeastNorm = false
    /// The freedom that the pins leave to the input, on the last face.
    var freedom: InputFreedom?
  }

  /// A coordinate pulled to a value.
  struct Spring: Sendable {
    let coordinate: Int
    let stiffness: Double
  }

  /// Freed input coordinates.
  struct FreedInput: Sendable {
    /// Σγ of the soft pins on each input coordinate: 0 where there is none, infinite where it is held.
    let stiffness: [Double]
    /// The mean of the pins' values, weighted by γ, (n₀, caller's batch).
    let prior: Matrix
    /// The coordinates that are free and have no prior.
    let open: [Int]
  }

  /// A set from a state: held coordinates are imposed on it.
  ///
  /// - Parameter discrepancy: ρ there, if it is known.
  init(
    _ energy: PinnedEnergy, _ flat: FlatNetwork, from start: SheafState,
    discrepancy: [Matrix]? = nil
  ) {
    let (network, pins) = (energy.sheaf.network, energy.pins)
    (sheaf, stiffness) = (energy.sheaf, energy.stiffness)
    self.flat = flat
    weights = flat.weights(stiffness)
    let batch = start.batch
    samples = Array(0..<batch)
    var state = SheafState(stalks: start.stalks)
    var isHeld = [Bool](repeating: false, count: flat.count)
    var (held, heldColumns): ([Int], [Matrix]) = ([], [])
    var (springs, springColumns): ([Spring], [Matrix]) = ([], [])
    for v in network.vertices.indices {
      pins.impose(on: &state.stalks[v], vertex: v)
      for i in pins.held(v) { isHeld[flat.starts[v] + i] = true }
      if v > 0 && !pins.held(v).isEmpty {
        held += pins.held(v).map { flat.starts[v] + $0 }
        heldColumns.append(pins.heldValues(v))
      }
      for pin in pins.soft(v) {
        let free = pin.rows.indices.filter { !isHeld[flat.starts[v] + pin.rows[$0]] }
        springs += free.map {
          Spring(coordinate: flat.starts[v] + pin.rows[$0], stiffness: pin.stiffness)
        }
        springColumns.append(pin.values[rows: free, columns: samples])
      }
    }
    potential = energy.output.map {
      OutputPotential(
        $0, pins, vertex: network.vertices.count, dimension: network.outputDimension, batch: batch)
    }
    if let potential, potential.isQuadratic {
      let first = flat.starts[network.lastVertex]
      let rows = (0..<network.outputDimension).filter {
        !isHeld[first + $0] && potential.spring($0) > 0
      }
      springs += rows.map { Spring(coordinate: first + $0, stiffness: potential.spring($0)) }
      springColumns.append(potential.targets[rows: rows, columns: samples])
    }
    freed = FreedInput(pins, dimension: network.inputDimension, batch: batch)
    self.isHeld = isHeld
    self.held = held
    self.springs = springs
    heldValues = Matrix(stacking: heldColumns, columns: batch)
    springValues = Matrix(stacking: springColumns, columns: batch)
    self.state = state
    patterns = sheaf.patterns(at: state)
    rho = discrepancy ?? sheaf.zeroCochain(batch: batch)
    progress = samples.map { _ in Progress() }
    if discrepancy == nil { readDiscrepancy() }
    for j in samples.indices { progress[j].energy = self.energy(j) }
  }

  var batch: Int { samples.count }

  /// The potential where it is no sum of springs.
  var smoothPotential: OutputPotential? { potential?.isQuadratic == false ? potential : nil }

  /// ρ ← δ_π ω − b_π.
  mutating func readDiscrepancy() {
    sheaf.setDiscrepancy(&rho, of: state, at: patterns)
  }

  /// Whether the input is a coordinate of the problem.
  var input: InputRole { freed == nil ? .held : .free }

  /// E of sample j.
  func energy(_ j: Int) -> Double {
    var sum = stiffness.energy(rho, sample: j)
    for (s, spring) in springs.enumerated() {
      let (v, i) = flat.place(spring.coordinate)
      let d = state.stalks[v][i, j] - springValues[s, samples[j]]
      sum += spring.stiffness / 2 * d * d
    }
    if let smoothPotential {
      let last = state.stalks[sheaf.network.lastVertex]
      sum += smoothPotential.value(last.columns(j..<j + 1), sample: samples[j])
    }
    return sum
  }

  /// Keeps the samples at the given places only.
  mutating func keep(_ places: [Int]) {
    samples = places.map { samples[$0] }
    state = state.samples(places)
    patterns = patterns.map { $0.samples(places) }
    rho = rho.map { $0.columns(places) }
    progress = places.map { progress[$0] }
  }

  /// Puts sample j back to where it stood in an earlier copy of this set.
  mutating func restore(_ j: Int, from earlier: ActiveSet) {
    state.setSamples(from: j, to: earlier.state.samples(j..<j + 1))
    for e in patterns.indices { patterns[e].setSample(j, to: earlier.patterns[e]) }
    for v in rho.indices { rho[v].setColumns(from: j, to: earlier.rho[v].columns(j..<j + 1)) }
    progress[j].kinks = earlier.progress[j].kinks
    progress[j].energy = earlier.progress[j].energy
  }
}

extension ActiveSet.FreedInput {
  /// nil where the input is wholly held.
  init?(_ pins: Pins, dimension n: Int, batch: Int) {
    guard !pins.holdsAll(of: 0) else { return nil }
    let (stiffness, prior) = pins.combined(at: 0, dimension: n, batch: batch)
    open = (0..<n).filter { stiffness[$0] == 0 }
    (self.stiffness, self.prior) = (stiffness, prior)
  }
}

extension Pins {
  /// All pins on a vertex as one per coordinate: Σγ of its soft pins and the mean of their values weighted by
  /// γ, (dimension, batch); infinite where it is held, with the held value; 0 where it is free.
  func combined(
    at vertex: Int, dimension: Int, batch: Int
  ) -> (stiffness: [Double], values: Matrix) {
    var stiffness = [Double](repeating: 0, count: dimension)
    var mean = Matrix(rows: dimension, columns: batch)
    for pin in soft(vertex) {
      for (p, i) in pin.rows.enumerated() {
        stiffness[i] += pin.stiffness
        for j in 0..<batch {
          mean[i, j] += pin.stiffness / stiffness[i] * (pin.values[p, j] - mean[i, j])
        }
      }
    }
    let values = heldValues(vertex)
    for (p, i) in held(vertex).enumerated() {
      stiffness[i] = .infinity
      for j in 0..<batch { mean[i, j] = values[p, j] }
    }
    return (stiffness, mean)
  }
}

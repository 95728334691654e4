import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// The pinned equilibrium problem of some samples and where their solution stands.
struct ActiveSet: Sendable {
  let sheaf: NeuralSheaf
  let flat: FlatNetwork
  let pins: Pins
  /// The numbers of the samples in the caller's batch that are still at work.
  var samples: [Int]
  /// The stalks of those samples.
  var state: SheafState
  /// One branch for each state-dependent row, as patterns of the edges.
  var patterns: [ActivationPattern]
  /// ρ on those patterns.
  var rho: [Matrix]
  /// Which coordinates are held.
  let isHeld: [Bool]
  /// The kinks that each sample rests on.
  var kinks: [[Kink]]
  /// Whether each sample releases one kink at a time.
  var isCautious: [Bool]
  var energies: [Double]
  var iterations: [Int]

  /// Starts from the forward pass with the held coordinates set.
  init(_ sheaf: NeuralSheaf, _ flat: FlatNetwork, input: Matrix, pins: Pins) {
    self.sheaf = sheaf
    self.flat = flat
    self.pins = pins
    samples = Array(0..<input.columns)
    var state = sheaf.forwardPass(input)
    pins.impose(on: &state)
    self.state = state
    patterns = sheaf.patterns(at: state)
    rho = sheaf.zeroCochain(batch: input.columns)
    var held = [Bool](repeating: false, count: flat.count)
    for v in sheaf.network.vertices.indices {
      for i in pins.held(v) { held[flat.starts[v] + i] = true }
    }
    isHeld = held
    kinks = samples.map { _ in [] }
    isCautious = samples.map { _ in false }
    energies = samples.map { _ in 0 }
    iterations = samples.map { _ in 0 }
    readDiscrepancy()
    for j in samples.indices { energies[j] = energy(j) }
  }

  var batch: Int { samples.count }

  /// ρ ← δ_π ω − b_π.
  mutating func readDiscrepancy() {
    for (e, edge) in sheaf.network.edges.enumerated() {
      let (source, target) = (state.stalks[edge.source], state.stalks[edge.target])
      guard edge.operation.isStateDependent else {
        edge.operation.discrepancy(source, target, into: &rho[edge.target])
        continue
      }
      edge.operation.apply(source, at: patterns[e], into: &rho[edge.target])
      rho[edge.target].add(target, keeping: -1)
    }
  }

  /// ½‖ρ‖² and the soft pins of sample j.
  func energy(_ j: Int) -> Double {
    var sum = 0.0
    for m in rho where m.rows > 0 {
      for i in 0..<m.rows { sum += m.elements[i + j * m.rows] * m.elements[i + j * m.rows] / 2 }
    }
    for s in springs(j) {
      let (v, i) = flat.place(s.coordinate)
      let d = state.stalks[v][i, j] - s.value
      sum += s.stiffness / 2 * d * d
    }
    return sum
  }

  /// The soft pins of sample j.
  func springs(_ j: Int) -> [(coordinate: Int, stiffness: Double, value: Double)] {
    var result: [(coordinate: Int, stiffness: Double, value: Double)] = []
    for v in sheaf.network.vertices.indices {
      for pin in pins.soft(v) {
        for (p, i) in pin.rows.enumerated() where !isHeld[flat.starts[v] + i] {
          result.append((flat.starts[v] + i, pin.stiffness, pin.values[p, samples[j]]))
        }
      }
    }
    return result
  }

  /// ‖t − Eω‖∞ of each sample, from the forward pass to its pins.
  var pinDistances: [Double] {
    let forward = sheaf.forwardPass(state.stalks[0])
    return (0..<batch).map { j in
      var largest = 0.0
      for v in sheaf.network.vertices.indices.dropFirst() {
        for i in pins.held(v) {
          largest = max(largest, abs(state.stalks[v][i, j] - forward.stalks[v][i, j]))
        }
        for pin in pins.soft(v) {
          for (p, i) in pin.rows.enumerated() {
            largest = max(largest, abs(pin.values[p, samples[j]] - forward.stalks[v][i, j]))
          }
        }
      }
      return largest
    }
  }

  /// Keeps the samples at the given places only.
  mutating func keep(_ places: [Int]) {
    samples = places.map { samples[$0] }
    state = state.samples(places)
    patterns = patterns.map { $0.samples(places) }
    rho = rho.map { $0.columns(places) }
    kinks = places.map { kinks[$0] }
    isCautious = places.map { isCautious[$0] }
    energies = places.map { energies[$0] }
    iterations = places.map { iterations[$0] }
  }
}

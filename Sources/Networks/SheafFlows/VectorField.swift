import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// The right-hand side −δᵀΓ(δω − b) − (pins) of the sheaf heat equation on one block of samples,
/// with its workspace.
///
/// One visit of the edges in topological order evaluates it. A vertex has one buffer: it holds the
/// momentum p_v = γρ_v of the vertex's incoming edge until the first outgoing edge turns it into the
/// force −p_v + Σ R_eᵀp_e. A vertex whose last outgoing edge has been visited is finished, and may
/// be moved at once: nothing later in the visit reads it.
public struct VectorField: Sendable {
  /// p or force of each vertex, as far as the visit has come; the input's is empty while held.
  private var buffers: [Matrix]
  /// The pattern of each edge, where its operation keeps one.
  private var patterns: [ActivationPattern]
  /// P(s) for each edge whose source is wholly held, while the parameters rest.
  private var constants: [Matrix?]
  /// The force on a free a_{k+1}.
  private var outputForce: Matrix?
  private var residual: Matrix
  private let pins: Pins
  private let output: OutputEdge?
  private let stiffness: Stiffness
  /// The state-dependent edges out of each vertex.
  private let readers: [[Int]]
  private let isFree: [Bool]
  /// Edges with parameters.
  private let hasParameters: [Bool]
  /// Edges whose operation steps its source by itself: the only one out of a vertex without pins, and of
  /// stiffness 1.
  private let relaxes: [Bool]
  /// For each vertex that such an operation steps and whose own prediction is a constant: the edge
  /// of that constant; −1 for the others.
  private let predicted: [Int]

  /// The field at a state.
  ///
  /// - Parameters:
  ///   - energy: of the samples of this block.
  ///   - state: with `output` where the energy has an output edge.
  ///   - parametersRest: whether the network's parameters stay as they are, so that products with
  ///     held stalks can be kept.
  public init(_ energy: PinnedEnergy, at state: SheafState, parametersRest: Bool) {
    let (sheaf, pins, output, stiffness) = (
      energy.sheaf, energy.pins, energy.output, energy.stiffness
    )
    let network = sheaf.network
    let isFree = network.vertices.indices.map { !pins.holdsAll(of: $0) }
    buffers = sheaf.zeroCochain(batch: state.batch)
    if isFree[0] { buffers[0] = Matrix(rows: network.inputDimension, columns: state.batch) }
    patterns = sheaf.patterns(at: state)
    readers = network.outgoing.map { edges in
      edges.filter { network.edges[$0].operation.isStateDependent }
    }
    residual = Matrix(rows: output == nil ? 0 : network.outputDimension, columns: state.batch)
    let outputIsFree = output != nil && !pins.holdsAll(of: network.vertices.count)
    outputForce =
      outputIsFree ? Matrix(rows: network.outputDimension, columns: state.batch) : nil
    constants = network.edges.map { edge in
      let operation = edge.operation
      guard parametersRest, !isFree[edge.source],
        operation.targetRows.count == operation.targetDimension
      else { return nil }
      var value = Matrix(rows: operation.targetDimension, columns: state.batch)
      operation.apply(state.stalks[edge.source], into: &value)
      return value
    }
    (self.isFree, self.pins, self.output, self.stiffness) = (isFree, pins, output, stiffness)
    let hasParameters = network.edges.map { !$0.operation.parameterNames.isEmpty }
    self.hasParameters = hasParameters
    let relaxes = network.edges.enumerated().map { e, edge in
      edge.operation.isStateDependent && !hasParameters[e] && edge.source != 0
        && network.outgoing[edge.source].count == 1 && !pins.concern(edge.source)
        && stiffness[edge.target] == nil
    }
    self.relaxes = relaxes
    var predicted = [Int](repeating: -1, count: network.vertices.count)
    for (e, edge) in network.edges.enumerated() where constants[e] != nil {
      guard let reader = network.outgoing[edge.target].last, relaxes[reader] else { continue }
      if stiffness[edge.target] == nil { predicted[edge.target] = e }
    }
    self.predicted = predicted
  }

  /// What a step did.
  public struct StepReport: Sendable {
    /// The largest change of a coordinate, NaN if one is not finite.
    public var change: Double
    /// How many coordinates switched branch.
    public var switched: Int

    /// A report; by default of nothing.
    public init(change: Double = 0, switched: Int = 0) {
      self.change = change
      self.switched = switched
    }

    /// Takes in the report of other samples.
    public mutating func add(_ other: StepReport) {
      if other.change > change || other.change.isNaN { change = other.change }
      switched += other.switched
    }
  }

  /// The forces at a state: calls `body` once for each vertex that is not wholly held, a_{k+1}
  /// being number `vertices.count`.
  public mutating func evaluate(
    _ sheaf: NeuralSheaf, _ state: SheafState, _ body: (Int, Matrix) -> Void
  ) {
    let network = sheaf.network
    _ = sheaf.readPatterns(at: state, into: &patterns)
    for e in network.edges.indices {
      let s = network.edges[e].source
      visit(network, e, state)
      if network.outgoing[s].last == e && isFree[s] { body(s, force(at: s, state)) }
    }
    for v in 1..<network.vertices.count where network.outgoing[v].isEmpty {
      finishLeaf(sheaf, v, state)
      if isFree[v] { body(v, force(at: v, state)) }
    }
    if outputForce != nil { body(network.vertices.count, forceOnOutput(sheaf, state)) }
  }

  /// ω ← ω + h · F(ω), in place.
  ///
  /// - Parameter onEdge: called with each edge that has parameters, p_e and the value of its source,
  ///   all before the step.
  public mutating func step(
    _ sheaf: NeuralSheaf, _ state: inout SheafState, by h: Double,
    onEdge: (Int, Matrix, Matrix) -> Void = { _, _, _ in }
  ) -> StepReport {
    var report = StepReport()
    let network = sheaf.network
    for e in network.edges.indices {
      let (s, t) = (network.edges[e].source, network.edges[e].target)
      let operation = network.edges[e].operation
      if relaxes[e] {
        let result = relax(operation, e, s, t, &state, h)
        report.add(StepReport(change: result.change, switched: result.switched))
        continue
      }
      // A constant prediction goes straight to the step of its target.
      if constants[e] != nil && predicted[t] == e { continue }
      visit(network, e, state)
      if hasParameters[e] { onEdge(e, buffers[t], state.stalks[s]) }
      if network.outgoing[s].last == e && isFree[s] { move(sheaf, s, &state, h, &report) }
    }
    for v in 1..<network.vertices.count where network.outgoing[v].isEmpty {
      finishLeaf(sheaf, v, state)
      if isFree[v] { move(sheaf, v, &state, h, &report) }
    }
    if outputForce != nil {
      let force = forceOnOutput(sheaf, state)
      report.add(StepReport(change: state.output!.advance(along: force, by: h), switched: 0))
    }
    return report
  }

  private mutating func relax(
    _ operation: any NetworkOperation, _ e: Int, _ s: Int, _ t: Int, _ state: inout SheafState,
    _ h: Double
  ) -> (change: Double, switched: Int) {
    // The source's buffer leaves the array, so that it and the target's can both be written.
    var incoming = Matrix(rows: 0, columns: 0)
    swap(&incoming, &buffers[s])
    defer { swap(&incoming, &buffers[s]) }
    let target = state.stalks[t]
    return operation.relax(
      &state.stalks[s], target: target,
      prediction: predicted[s] < 0 ? nil : constants[predicted[s]], incoming: &incoming, by: h,
      pattern: &patterns[e], into: &buffers[t])
  }

  /// p of an edge into its target's buffer and its pull-back into its source's.
  private mutating func visit(_ network: Network, _ e: Int, _ state: SheafState) {
    let (s, t) = (network.edges[e].source, network.edges[e].target)
    let operation = network.edges[e].operation
    if let constant = constants[e] {
      buffers[t].setDifference(state.stalks[t], constant)
    } else {
      operation.discrepancy(state.stalks[s], state.stalks[t], into: &buffers[t])
    }
    stiffness.multiply(&buffers[t], of: t, rows: operation.targetRows)
    if isFree[s] {
      let keep: Double = network.outgoing[s].first == e ? (s == 0 ? 0 : -1) : 1
      let p = buffers[t]
      operation.addTranspose(p, at: patterns[e], keeping: keep, into: &buffers[s])
    }
  }

  /// The force on a vertex all of whose edges have been visited.
  private mutating func force(at v: Int, _ state: SheafState) -> Matrix {
    if pins.concern(v) { pins.addForces(vertex: v, stalk: state.stalks[v], into: &buffers[v]) }
    return buffers[v]
  }

  /// −p of a vertex without outgoing edge, and the output edge's pull.
  private mutating func finishLeaf(_ sheaf: NeuralSheaf, _ v: Int, _ state: SheafState) {
    buffers[v].scale(by: -1)
    if v == sheaf.network.lastVertex, let output, let a = state.output {
      output.addForce(
        state.stalks[v], a, residual: &residual, into: &buffers[v], outputForce: &outputForce)
    }
  }

  private mutating func forceOnOutput(_ sheaf: NeuralSheaf, _ state: SheafState) -> Matrix {
    let v = sheaf.network.vertices.count
    if pins.concern(v) {
      pins.addForces(vertex: v, stalk: state.output!, into: &outputForce!)
    }
    return outputForce!
  }

  private mutating func move(
    _ sheaf: NeuralSheaf, _ v: Int, _ state: inout SheafState, _ h: Double,
    _ report: inout StepReport
  ) {
    let force = force(at: v, state)
    var result = StepReport(change: state.stalks[v].advance(along: force, by: h), switched: 0)
    for e in readers[v] {
      result.switched += sheaf.network.edges[e].operation.readPattern(
        at: state.stalks[v], into: &patterns[e])
    }
    report.add(result)
  }
}

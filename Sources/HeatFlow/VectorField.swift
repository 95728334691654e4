import LinearAlgebra
import NeuralSheaves

/// The right-hand side −δᵀ(δω − b) − (pins) of the sheaf heat equation on one block of samples,
/// with its workspace.
///
/// One visit of the edges in topological order evaluates it. A vertex has one buffer: it holds the
/// discrepancy ρ_v of the vertex's incoming edge until the first outgoing edge turns it into the
/// force −ρ_v + Σ R_eᵀρ_e. A vertex whose last outgoing edge has been visited is finished, and may
/// be moved at once: nothing later in the visit reads it.
public struct VectorField: Sendable {
  /// ρ or force of each vertex, as far as the visit has come; the input's is empty while held.
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
  /// The first and the last edge out of each vertex, −1 if there is none.
  private let firstEdge, lastEdge: [Int]
  /// The state-dependent edges out of each vertex.
  private let readers: [[Int]]
  private let isFree: [Bool]

  /// The field at a state.
  ///
  /// - Parameters:
  ///   - pins: of the samples of this block.
  ///   - output: the output edge, if there is one; `state.output` is then its far end.
  ///   - parametersRest: whether the network's parameters stay as they are, so that products with
  ///     held stalks can be kept.
  public init(
    _ sheaf: NeuralSheaf, at state: SheafState, pins: Pins, output: OutputEdge?,
    parametersRest: Bool
  ) {
    let network = sheaf.network
    let isFree = network.vertices.indices.map { !pins.holdsAll(of: $0) }
    buffers = sheaf.zeroCochain(batch: state.batch)
    if isFree[0] { buffers[0] = Matrix(rows: network.inputDimension, columns: state.batch) }
    patterns = sheaf.patterns(at: state)
    var first = [Int](repeating: -1, count: network.vertices.count)
    var last = first
    var readers = [[Int]](repeating: [], count: first.count)
    for (e, edge) in network.edges.enumerated() {
      if first[edge.source] < 0 { first[edge.source] = e }
      last[edge.source] = e
      if edge.operation.isStateDependent { readers[edge.source].append(e) }
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
    (firstEdge, lastEdge, self.readers) = (first, last, readers)
    (self.isFree, self.pins, self.output) = (isFree, pins, output)
  }

  /// What a step did.
  public struct StepReport: Sendable {
    /// The largest change of a coordinate, NaN if one is not finite.
    public var change = 0.0
    /// How many coordinates switched branch.
    public var switched = 0

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
    var state = state
    visitEdges(sheaf, &state, onEdge: { _, _, _ in }) { _, v, _, force in body(v, force) }
  }

  /// ω ← ω + h · F(ω), in place.
  ///
  /// - Parameter onEdge: called with each edge, ρ_e (in the rows of its target) and the value of
  ///   its source, all before the step.
  public mutating func step(
    _ sheaf: NeuralSheaf, _ state: inout SheafState, by h: Double,
    onEdge: (Int, Matrix, Matrix) -> Void = { _, _, _ in }
  ) -> StepReport {
    var report = StepReport()
    visitEdges(sheaf, &state, onEdge: onEdge) { field, v, stalk, force in
      let change: Double
      if v < field.readers.count, field.readers[v].count == 1 {
        let e = field.readers[v][0]
        let result = sheaf.network.edges[e].operation.advance(
          &stalk, along: force, by: h, pattern: &field.patterns[e])
        change = result.change
        report.switched += result.switched
      } else {
        change = stalk.advance(along: force, by: h)
        for e in v < field.readers.count ? field.readers[v] : [] {
          report.switched += sheaf.network.edges[e].operation.readPattern(
            at: stalk, into: &field.patterns[e])
        }
      }
      if change > report.change || change.isNaN { report.change = change }
    }
    return report
  }

  private typealias Finish = (inout VectorField, Int, inout Matrix, Matrix) -> Void

  private mutating func visitEdges(
    _ sheaf: NeuralSheaf, _ state: inout SheafState, onEdge: (Int, Matrix, Matrix) -> Void,
    finish: Finish
  ) {
    let network = sheaf.network
    for e in network.edges.indices {
      let (s, t) = (network.edges[e].source, network.edges[e].target)
      let keep: Double = firstEdge[s] == e ? (s == 0 ? 0 : -1) : 1
      visit(network.edges[e].operation, e, s, t, state, keep)
      onEdge(e, buffers[t], state.stalks[s])
      if lastEdge[s] == e && isFree[s] { complete(s, &state, finish) }
    }
    for v in 1..<network.vertices.count where lastEdge[v] < 0 {
      buffers[v].scale(by: -1)
      if v == network.lastVertex, let output, let a = state.output {
        output.addForce(
          state.stalks[v], a, residual: &residual, into: &buffers[v], outputForce: &outputForce)
      }
      if isFree[v] { complete(v, &state, finish) }
    }
    if outputForce != nil {
      let v = network.vertices.count
      if pins.concern(v) {
        pins.addForces(vertex: v, stalk: state.output!, into: &outputForce!)
      }
      let force = outputForce!
      finish(&self, v, &state.output!, force)
    }
  }

  private mutating func visit(
    _ operation: any NetworkOperation, _ e: Int, _ s: Int, _ t: Int, _ state: SheafState,
    _ keep: Double
  ) {
    if let constant = constants[e] {
      buffers[t].setDifference(state.stalks[t], constant)
    } else if isFree[s] {
      // The source's buffer leaves the array for the visit, so that both can be written.
      var force = Matrix(rows: 0, columns: 0)
      swap(&force, &buffers[s])
      operation.visit(
        source: state.stalks[s], target: state.stalks[t], at: patterns[e], into: &buffers[t],
        keeping: keep, into: &force)
      swap(&force, &buffers[s])
    } else {
      operation.discrepancy(state.stalks[s], state.stalks[t], into: &buffers[t])
    }
  }

  private mutating func complete(_ v: Int, _ state: inout SheafState, _ finish: Finish) {
    if pins.concern(v) { pins.addForces(vertex: v, stalk: state.stalks[v], into: &buffers[v]) }
    let force = buffers[v]
    finish(&self, v, &state.stalks[v], force)
  }
}

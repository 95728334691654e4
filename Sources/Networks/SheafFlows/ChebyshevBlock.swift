import LinearAlgebra
import NeuralSheaves

/// Some samples with the states of a step's stages.
struct ChebyshevBlock: FlowBlock {
  private(set) var state: SheafState
  let range: Range<Int>
  private var field: VectorField
  private let pins: Pins
  /// The patterns of `state`.
  private var patterns: [ActivationPattern]
  /// F at `state` and at the end of the step tried, one matrix per vertex, a_{k+1} last.
  private var force, newForce: [Matrix]
  /// Y_{j−1} and Y_{j−2}.
  private var current, other: SheafState
  private var coefficients = ChebyshevCoefficients(stages: 2)
  private var dt = 0.0
  private var isRetry = true
  /// Σ of the squared estimated errors, of the squared changes, and ‖F‖∞ at the end of the step.
  private(set) var errorSquares = 0.0
  private(set) var movedSquares = 0.0
  private(set) var largestForce = 0.0
  private(set) var report = VectorField.StepReport()
  private var start: SheafState

  init(_ flow: HeatFlow, _ part: SheafState, _ range: Range<Int>) {
    state = part
    start = part
    self.range = range
    pins = flow.pins.samples(range)
    field = VectorField(flow.pinned.samples(range), at: part, parametersRest: true)
    patterns = flow.sheaf.patterns(at: part)
    var force = part.stalks.map { Matrix(rows: $0.rows, columns: $0.columns) }
    if let a = part.output { force.append(Matrix(rows: a.rows, columns: a.columns)) }
    (newForce, current, other) = (force, part, part)
    field.evaluate(flow.sheaf, part) { v, f in force[v].set(f) }
    self.force = force
  }

  /// Sets the next step; a retry starts where the last step did.
  mutating func prepare(size: Double, _ coefficients: ChebyshevCoefficients, retry: Bool) {
    dt = size
    self.coefficients = coefficients
    isRetry = retry
  }

  mutating func step(_ sheaf: NeuralSheaf) {
    if isRetry {
      swap(&state, &start)
      swap(&force, &newForce)
      _ = sheaf.readPatterns(at: state, into: &patterns)
    }
    // The arrays leave the block, so that the field can be read while they are written.
    let (y, f0, stages) = (state, force, coefficients.stages)
    var next = SheafState(stalks: [])
    swap(&next, &other)
    // Y₁ = y + μ̃₁ h F₀, Y₀ = y.
    next.set(y)
    current.set(y)
    for v in f0.indices { current.update(v) { $0.add(f0[v], scale: stages[0].muTilde * dt) } }
    for j in 1..<stages.count {
      let c = stages[j]
      let dt = dt
      field.evaluate(sheaf, current) { v, f in
        let (before, start) = (current.vertex(v), y.vertex(v))
        next.update(v) {
          $0.add(before, scale: c.mu, keeping: c.nu)
          $0.add(start, scale: 1 - c.mu - c.nu)
          $0.add(f, scale: c.muTilde * dt)
          $0.add(f0[v], scale: c.gammaTilde * dt)
        }
      }
      swap(&next, &current)
    }
    // Weights add up to 1 but for rounding.
    pins.impose(on: &current)
    swap(&next, &other)
    finish(sheaf)
  }

  /// F at the end, the error 0.8 (y − Y) + 0.4 h (F₀ + F_s) (Sommeijer, Shampine, Verwer, §3.1) and what moved.
  private mutating func finish(_ sheaf: NeuralSheaf) {
    var f = [Matrix]()
    swap(&f, &newForce)
    field.evaluate(sheaf, current) { v, force in f[v].set(force) }
    swap(&f, &newForce)
    (errorSquares, movedSquares, largestForce) = (0, 0, 0)
    report = VectorField.StepReport()
    for v in newForce.indices {
      let (old, new) = (state.vertex(v), current.vertex(v))
      let (f0, f1, dt) = (force[v], newForce[v], dt)
      let top = f1.maximumMagnitude
      if top > largestForce || top.isNaN { largestForce = top }
      var (moved, squares) = (0.0, 0.0)
      other.update(v) {
        $0.setDifference(new, old)
        moved = $0.maximumMagnitude
        squares = $0.sumOfSquares
        $0.add(f0, scale: 0.4 * dt, keeping: -0.8)
        $0.add(f1, scale: 0.4 * dt)
      }
      report.add(.init(change: moved))
      movedSquares += squares
      errorSquares += other.vertex(v).sumOfSquares
    }
    swap(&state, &current)
    swap(&start, &current)
    swap(&force, &newForce)
    report.switched = sheaf.readPatterns(at: state, into: &patterns)
  }
}

extension SheafState {
  /// The value of a vertex, a_{k+1} being number `stalks.count`.
  fileprivate func vertex(_ v: Int) -> Matrix { v < stalks.count ? stalks[v] : output! }

  /// Changes the value of a vertex in place.
  fileprivate mutating func update(_ v: Int, _ body: (inout Matrix) -> Void) {
    if v < stalks.count { body(&stalks[v]) } else { body(&output!) }
  }

  /// Copies the values of another state, in place.
  fileprivate mutating func set(_ other: SheafState) {
    for v in stalks.indices { stalks[v].set(other.stalks[v]) }
    if let a = other.output { output!.set(a) }
  }
}

/// Conjugate gradients for A x = b with A symmetric positive semidefinite, all columns side by side, each with
/// its own coefficients (Hestenes, Stiefel 1952; Golub, Van Loan, *Matrix Computations*, §11.3).
///
/// A consistent system with a singular A has the solution that differs from the start by an element of A's
/// range; from 0, without a preconditioner, that of least norm. An inconsistent one has none: its residual
/// stays up and the column ends as `stalled` or at the step limit.
///
/// The error in the norm of A falls by ((√κ − 1)/(√κ + 1)) each step, κ the condition on the range. Cost: one
/// application and some five passes over a vector per step; columns that are done take part no longer.
public struct ConjugateGradients: Sendable {
  /// What is measured of a residual r.
  public enum Norm: Sendable {
    /// ‖r‖₂.
    case euclidean
    /// ⟨r, M⁻¹ r⟩^½ with the preconditioner M⁻¹.
    case preconditioned
  }

  /// A column is done where its residual is at most this times the right-hand side's, in the norm.
  public var tolerance: Double
  /// Or at most this.
  public var absoluteTolerance: Double
  /// The norm of both.
  public var norm: Norm
  /// The most steps; nil for ten times the order.
  public var stepLimit: Int?
  /// Asked before each step whether to end.
  public var halt: Halt

  /// The method with its settings.
  public init(
    tolerance: Double = 1e-10, absoluteTolerance: Double = 0, norm: Norm = .euclidean,
    stepLimit: Int? = nil, halt: Halt = .never
  ) {
    (self.tolerance, self.absoluteTolerance) = (tolerance, absoluteTolerance)
    (self.norm, self.stepLimit, self.halt) = (norm, stepLimit, halt)
  }

  /// x with A x = b.
  ///
  /// - Parameters:
  ///   - a: symmetric positive semidefinite, (n, n).
  ///   - b: (n, k).
  ///   - start: (n, k); 0 if nil.
  ///   - preconditioner: M⁻¹, symmetric positive definite; the identity if nil.
  ///   - tolerances: for each column, in place of `tolerance`.
  /// - Returns: x, with the norms of the last residuals, each over that of its right-hand side where that is
  ///   not 0. `stalled`: a direction in which A is not positive; `diverged`: numbers that are not finite.
  public func solve(
    _ a: some LinearOperator, _ b: Matrix, from start: Matrix? = nil,
    preconditioner: (any LinearOperator)? = nil, tolerances: [Double]? = nil
  ) -> Solution<Matrix> {
    precondition(
      a.rows == a.columns && b.rows == a.rows && a.systems ?? b.columns == b.columns,
      "a system of shape (\(a.rows), \(a.columns)) with right-hand sides \(b.shape)")
    precondition(tolerances?.count ?? b.columns == b.columns)
    var run = Run(self, b, tolerances, preconditioner)
    if let start { run.begin(at: start, product: a(start)) }
    let limit = stepLimit ?? 10 * max(b.rows, 1)
    var (open, active) = (Array(0..<b.columns), a)
    var product = Matrix(rows: b.rows, columns: 0)
    for _ in 0..<limit {
      let left = open.filter { run.isOpen($0) }
      guard !left.isEmpty else { break }
      if let reason = halt.reason {
        for j in left { run.statuses[j] = reason }
        break
      }
      if left != open || product.columns != left.count {
        if a.systems != nil && left.count < b.columns { active = a.systems(left) }
        product = Matrix(rows: b.rows, columns: left.count)
        open = left
      }
      active.apply(
        open.count == b.columns ? run.direction : run.direction.columns(open), into: &product)
      run.advance(open, product)
    }
    return run.solution
  }
}

/// The vectors of a run and what is known of each column.
private struct Run {
  let settings: ConjugateGradients
  let preconditioner: (any LinearOperator)?
  var x: Matrix
  var residual: Matrix
  var direction: Matrix
  /// M⁻¹ r; the residual itself where there is no preconditioner.
  var conditioned: Matrix?
  /// ⟨r, M⁻¹r⟩, the square of the residual in the norm asked for, and the one to come to.
  var squares: [Double]
  var measures: [Double]
  let scales: [Double]
  let bounds: [Double]
  var statuses: [SolutionStatus]
  var iterations: [Int]

  init(
    _ settings: ConjugateGradients, _ b: Matrix, _ tolerances: [Double]?,
    _ preconditioner: (any LinearOperator)?
  ) {
    (self.settings, self.preconditioner) = (settings, preconditioner)
    x = Matrix(rows: b.rows, columns: b.columns)
    (residual, direction) = (b, b)
    statuses = [SolutionStatus](repeating: .stepLimit, count: b.columns)
    iterations = [Int](repeating: 0, count: b.columns)
    (squares, measures) = ([], [])
    conditioned = preconditioner.map { $0(b) }
    let scales = Self.measures(b, conditioned, settings.norm)
    self.scales = scales
    bounds = scales.indices.map { j in
      let relative = tolerances?[j] ?? settings.tolerance
      return max(
        relative * relative * scales[j], settings.absoluteTolerance * settings.absoluteTolerance)
    }
    restart()
  }

  private static func measures(
    _ r: Matrix, _ conditioned: Matrix?, _ norm: ConjugateGradients.Norm
  ) -> [Double] {
    var sums = [Double](repeating: 0, count: r.columns)
    r.addColumnDots(norm == .preconditioned ? conditioned ?? r : r, into: &sums)
    return sums
  }

  mutating func begin(at start: Matrix, product: Matrix) {
    x = start
    residual.add(product, scale: -1)
    restart()
  }

  private mutating func restart() {
    if let preconditioner { conditioned = preconditioner(residual) }
    direction = conditioned ?? residual
    squares = [Double](repeating: 0, count: x.columns)
    residual.addColumnDots(direction, into: &squares)
    measures = Self.measures(residual, conditioned, settings.norm)
    for j in statuses.indices { judge(j) }
  }

  private mutating func judge(_ j: Int) {
    if !measures[j].isFinite || !squares[j].isFinite {
      statuses[j] = .diverged
    } else if measures[j] <= bounds[j] {
      statuses[j] = .converged
    }
  }

  func isOpen(_ j: Int) -> Bool { statuses[j] == .stepLimit }

  /// One step of the columns `open`, `product` being A times their directions.
  mutating func advance(_ open: [Int], _ product: Matrix) {
    let n = x.columns
    var lengths = [Double](repeating: 0, count: n)
    var curvatures = [Double](repeating: 0, count: open.count)
    let isAll = open.count == n
    (isAll ? direction : direction.columns(open)).addColumnDots(product, into: &curvatures)
    for (q, j) in open.enumerated() {
      iterations[j] += 1
      if curvatures[q] > 0 {
        lengths[j] = squares[j] / curvatures[q]
      } else {
        statuses[j] = curvatures[q].isNaN ? .diverged : .stalled
      }
    }
    x.addScaledColumns(direction, by: lengths)
    if isAll {
      residual.addScaledColumns(product, by: lengths, scale: -1)
    } else {
      var whole = Matrix(rows: x.rows, columns: n)
      whole.scatterColumns(open, from: product)
      residual.addScaledColumns(whole, by: lengths, scale: -1)
    }
    if let preconditioner { preconditioner.apply(residual, into: &conditioned!) }
    let next = conditioned ?? residual
    var fresh = [Double](repeating: 0, count: n)
    residual.addColumnDots(next, into: &fresh)
    measures = Self.measures(residual, conditioned, settings.norm)
    var ratios = [Double](repeating: 0, count: n)
    for j in open where isOpen(j) {
      ratios[j] = squares[j] > 0 ? fresh[j] / squares[j] : 0
      squares[j] = fresh[j]
      judge(j)
    }
    direction.scaleColumns(by: ratios)
    direction.add(next)
  }

  var solution: Solution<Matrix> {
    Solution(
      x, statuses: statuses,
      residuals: measures.indices.map { j in
        (measures[j] / (scales[j] > 0 ? scales[j] : 1)).squareRoot()
      }, iterations: iterations)
  }
}

/// Conjugate gradients for A x = b with A symmetric positive semidefinite, all columns side by side, each with
/// its own coefficients (Hestenes, Stiefel 1952; Golub, Van Loan, *Matrix Computations*, §11.3).
///
/// A consistent system with a singular A has the solution that differs from the start by an element of A's
/// range; from 0, without a preconditioner, that of least norm. An inconsistent one has none: it ends as
/// `stalled`, `diverged` or at the step limit.
///
/// The error in the norm of A falls by (√κ − 1)/(√κ + 1) each step, κ the condition on the range. Cost: one
/// application and some five passes over a vector per step, and one application at the end; columns that are
/// done take part no longer. Norms are squared on the way: their squares must be numbers.
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
  ///   - preconditioner: M⁻¹, symmetric positive definite, one for all columns or one for each; the identity if nil.
  ///   - tolerances: for each column, in place of `tolerance`.
  ///   - isDone: decides of a column in place of all tolerances: it gets the column, its residual, and by how much
  ///     ½⟨x, A x⟩ − ⟨b, x⟩ has fallen. Then the residual that is reported is the recursion's, and the application at
  ///     the end is saved.
  /// - Returns: x, with the norms of b − A x, worked out anew, each over that of b where that is not 0.
  ///   `converged`: the recursion's is within the tolerance, and this within ten
  ///   times that or 1e-10, what rounding leaves. `stalled`: a direction in
  ///   which A is not positive, or a recursion that came to its end where b − A x did not; `diverged`: numbers
  ///   that are not finite.
  public func solve(
    _ a: some LinearOperator, _ b: Matrix, from start: Matrix? = nil,
    preconditioner: (any LinearOperator)? = nil, tolerances: [Double]? = nil,
    until isDone: ((_ column: Int, _ residual: ArraySlice<Double>, _ fall: Double) -> Bool)? = nil
  ) -> Solution<Matrix> {
    precondition(
      a.rows == a.columns && b.rows == a.rows && a.systems ?? b.columns == b.columns
        && a.traits.contains(.positiveSemidefinite),
      "a system of shape (\(a.rows), \(a.columns)) with right-hand sides \(b.shape), expected a positive "
        + "semidefinite one")
    precondition(tolerances?.count ?? b.columns == b.columns)
    let all = Array(0..<b.columns)
    let scales = squares(b, preconditioner)
    let bounds = all.map { j in
      let relative = tolerances?[j] ?? tolerance
      return max(relative * relative * scales[j], absoluteTolerance * absoluteTolerance)
    }
    var solution = Solution(
      start ?? Matrix(rows: b.rows, columns: b.columns),
      statuses: all.map { _ in .stepLimit }, residuals: all.map { _ in 0 },
      iterations: all.map { _ in 0 })
    func residual() -> Matrix {
      var r = b
      r.add(a(solution.value), scale: -1)
      return r
    }
    /// Takes down what the columns of a run have come to.
    func hand(over run: Columns) {
      solution.value.scatterColumns(run.indices, from: run.x)
      for (q, j) in run.indices.enumerated() {
        solution.residuals[j] = (run.squares[q] / (scales[j] > 0 ? scales[j] : 1)).squareRoot()
      }
    }
    var run = Columns(all, solution.value, start == nil ? b : residual(), preconditioner)
    var (active, activePreconditioner) = (a, preconditioner)
    let limit = stepLimit ?? 10 * max(b.rows, 1)
    for step in 0...limit {
      // Columns that are done leave.
      let measures = norm == .preconditioned ? run.products : run.squares
      for (q, j) in run.indices.enumerated() {
        solution.iterations[j] = step
        if !measures[q].isFinite || !run.products[q].isFinite {
          solution.statuses[j] = .diverged
        } else if isDone.map({ $0(j, run.residual(q), run.falls[q]) }) ?? (measures[q] <= bounds[j])
        {
          solution.statuses[j] = .converged
        } else if run.isStuck[q] {
          solution.statuses[j] = .stalled
        }
      }
      let left = run.indices.indices.filter { solution.statuses[run.indices[$0]] == .stepLimit }
      if left.count < run.indices.count {
        hand(over: run)
        run.keep(left)
        if a.systems != nil { active = a.systems(run.indices) }
        if let preconditioner, preconditioner.systems != nil {
          activePreconditioner = preconditioner.systems(run.indices)
        }
      }
      guard !left.isEmpty, step < limit else { break }
      if let reason = halt.reason {
        for j in run.indices { solution.statuses[j] = reason }
        break
      }
      run.advance(active, activePreconditioner)
    }
    hand(over: run)
    if isDone != nil { return solution }
    // The recursion's residual is not what it stands for where b has a part outside the range.
    let last = squares(residual(), preconditioner)
    for j in all {
      let rounding = 1e-20 * scales[j]
      if solution.statuses[j] == .converged && !(last[j] <= max(100 * bounds[j], rounding)) {
        solution.statuses[j] = .stalled
      }
      solution.residuals[j] = (last[j] / (scales[j] > 0 ? scales[j] : 1)).squareRoot()
    }
    return solution
  }

  /// The squared norms of the columns of r.
  private func squares(_ r: Matrix, _ preconditioner: (any LinearOperator)?) -> [Double] {
    var sums = [Double](repeating: 0, count: r.columns)
    if norm == .preconditioned, let preconditioner {
      r.addColumnDots(preconditioner(r), into: &sums)
    } else {
      r.addColumnDots(r, into: &sums)
    }
    return sums
  }
}

/// The columns that are still at work.
private struct Columns {
  private(set) var indices: [Int]
  private(set) var x: Matrix
  private var residual: Matrix
  private var direction: Matrix
  /// ⟨r, M⁻¹r⟩ and ⟨r, r⟩.
  private(set) var products: [Double]
  private(set) var squares: [Double]
  /// How far ½⟨x, A x⟩ − ⟨b, x⟩ has fallen.
  private(set) var falls: [Double]
  /// Whether a direction was met in which A is not positive.
  private(set) var isStuck: [Bool]

  func residual(_ q: Int) -> ArraySlice<Double> {
    residual.elements[q * residual.rows..<(q + 1) * residual.rows]
  }

  init(_ indices: [Int], _ x: Matrix, _ residual: Matrix, _ preconditioner: (any LinearOperator)?) {
    (self.indices, self.x, self.residual) = (indices, x, residual)
    direction = preconditioner.map { $0(residual) } ?? residual
    (products, squares) = (indices.map { _ in 0 }, indices.map { _ in 0 })
    (falls, isStuck) = (indices.map { _ in 0 }, indices.map { _ in false })
    residual.addColumnDots(direction, into: &products)
    residual.addColumnDots(residual, into: &squares)
  }

  mutating func keep(_ places: [Int]) {
    indices = places.map { indices[$0] }
    (x, residual, direction) = (
      x.columns(places), residual.columns(places), direction.columns(places)
    )
    (products, squares) = (places.map { products[$0] }, places.map { squares[$0] })
    (falls, isStuck) = (places.map { falls[$0] }, places.map { isStuck[$0] })
  }

  mutating func advance(_ a: some LinearOperator, _ preconditioner: (any LinearOperator)?) {
    let zeros = [Double](repeating: 0, count: indices.count)
    let product = a(direction)
    var (curvatures, lengths, ratios) = (zeros, zeros, zeros)
    direction.addColumnDots(product, into: &curvatures)
    for q in indices.indices {
      if curvatures[q] > 0 || curvatures[q].isNaN {
        lengths[q] = products[q] / curvatures[q]
        falls[q] += 0.5 * lengths[q] * products[q]
      } else {
        isStuck[q] = true
      }
    }
    x.addScaledColumns(direction, by: lengths)
    residual.addScaledColumns(product, by: lengths, scale: -1)
    let next = preconditioner.map { $0(residual) } ?? residual
    let old = products
    (products, squares) = (zeros, zeros)
    residual.addColumnDots(next, into: &products)
    residual.addColumnDots(residual, into: &squares)
    for q in indices.indices { ratios[q] = old[q] > 0 ? products[q] / old[q] : 0 }
    direction.scaleColumns(by: ratios)
    direction.add(next)
  }
}

import CellularSheaves
import Distributions
import LinearAlgebra
import SparseFactorizations

/// The values on all cells that explain an assignment best: the minimum of Σ ‖T_σ(x_σ − y_σ)‖²/2 over the readings y with
/// covariances Σ = (TᵀT)⁻¹, over all global sections x (section model), or plus the energy of the discrepancies on edges
/// (agreement model).
///
/// For independent Gaussian errors it is the maximum-likelihood estimate, and the Gauss–Markov theorem holds; its covariance
/// is (AᵀA)⁻¹ for the whitened derivative A, of which the entries that are asked for are computed (Takahashi's selected
/// inverse). Partial assignments are extended: what the readings do not determine has no covariance and, of all values that
/// fit equally well, those nearest to 0 in units of the data.
public struct Fusion: Sendable {
  /// What is assumed and asked for.
  public struct Settings: Sendable {
    /// How values on different cells belong together.
    public var model = FusionModel.section
    /// The loss of a reading's residual.
    public var readingLoss = Loss.leastSquares
    /// The loss of a discrepancy on an edge, in the agreement model.
    public var agreementLoss = Loss.leastSquares
    /// From how many points a search begins where maps are not affine: the one that the readings suggest, and others around
    /// it at random; and where a loss is not convex, there of what fits random halves of the readings.
    public var starts = 10
    /// Of the random ones.
    public var seed: UInt64 = 0
    /// Values of minimal cells to begin with, in place of what the readings suggest.
    public var start: [Int: [Double]] = [:]
    /// How much a step may still move, relative to the largest value, at the end.
    public var tolerance = 1e-10
    /// Gauss–Newton steps from each start.
    public var maximumIterations = 200
    /// Whether covariances will be asked for.
    public var wantsCovariance = true
    /// What the values have to satisfy.
    public var constraints: [StalkConstraint] = []
    /// Asked between steps.
    public var halt = Halt.never

    /// The usual ones.
    public init() {}
  }

  /// What kind of minimum was found.
  public enum Certificate: Sendable, Equatable {
    /// The global one: the problem is convex.
    case global
    /// The least of several descents, of which so many ended there.
    case local(starts: Int, reached: Int)
  }

  let model: any InferenceModel
  let fit: LeastSquaresFit
  let normal: NormalEquations
  /// The directions in which values are free, as rows: along sections and active constraints; all if nil.
  private let directions: SparseMatrix?
  /// The same as columns.
  let basis: SparseMatrix?
  /// The constraints that hold the solution where it is: all equations, and the bounds with a positive multiplier. Covariances
  /// are those of the values with these as equations.
  public let activeConstraints: [String]
  private let hasActiveBounds: Bool
  private let isLeastSquares: Bool
  /// Whether maps are affine, so that covariances and leave-one-out discrepancies are exact.
  public var isLinear: Bool { model.isAffine }
  /// Other minima that are nearly as good, of a cost of at most 2 more: their costs, and the values of the minimal cells.
  public let rivals: [(cost: Double, values: [Int: [Double]])]
  /// What kind of minimum it is.
  public let certificate: Certificate
  /// Whether the iteration converged.
  public var status: SolutionStatus { fit.status }
  /// Gauss–Newton steps of the descent that was best.
  public var iterations: Int { fit.iterations }
  /// Σ of the losses at the solution; half of `chiSquared` for least squares.
  public var cost: Double { fit.cost }
  /// How far the values are from agreeing on the cells where they have to, in the section model.
  public var defect: Double { fit.defect }
  /// The costs of the ends of all descents, ascending.
  public let costs: [Double]

  /// Fuses an assignment on a cellular sheaf.
  ///
  /// - Throws: `InferenceError` for readings that do not go with the sheaf; what factorisations throw.
  /// - Complexity: one sparse factorisation and its selected inverse; for other losses a factorisation per round.
  public init(
    _ sheaf: CellularSheaf, _ assignment: Assignment, settings: Settings = Settings()
  ) throws {
    let model = try LinearModel(sheaf, assignment, settings.model)
    try model.checkStiffness()
    try self.init(model, settings)
  }

  /// Fuses an assignment on a sheaf of differentiable maps.
  ///
  /// - Throws: `InferenceError` for readings that do not go with the sheaf and maps that are not finite where all searches
  ///   begin; what factorisations throw.
  public init(
    _ sheaf: NonlinearSheaf, _ assignment: Assignment, settings: Settings = Settings()
  ) throws {
    try self.init(NonlinearModel(sheaf, assignment, settings.model), settings)
  }

  init(_ model: some InferenceModel, _ settings: Settings) throws {
    for loss in [settings.readingLoss, settings.agreementLoss] {
      switch loss {
      case .leastSquares: break
      case .huber(let quantile):
        precondition(quantile > 0 && quantile < 1, "a quantile of probability \(quantile)")
      case .studentT(let nu):
        precondition(nu > 0 && nu.isFinite, "\(nu) degrees of freedom")
      }
    }
    let problem = LeastSquaresFit.Problem(
      model: model, readingLoss: settings.readingLoss, agreementLoss: settings.agreementLoss,
      tolerance: settings.tolerance, maximumIterations: settings.maximumIterations,
      halt: settings.halt, constraints: try UnknownConstraints(settings.constraints, model),
      wantsCovariance: settings.wantsCovariance)
    let isConvex =
      model.isAffine && settings.readingLoss.isConvex && settings.agreementLoss.isConvex
    var (start, spread) = model.searchRange()
    for (cell, values) in settings.start {
      guard let range = model.layout.range(of: cell) else {
        throw InferenceError.quantity(
          name: "the start",
          found:
            "a value of \"\((0..<model.cellCount).contains(cell) ? model.name(cell) : "\(cell)")\"",
          expected: "values of minimal cells")
      }
      guard values.count == range.count else {
        throw InferenceError.length(
          cell: model.name(cell), found: values.count, expected: range.count)
      }
      start.replaceSubrange(range, with: values)
    }
    let found = try Self.descend(
      problem, from: start, spread: spread, isConvex ? 1 : max(settings.starts, 1), settings.seed)
    (self.model, fit, costs) = (model, found.best, found.costs)
    let least = costs[0]
    certificate =
      isConvex
      ? .global
      : .local(
        starts: max(settings.starts, 1),
        reached: costs.filter { $0 <= least + 1e-6 * max(abs(least), 1e-6) }.count)
    let (basis, active) = try found.best.activeBasis(problem.constraints)
    self.basis = basis
    directions = basis?.transposed
    activeConstraints = active.map { problem.constraints!.names[$0] }
    hasActiveBounds = active.contains { !problem.constraints!.isEquality[$0] }
    isLeastSquares =
      settings.readingLoss == .leastSquares && settings.agreementLoss == .leastSquares
    rivals = found.rivals.map { fit in
      (
        fit.cost,
        Dictionary(
          uniqueKeysWithValues: model.layout.variables.map {
            ($0, Array(fit.point[model.layout.range(of: $0)!]))
          })
      )
    }
    if let equations = found.best.normal, active.isEmpty {
      normal = equations
      return
    }
    var system = LeastSquaresFit.weighted(found.best.system, found.best.weights, model.layout)
    if let directions { system.transposed = system.transposed.along(directions) }
    let blocks = basis == nil ? model.layout.ranges : []
    normal = try NormalEquations(system, covarianceOf: settings.wantsCovariance ? blocks : nil)
  }

  private static func descend(
    _ problem: LeastSquaresFit.Problem, from start: [Double], spread: [Double], _ count: Int,
    _ seed: UInt64
  ) throws -> (best: LeastSquaresFit, costs: [Double], rivals: [LeastSquaresFit]) {
    var fits: [LeastSquaresFit] = []
    var generator = RandomGenerator(seed: seed)
    var (best, costs): (LeastSquaresFit?, [Double]) = (nil, [])
    var failure: Error?
    // Where the loss alone is not convex, what fits a random half of the readings is near a minimum.
    let near =
      problem.model.isAffine && count > 1
      ? try LeastSquaresFit(problem.withLeastSquares, from: start) : nil
    for k in 0..<count {
      let point: [Double]
      if let near {
        let weights = problem.model.layout.blocks.map { block in
          k > 0 && block.kind == .reading && generator.uniform() < 0.5 ? 1e-6 : 1
        }
        point = try near.refitted(weights, problem.model.layout)
      } else {
        point = k == 0 ? start : zip(start, spread).map { $0 + $1 * generator.normal() }
      }
      do {
        let fit = try LeastSquaresFit(problem, from: point)
        costs.append(fit.cost)
        fits.append(fit)
        // Of equal ones the first: what readings suggest, not the same place after a turn of the globe.
        if best.map({ fit.cost < $0.cost - 1e-9 * max($0.cost, 1) }) ?? true { best = fit }
      } catch let error as InferenceError {
        failure = failure ?? error
      } catch let error as FactorizationError where !problem.model.isAffine {
        // A search that ran to where maps have no derivative.
        failure =
          failure
          ?? InferenceError.quantity(
            name: "the search", found: "none of \(count) that ended (\(error))",
            expected: "readings that some values fit nearly, or a start near them")
      }
    }
    guard let best else { throw failure! }
    return (best, costs.sorted(), Self.rivals(of: best, among: fits, problem.model))
  }

  /// Minima of a cost of at most 2 more, each once, that lie elsewhere than the best.
  private static func rivals(
    of best: LeastSquaresFit, among fits: [LeastSquaresFit], _ model: any InferenceModel
  ) -> [LeastSquaresFit] {
    var distinct = [best]
    for fit in fits.sorted(by: { $0.cost < $1.cost })
    where fit.cost <= best.cost + 2 && fit.status == .converged {
      let isNew = distinct.allSatisfy { other in
        // In units of the data: what the residuals' derivative makes of the difference.
        let difference = zip(fit.point, other.point).map { $0 - $1 }
        let moved = fit.system.transposed.adjoint(Matrix(column: difference))
        return moved.maximumMagnitude > 0.1
      }
      if isNew { distinct.append(fit) }
    }
    return Array(distinct.dropFirst().prefix(5))
  }

  /// The value of a cell; nil for a cell that no minimal one is below.
  public func value(of cell: Int) -> [Double]? { model.value(of: cell, at: fit.point)?.value }

  /// The covariance of the value of a cell; nil where the readings do not determine it.
  ///
  /// With losses other than the square it is (Σ w AᵀA)⁻¹ with the weights at the solution.
  public func covariance(of cell: Int) throws -> Matrix? {
    guard let value = model.value(of: cell, at: fit.point) else { return nil }
    let covariance = try normal.covariance(of: reduced(value.transposed))
    // A map without a derivative there tells of no covariance.
    return covariance?.firstNonFinite == nil ? covariance : nil
  }

  /// Columns on the unknowns as columns on z.
  func reduced(_ a: SparseMatrix) -> SparseMatrix {
    directions.map { a.along($0) } ?? a
  }

  /// The dimension of what the readings do not determine.
  public var freedom: Int { normal.freedom }

  /// Σ of the squares of all whitened residuals, each times the weight that its loss gives it: with other losses than the
  /// square no χ².
  public var chiSquared: Double {
    zip(model.layout.blocks, fit.weights).reduce(0) { sum, pair in
      sum + pair.1
        * pair.0.rows.reduce(0) { $0 + fit.system.residual[$1] * fit.system.residual[$1] }
    }
  }

  /// The number of residuals minus that of the parameters that they determine.
  public var degreesOfFreedom: Int {
    model.layout.rows - ((basis?.columns ?? model.layout.dimension) - freedom)
  }

  /// The probability of a larger `chiSquared` if model and covariances are right; nil without degrees of freedom, with other
  /// losses than the square, and where bounds hold the solution.
  ///
  /// To first order for maps that are not affine.
  public var pValue: Double? {
    degreesOfFreedom > 0 && isLeastSquares && !hasActiveBounds
      ? ChiSquaredDistribution(degreesOfFreedom: Double(degreesOfFreedom)).upperTail(chiSquared)
      : nil
  }

  /// The weight that the loss gives the reading of a cell, 1 for the square; nil without a reading.
  public func weight(ofReading cell: Int) -> Double? {
    // Readings come first, by cell.
    let blocks = model.layout.blocks
    var (low, high) = (0, blocks.count)
    while low < high {
      let middle = (low + high) / 2
      if blocks[middle].kind == .reading && blocks[middle].cell < cell {
        low = middle + 1
      } else {
        high = middle
      }
    }
    guard low < blocks.count, blocks[low].kind == .reading, blocks[low].cell == cell else {
      return nil
    }
    return fit.weights[low]
  }
}

extension Loss {
  /// Whether it is a convex function of the residual.
  var isConvex: Bool {
    switch self {
    case .leastSquares, .huber: true
    case .studentT: false
    }
  }
}

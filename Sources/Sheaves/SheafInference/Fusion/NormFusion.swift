import CellularSheaves
import LinearAlgebra

/// The values on all cells whose largest residual is least: min over the sections x of max ‖T_σ(x_σ − y_σ)‖ over the readings
/// (section model), the discrepancies on edges included (agreement model).
///
/// A second-order cone program; for stalks of one dimension a linear one. It is the centre of what bounded errors allow and
/// knows no outliers: a single bad reading moves it by half of its error.
public struct MinimaxFusion: Sendable {
  private let model: any InferenceModel
  private let fit: NormFit
  /// The largest norm of a residual, in standard deviations.
  public var radius: Double { fit.value }
  /// No values have a smaller one, from the dual program; of the last step's linear model where maps are not affine.
  public var lowerBound: Double { fit.bound }
  /// Whether the radius is the least of all: for affine maps.
  public var isCertified: Bool { model.isAffine }
  /// How the optimisation ended.
  public var status: SolutionStatus { fit.status }

  /// Fuses an assignment on a cellular sheaf.
  ///
  /// - Throws: `InferenceError`; what factorisations throw.
  /// - Complexity: 10 to 30 sparse factorisations.
  public init(
    _ sheaf: CellularSheaf, _ assignment: Assignment, model: FusionModel = .section,
    halt: Halt = .never
  ) throws {
    try self.init(LinearModel(sheaf, assignment, model), halt)
  }

  /// Fuses an assignment on a sheaf of differentiable maps; where images meet in the section model the maps have to be affine.
  public init(
    _ sheaf: NonlinearSheaf, _ assignment: Assignment, model: FusionModel = .section,
    halt: Halt = .never
  ) throws {
    try self.init(NonlinearModel(sheaf, assignment, model), halt)
  }

  private init(_ model: some InferenceModel, _ halt: Halt) throws {
    self.model = model
    fit = try Self.fit(model, .largest, halt)
  }

  /// The unknowns whose residuals have the least norm of the goal's kind, begun where least squares end.
  static func fit(
    _ model: some InferenceModel, _ goal: NormFit.Goal, _ halt: Halt
  ) throws -> NormFit {
    var settings = Fusion.Settings()
    settings.wantsCovariance = false
    settings.halt = halt
    let near = try Fusion(model, settings)
    let constraints = try model.constraints(at: near.fit.point)
    if !model.isAffine && !constraints.residual.isEmpty {
      throw InferenceError.quantity(
        name: "sections of least norm", found: "images that meet by maps that are not affine",
        expected: "affine maps, or the agreement model")
    }
    let n = model.layout.dimension
    let all = SparseMatrix(rows: n, columns: n, entries: (0..<n).map { ($0, $0, 1) })
    return try NormFit(
      model, goal, scales: model.layout.blocks.map { _ in 1 }, from: near.fit.point,
      along: near.basis ?? all, halt: halt)
  }

  /// The value of a cell; nil for a cell that no minimal one is below.
  public func value(of cell: Int) -> [Double]? { model.value(of: cell, at: fit.point)?.value }
}

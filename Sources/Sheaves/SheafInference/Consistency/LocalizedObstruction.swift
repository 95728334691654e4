import CellularSheaves
import LinearAlgebra

/// What keeps an assignment from being part of a section, on few cells: the changes x_σ − y_σ of least Σ ‖T_σ(x_σ − y_σ)‖ that
/// make it part of one.
///
/// The sum of norms, not of their squares, is least where most changes are exactly 0 (the group lasso's reason; Candès, Tao
/// 2005 for when the smallest number of changes is found). A second-order cone program.
public struct LocalizedObstruction: Sendable {
  /// The change of a cell's value.
  public struct Change: Sendable {
    /// The cell.
    public let cell: Int
    /// x_σ − y_σ; on a circle the shorter way.
    public let difference: [Double]
    /// ‖T_σ(x_σ − y_σ)‖, in standard deviations.
    public let size: Double
  }

  /// One for each reading that is not kept, the largest first.
  public let changes: [Change]
  /// Σ of the sizes.
  public let total: Double
  /// No section has a smaller sum, from the dual program; for affine maps.
  public let lowerBound: Double
  /// How the optimisation ended.
  public let status: SolutionStatus
  private let model: any InferenceModel
  private let point: [Double]

  /// The obstruction of an assignment on a cellular sheaf.
  ///
  /// - Parameter tolerance: changes up to this times the largest count as none.
  /// - Throws: `InferenceError`; what factorisations throw.
  public init(
    _ sheaf: CellularSheaf, _ assignment: Assignment, tolerance: Double = 1e-6,
    halt: Halt = .never
  ) throws {
    try self.init(LinearModel(sheaf, assignment, .section), tolerance, halt)
  }

  /// That of an assignment on a sheaf of differentiable maps; where images meet the maps have to be affine.
  public init(
    _ sheaf: NonlinearSheaf, _ assignment: Assignment, tolerance: Double = 1e-6,
    halt: Halt = .never
  ) throws {
    try self.init(NonlinearModel(sheaf, assignment, .section), tolerance, halt)
  }

  private init(_ model: some InferenceModel, _ tolerance: Double, _ halt: Halt) throws {
    let fit = try MinimaxFusion.fit(model, .sum, halt)
    let blocks = model.layout.blocks
    let sizes = blocks.map { $0.norm(fit.system.residual) }
    let top = sizes.max() ?? 0
    changes = blocks.indices.filter { sizes[$0] > tolerance * max(top, 1e-300) }
      .sorted { (sizes[$1], blocks[$0].cell) < (sizes[$0], blocks[$1].cell) }
      .map { k in
        Change(
          cell: blocks[k].cell,
          difference: model.whitening(ofReading: blocks[k].cell)
            .unwhitened(blocks[k].rows.map { fit.system.residual[$0] }), size: sizes[k])
      }
    (total, lowerBound, status) = (fit.value, fit.bound, fit.status)
    (self.model, point) = (model, fit.point)
  }

  /// The value of a cell in the section; nil for a cell that no minimal one is below.
  public func value(of cell: Int) -> [Double]? { model.value(of: cell, at: point)?.value }
}

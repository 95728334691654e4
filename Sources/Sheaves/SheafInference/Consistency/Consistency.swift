import CellularSheaves
import LinearAlgebra

/// How far an assignment is from being part of a global section, and where: its consistency radius (Robinson 2020,
/// "Assignments to sheaves of pseudometric spaces").
///
/// Values are given on some cells; where a cell has none, the one that makes the radius least is taken. A *link* is a cell τ in
/// which values meet: the image of a face against the value of τ, or, where τ has none, the images of two faces against each
/// other.
///
/// - `.two`: ‖δx‖, the root of the sum over the links of ‖F_u x_u − F_v x_v‖², in the inner products of the stalks, and of
///   2‖F_u x_u − x_τ‖² where τ has a value; the two agree where x_τ is chosen optimally.
/// - `.infinity`: the largest ‖F_u x_u − x_τ‖; without a value of τ half of ‖F_u x_u − F_v x_v‖.
public struct Consistency: Sendable {
  /// Which radius.
  public enum Norm: String, Sendable, CaseIterable {
    case two = "2"
    case infinity = "inf"
  }

  /// Values that meet.
  public struct Link: Sendable, Equatable {
    /// Where they meet.
    public let cell: Int
    /// Whose values: two variables, the second nil where there is one end only; τ itself where it has a value.
    public let ends: (Int, Int?)
    /// By how much they differ, in the norm.
    public let discrepancy: Double

    public static func == (a: Link, b: Link) -> Bool {
      a.cell == b.cell && a.ends == b.ends && a.discrepancy == b.discrepancy
    }
  }

  /// Which radius.
  public let norm: Norm
  /// The consistency radius.
  public let radius: Double
  /// All links.
  public let links: [Link]
  /// The values of all variables: those given, and the optimal ones of the others.
  public let values: [Int: [Double]]
  /// Whether the radius is the least over all values of the cells without any: always for affine maps, else by a descent
  /// from one start.
  public let isCertified: Bool
  /// How the optimisation ended.
  public let status: SolutionStatus
  let model: any InferenceModel
  let assignment: Assignment

  /// The consistency of an assignment on a cellular sheaf, on its vertices and edges.
  ///
  /// Cells of higher dimension count where they have a value.
  ///
  /// - Throws: `InferenceError` for values that do not go with the sheaf; what factorisations throw.
  /// - Complexity: proportional to the maps where all vertices have values; else a sparse least-squares problem, or a
  ///   second-order cone program.
  public init(_ sheaf: CellularSheaf, _ assignment: Assignment, norm: Norm = .two) throws {
    try self.init(LinearModel(sheaf, assignment, .agreement), assignment, norm)
  }

  /// The consistency of an assignment on a sheaf of differentiable maps.
  ///
  /// Values meet on an element with those of the minimal elements below it.
  public init(_ sheaf: NonlinearSheaf, _ assignment: Assignment, norm: Norm = .two) throws {
    try self.init(NonlinearModel(sheaf, assignment, .agreement), assignment, norm)
  }

  init(_ model: some InferenceModel, _ assignment: Assignment, _ norm: Norm) throws {
    let layout = model.layout
    (self.norm, self.model, self.assignment) = (norm, model, assignment)
    var point = model.start().point
    var free: [Int] = []
    for cell in layout.variables {
      let range = layout.range(of: cell)!
      if let reading = assignment.readings[cell] {
        point.replaceSubrange(range, with: reading.values)
      } else {
        free += range
      }
    }
    let residual: [Double]
    if norm == .two || free.isEmpty {
      // Readings are met where they are held: only discrepancies are left.
      let fit = try LeastSquaresFit(.init(model: model), from: point, moving: free)
      (point, residual, status) = (fit.point, fit.system.residual, fit.status)
    } else {
      let first = try LeastSquaresFit(.init(model: model), from: point, moving: free)
      let columns = SparseMatrix(
        rows: point.count, columns: free.count,
        entries: free.enumerated().map { ($1, $0, 1) })
      let fit = try NormFit(
        model, .largest, scales: Self.scales(layout, norm), from: first.point, along: columns)
      (point, residual, status) = (fit.point, fit.system.residual, fit.status)
    }
    isCertified = model.isAffine || free.isEmpty
    let scales = Self.scales(layout, norm)
    links = zip(layout.blocks, scales).compactMap { block, s in
      guard block.kind != .reading else { return nil }
      return Link(
        cell: block.cell,
        ends: (
          Int(block.variables.0), block.variables.1 >= 0 ? Int(block.variables.1) : nil
        ), discrepancy: s * block.norm(residual))
    }
    radius =
      norm == .two
      ? links.reduce(0) { $0 + $1.discrepancy * $1.discrepancy }.squareRoot()
      : links.reduce(0) { max($0, $1.discrepancy) }
    values = Dictionary(
      uniqueKeysWithValues: layout.variables.map { ($0, Array(point[layout.range(of: $0)!])) })
  }

  /// By what the norms of blocks are multiplied; readings by 0.
  private static func scales(_ layout: ModelLayout, _ norm: Norm) -> [Double] {
    layout.blocks.map { block in
      block.kind == .reading ? 0 : norm == .two ? 1 : block.kind.robinsonFactor
    }
  }

  /// The radius of the open star of each variable, the cells that it is a face of: the norm over the links that it has an end
  /// in; and that of each cell in which values meet.
  ///
  /// - Complexity: proportional to the links.
  public var localRadii: [Int: Double] {
    var result = Dictionary(uniqueKeysWithValues: model.layout.variables.map { ($0, 0.0) })
    func add(_ cell: Int, _ value: Double) {
      let old = result[cell] ?? 0
      result[cell] =
        norm == .two ? (old * old + value * value).squareRoot() : max(old, value)
    }
    for link in links {
      for cell in Set([link.ends.0, link.ends.1 ?? link.cell, link.cell]) where cell >= 0 {
        add(cell, link.discrepancy)
      }
    }
    return result
  }

  /// The distance of the assignment from the nearest global section: the root of Σ ‖T(x − y)‖² over the readings, in units
  /// of their standard deviations.
  ///
  /// - Throws: as a fusion.
  public func distanceToSections(
    settings: Fusion.Settings = Fusion.Settings()
  ) throws -> (distance: Double, fusion: Fusion) {
    var settings = settings
    settings.model = .section
    let fusion: Fusion
    if let linear = model as? LinearModel {
      fusion = try Fusion(linear.sheaf, assignment, settings: settings)
    } else {
      fusion = try Fusion((model as! NonlinearModel).sheaf, assignment, settings: settings)
    }
    return (fusion.chiSquared.squareRoot(), fusion)
  }
}

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
  /// Where three or more values meet in a cell without any: two of them each, as far apart as if they met alone.
  let pairs: [Link]
  /// The values of all variables: those given, and the optimal ones of the others.
  public let values: [Int: [Double]]
  /// Whether the radius is the least over all values of the cells without any, as for affine maps, or of several descents.
  public let certificate: Fusion.Certificate
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
  ///
  /// - Parameters:
  ///   - starts: points from which the values of the other cells are sought: the one that the readings suggest, and others
  ///     around it at random.
  ///   - seed: of those.
  public init(
    _ sheaf: NonlinearSheaf, _ assignment: Assignment, norm: Norm = .two, starts: Int = 10,
    seed: UInt64 = 0
  ) throws {
    try self.init(NonlinearModel(sheaf, assignment, .agreement), assignment, norm, starts, seed)
  }

  init(
    _ model: some InferenceModel, _ assignment: Assignment, _ norm: Norm, _ starts: Int = 1,
    _ seed: UInt64 = 0
  ) throws {
    let layout = model.layout
    (self.norm, self.model, self.assignment) = (norm, model, assignment)
    var (start, spread) = model.searchRange()
    var free: [Int] = []
    for cell in layout.variables {
      let range = layout.range(of: cell)!
      if let reading = assignment.readings[cell] {
        start.replaceSubrange(range, with: reading.values)
        for i in range { spread[i] = 0 }
      } else {
        free += range
      }
    }
    let isConvex = model.isAffine || free.isEmpty
    var generator = RandomGenerator(seed: seed)
    var best: (value: Double, point: [Double], residual: [Double], status: SolutionStatus)?
    var values: [Double] = []
    var failure: InferenceError?
    for k in 0..<(isConvex ? 1 : max(starts, 1)) {
      let point = k == 0 ? start : zip(start, spread).map { $0 + $1 * generator.normal() }
      do {
        let found = try Self.descend(model, norm, from: point, moving: free)
        values.append(found.value)
        if best.map({ found.value < $0.value }) ?? true { best = found }
      } catch let error as InferenceError {
        failure = failure ?? error
      }
    }
    guard let best else { throw failure! }
    let (point, residual) = (best.point, best.residual)
    status = best.status
    certificate =
      isConvex
      ? .global
      : .local(
        starts: max(starts, 1),
        reached: values.count { $0 <= best.value + 1e-6 * max(best.value, 1e-6) })
    let scales = Self.scales(layout, norm)
    links = zip(layout.blocks, scales).compactMap { block, s in
      guard block.kind != .reading else { return nil }
      return Link(
        cell: block.cell,
        ends: (
          Int(block.variables.0), block.variables.1 >= 0 ? Int(block.variables.1) : nil
        ), discrepancy: s * block.norm(residual))
    }
    pairs = Self.pairs(layout, residual, assignment, norm)
    radius =
      norm == .two
      ? links.reduce(0) { $0 + $1.discrepancy * $1.discrepancy }.squareRoot()
      : links.reduce(0) { max($0, $1.discrepancy) }
    self.values = Dictionary(
      uniqueKeysWithValues: layout.variables.map { ($0, Array(point[layout.range(of: $0)!])) })
  }

  /// The consistency of another assignment in the same norm.
  init(repeating other: Consistency, _ assignment: Assignment) throws {
    if let linear = other.model as? LinearModel {
      try self.init(linear.sheaf, assignment, norm: other.norm)
    } else {
      try self.init((other.model as! NonlinearModel).sheaf, assignment, norm: other.norm)
    }
  }

  /// The values of the free unknowns that make the radius least, from a point on.
  private static func descend(
    _ model: some InferenceModel, _ norm: Norm, from start: [Double], moving free: [Int]
  ) throws -> (value: Double, point: [Double], residual: [Double], status: SolutionStatus) {
    let scales = scales(model.layout, norm)
    // Readings are met where they are held: only discrepancies are left.
    let fit = try LeastSquaresFit(.init(model: model), from: start, moving: free)
    if norm == .two || free.isEmpty {
      let residual = fit.system.residual
      return (fit.cost, fit.point, residual, fit.status)
    }
    let columns = SparseMatrix(
      rows: start.count, columns: free.count, entries: free.enumerated().map { ($1, $0, 1) })
    let best = try NormFit(model, .largest, scales: scales, from: fit.point, along: columns)
    return (best.value, best.point, best.system.residual, best.status)
  }

  /// The images that meet in a cell, each two as if they met alone: in a cell without a value what the two would have between
  /// them, in one with a value the least that the larger of their two links can be.
  private static func pairs(
    _ layout: ModelLayout, _ residual: [Double], _ assignment: Assignment, _ norm: Norm
  ) -> [Link] {
    var images: [Int: [ModelLayout.Block]] = [:]
    for block in layout.blocks where block.kind == .image && block.variables.1 >= 0 {
      images[block.cell, default: []].append(block)
    }
    return images.sorted { $0.key < $1.key }.flatMap { cell, blocks in
      blocks.indices.flatMap { i in
        blocks[..<i].map { other in
          // Residuals are √2 (f(x) − x_τ).
          let square = zip(blocks[i].rows, other.rows).reduce(0) { sum, rows in
            let d = residual[rows.0] - residual[rows.1]
            return sum + d * d / 2
          }
          let isRead = assignment.readings[cell] != nil
          let factor = norm == .infinity ? 0.5 : isRead ? 0.5.squareRoot() : 1
          return Link(
            cell: cell, ends: (Int(other.variables.0), Int(blocks[i].variables.0)),
            discrepancy: factor * square.squareRoot())
        }
      }
    }
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

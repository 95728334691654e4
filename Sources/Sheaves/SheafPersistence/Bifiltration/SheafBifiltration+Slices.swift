import CellularSheaves

extension SheafBifiltration {
  /// A line λ ↦ (s₀ + λ u, t₀ + λ v) on which both parameters grow or one of them stays.
  public struct Line: Sendable, Equatable {
    /// s₀ and t₀, where λ = 0.
    public let origin: (s: Double, t: Double)
    /// u, v ≥ 0, not both 0.
    public let direction: (u: Double, v: Double)

    /// A line through a point.
    public init(from origin: (Double, Double), direction: (Double, Double)) {
      precondition(
        direction.0 >= 0 && direction.1 >= 0 && max(direction.0, direction.1) > 0
          && (origin.0 + origin.1 + direction.0 + direction.1).isFinite,
        "a line from \(origin) in direction \(direction), expected numbers not below 0, one above")
      (self.origin, self.direction) = (origin, direction)
    }

    /// The point at λ.
    public func point(_ lambda: Double) -> (s: Double, t: Double) {
      (origin.s + lambda * direction.u, origin.t + lambda * direction.v)
    }

    public static func == (a: Line, b: Line) -> Bool {
      a.origin == b.origin && a.direction == b.direction
    }
  }

  /// What a bifiltration is along a line.
  public struct Slice: Sendable {
    /// The filtration by λ of what the line meets.
    public let filtration: SheafFiltration
    /// The cell of the whole complex that each cell of the filtration is; all of them where u, v > 0.
    public let cells: [Int]
  }

  /// The filtration along a line: a cell appears at the least λ with s₀ + λ u no less than its first and t₀ + λ v no
  /// less than its second value (Lesnick, Wright 2015, *Interactive visualization of 2-D persistence modules*, §1).
  ///
  /// On a line with v = 0 it is the subcomplex of the cells with second value up to t₀, by (first − s₀)/u; with u = 0
  /// likewise the other way round.
  ///
  /// - Throws: `notFinite` for a cell whose λ is too large a number.
  public func slice(along line: Line) throws(PersistenceError) -> Slice {
    let ((s, t), (u, v)) = (line.origin, line.direction)
    let lambdas = zip(first, second).map { a, b -> Double? in
      if u == 0 { return a <= s ? (b - t) / v : nil }
      if v == 0 { return b <= t ? (a - s) / u : nil }
      return max((a - s) / u, (b - t) / v)
    }
    if u > 0 && v > 0 {
      return Slice(
        filtration: try SheafFiltration(sheaf, values: lambdas.compactMap { $0 }),
        cells: Array(first.indices))
    }
    let (part, cells) = sheaf.restricted(to: Set(lambdas.indices.filter { lambdas[$0] != nil }))
    return Slice(
      filtration: try SheafFiltration(part, values: lambdas.compactMap { $0 }), cells: cells)
  }
}

/// The intervals into which a persistent cohomology decomposes: dim H^q(X_a; F) is the number of bars of degree q
/// that contain a, the rank of H^q(X_b; F) → H^q(X_a; F) the number of those that contain both
/// (Crawley-Boevey 2015). Intervals without length are left out.
public struct Barcode: Sendable, Equatable {
  /// All bars, by degree, then by birth, then by death.
  public let intervals: [PersistenceInterval]
  /// Over ℝ what was taken for 0, for each coboundary; empty over fields without rounding.
  public let decisions: [RankDecision]

  /// What counted as 0 in a reduction over ℝ, in orthonormal coordinates of the stalks.
  public struct RankDecision: Sendable, Equatable {
    /// The degree k of the coboundary δ^k.
    public let degree: Int
    /// Entries up to this counted as 0.
    public let tolerance: Double
    /// The smallest pivot, ∞ if there is none.
    public let smallestKept: Double
    /// The largest entry that counted as 0 and was not.
    public let largestDropped: Double
    /// Whether the two are within a factor of 1000 of one another: the numbers do not tell the ranks.
    public var isNarrow: Bool { smallestKept < 1000 * largestDropped }
  }

  /// A barcode of given intervals.
  public init(_ intervals: [PersistenceInterval]) { self.init(intervals, decisions: []) }

  init(_ intervals: [PersistenceInterval], decisions: [RankDecision]) {
    self.intervals = intervals.filter { $0.birth < $0.death }.sorted {
      ($0.degree, $0.birth, $0.death) < ($1.degree, $1.birth, $1.death)
    }
    self.decisions = decisions
  }

  /// The bars of a degree.
  public subscript(degree: Int) -> [PersistenceInterval] {
    intervals.filter { $0.degree == degree }
  }

  /// dim H^q(X_a; F).
  public func betti(_ degree: Int, at a: Double) -> Int { rank(degree, from: a, to: a) }

  /// The rank of H^q(X_b; F) → H^q(X_a; F), a ≤ b.
  public func rank(_ degree: Int, from a: Double, to b: Double) -> Int {
    precondition(a <= b, "a map from \(b) down to \(a)")
    return intervals.count { $0.degree == degree && $0.contains(a) && $0.contains(b) }
  }
}

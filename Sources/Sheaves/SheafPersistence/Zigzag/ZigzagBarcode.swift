/// The intervals into which a zigzag module decomposes, uniquely up to their order (Gabriel 1972; Carlsson, de Silva
/// 2010, Theorem 2.5): dim H^q(X_i; F) is the number of intervals of degree q that contain i.
public struct ZigzagBarcode: Sendable, Equatable {
  /// All intervals, by degree, then by first, then by last.
  public let intervals: [Interval]
  /// Over ℝ what was taken for 0; empty over fields without rounding.
  public let decisions: [Barcode.RankDecision]

  /// The indices of the subcomplexes from `first` to `last`, both included, in which a class is there.
  public struct Interval: Sendable, Equatable {
    /// The degree q.
    public let degree: Int
    /// The first subcomplex.
    public let first: Int
    /// The last subcomplex.
    public let last: Int

    /// An interval.
    public init(degree: Int, first: Int, last: Int) {
      precondition(first <= last, "an interval from \(first) to \(last)")
      (self.degree, self.first, self.last) = (degree, first, last)
    }
  }

  init(_ intervals: [Interval], decisions: [Barcode.RankDecision] = []) {
    self.intervals = intervals.sorted {
      ($0.degree, $0.first, $0.last) < ($1.degree, $1.first, $1.last)
    }
    self.decisions = decisions
  }

  /// The intervals of a degree.
  public subscript(degree: Int) -> [Interval] { intervals.filter { $0.degree == degree } }

  /// dim H^q(X_i; F).
  public func betti(_ degree: Int, at i: Int) -> Int { rank(degree, from: i, to: i) }

  /// The rank of the map from the limit to the colimit of H^q(X_i) ↔ … ↔ H^q(X_j), i ≤ j: how many classes of X_i
  /// are there all the way to X_j.
  public func rank(_ degree: Int, from i: Int, to j: Int) -> Int {
    precondition(i <= j, "from \(i) to \(j)")
    return intervals.count { $0.degree == degree && $0.first <= i && j <= $0.last }
  }
}

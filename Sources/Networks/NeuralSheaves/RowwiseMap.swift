import LinearAlgebra

/// A piecewise affine map between two stalks, coordinate by coordinate of its target: what sparse matrices,
/// faces and kinks are made of.
public protocol RowwiseMap: Sendable {
  /// The dimension of the source stalk.
  var sourceDimension: Int { get }
  /// The dimension of the target vertex's stalk.
  var targetDimension: Int { get }
  /// The coordinates of the target that this edge determines: all, except into a junction.
  var targetRows: Range<Int> { get }
  /// Whether R depends on the source, so that there is a pattern to read.
  var isStateDependent: Bool { get }

  /// The most entries of a row of R on any branch.
  var entriesPerRow: Int { get }
  /// Visits the entries of row `row` of R on branch `branch` that may not be 0, as (source coordinate,
  /// value); values at one coordinate add up. An affine operation has branch 0.
  func forEachEntry(ofRow row: Int, branch: Int, _ visit: (Int, Double) -> Void)
  /// Column j of u gains scale · (row `row` of R)ᵀ, where the operation is affine.
  func addRow(_ row: Int, scale: Double, toColumn j: Int, of u: inout Matrix)

  /// How many branches target coordinate `row` has.
  func branchCount(ofRow row: Int) -> Int
  /// The affine function on branch `branch` of target coordinate `row`, where the operation is state-
  /// dependent: it reads one source coordinate.
  func branch(_ branch: Int, ofRow row: Int) -> BranchFunction
  /// Visits the boundaries of the region of the source in which `row` is on branch `branch`.
  func forEachBoundary(ofRow row: Int, branch: Int, _ visit: (BranchBoundary) -> Void)
}

extension RowwiseMap {
  /// All.
  public var targetRows: Range<Int> { 0..<targetDimension }

  /// Entry by entry.
  public func addRow(_ row: Int, scale: Double, toColumn j: Int, of u: inout Matrix) {
    forEachEntry(ofRow: row, branch: 0) { i, value in u[i, j] += scale * value }
  }

  /// A branch reads one coordinate.
  public var entriesPerRow: Int { 1 }
  /// The slope of a branch.
  public func forEachEntry(ofRow row: Int, branch b: Int, _ visit: (Int, Double) -> Void) {
    let function = branch(b, ofRow: row)
    visit(function.source, function.slope)
  }
}

/// The affine function t = slope · s[source] + offset of one target coordinate on one branch.
public struct BranchFunction: Sendable, Equatable {
  /// The source coordinate that it reads.
  public var source: Int
  /// The slope.
  public var slope: Double
  /// The offset.
  public var offset: Double

  /// A function of one source coordinate.
  public init(source: Int, slope: Double, offset: Double = 0) {
    self.source = source
    self.slope = slope
    self.offset = offset
  }
}

/// Where one branch of one target coordinate ends: the branch holds where
/// sign · (s[source] − s[other] − threshold) > 0, beyond it `neighbour` does. On the boundary both
/// give one value.
public struct BranchBoundary: Sendable, Equatable {
  /// The source coordinate that counts.
  public var source: Int
  /// The source coordinate that it is compared with; nil for a kink at a fixed value.
  public var other: Int?
  /// The value of the kink; 0 for a comparison.
  public var threshold: Double
  /// 1 where the branch lies above the boundary, −1 where below.
  public var sign: Double
  /// The branch on the other side.
  public var neighbour: Int

  /// A kink at a value, or a tie of two coordinates.
  public init(source: Int, other: Int? = nil, threshold: Double, sign: Double, neighbour: Int) {
    self.source = source
    self.other = other
    self.threshold = threshold
    self.sign = sign
    self.neighbour = neighbour
  }

  /// The coordinate that counts less the one that it is compared with.
  @inlinable public func difference(_ x: [Double]) -> Double {
    x[source] - (other.map { x[$0] } ?? 0)
  }

  /// Whether x lies on the boundary up to a tolerance, relative to the coordinate where that is beyond 1.
  @inlinable public func contains(_ x: [Double], tolerance: Double) -> Bool {
    abs(difference(x) - threshold) <= tolerance * max(1, abs(x[source]))
  }
}

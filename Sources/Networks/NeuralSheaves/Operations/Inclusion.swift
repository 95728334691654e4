import LinearAlgebra

/// The source copied into a block of the target's coordinates: an edge into a junction, or the
/// identity when the block is the whole stalk.
///
/// A junction's stalk is the direct sum of its inputs; each input has one edge whose map from the
/// junction is the projection onto its block, so the blocks together are the identity.
public struct Inclusion: AffineOperation {
  public let targetRows: Range<Int>
  public let targetDimension: Int

  /// The inclusion of ℝ^rows.count into ℝ^dimension at `rows`.
  public init(rows: Range<Int>, of dimension: Int) {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= dimension, "block out of range")
    targetRows = rows
    targetDimension = dimension
  }

  /// The identity of ℝ^dimension.
  public static func identity(dimension: Int) -> Inclusion {
    Inclusion(rows: 0..<dimension, of: dimension)
  }

  public var kind: OperationKind {
    targetRows.count == targetDimension ? .activation : .junction
  }
  public var summary: String {
    targetRows.count == targetDimension
      ? "identity" : "block \(targetRows.lowerBound):\(targetRows.upperBound)"
  }
  public var sourceDimension: Int { targetRows.count }
  public var hasOffset: Bool { false }

  public func apply(_ source: Matrix, into target: inout Matrix) {
    target.addRows(targetRows, of: source, keeping: 0)
  }

  public func discrepancy(_ source: Matrix, _ target: Matrix, into rho: inout Matrix) {
    rho.copyRows(targetRows, of: target)
    rho.addRows(targetRows, of: source, scale: -1, keeping: 1)
  }

  public func addLinearPart(
    _ v: Matrix, at _: ActivationPattern, scale: Double, keeping keep: Double,
    into y: inout Matrix
  ) {
    y.addRows(targetRows, of: v, scale: scale, keeping: keep)
  }

  public var entriesPerRow: Int { 1 }
  public func forEachEntry(ofRow row: Int, branch: Int, _ visit: (Int, Double) -> Void) {
    visit(row - targetRows.lowerBound, 1)
  }

  public func addTranspose(
    _ v: Matrix, at _: ActivationPattern, keeping keep: Double, into u: inout Matrix
  ) {
    u.addFromRows(targetRows, of: v, scale: 1, keeping: keep)
  }
}

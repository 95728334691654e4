import LinearAlgebra
import NetworkKernels

/// A linear spline of its own for each coordinate, a_i = f_i(z_i), with any number of kinks: the maximum with
/// a constant vector, gates, splines given by a table.
///
/// One function for all coordinates is `Elementwise`.
public struct ElementwiseSplines: NetworkOperation {
  /// f, one row for each coordinate.
  public let splines: LinearSplines

  /// The splines of all coordinates.
  public init(_ splines: LinearSplines) {
    precondition(splines.count > 0)
    self.splines = splines
  }

  public var kind: OperationKind { .activation }
  public var summary: String { "splines with up to \(splines.kinks.columns) kinks" }
  public var sourceDimension: Int { splines.count }
  public var targetDimension: Int { splines.count }
  public var hasOffset: Bool { splines.offsets.maximumMagnitude > 0 }
  public var isStateDependent: Bool { true }

  public func apply(_ z: Matrix, into a: inout Matrix) { splines.apply(z, into: &a) }

  public func discrepancy(_ z: Matrix, _ a: Matrix, into rho: inout Matrix) {
    splines.apply(z, into: &rho)
    rho.add(a, keeping: -1)
  }

  public func readPattern(at z: Matrix, into pattern: inout ActivationPattern) -> Int {
    splines.readBranches(of: z, into: &pattern.branches)
  }

  public func apply(_ z: Matrix, at pattern: ActivationPattern, into a: inout Matrix) {
    splines.apply(pattern.branches, z, into: &a)
  }

  public func addLinearPart(
    _ v: Matrix, at pattern: ActivationPattern, scale: Double, keeping keep: Double,
    into y: inout Matrix
  ) {
    splines.addLinearPart(pattern.branches, v, scale: scale, keeping: keep, into: &y)
  }

  public func addTranspose(
    _ v: Matrix, at pattern: ActivationPattern, keeping keep: Double, into u: inout Matrix
  ) {
    splines.addLinearPart(pattern.branches, v, scale: 1, keeping: keep, into: &u)
  }

  public func branchCount(ofRow row: Int) -> Int { splines.branchCount(ofRow: row) }

  public func branch(_ branch: Int, ofRow row: Int) -> BranchFunction {
    BranchFunction(
      source: row, slope: splines.slopes[row, branch], offset: splines.offsets[row, branch])
  }

  public func forEachBoundary(ofRow row: Int, branch: Int, _ visit: (BranchBoundary) -> Void) {
    if branch > 0 {
      visit(
        BranchBoundary(
          source: row, threshold: splines.kinks[row, branch - 1], sign: 1, neighbour: branch - 1))
    }
    if branch + 1 < branchCount(ofRow: row) {
      visit(
        BranchBoundary(
          source: row, threshold: splines.kinks[row, branch], sign: -1, neighbour: branch + 1))
    }
  }
}

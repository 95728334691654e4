import LinearAlgebra
import NetworkKernels

/// A piecewise affine function applied to every coordinate, such as ReLU.
public struct Elementwise: NetworkOperation {
  /// The scalar function.
  public let function: PiecewiseAffine
  /// The dimension of source and target.
  public let dimension: Int

  /// The function on stalks of the given dimension.
  public init(_ function: PiecewiseAffine, dimension: Int) {
    self.function = function
    self.dimension = dimension
  }

  /// The rectifier a = max(0, z), where z = 0 counts as active.
  public static func rectifier(dimension: Int) -> Elementwise {
    Elementwise(.rectifier, dimension: dimension)
  }

  public var kind: OperationKind { .activation }
  public var summary: String { function.description }
  public var sourceDimension: Int { dimension }
  public var targetDimension: Int { dimension }
  public var hasOffset: Bool { function.offsets.contains { $0 != 0 } }
  public var isStateDependent: Bool { true }

  public func apply(_ z: Matrix, into a: inout Matrix) { function.apply(z, into: &a) }

  public func discrepancy(_ z: Matrix, _ a: Matrix, into rho: inout Matrix) {
    function.discrepancy(z, a, into: &rho)
  }

  public func readPattern(at z: Matrix, into pattern: inout ActivationPattern) -> Int {
    function.readBranches(of: z, into: &pattern.branches)
  }

  public func apply(_ z: Matrix, at pattern: ActivationPattern, into a: inout Matrix) {
    function.apply(pattern.branches, z, into: &a)
  }

  public func addLinearPart(
    _ v: Matrix, at pattern: ActivationPattern, scale: Double, keeping keep: Double,
    into y: inout Matrix
  ) {
    function.addLinearPart(pattern.branches, v, scale: scale, keeping: keep, into: &y)
  }

  public func branchCount(ofRow row: Int) -> Int { function.slopes.count }

  public func branch(_ branch: Int, ofRow row: Int) -> BranchFunction {
    BranchFunction(
      source: row, slope: function.slopes[branch], offset: function.offsets[branch])
  }

  public func forEachBoundary(ofRow row: Int, branch: Int, _ visit: (BranchBoundary) -> Void) {
    if branch > 0 {
      visit(
        BranchBoundary(
          source: row, threshold: function.kinks[branch - 1], sign: 1, neighbour: branch - 1))
    }
    if branch < function.kinks.count {
      visit(
        BranchBoundary(
          source: row, threshold: function.kinks[branch], sign: -1, neighbour: branch + 1))
    }
  }

  public func addTranspose(
    _ v: Matrix, at pattern: ActivationPattern, keeping keep: Double, into u: inout Matrix
  ) {
    function.addLinearPart(pattern.branches, v, scale: 1, keeping: keep, into: &u)
  }

  // One pass instead of four. It reads branches off z itself, so the pattern is not kept.
  public func relax(
    _ z: inout Matrix, target a: Matrix, prediction: Matrix?, incoming: inout Matrix, by h: Double,
    pattern _: inout ActivationPattern, into rho: inout Matrix
  ) -> (change: Double, switched: Int) {
    function.relax(
      &z, a, incoming: prediction ?? incoming, isPrediction: prediction != nil, by: h, into: &rho)
  }
}

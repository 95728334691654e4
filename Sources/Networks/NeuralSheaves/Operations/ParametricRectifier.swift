import LinearAlgebra
import NetworkKernels

/// PReLU: a = z where z ≥ 0 and s_c z elsewhere, with a trained slope for each channel (He et al.
/// 2015). Coordinates are channels × extent in that order.
public struct ParametricRectifier: NetworkOperation {
  /// The slopes, (channels, 1).
  public var parameters: [Matrix] { didSet { expand() } }
  /// The number of coordinates of a channel.
  public let extent: Int
  /// One slope for each coordinate.
  private var slopes: Matrix

  /// A rectifier on channels × extent coordinates.
  public init(slopes: [Double], extent: Int) {
    precondition(!slopes.isEmpty && extent > 0)
    parameters = [Matrix(column: slopes)]
    self.extent = extent
    self.slopes = Matrix(column: slopes).repeatingRows(extent)
  }

  private mutating func expand() { slopes = parameters[0].repeatingRows(extent) }

  public var kind: OperationKind { .activation }
  public var summary: String { "PReLU" }
  public var sourceDimension: Int { slopes.rows }
  public var targetDimension: Int { slopes.rows }
  public var hasOffset: Bool { false }
  public var isStateDependent: Bool { true }
  public var parameterNames: [String] { ["slope"] }

  public func apply(_ z: Matrix, into a: inout Matrix) { a.setRectified(z, slopes: slopes) }

  public func discrepancy(_ z: Matrix, _ a: Matrix, into rho: inout Matrix) {
    rho.setRectifiedDiscrepancy(a, z, slopes: slopes)
  }

  public func readPattern(at z: Matrix, into pattern: inout ActivationPattern) -> Int {
    PiecewiseAffine.rectifier.readBranches(of: z, into: &pattern.branches)
  }

  public func apply(_ z: Matrix, at pattern: ActivationPattern, into a: inout Matrix) {
    addLinearPart(z, at: pattern, scale: 1, keeping: 0, into: &a)
  }

  public func addLinearPart(
    _ v: Matrix, at pattern: ActivationPattern, scale: Double, keeping keep: Double,
    into y: inout Matrix
  ) {
    y.addRectifiedLinearPart(pattern.branches, v, slopes: slopes, scale: scale, keeping: keep)
  }

  public func addTranspose(
    _ v: Matrix, at pattern: ActivationPattern, keeping keep: Double, into u: inout Matrix
  ) {
    u.addRectifiedLinearPart(pattern.branches, v, slopes: slopes, scale: 1, keeping: keep)
  }

  public func branchCount(ofRow row: Int) -> Int { 2 }

  public func branch(_ branch: Int, ofRow row: Int) -> BranchFunction {
    BranchFunction(source: row, slope: branch == 0 ? slopes[row, 0] : 1)
  }

  public func forEachBoundary(ofRow row: Int, branch: Int, _ visit: (BranchBoundary) -> Void) {
    visit(
      BranchBoundary(
        source: row, threshold: 0, sign: branch == 0 ? -1 : 1, neighbour: 1 - branch))
  }

  public mutating func updateParameters(_ update: (Int, inout Matrix) -> Void) {
    update(0, &parameters[0])
  }

  public func addParameterGradients(
    _ v: Matrix, source z: Matrix, scale: Double, keeping keep: Double,
    into gradients: inout [Matrix]
  ) {
    if keep != 1 { gradients[0].scale(by: keep) }
    var products = Matrix(rows: slopes.rows, columns: 1)
    products.addSlopeGradient(v, z, scale: scale)
    gradients[0].addGroupedRowSums(of: products, scale: 1)
  }

  public func addLinearPartGradients(
    _ v: Matrix, source z: Matrix, at pattern: ActivationPattern, scale: Double,
    keeping keep: Double, into gradients: inout [Matrix]
  ) {
    if keep != 1 { gradients[0].scale(by: keep) }
    // z where the slope counts, 0 on the other branch.
    var sloped = z
    let none = Matrix(rows: slopes.rows, columns: 1)
    sloped.addRectifiedLinearPart(pattern.branches, z, slopes: none, scale: -1, keeping: 1)
    var products = none
    products.addRowDots(v, sloped)
    gradients[0].addGroupedRowSums(of: products, scale: scale)
  }

  public mutating func moveParameters(
    along v: Matrix, source z: Matrix, scale: Double, threads: Int
  ) {
    addParameterGradients(v, source: z, scale: scale, keeping: 1, into: &parameters)
  }
}

import LinearAlgebra
import NetworkKernels

/// An operation that reads its source's coordinates in another order: coordinate i of what it sees
/// is coordinate `order[i]` of the source, or 0 where that is negative.
///
/// So transposition, slicing, repetition and padding need no vertex of their own. On a pattern its
/// linear part is R_π Π, with Π the 0-1 matrix of the order.
public struct Relabelled: NetworkOperation {
  /// The operation.
  public private(set) var base: any NetworkOperation
  /// The source coordinate behind each that the operation sees.
  public let order: [Int32]
  private let windows: IndexWindows
  private let ones: [Double]

  /// An operation on a relabelled source. Zeros (negative entries) are for affine operations.
  public init(_ base: any NetworkOperation, order: [Int32], sourceDimension: Int) {
    precondition(
      order.count == base.sourceDimension
        && (!base.isStateDependent || order.allSatisfy { $0 >= 0 }))
    self.base = base
    self.order = order
    windows = IndexWindows(order: order, sourceCount: sourceDimension)
    ones = [Double](repeating: 1, count: order.count)
  }

  private func relabel(_ s: Matrix) -> Matrix {
    var seen = Matrix(rows: order.count, columns: s.columns)
    windows.addSums(s, weights: ones, scale: 1, keeping: 0, into: &seen)
    return seen
  }

  public var kind: OperationKind { base.kind }
  public var summary: String { base.summary + ", relabelled" }
  public var sourceDimension: Int { windows.sourceCount }
  public var targetDimension: Int { base.targetDimension }
  public var targetRows: Range<Int> { base.targetRows }
  public var hasOffset: Bool { base.hasOffset }
  public var isStateDependent: Bool { base.isStateDependent }
  public var cost: Int { base.cost + order.count }

  public func apply(_ s: Matrix, into t: inout Matrix) { base.apply(relabel(s), into: &t) }

  public func discrepancy(_ s: Matrix, _ t: Matrix, into rho: inout Matrix) {
    base.discrepancy(relabel(s), t, into: &rho)
  }

  public func readPattern(at s: Matrix, into pattern: inout ActivationPattern) -> Int {
    base.readPattern(at: relabel(s), into: &pattern)
  }

  public func apply(_ s: Matrix, at pattern: ActivationPattern, into t: inout Matrix) {
    base.apply(relabel(s), at: pattern, into: &t)
  }

  public func addLinearPart(
    _ v: Matrix, at pattern: ActivationPattern, scale: Double, keeping keep: Double,
    into y: inout Matrix
  ) {
    base.addLinearPart(relabel(v), at: pattern, scale: scale, keeping: keep, into: &y)
  }

  public func addTranspose(
    _ v: Matrix, at pattern: ActivationPattern, keeping keep: Double, into u: inout Matrix
  ) {
    var seen = Matrix(rows: order.count, columns: v.columns)
    base.addTranspose(v, at: pattern, keeping: 0, into: &seen)
    windows.addTransposedSums(seen, weights: ones, keeping: keep, into: &u)
  }

  public var entriesPerRow: Int { base.entriesPerRow }
  public func forEachEntry(ofRow row: Int, branch: Int, _ visit: (Int, Double) -> Void) {
    base.forEachEntry(ofRow: row, branch: branch) { i, value in
      if order[i] >= 0 { visit(Int(order[i]), value) }
    }
  }

  public func branchCount(ofRow row: Int) -> Int { base.branchCount(ofRow: row) }

  public func branch(_ branch: Int, ofRow row: Int) -> BranchFunction {
    var function = base.branch(branch, ofRow: row)
    function.source = Int(order[function.source])
    return function
  }

  public func forEachBoundary(ofRow row: Int, branch: Int, _ visit: (BranchBoundary) -> Void) {
    base.forEachBoundary(ofRow: row, branch: branch) {
      var boundary = $0
      boundary.source = Int(order[boundary.source])
      boundary.other = boundary.other.map { Int(order[$0]) }
      // A coordinate seen twice does not compete with itself.
      if boundary.other != boundary.source { visit(boundary) }
    }
  }

  public var parameterNames: [String] { base.parameterNames }
  public var parameters: [Matrix] {
    get { base.parameters }
    set { base.parameters = newValue }
  }
  public mutating func updateParameters(_ update: (Int, inout Matrix) -> Void) {
    base.updateParameters(update)
  }
  public func addParameterGradients(
    _ v: Matrix, source: Matrix, scale: Double, keeping keep: Double,
    into gradients: inout [Matrix]
  ) {
    base.addParameterGradients(
      v, source: relabel(source), scale: scale, keeping: keep, into: &gradients)
  }
  public func addLinearPartGradients(
    _ v: Matrix, source: Matrix, at pattern: ActivationPattern, scale: Double, keeping keep: Double,
    into gradients: inout [Matrix]
  ) {
    base.addLinearPartGradients(
      v, source: relabel(source), at: pattern, scale: scale, keeping: keep, into: &gradients)
  }
  public mutating func moveParameters(
    along v: Matrix, source: Matrix, scale: Double, threads: Int
  ) {
    base.moveParameters(along: v, source: relabel(source), scale: scale, threads: threads)
  }

  public var regressorDimensions: [Int] { base.regressorDimensions }
  public func addRegressorMoments(
    _ source: Matrix, scale: Double, keeping keep: Double, into moments: inout [Matrix]
  ) {
    base.addRegressorMoments(relabel(source), scale: scale, keeping: keep, into: &moments)
  }
  public func solveMoments(_ factors: [CholeskyFactorization], _ gradients: inout [Matrix]) {
    base.solveMoments(factors, &gradients)
  }
}

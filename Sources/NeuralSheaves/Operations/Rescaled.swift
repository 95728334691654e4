import LinearAlgebra

/// An operation between stalks of other units, P̃(s̃) = τ P(s̃/σ): what it sees is s = s̃/σ, and its target
/// is t̃ = τ t.
///
/// On a pattern its linear part is (τ/σ) R_π and its offset τ c_π; thresholds are those of P times σ. Its
/// parameters, and gradients, are those of P.
public struct Rescaled: NetworkOperation {
  /// The operation P.
  public private(set) var base: any NetworkOperation
  /// σ > 0.
  public let sourceScale: Double
  /// τ > 0.
  public let targetScale: Double

  /// s̃ ↦ τ P(s̃/σ) from P, σ and τ.
  public init(_ base: any NetworkOperation, sourceScale: Double, targetScale: Double) {
    precondition(
      sourceScale > 0 && sourceScale.isFinite && targetScale > 0 && targetScale.isFinite,
      "scales \(sourceScale) and \(targetScale)")
    self.base = base
    self.sourceScale = sourceScale
    self.targetScale = targetScale
  }

  private var slope: Double { targetScale / sourceScale }

  private func scaled(_ m: Matrix, by factor: Double) -> Matrix {
    guard factor != 1 else { return m }
    var result = Matrix(rows: m.rows, columns: m.columns)
    result.set(m, scale: factor)
    return result
  }

  private func seen(_ s: Matrix) -> Matrix { scaled(s, by: 1 / sourceScale) }

  public var kind: OperationKind { base.kind }
  public var summary: String { base.summary + ", rescaled" }
  public var sourceDimension: Int { base.sourceDimension }
  public var targetDimension: Int { base.targetDimension }
  public var targetRows: Range<Int> { base.targetRows }
  public var hasOffset: Bool { base.hasOffset }
  public var isStateDependent: Bool { base.isStateDependent }
  public var cost: Int { base.cost + sourceDimension + targetRows.count }

  public func apply(_ s: Matrix, into t: inout Matrix) {
    base.apply(seen(s), into: &t)
    t.scaleRows(targetRows, by: targetScale)
  }

  // τ (t̃/τ − P(s̃/σ)).
  public func discrepancy(_ s: Matrix, _ t: Matrix, into rho: inout Matrix) {
    base.discrepancy(seen(s), scaled(t, by: 1 / targetScale), into: &rho)
    rho.scaleRows(targetRows, by: targetScale)
  }

  public func readPattern(at s: Matrix, into pattern: inout ActivationPattern) -> Int {
    base.readPattern(at: seen(s), into: &pattern)
  }

  public func apply(_ s: Matrix, at pattern: ActivationPattern, into t: inout Matrix) {
    base.apply(seen(s), at: pattern, into: &t)
    t.scaleRows(targetRows, by: targetScale)
  }

  public func addLinearPart(
    _ v: Matrix, at pattern: ActivationPattern, scale: Double, keeping keep: Double,
    into y: inout Matrix
  ) {
    base.addLinearPart(v, at: pattern, scale: scale * slope, keeping: keep, into: &y)
  }

  public func addTranspose(
    _ v: Matrix, at pattern: ActivationPattern, keeping keep: Double, into u: inout Matrix
  ) {
    base.addTranspose(scaled(v, by: slope), at: pattern, keeping: keep, into: &u)
  }

  public var entriesPerRow: Int { base.entriesPerRow }
  public func forEachEntry(ofRow row: Int, _ visit: (Int, Double) -> Void) {
    base.forEachEntry(ofRow: row) { visit($0, slope * $1) }
  }

  public func addRow(_ row: Int, scale: Double, toColumn j: Int, of u: inout Matrix) {
    base.addRow(row, scale: scale * slope, toColumn: j, of: &u)
  }

  public func branchCount(ofRow row: Int) -> Int { base.branchCount(ofRow: row) }

  public func branch(_ branch: Int, ofRow row: Int) -> BranchFunction {
    var function = base.branch(branch, ofRow: row)
    function.slope *= slope
    function.offset *= targetScale
    return function
  }

  public func forEachBoundary(ofRow row: Int, branch: Int, _ visit: (BranchBoundary) -> Void) {
    base.forEachBoundary(ofRow: row, branch: branch) {
      var boundary = $0
      boundary.threshold *= sourceScale
      visit(boundary)
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
      v, source: seen(source), scale: scale * targetScale, keeping: keep, into: &gradients)
  }
  public mutating func moveParameters(
    along v: Matrix, source: Matrix, scale: Double, threads: Int
  ) {
    base.moveParameters(
      along: v, source: seen(source), scale: scale * targetScale, threads: threads)
  }

  public var regressorDimensions: [Int] { base.regressorDimensions }
  // P̃(s̃) = Θ τψ(s̃/σ).
  public func addRegressorMoments(
    _ source: Matrix, scale: Double, keeping keep: Double, into moments: inout [Matrix]
  ) {
    base.addRegressorMoments(
      seen(source), scale: scale * targetScale * targetScale, keeping: keep, into: &moments)
  }
  public func solveMoments(_ factors: [CholeskyFactorization], _ gradients: inout [Matrix]) {
    base.solveMoments(factors, &gradients)
  }

  /// The same base with the products of the factors.
  public func rescaled(source: Double, target: Double) -> any NetworkOperation {
    Rescaled(base, sourceScale: sourceScale * source, targetScale: targetScale * target)
  }
}

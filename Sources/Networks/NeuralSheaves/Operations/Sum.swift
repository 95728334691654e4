import LinearAlgebra

/// The sum of the equal blocks of a junction, y = Σ sᵢ, as of a residual connection; or the
/// difference of two.
public struct Sum: AffineOperation {
  /// The coefficient of each block.
  public private(set) var coefficients: [Double]
  /// The dimension of a block and of the target.
  public let dimension: Int

  /// The sum of so many blocks of the given dimension; of one block, a copy.
  public init(terms: Int, dimension: Int) {
    precondition(terms > 0 && dimension > 0)
    coefficients = [Double](repeating: 1, count: terms)
    self.dimension = dimension
  }

  /// The first of two blocks minus the second.
  public static func difference(dimension: Int) -> Sum {
    var result = Sum(terms: 2, dimension: dimension)
    result.coefficients[1] = -1
    return result
  }

  public var kind: OperationKind { .affine }
  public var summary: String {
    if coefficients == [1] { return "copy" }
    return coefficients.contains(-1) ? "difference" : "sum of \(coefficients.count)"
  }
  public var sourceDimension: Int { coefficients.count * dimension }
  public var targetDimension: Int { dimension }
  public var hasOffset: Bool { false }
  public var cost: Int { sourceDimension }

  public func apply(_ s: Matrix, into y: inout Matrix) { add(s, 1, 0, &y) }

  public func discrepancy(_ s: Matrix, _ y: Matrix, into rho: inout Matrix) {
    rho.set(y)
    add(s, -1, 1, &rho)
  }

  public func addLinearPart(
    _ v: Matrix, at _: ActivationPattern, scale: Double, keeping keep: Double,
    into y: inout Matrix
  ) {
    add(v, scale, keep, &y)
  }

  public func addTranspose(
    _ v: Matrix, at _: ActivationPattern, keeping keep: Double, into u: inout Matrix
  ) {
    for (i, c) in coefficients.enumerated() {
      u.addRows(i * dimension..<(i + 1) * dimension, of: v, scale: c, keeping: keep)
    }
  }

  public var entriesPerRow: Int { coefficients.count }
  public func forEachEntry(ofRow row: Int, branch: Int, _ visit: (Int, Double) -> Void) {
    for (i, c) in coefficients.enumerated() { visit(i * dimension + row, c) }
  }

  private func add(_ s: Matrix, _ scale: Double, _ keep: Double, _ y: inout Matrix) {
    for (i, c) in coefficients.enumerated() {
      y.addFromRows(
        i * dimension..<(i + 1) * dimension, of: s, scale: c * scale, keeping: i == 0 ? keep : 1)
    }
  }
}

import LinearAlgebra
import NetworkKernels

/// A dense layer z = W a + b.
public struct Dense: AffineOperation {
  /// W, of shape (n_out, n_in), and b, of shape (n_out, 1).
  public var parameters: [Matrix]

  /// A layer from its weight (n_out, n_in) and bias (n_out entries).
  public init(weight: Matrix, bias: [Double]) {
    precondition(bias.count == weight.rows, "\(bias.count) biases for a weight \(weight.shape)")
    parameters = [weight, Matrix(column: bias)]
  }

  /// W, of shape (n_out, n_in).
  public var weight: Matrix { parameters[0] }
  /// b, of shape (n_out, 1).
  public var bias: Matrix { parameters[1] }

  public var kind: OperationKind { .affine }
  public var summary: String { "dense \(sourceDimension)→\(targetDimension)" }
  public var cost: Int { weight.count }
  public var sourceDimension: Int { weight.columns }
  public var targetDimension: Int { weight.rows }
  public var hasOffset: Bool { true }
  public var parameterNames: [String] { ["weight", "bias"] }

  public func apply(_ a: Matrix, into z: inout Matrix) {
    z.addToEachColumn(bias, keeping: 0)
    z.addProduct(weight, a)
  }

  public func discrepancy(_ a: Matrix, _ z: Matrix, into rho: inout Matrix) {
    rho.setAffineDiscrepancy(z, weight, a, bias)
  }

  public func addLinearPart(
    _ v: Matrix, at _: ActivationPattern, scale: Double, keeping keep: Double,
    into y: inout Matrix
  ) {
    y.addProduct(weight, v, scale: scale, keeping: keep)
  }

  public func addTranspose(
    _ v: Matrix, at _: ActivationPattern, keeping keep: Double, into u: inout Matrix
  ) {
    u.addProduct(weight, v, transposing: .left, keeping: keep)
  }

  public func addRow(_ row: Int, scale: Double, toColumn j: Int, of u: inout Matrix) {
    u.addRow(row, of: parameters[0], scale: scale, toColumn: j)
  }

  public func forEachEntry(ofRow row: Int, branch: Int, _ visit: (Int, Double) -> Void) {
    let weight = parameters[0]
    for i in 0..<weight.columns { visit(i, weight[row, i]) }
  }

  public mutating func updateParameters(_ update: (Int, inout Matrix) -> Void) {
    for i in parameters.indices { update(i, &parameters[i]) }
  }

  public func addParameterGradients(
    _ v: Matrix, source a: Matrix, scale: Double, keeping keep: Double,
    into gradients: inout [Matrix]
  ) {
    gradients[0].addProduct(v, a, transposing: .right, scale: scale, keeping: keep)
    if keep != 1 { gradients[1].scale(by: keep) }
    gradients[1].addRowSums(of: v, scale: scale)
  }

  public func addLinearPartGradients(
    _ v: Matrix, source a: Matrix, at _: ActivationPattern, scale: Double, keeping keep: Double,
    into gradients: inout [Matrix]
  ) {
    gradients[0].addProduct(v, a, transposing: .right, scale: scale, keeping: keep)
    if keep != 1 { gradients[1].scale(by: keep) }
  }

  public mutating func moveParameters(
    along v: Matrix, source a: Matrix, scale: Double, threads: Int
  ) {
    parameters[0].addOuterProduct(v, a, scale: scale, threads: threads)
    parameters[1].addRowSums(of: v, scale: scale)
  }

  /// One block: n_in and a 1.
  public var regressorDimensions: [Int] { [sourceDimension + 1] }

  public func addRegressorMoments(
    _ a: Matrix, scale: Double, keeping keep: Double, into moments: inout [Matrix]
  ) {
    moments[0].addMoments(of: a, scale: scale, keeping: keep)
  }

  public func solveMoments(_ factors: [CholeskyFactorization], _ gradients: inout [Matrix]) {
    let n = sourceDimension
    var both = Matrix(rows: targetDimension, columns: n + 1)
    both.setColumns(from: 0, to: gradients[0])
    both.setColumns(from: n, to: gradients[1])
    factors[0].solveFromRight(&both)
    gradients[0] = both.columns(0..<n)
    gradients[1] = both.columns(n..<n + 1)
  }
}

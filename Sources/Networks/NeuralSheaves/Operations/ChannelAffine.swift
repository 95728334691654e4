import LinearAlgebra

/// z = s_c a + t_c with one scale and one shift for each channel: batch normalisation at inference,
/// or the product and sum with constants.
///
/// Coordinates are channels × extent in that order. Batch normalisation with running mean μ and
/// variance σ² has s = γ/√(σ² + ε), t = β − μ s (Ioffe, Szegedy 2015).
public struct ChannelAffine: AffineOperation {
  /// The scale and the shift, each (channels, 1), where they are trained.
  public var parameters: [Matrix] {
    get { isTrained ? coefficients : [] }
    set {
      precondition(isTrained || newValue.isEmpty, "constants are not parameters")
      if isTrained { coefficients = newValue }
      expand()
    }
  }
  /// The scale s and the shift t, each (channels, 1).
  public private(set) var coefficients: [Matrix]
  /// The number of coordinates of a channel.
  public let extent: Int
  /// Whether scale and shift are parameters rather than constants.
  public let isTrained: Bool
  /// One scale and one shift for each coordinate.
  private var expanded: [Matrix]

  /// An operation on channels × extent coordinates.
  public init(scale: [Double], shift: [Double], extent: Int, isTrained: Bool) {
    precondition(scale.count == shift.count && extent > 0)
    coefficients = [Matrix(column: scale), Matrix(column: shift)]
    self.extent = extent
    self.isTrained = isTrained
    expanded = coefficients
    expand()
  }

  private mutating func expand() {
    expanded = coefficients.map { $0.repeatingRows(extent) }
  }

  public var kind: OperationKind { .affine }
  public var summary: String {
    let channels = coefficients[0].count == 1 ? "" : ", \(coefficients[0].count) channels"
    return (isTrained ? "normalisation" : "scale and shift") + channels
  }
  public var sourceDimension: Int { coefficients[0].count * extent }
  public var targetDimension: Int { sourceDimension }
  public var hasOffset: Bool { isTrained || coefficients[1].maximumMagnitude > 0 }
  public var parameterNames: [String] { isTrained ? ["scale", "shift"] : [] }

  public func apply(_ a: Matrix, into z: inout Matrix) {
    z.setDiagonalAffine(expanded[0], a, expanded[1])
  }

  public func discrepancy(_ a: Matrix, _ z: Matrix, into rho: inout Matrix) {
    rho.setDiagonalDiscrepancy(z, expanded[0], a, expanded[1])
  }

  public func addLinearPart(
    _ v: Matrix, at _: ActivationPattern, scale: Double, keeping keep: Double,
    into y: inout Matrix
  ) {
    y.addDiagonalProduct(expanded[0], v, scale: scale, keeping: keep)
  }

  public func addTranspose(
    _ v: Matrix, at _: ActivationPattern, keeping keep: Double, into u: inout Matrix
  ) {
    u.addDiagonalProduct(expanded[0], v, keeping: keep)
  }

  public var entriesPerRow: Int { 1 }
  public func forEachEntry(ofRow row: Int, branch: Int, _ visit: (Int, Double) -> Void) {
    visit(row, expanded[0][row, 0])
  }

  public mutating func updateParameters(_ update: (Int, inout Matrix) -> Void) {
    guard isTrained else { return }
    for i in coefficients.indices { update(i, &coefficients[i]) }
    expand()
  }

  public func addParameterGradients(
    _ v: Matrix, source a: Matrix, scale: Double, keeping keep: Double,
    into gradients: inout [Matrix]
  ) {
    guard isTrained else { return }
    if keep != 1 { for i in gradients.indices { gradients[i].scale(by: keep) } }
    var products = Matrix(rows: targetDimension, columns: 1)
    products.addRowDots(v, a)
    gradients[0].addGroupedRowSums(of: products, scale: scale)
    gradients[1].addGroupedRowSums(of: v, scale: scale)
  }

  public mutating func moveParameters(
    along v: Matrix, source a: Matrix, scale: Double, threads: Int
  ) {
    guard isTrained else { return }
    addParameterGradients(v, source: a, scale: scale, keeping: 1, into: &coefficients)
    expand()
  }

  /// One block for each channel: a coordinate and a 1.
  public var regressorDimensions: [Int] {
    isTrained ? [Int](repeating: 2, count: coefficients[0].count) : []
  }

  public func addRegressorMoments(
    _ a: Matrix, scale: Double, keeping keep: Double, into moments: inout [Matrix]
  ) {
    guard isTrained else { return }
    for c in moments.indices {
      var (sum, squares) = (0.0, 0.0)
      for j in 0..<a.columns {
        for i in c * extent..<(c + 1) * extent {
          sum += a[i, j]
          squares += a[i, j] * a[i, j]
        }
      }
      if keep != 1 { moments[c].scale(by: keep) }
      moments[c][0, 0] += scale * squares
      moments[c][1, 0] += scale * sum
      moments[c][0, 1] += scale * sum
      moments[c][1, 1] += scale * Double(extent * a.columns)
    }
  }

  public func solveMoments(_ factors: [CholeskyFactorization], _ gradients: inout [Matrix]) {
    for (c, factor) in factors.enumerated() {
      var both = Matrix(column: [gradients[0][c, 0], gradients[1][c, 0]])
      factor.solve(&both)
      for p in 0..<2 { gradients[p][c, 0] = both[p, 0] }
    }
  }
}

import LinearAlgebra
import NetworkKernels

/// A convolutional layer z = W ∗ a + b of images or volumes, channels × height × width or channels ×
/// depth × height × width flattened in that order.
public struct Convolutional: AffineOperation {
  /// The geometry.
  public let convolution: Convolution
  /// W, one column per filter (see `Convolution`), and b, (filters, 1).
  public var parameters: [Matrix]

  /// A layer from its geometry, its weight (filter size, filters) and its bias (filters entries).
  public init(_ convolution: Convolution, weight: Matrix, bias: [Double]) {
    precondition(
      weight.rows == convolution.filterSize && weight.columns == convolution.filters
        && bias.count == convolution.filters,
      "weight \(weight.shape) and \(bias.count) biases for \(convolution.filters) filters of "
        + "\(convolution.filterSize)")
    self.convolution = convolution
    parameters = [weight, Matrix(column: bias)]
  }

  public var kind: OperationKind { .affine }
  public var summary: String {
    let groups = convolution.groups > 1 ? " in \(convolution.groups) groups" : ""
    let w = convolution.window
    return "convolution \(w.summary), \(w.channels)×\(w.image)→\(convolution.filters)×\(w.output)"
      + groups
  }
  public var sourceDimension: Int { convolution.sourceSize }
  public var targetDimension: Int { convolution.targetSize }
  public var hasOffset: Bool { true }
  public var cost: Int { convolution.targetSize * convolution.filterSize }
  public var parameterNames: [String] { ["weight", "bias"] }

  public func apply(_ a: Matrix, into z: inout Matrix) {
    convolution.apply(a, weight: parameters[0], bias: parameters[1], into: &z)
  }

  public func discrepancy(_ a: Matrix, _ z: Matrix, into rho: inout Matrix) {
    convolution.discrepancy(a, z, weight: parameters[0], bias: parameters[1], into: &rho)
  }

  public func addLinearPart(
    _ v: Matrix, at _: ActivationPattern, scale: Double, keeping keep: Double,
    into y: inout Matrix
  ) {
    convolution.addProduct(v, weight: parameters[0], scale: scale, keeping: keep, into: &y)
  }

  public func addTranspose(
    _ v: Matrix, at _: ActivationPattern, keeping keep: Double, into u: inout Matrix
  ) {
    convolution.addTransposedProduct(v, weight: parameters[0], keeping: keep, into: &u)
  }

  public var entriesPerRow: Int { convolution.filterSize }
  public func forEachEntry(ofRow row: Int, branch: Int, _ visit: (Int, Double) -> Void) {
    let places = convolution.window.outputSize
    let (filter, place) = (row / places, row % places)
    let channels = convolution.window.channels / convolution.groups
    let first = filter / (convolution.filters / convolution.groups) * channels
    let weight = parameters[0]
    convolution.window.forEachElement(ofWindow: place) { source, element in
      for c in 0..<channels {
        visit(
          (first + c) * convolution.window.image.size + source,
          weight[c * convolution.window.kernel.size + element, filter])
      }
    }
  }

  public mutating func updateParameters(_ update: (Int, inout Matrix) -> Void) {
    for i in parameters.indices { update(i, &parameters[i]) }
  }

  public func addParameterGradients(
    _ v: Matrix, source a: Matrix, scale: Double, keeping keep: Double,
    into gradients: inout [Matrix]
  ) {
    if keep != 1 { for i in gradients.indices { gradients[i].scale(by: keep) } }
    convolution.addGradient(v, a, scale: scale, into: &gradients[0])
    gradients[1].addGroupedRowSums(of: v, scale: scale)
  }

  public func addLinearPartGradients(
    _ v: Matrix, source a: Matrix, at _: ActivationPattern, scale: Double, keeping keep: Double,
    into gradients: inout [Matrix]
  ) {
    if keep != 1 { for i in gradients.indices { gradients[i].scale(by: keep) } }
    convolution.addGradient(v, a, scale: scale, into: &gradients[0])
  }

  public mutating func moveParameters(
    along v: Matrix, source a: Matrix, scale: Double, threads: Int
  ) {
    convolution.addGradient(v, a, scale: scale, into: &parameters[0])
    parameters[1].addGroupedRowSums(of: v, scale: scale)
  }

  /// One block for each group: the elements of a window in its channels and a 1.
  public var regressorDimensions: [Int] {
    [Int](repeating: convolution.filterSize + 1, count: convolution.groups)
  }

  public func addRegressorMoments(
    _ a: Matrix, scale: Double, keeping keep: Double, into moments: inout [Matrix]
  ) {
    convolution.addWindowMoments(a, scale: scale, keeping: keep, into: &moments)
  }

  public func solveMoments(_ factors: [CholeskyFactorization], _ gradients: inout [Matrix]) {
    let (k, filters) = (convolution.filterSize, convolution.filters / convolution.groups)
    for (g, factor) in factors.enumerated() {
      // A filter is a column.
      let group = g * filters..<(g + 1) * filters
      var both = Matrix(
        stacking: [
          gradients[0].columns(group),
          Matrix(rows: 1, columns: filters, columnMajor: gradients[1].rows(group).column(0)),
        ], columns: filters)
      factor.solve(&both)
      gradients[0].setColumns(from: group.lowerBound, to: both.rows(0..<k))
      gradients[1].setBlock(row: group.lowerBound, column: 0, to: both.rows(k..<k + 1).transposed)
    }
  }
}

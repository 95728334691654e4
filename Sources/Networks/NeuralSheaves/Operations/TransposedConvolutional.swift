import LinearAlgebra
import NetworkKernels

/// A transposed convolution z = Wᵀ a + b, the adjoint of a convolution W of images like z into images like a
/// (Dumoulin, Visin 2016): each place of the source adds the filter, times its value, to a window of the target.
///
/// The convolution's filters are the channels of the source, its channels those of the target.
public struct TransposedConvolutional: AffineOperation {
  /// The geometry of W, from the target to the source.
  public let convolution: Convolution
  /// W, one column per channel of the source (see `Convolution`), whose bytes are PyTorch's (channels,
  /// filters / groups, height, width), and b, (channels of the target, 1).
  public var parameters: [Matrix] { didSet { expand() } }
  /// b at each coordinate of the target.
  private var shift: Matrix
  /// For each place of a channel of the target the windows that it lies in: window · kernel size + element.
  private let cover: IndexWindows

  /// A layer from its geometry, its weight (filter size, filters) and its bias (channels entries).
  public init(_ convolution: Convolution, weight: Matrix, bias: [Double]) {
    let window = convolution.window
    precondition(
      weight.rows == convolution.filterSize && weight.columns == convolution.filters
        && bias.count == window.channels,
      "weight \(weight.shape) and \(bias.count) biases for \(convolution.filters) channels into "
        + "\(window.channels)")
    self.convolution = convolution
    parameters = [weight, Matrix(column: bias)]
    shift = parameters[1].repeatingRows(window.image.size)
    var cover = [[Int32]](repeating: [], count: window.image.size)
    for w in 0..<window.outputSize {
      window.forEachElement(ofWindow: w) { place, element in
        cover[place].append(Int32(w * window.kernel.size + element))
      }
    }
    self.cover = IndexWindows(cover, sourceCount: window.outputSize * window.kernel.size)
  }

  private mutating func expand() {
    shift = parameters[1].repeatingRows(convolution.window.image.size)
  }

  public var kind: OperationKind { .affine }
  public var summary: String {
    let groups = convolution.groups > 1 ? " in \(convolution.groups) groups" : ""
    let w = convolution.window
    return "transposed convolution \(w.summary), "
      + "\(convolution.filters)×\(w.output)→\(w.channels)×\(w.image)\(groups)"
  }
  public var sourceDimension: Int { convolution.targetSize }
  public var targetDimension: Int { convolution.sourceSize }
  public var hasOffset: Bool { true }
  public var cost: Int { convolution.targetSize * convolution.filterSize }
  public var parameterNames: [String] { ["weight", "bias"] }

  public func apply(_ a: Matrix, into z: inout Matrix) {
    z.addToEachColumn(shift, keeping: 0)
    convolution.addTransposedProduct(a, weight: parameters[0], keeping: 1, into: &z)
  }

  public func discrepancy(_ a: Matrix, _ z: Matrix, into rho: inout Matrix) {
    apply(a, into: &rho)
    rho.add(z, keeping: -1)
  }

  public func addLinearPart(
    _ v: Matrix, at _: ActivationPattern, scale: Double, keeping keep: Double,
    into y: inout Matrix
  ) {
    if scale == 0 { return y.scale(by: keep) }
    convolution.addTransposedProduct(v, weight: parameters[0], keeping: keep / scale, into: &y)
    if scale != 1 { y.scale(by: scale) }
  }

  public func addTranspose(
    _ v: Matrix, at _: ActivationPattern, keeping keep: Double, into u: inout Matrix
  ) {
    convolution.addProduct(v, weight: parameters[0], scale: 1, keeping: keep, into: &u)
  }

  /// The channels of the source in a group.
  private var channels: Int { convolution.filters / convolution.groups }
  /// The channels of the target in a group.
  private var targets: Int { convolution.window.channels / convolution.groups }

  public var entriesPerRow: Int { channels * convolution.window.kernel.size }
  public func forEachEntry(ofRow row: Int, branch: Int, _ visit: (Int, Double) -> Void) {
    let (size, kernel) = (convolution.window.image.size, convolution.window.kernel.size)
    let (target, place) = (row / size, row % size)
    let first = target / targets * channels
    let weight = parameters[0]
    for k in 0..<cover.size(of: place) {
      let (window, element) = cover.source(k, of: place).quotientAndRemainder(dividingBy: kernel)
      for c in first..<first + channels {
        visit(
          c * convolution.window.outputSize + window,
          weight[target % targets * kernel + element, c])
      }
    }
  }

  public mutating func updateParameters(_ update: (Int, inout Matrix) -> Void) {
    for i in parameters.indices { update(i, &parameters[i]) }
  }

  // ⟨v, Wᵀ a⟩ = ⟨a, W v⟩.
  public func addParameterGradients(
    _ v: Matrix, source a: Matrix, scale: Double, keeping keep: Double,
    into gradients: inout [Matrix]
  ) {
    if keep != 1 { for i in gradients.indices { gradients[i].scale(by: keep) } }
    convolution.addGradient(a, v, scale: scale, into: &gradients[0])
    gradients[1].addGroupedRowSums(of: v, scale: scale)
  }

  public func addLinearPartGradients(
    _ v: Matrix, source a: Matrix, at _: ActivationPattern, scale: Double, keeping keep: Double,
    into gradients: inout [Matrix]
  ) {
    if keep != 1 { for i in gradients.indices { gradients[i].scale(by: keep) } }
    convolution.addGradient(a, v, scale: scale, into: &gradients[0])
  }

  public mutating func moveParameters(
    along v: Matrix, source a: Matrix, scale: Double, threads: Int
  ) {
    // In place: through `addParameterGradients` the parameters would be copied.
    convolution.addGradient(a, v, scale: scale, into: &parameters[0])
    parameters[1].addGroupedRowSums(of: v, scale: scale)
  }

  /// One block for each group: for each channel of the source and element of the kernel what a place of the
  /// target sees through it, and a 1.
  public var regressorDimensions: [Int] {
    [Int](repeating: entriesPerRow + 1, count: convolution.groups)
  }

  public func addRegressorMoments(
    _ a: Matrix, scale: Double, keeping keep: Double, into moments: inout [Matrix]
  ) {
    convolution.addCoverMoments(a, cover: cover, scale: scale, keeping: keep, into: &moments)
  }

  public func solveMoments(_ factors: [CholeskyFactorization], _ gradients: inout [Matrix]) {
    let kernel = convolution.window.kernel.size
    for (g, factor) in factors.enumerated() {
      // One column for each channel of the target.
      var both = Matrix(rows: entriesPerRow + 1, columns: targets)
      func forEachNumber(_ visit: (_ row: Int, _ column: Int, _ weight: (Int, Int)) -> Void) {
        for t in 0..<targets {
          for c in 0..<channels {
            for k in 0..<kernel { visit(c * kernel + k, t, (t * kernel + k, g * channels + c)) }
          }
        }
      }
      forEachNumber { both[$0, $1] = gradients[0][$2.0, $2.1] }
      for t in 0..<targets { both[entriesPerRow, t] = gradients[1][g * targets + t, 0] }
      factor.solve(&both)
      forEachNumber { gradients[0][$2.0, $2.1] = both[$0, $1] }
      for t in 0..<targets { gradients[1][g * targets + t, 0] = both[entriesPerRow, t] }
    }
  }
}

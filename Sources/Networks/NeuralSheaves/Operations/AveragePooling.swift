import LinearAlgebra
import NetworkKernels

/// The mean over sliding windows, channel by channel.
public struct AveragePooling: AffineOperation {
  /// The geometry.
  public let window: SlidingWindow
  /// Whether zeros of the padding count in the mean.
  public let includesPadding: Bool
  private let windows: IndexWindows
  private let weights: [Double]
  public let entriesPerRow: Int

  /// Pooling over a window.
  public init(_ window: SlidingWindow, includesPadding: Bool = false) {
    self.window = window
    self.includesPadding = includesPadding
    let windows = IndexWindows(window.windows, sourceCount: window.imageSize)
    let padded = window.placesWithPadding
    weights = (0..<windows.count).map {
      let n = includesPadding ? padded[$0 % padded.count] : windows.size(of: $0)
      return n > 0 ? 1 / Double(n) : 0
    }
    self.windows = windows
    entriesPerRow = (0..<windows.count).reduce(0) { max($0, windows.size(of: $1)) }
  }

  public var kind: OperationKind { .pooling }
  public var summary: String { "mean \(window.summary), \(window.image)→\(window.output)" }
  public var sourceDimension: Int { window.imageSize }
  public var targetDimension: Int { window.channels * window.outputSize }
  public var hasOffset: Bool { false }
  public var cost: Int { windows.sources.count }

  public func apply(_ s: Matrix, into t: inout Matrix) {
    windows.addSums(s, weights: weights, scale: 1, keeping: 0, into: &t)
  }

  public func discrepancy(_ s: Matrix, _ t: Matrix, into rho: inout Matrix) {
    apply(s, into: &rho)
    rho.add(t, keeping: -1)
  }

  public func addLinearPart(
    _ v: Matrix, at _: ActivationPattern, scale: Double, keeping keep: Double,
    into y: inout Matrix
  ) {
    windows.addSums(v, weights: weights, scale: scale, keeping: keep, into: &y)
  }

  public func addTranspose(
    _ v: Matrix, at _: ActivationPattern, keeping keep: Double, into u: inout Matrix
  ) {
    windows.addTransposedSums(v, weights: weights, keeping: keep, into: &u)
  }

  public func forEachEntry(ofRow row: Int, branch: Int, _ visit: (Int, Double) -> Void) {
    for k in 0..<windows.size(of: row) { visit(windows.source(k, of: row), weights[row]) }
  }
}

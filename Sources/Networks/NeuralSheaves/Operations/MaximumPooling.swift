import LinearAlgebra
import NetworkKernels

/// The maximum over sliding windows, channel by channel, or the minimum. Padding never wins.
///
/// A state-dependent selection: on a pattern each target coordinate copies one coordinate of its
/// window, the first largest or, as min s = −max(−s), the first least. It switches where two coordinates
/// of the window tie.
public struct MaximumPooling: NetworkOperation {
  /// The geometry.
  public let window: SlidingWindow
  /// Whether it is the minimum.
  public let isMinimum: Bool
  private let windows: IndexWindows

  /// Pooling over a window none of whose places is all padding.
  public init(_ window: SlidingWindow, isMinimum: Bool = false) {
    self.window = window
    self.isMinimum = isMinimum
    windows = IndexWindows(window.windows, sourceCount: window.imageSize)
    precondition(
      (0..<windows.count).allSatisfy { (1...Int(UInt16.max)).contains(windows.size(of: $0)) },
      "a window without a place in the image, or with more than 65535")
  }

  public var kind: OperationKind { .pooling }
  public var summary: String {
    "\(isMinimum ? "minimum" : "maximum") \(window.summary), \(window.image)→\(window.output)"
  }
  public var sourceDimension: Int { window.imageSize }
  public var targetDimension: Int { window.channels * window.outputSize }
  public var hasOffset: Bool { false }
  public var isStateDependent: Bool { true }
  public var cost: Int { windows.sources.count }

  public func apply(_ s: Matrix, into t: inout Matrix) {
    windows.setExtremes(of: s, least: isMinimum, into: &t)
  }

  public func discrepancy(_ s: Matrix, _ t: Matrix, into rho: inout Matrix) {
    windows.setExtremes(of: s, least: isMinimum, into: &rho)
    rho.add(t, keeping: -1)
  }

  public func readPattern(at s: Matrix, into pattern: inout ActivationPattern) -> Int {
    windows.readExtremes(of: s, least: isMinimum, into: &pattern.branches)
  }

  public func apply(_ s: Matrix, at pattern: ActivationPattern, into t: inout Matrix) {
    addLinearPart(s, at: pattern, scale: 1, keeping: 0, into: &t)
  }

  public func addLinearPart(
    _ v: Matrix, at pattern: ActivationPattern, scale: Double, keeping keep: Double,
    into y: inout Matrix
  ) {
    windows.addSelected(pattern.branches, of: v, scale: scale, keeping: keep, into: &y)
  }

  public func addTranspose(
    _ v: Matrix, at pattern: ActivationPattern, keeping keep: Double, into u: inout Matrix
  ) {
    windows.addTransposedSelected(pattern.branches, v, keeping: keep, into: &u)
  }

  public func branchCount(ofRow row: Int) -> Int { windows.size(of: row) }

  public func branch(_ branch: Int, ofRow row: Int) -> BranchFunction {
    BranchFunction(source: windows.source(branch, of: row), slope: 1)
  }

  public func forEachBoundary(ofRow row: Int, branch: Int, _ visit: (BranchBoundary) -> Void) {
    for k in 0..<windows.size(of: row) where k != branch {
      visit(
        BranchBoundary(
          source: windows.source(branch, of: row), other: windows.source(k, of: row),
          threshold: 0, sign: isMinimum ? -1 : 1, neighbour: k))
    }
  }
}

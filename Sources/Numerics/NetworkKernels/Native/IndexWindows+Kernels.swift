import CKernels
import LinearAlgebra

/// Sums and maxima over windows, sample by sample.
extension IndexWindows {
  /// y[i] ← scale · weights[i] · Σ x over window i + keep · y[i].
  public func addSums(
    _ x: Matrix, weights: [Double], scale: Double, keeping keep: Double, into y: inout Matrix
  ) {
    check(x, y)
    precondition(weights.count == count)
    let (n, m) = (count, sourceCount)
    x.elements.withUnsafeBufferPointer { x in
      y.elements.withUnsafeMutableBufferPointer { y in
        for j in 0..<(n > 0 ? y.count / n : 0) {
          ck_window_sum(
            n, starts, sources, weights, scale, x.baseAddress! + j * m, keep,
            y.baseAddress! + j * n)
        }
      }
    }
  }

  /// u ← (the transpose of the weighted sums) v + keep · u.
  public func addTransposedSums(
    _ v: Matrix, weights: [Double], keeping keep: Double, into u: inout Matrix
  ) {
    check(u, v)
    precondition(weights.count == count)
    if keep != 1 { u.scale(by: keep) }
    let (n, m) = (count, sourceCount)
    v.elements.withUnsafeBufferPointer { v in
      u.elements.withUnsafeMutableBufferPointer { u in
        for j in 0..<(n > 0 ? v.count / n : 0) {
          ck_window_scatter(
            n, starts, sources, weights, v.baseAddress! + j * n, u.baseAddress! + j * m)
        }
      }
    }
  }

  /// y[i] ← the largest x of window i, or the least. No window may be empty.
  public func setExtremes(of x: Matrix, least: Bool = false, into y: inout Matrix) {
    check(x, y)
    let (n, m) = (count, sourceCount)
    x.elements.withUnsafeBufferPointer { x in
      y.elements.withUnsafeMutableBufferPointer { y in
        for j in 0..<(n > 0 ? y.count / n : 0) {
          ck_window_extremes(
            n, starts, sources, least ? 1 : 0, x.baseAddress! + j * m, y.baseAddress! + j * n)
        }
      }
    }
  }

  /// branches ← the place of the first largest x in each window, or the first least; how many changed.
  public func readExtremes(
    of x: Matrix, least: Bool = false, into branches: inout [UInt16]
  ) -> Int {
    precondition(x.rows == sourceCount && branches.count == count * x.columns)
    let (n, m) = (count, sourceCount)
    var changed = 0
    x.elements.withUnsafeBufferPointer { x in
      branches.withUnsafeMutableBufferPointer { b in
        for j in 0..<(n > 0 ? b.count / n : 0) {
          changed += ck_window_branches(
            n, starts, sources, least ? 1 : 0, x.baseAddress! + j * m, b.baseAddress! + j * n)
        }
      }
    }
    return changed
  }

  /// y[i] ← scale · x[element branches[i] of window i] + keep · y[i].
  public func addSelected(
    _ branches: [UInt16], of x: Matrix, scale: Double, keeping keep: Double, into y: inout Matrix
  ) {
    check(x, y)
    precondition(branches.count == y.count)
    let (n, m) = (count, sourceCount)
    x.elements.withUnsafeBufferPointer { x in
      y.elements.withUnsafeMutableBufferPointer { y in
        branches.withUnsafeBufferPointer { b in
          for j in 0..<(n > 0 ? y.count / n : 0) {
            ck_window_select(
              n, starts, sources, b.baseAddress! + j * n, scale, x.baseAddress! + j * m, keep,
              y.baseAddress! + j * n)
          }
        }
      }
    }
  }

  /// u ← (the transpose of the selection) v + keep · u.
  public func addTransposedSelected(
    _ branches: [UInt16], _ v: Matrix, keeping keep: Double, into u: inout Matrix
  ) {
    check(u, v)
    precondition(branches.count == v.count)
    if keep != 1 { u.scale(by: keep) }
    let (n, m) = (count, sourceCount)
    v.elements.withUnsafeBufferPointer { v in
      u.elements.withUnsafeMutableBufferPointer { u in
        branches.withUnsafeBufferPointer { b in
          for j in 0..<(n > 0 ? v.count / n : 0) {
            ck_window_put(
              n, starts, sources, b.baseAddress! + j * n, v.baseAddress! + j * n,
              u.baseAddress! + j * m)
          }
        }
      }
    }
  }

  private func check(_ source: Matrix, _ target: Matrix) {
    precondition(
      source.rows == sourceCount && target.rows == count && source.columns == target.columns,
      "\(count) windows over \(sourceCount) coordinates, \(source.shape) and \(target.shape)")
  }
}

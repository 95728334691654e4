import CKernels
import LinearAlgebra

/// Second moments Σ ψ ψᵀ of vectors ψ that end in a 1, in place.
extension Matrix {
  /// self, (n + 1, n + 1), ← scale · Σ ψ ψᵀ + keep · self over the columns a of `x`, ψ = (a; 1).
  ///
  /// Both triangles are written. Cost: n² per column (BLAS `dsyrk`).
  public mutating func addMoments(of x: Matrix, scale: Double = 1, keeping keep: Double = 1) {
    precondition(
      rows == x.rows + 1 && columns == rows, "moments of \(x.shape) into \(shape)")
    if keep != 1 { self.scale(by: keep) }
    let (n, order) = (x.rows, rows)
    x.elements.withUnsafeBufferPointer { x0 in
      elements.withUnsafeMutableBufferPointer { m in
        guard n > 0 && x.columns > 0 else { return }
        BLAS.addGram(
          (x0.baseAddress!, n), transposed: false, n: n, inner: x.columns, scale: scale,
          to: m.baseAddress!, stride: order)
        for j in 0..<x.columns {
          for i in 0..<n { m[n + i * order] += scale * x0[i + j * n] }
        }
      }
    }
    elements[order * order - 1] += scale * Double(x.columns)
    mirrorLowerTriangle()
  }
}

extension Convolution {
  /// moments[g] ← scale · Σ ψ ψᵀ + keep · moments[g] over the samples and windows of `x`, ψ = (the
  /// elements of the window in the channels of group g; 1), padding 0; (filterSize + 1, filterSize + 1).
  ///
  /// Both triangles are written. Cost: outputSize · filterSize² per sample and group.
  public func addWindowMoments(
    _ x: Matrix, scale: Double, keeping keep: Double, into moments: inout [Matrix]
  ) {
    let (k, order) = (filterSize, filterSize + 1)
    precondition(
      x.rows == sourceSize && moments.count == groups
        && moments.allSatisfy { $0.rows == order && $0.columns == order },
      "moments of the windows of \(x.shape) into \(moments.map(\.shape))")
    if keep != 1 { for g in moments.indices { moments[g].scale(by: keep) } }
    x.elements.withUnsafeBufferPointer { x0 in
      forEachPanel(samples: x.columns) { sample, group, places, panel in
        let count = places.count
        let (p, ld) = unfold(x0.baseAddress!, sample, group, places, panel)
        moments[group].elements.withUnsafeMutableBufferPointer { m in
          BLAS.addGram(
            (p, ld), transposed: true, n: k, inner: count, scale: scale, to: m.baseAddress!,
            stride: order)
          for i in 0..<k { m[k + i * order] += scale * ck_sum(count, p + i * ld) }
          m[order * order - 1] += scale * Double(count)
        }
      }
    }
    for g in moments.indices { moments[g].mirrorLowerTriangle() }
  }
}

extension Convolution {
  /// moments[g] ← scale · Σ ψ ψᵀ + keep · moments[g] over the samples of `v` and the places of the source, ψ =
  /// (v at the windows that the place lies in, one entry for each filter of group g and element of the kernel;
  /// 1): the regressors of Wᵀ v + b.
  ///
  /// `cover` lists for each place window · kernel size + element. Both triangles are written. Cost: the size
  /// of an image · order² per sample and group.
  public func addCoverMoments(
    _ v: Matrix, cover: IndexWindows, scale: Double, keeping keep: Double,
    into moments: inout [Matrix]
  ) {
    let (kernel, n) = (window.kernel.size, window.outputSize)
    let columns = filters / groups
    let order = columns * kernel + 1
    precondition(
      v.rows == targetSize && cover.count == window.image.size && moments.count == groups
        && moments.allSatisfy { $0.rows == order && $0.columns == order },
      "moments of \(v.shape) into \(moments.map(\.shape))")
    if keep != 1 { for g in moments.indices { moments[g].scale(by: keep) } }
    let places = max(1, min(cover.count, 32_768 / order))
    let panel = ck_scratch(places * order)!
    v.elements.withUnsafeBufferPointer { v in
      for (j, g) in (0..<v.count / max(targetSize, 1)).flatMap({ j in (0..<groups).map { (j, $0) } }
      ) {
        let from = v.baseAddress! + j * targetSize + g * columns * n
        for first in stride(from: 0, to: cover.count, by: places) {
          let count = min(places, cover.count - first)
          panel.update(repeating: 0, count: count * (order - 1))
          (panel + count * (order - 1)).update(repeating: 1, count: count)
          for i in 0..<count {
            for k in 0..<cover.size(of: first + i) {
              let (w, element) = cover.source(k, of: first + i)
                .quotientAndRemainder(dividingBy: kernel)
              for c in 0..<columns { panel[i + (c * kernel + element) * count] = from[c * n + w] }
            }
          }
          moments[g].elements.withUnsafeMutableBufferPointer { m in
            BLAS.addGram(
              (UnsafePointer(panel), count), transposed: true, n: order, inner: count,
              scale: scale, to: m.baseAddress!, stride: order)
          }
        }
      }
    }
    for g in moments.indices { moments[g].mirrorLowerTriangle() }
  }
}

import CKernels
import COpenBLAS

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
        cblas_dsyrk(
          CblasColMajor, CblasLower, CblasNoTrans, Int32(n), Int32(x.columns), scale,
          x0.baseAddress!, Int32(n), 1, m.baseAddress!, Int32(order))
        for j in 0..<x.columns {
          cblas_daxpy(
            Int32(n), scale, x0.baseAddress! + j * n, 1, m.baseAddress! + n, Int32(order))
        }
      }
    }
    elements[order * order - 1] += scale * Double(x.columns)
    mirrorLowerTriangle()
  }

  /// The upper triangle ← the lower.
  mutating func mirrorLowerTriangle() {
    for j in 1..<max(columns, 1) {
      for i in 0..<j { elements[i + j * rows] = elements[j + i * rows] }
    }
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
      forEachPanel(samples: x.columns) { sample, group, rows, panel in
        let count = rows.count * window.output.width
        let (p, ld) = unfold(x0.baseAddress!, sample, group, rows, panel)
        moments[group].elements.withUnsafeMutableBufferPointer { m in
          cblas_dsyrk(
            CblasColMajor, CblasLower, CblasTrans, Int32(k), Int32(count), scale, p, Int32(ld), 1,
            m.baseAddress!, Int32(order))
          for i in 0..<k { m[k + i * order] += scale * ck_sum(count, p + i * ld) }
          m[order * order - 1] += scale * Double(count)
        }
      }
    }
    for g in moments.indices { moments[g].mirrorLowerTriangle() }
  }
}

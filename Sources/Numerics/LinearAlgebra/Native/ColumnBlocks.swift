import COpenBLAS

/// Products with some of the columns of a matrix.
extension Matrix {
  /// self, (n, n), gains the Gram matrix of the n columns of k in `columns` (lower triangle alone).
  public mutating func addGram(ofColumns columns: Range<Int>, of k: Matrix) {
    let n = columns.count
    precondition(rows == n && self.columns == n && columns.upperBound <= k.columns)
    guard n > 0 && k.rows > 0 else { return }
    k.elements.withUnsafeBufferPointer { k0 in
      elements.withUnsafeMutableBufferPointer { c in
        BLAS.prepare()
        cblas_dsyrk(
          CblasColMajor, CblasLower, CblasTrans, Int32(n), Int32(k.rows), 1,
          k0.baseAddress! + columns.lowerBound * k.rows, Int32(k.rows), 1, c.baseAddress!, Int32(n))
      }
    }
  }

  /// Column j ← column j + the columns of k in `columns` times v.
  public mutating func addProduct(
    ofColumns columns: Range<Int>, of k: Matrix, with v: [Double], toColumn j: Int
  ) {
    precondition(k.rows == rows && v.count == columns.count && j < self.columns)
    guard !v.isEmpty && rows > 0 else { return }
    let rows = rows
    k.elements.withUnsafeBufferPointer { k0 in
      elements.withUnsafeMutableBufferPointer { c in
        BLAS.prepare()
        cblas_dgemv(
          CblasColMajor, CblasNoTrans, Int32(rows), Int32(v.count), 1,
          k0.baseAddress! + columns.lowerBound * rows, Int32(rows), v, 1, 1,
          c.baseAddress! + j * rows, 1)
      }
    }
  }

  /// self ← self + scale · (the columns of k in `columns`) · b.
  public mutating func addProduct(
    ofColumns columns: Range<Int>, of k: Matrix, _ b: Matrix, scale: Double = 1
  ) {
    precondition(
      k.rows == rows && b.rows == columns.count && b.columns == self.columns
        && columns.upperBound <= k.columns)
    guard count > 0 && !columns.isEmpty else { return }
    let (m, n) = (Int32(rows), Int32(b.columns))
    k.elements.withUnsafeBufferPointer { k0 in
      elements.withUnsafeMutableBufferPointer { c in
        BLAS.prepare()
        cblas_dgemm(
          CblasColMajor, CblasNoTrans, CblasNoTrans, m, n, Int32(columns.count), scale,
          k0.baseAddress! + columns.lowerBound * k.rows, m, b.elements, Int32(b.rows), 1,
          c.baseAddress!, m)
      }
    }
  }

  /// The columns of self in `columns` ← those of k · b, b square.
  public mutating func setProduct(inColumns columns: Range<Int>, of k: Matrix, _ b: Matrix) {
    precondition(
      k.rows == rows && b.rows == columns.count && b.columns == b.rows
        && columns.upperBound <= min(k.columns, self.columns))
    guard rows > 0 && !columns.isEmpty else { return }
    let (m, n, start) = (Int32(rows), Int32(b.rows), columns.lowerBound * rows)
    k.elements.withUnsafeBufferPointer { k0 in
      elements.withUnsafeMutableBufferPointer { c in
        BLAS.prepare()
        cblas_dgemm(
          CblasColMajor, CblasNoTrans, CblasNoTrans, m, n, n, 1, k0.baseAddress! + start, m,
          b.elements, n, 0, c.baseAddress! + start, m)
      }
    }
  }

  /// self ← (the columns of k in `columns`)ᵀ · b, (columns, n).
  public mutating func setTransposedProduct(
    ofColumns columns: Range<Int>, of k: Matrix, _ b: Matrix
  ) {
    precondition(
      rows == columns.count && b.rows == k.rows && b.columns == self.columns
        && columns.upperBound <= k.columns)
    guard count > 0 else { return }
    guard k.rows > 0 else { return fill(0) }
    let (m, n) = (Int32(rows), Int32(b.columns))
    k.elements.withUnsafeBufferPointer { k0 in
      elements.withUnsafeMutableBufferPointer { c in
        BLAS.prepare()
        cblas_dgemm(
          CblasColMajor, CblasTrans, CblasNoTrans, m, n, Int32(k.rows), 1,
          k0.baseAddress! + columns.lowerBound * k.rows, Int32(k.rows), b.elements,
          Int32(b.rows), 0, c.baseAddress!, m)
      }
    }
  }

  /// Column j ← column j + scale · (row `row` of a)ᵀ.
  public mutating func addRow(_ row: Int, of a: Matrix, scale: Double, toColumn j: Int) {
    precondition(a.columns == rows && row >= 0 && row < a.rows && j >= 0 && j < columns)
    let (rows, offset) = (rows, j * rows)
    guard rows > 0 else { return }
    a.elements.withUnsafeBufferPointer { source in
      elements.withUnsafeMutableBufferPointer {
        BLAS.prepare()
        cblas_daxpy(
          Int32(rows), scale, source.baseAddress! + row, Int32(a.rows), $0.baseAddress! + offset, 1)
      }
    }
  }

  /// The columns of self in `columns`, transposed, times column j of x, added to `result`.
  public func addTransposedProduct(
    columns: Range<Int>, withColumn j: Int, of x: Matrix, to result: inout [Double]
  ) {
    precondition(x.rows == rows && result.count == columns.count)
    guard !result.isEmpty && rows > 0 else { return }
    elements.withUnsafeBufferPointer { k0 in
      x.elements.withUnsafeBufferPointer { x in
        BLAS.prepare()
        cblas_dgemv(
          CblasColMajor, CblasTrans, Int32(rows), Int32(columns.count), 1,
          k0.baseAddress! + columns.lowerBound * rows, Int32(rows), x.baseAddress! + j * rows, 1,
          1, &result, 1)
      }
    }
  }
}

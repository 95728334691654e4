#if SuiteSparse
  import CSuiteSparse
  import LinearAlgebra

  /// Runs `body` with CHOLMOD's parameters, status and workspace, made for this call alone: what two threads
  /// do at once they do with two of them.
  func withCholmod<Result>(
    _ body: (UnsafeMutablePointer<cholmod_common>) throws(FactorizationError) -> Result
  ) throws(FactorizationError) -> Result {
    BLAS.prepare()
    let common = UnsafeMutablePointer<cholmod_common>.allocate(capacity: 1)
    csuitesparse_start(common)
    defer {
      cholmod_l_finish(common)
      common.deallocate()
    }
    return try body(common)
  }

  extension UnsafeMutablePointer<cholmod_common> {
    /// Throws if the last call ran out of memory or of integers; warnings are the caller's.
    func checkStatus() throws(FactorizationError) {
      switch pointee.status {
      case CHOLMOD_OUT_OF_MEMORY, CHOLMOD_TOO_LARGE: throw .outOfMemory
      case let status:
        precondition(status >= 0, "CHOLMOD refuses its input, status \(status)")
      }
    }
  }

  extension SparseMatrix {
    /// Whether no entry stands above the diagonal.
    fileprivate var isLowerTriangle: Bool {
      (0..<columns).allSatisfy { j in
        columnStarts[j] == columnStarts[j + 1] || rowIndices[columnStarts[j]] >= j
      }
    }
  }

  /// A sparse matrix with the integers that CHOLMOD's long interface reads.
  struct CholmodMatrix {
    let rows: Int
    private var starts: [Int]
    private var rowIndices: [Int]
    private var values: [Double]
    private let symmetry: Int32

    /// All of a matrix.
    init(_ a: SparseMatrix) {
      (rows, starts, values, symmetry) = (a.rows, a.columnStarts, a.values, 0)
      rowIndices = a.rowIndices.map { Int($0) }
    }

    /// The lower triangle of a symmetric matrix.
    init(lowerTriangleOf a: SparseMatrix) {
      precondition(a.rows == a.columns, "a triangle of a (\(a.rows), \(a.columns)) matrix")
      (rows, symmetry) = (a.rows, -1)
      if a.isLowerTriangle {
        // Nothing to leave out: starts and values are shared.
        (starts, values) = (a.columnStarts, a.values)
        rowIndices = a.rowIndices.map { Int($0) }
        return
      }
      (starts, rowIndices, values) = ([0], [], [])
      starts.reserveCapacity(a.rows + 1)
      rowIndices.reserveCapacity(a.values.count)
      values.reserveCapacity(a.values.count)
      for j in 0..<a.columns {
        for k in a.columnStarts[j]..<a.columnStarts[j + 1] where a.rowIndices[k] >= j {
          rowIndices.append(Int(a.rowIndices[k]))
          values.append(a.values[k])
        }
        starts.append(values.count)
      }
    }

    /// Whether every entry is finite.
    var isFinite: Bool { values.allSatisfy(\.isFinite) }

    /// Whether the lower triangle is a band or skyline almost without gaps, so that L, which stays within, has at most
    /// a quarter more entries than A: no order of the unknowns can save more than those.
    var isSkyline: Bool {
      let limit = 5 * max(values.count, rows) / 4
      var isReached = [Bool](repeating: false, count: rows)
      var envelope = 0
      for j in 0..<rows {
        for k in starts[j]..<starts[j + 1] where !isReached[rowIndices[k]] {
          isReached[rowIndices[k]] = true
          envelope += rowIndices[k] - j + 1
        }
        if envelope > limit { return false }
      }
      return true
    }

    /// max over rows of Σ |entry − shift on the diagonal|, for a symmetric matrix by its lower triangle.
    func symmetricNorm(shift: Double) -> Double {
      var sums = [Double](repeating: 0, count: rows)
      var diagonal = [Double](repeating: -shift, count: rows)
      for j in 0..<rows {
        for k in starts[j]..<starts[j + 1] {
          let i = rowIndices[k]
          if i == j {
            diagonal[j] += values[k]
          } else {
            sums[i] += abs(values[k])
            sums[j] += abs(values[k])
          }
        }
      }
      return zip(sums, diagonal).reduce(0) { max($0, $1.0 + abs($1.1)) }
    }

    /// Lends the matrix to CHOLMOD, which does not write to it.
    mutating func withCholmod<Result>(
      _ body: (UnsafeMutablePointer<cholmod_sparse>) throws(FactorizationError) -> Result
    ) throws(FactorizationError) -> Result {
      let (m, n, symmetry, count) = (rows, starts.count - 1, symmetry, values.count)
      // An empty array may lend no address, and CHOLMOD takes none for a missing array.
      if count == 0 { (rowIndices, values) = ([0], [0]) }
      return try starts.withUnsafeBufferPointer { p throws(FactorizationError) in
        try rowIndices.withUnsafeBufferPointer { i throws(FactorizationError) in
          try values.withUnsafeBufferPointer { x throws(FactorizationError) in
            var matrix = cholmod_sparse()
            (matrix.nrow, matrix.ncol, matrix.nzmax) = (m, n, count)
            (matrix.p, matrix.i, matrix.x) = (
              .init(mutating: p.baseAddress), .init(mutating: i.baseAddress),
              .init(mutating: x.baseAddress)
            )
            (matrix.stype, matrix.itype, matrix.xtype) = (symmetry, CHOLMOD_LONG, CHOLMOD_REAL)
            (matrix.dtype, matrix.sorted, matrix.packed) = (CHOLMOD_DOUBLE, 1, 1)
            return try body(&matrix)
          }
        }
      }
    }
  }
#endif

#if SuiteSparse
  import CSuiteSparse
  import LinearAlgebra

  /// The factorisation A E = Q R by SPQR, Q being a product of reflections 1 − τ v vᵀ with sparse v.
  ///
  /// E brings the columns first that R's diagonal belongs to, `rank` of them; those after depend on them (Davis,
  /// ACM TOMS 38(1), 2011, art. 8, §2.3). A zero of R has no entry.
  struct HouseholderFactors: Sendable {
    let rows: Int
    let columns: Int
    let rank: Int
    let tolerance: Double
    let smallestKept: Double
    let largestDropped: Double

    /// R by columns, (rank, n).
    private let triangle: PackedColumns
    /// Column k of A E is column `columnOrder[k]` of A.
    private let columnOrder: [Int]
    /// The reflections by columns, rows in the order of R.
    private let reflections: PackedColumns
    private let scales: [Double]
    /// Row i of A is row `rowPlaces[i]` of Q R.
    private let rowPlaces: [Int]

    init(_ a: SparseMatrix, tolerance wanted: Double?) throws(FactorizationError) {
      (rows, columns) = (a.rows, a.columns)
      var matrix = CholmodMatrix(a)
      guard matrix.isFinite else { throw .notFinite }
      guard !a.values.isEmpty else {
        (rank, tolerance, smallestKept, largestDropped) = (0, wanted ?? 0, .infinity, 0)
        (triangle, columnOrder) = (PackedColumns(), Array(0..<a.columns))
        (reflections, scales, rowPlaces) = (PackedColumns(), [], Array(0..<a.rows))
        return
      }
      let (m, n) = (a.rows, a.columns)
      let result = try withCholmod { common throws(FactorizationError) in
        var r: UnsafeMutablePointer<cholmod_sparse>?
        var h: UnsafeMutablePointer<cholmod_sparse>?
        var tau: UnsafeMutablePointer<cholmod_dense>?
        var (e, places): (UnsafeMutablePointer<Int>?, UnsafeMutablePointer<Int>?)
        defer {
          cholmod_l_free_sparse(&r, common)
          cholmod_l_free_sparse(&h, common)
          cholmod_l_free_dense(&tau, common)
          cholmod_l_free(n, MemoryLayout<Int>.size, e, common)
          cholmod_l_free(m, MemoryLayout<Int>.size, places, common)
        }
        let rank = try matrix.withCholmod {
          SuiteSparseQR_C(
            SPQR_ORDERING_DEFAULT, wanted ?? Double(SPQR_DEFAULT_TOL), 0, 0, $0, nil, nil, nil, nil,
            &r, &e, &h, &places, &tau, common)
        }
        try common.checkStatus()
        guard rank >= 0, let h, let tau else { throw .outOfMemory }
        let reflections = PackedColumns(h.pointee)
        guard let r, let places else { throw .outOfMemory }
        return (
          rank: rank, tolerance: common.pointee.SPQR_tol_used,
          dropped: common.pointee.SPQR_norm_E_fro, triangle: PackedColumns(r.pointee),
          reflections: reflections,
          scales: Array(
            UnsafeBufferPointer(
              start: tau.pointee.x.assumingMemoryBound(to: Double.self),
              count: reflections.count)),
          order: e.map { Array(UnsafeBufferPointer(start: $0, count: n)) } ?? Array(0..<n),
          places: Array(UnsafeBufferPointer(start: places, count: m))
        )
      }
      (rank, tolerance, largestDropped) = (result.rank, result.tolerance, result.dropped)
      (triangle, columnOrder) = (result.triangle, result.order)
      (reflections, scales, rowPlaces) = (result.reflections, result.scales, result.places)
      guard triangle.isFinite && reflections.isFinite && scales.allSatisfy(\.isFinite) else {
        throw .notFinite
      }
      var smallest = Double.infinity
      for k in 0..<rank {
        // Only what overflowed leaves no diagonal.
        guard let last = triangle.last(ofColumn: k), last.row == k else { throw .notFinite }
        smallest = min(smallest, abs(last.value))
      }
      smallestKept = smallest
    }

    func applyQ(_ c: inout Matrix) { apply(to: &c, transposed: false) }

    func applyQTranspose(_ c: inout Matrix) { apply(to: &c, transposed: true) }

    /// Works on blocks of columns, each laid out by rows: one entry of a reflection then meets contiguous numbers.
    private func apply(to c: inout Matrix, transposed: Bool) {
      precondition(c.rows == rows, "Q of order \(rows) times \(c.shape)")
      guard c.count > 0 else { return }
      let (m, columns) = (rows, c.columns)
      c.update { elements, _ in
        elements.withUnsafeMutableBufferPointer { x in
          for first in stride(from: 0, to: columns, by: 32) {
            let width = min(32, columns - first)
            let block = x.baseAddress! + first * m
            withUnsafeTemporaryAllocation(of: Double.self, capacity: (m + 1) * width) { work in
              let y = work.baseAddress!
              for i in 0..<m {
                let row = y + (transposed ? rowPlaces[i] : i) * width
                for j in 0..<width { row[j] = block[i + j * m] }
              }
              reflect(y, width: width, transposed: transposed, sums: y + m * width)
              for i in 0..<m {
                let row = y + (transposed ? i : rowPlaces[i]) * width
                for j in 0..<width { block[i + j * m] = row[j] }
              }
            }
          }
        }
      }
    }

    /// The reflections on y, (m, width) by rows, from first to last, or from last to first.
    private func reflect(
      _ y: UnsafeMutablePointer<Double>, width: Int, transposed: Bool,
      sums: UnsafeMutablePointer<Double>
    ) {
      let count = reflections.count
      for step in 0..<count {
        let k = transposed ? step : count - 1 - step
        reflections.withColumn(k) { rows, entries in
          for j in 0..<width { sums[j] = 0 }
          for p in 0..<rows.count {
            let (row, v) = (y + Int(rows[p]) * width, entries[p])
            for j in 0..<width { sums[j] += v * row[j] }
          }
          let scale = scales[k]
          for j in 0..<width { sums[j] *= scale }
          for p in 0..<rows.count {
            let (row, v) = (y + Int(rows[p]) * width, entries[p])
            for j in 0..<width { row[j] -= v * sums[j] }
          }
        }
      }
    }

    /// E R⁻¹ c with zeros for the columns that depend on others.
    func solveTriangle(_ c: Matrix) -> Matrix {
      precondition(c.rows == rows, "right-hand side \(c.shape) for \(rows) rows")
      var x = Matrix(rows: columns, columns: c.columns)
      var y = [Double](repeating: 0, count: rank)
      for column in 0..<c.columns {
        for i in 0..<rank { y[i] = c[i, column] }
        for i in (0..<rank).reversed() {
          triangle.withColumn(i) { rows, entries in
            y[i] /= entries[entries.count - 1]
            for p in 0..<rows.count - 1 { y[Int(rows[p])] -= entries[p] * y[i] }
          }
          x[columnOrder[i], column] = y[i]
        }
      }
      return x
    }
  }

  /// Sparse columns with short row numbers, taken from CHOLMOD.
  private struct PackedColumns: Sendable {
    private var starts = [0]
    private var rows: [Int32] = []
    private var values: [Double] = []

    init() {}

    init(_ a: cholmod_sparse) {
      let (p, i) = (a.p.assumingMemoryBound(to: Int.self), a.i.assumingMemoryBound(to: Int.self))
      starts = Array(UnsafeBufferPointer(start: p, count: Int(a.ncol) + 1))
      let count = starts.last!
      rows = UnsafeBufferPointer(start: i, count: count).map { Int32($0) }
      values = Array(
        UnsafeBufferPointer(start: a.x.assumingMemoryBound(to: Double.self), count: count))
    }

    var count: Int { starts.count - 1 }

    var isFinite: Bool { values.allSatisfy(\.isFinite) }

    func last(ofColumn k: Int) -> (row: Int, value: Double)? {
      let end = starts[k + 1]
      return end == starts[k] ? nil : (Int(rows[end - 1]), values[end - 1])
    }

    func withColumn(
      _ k: Int, _ body: (UnsafeBufferPointer<Int32>, UnsafeBufferPointer<Double>) -> Void
    ) {
      let range = starts[k]..<starts[k + 1]
      rows.withUnsafeBufferPointer { rows in
        values.withUnsafeBufferPointer { values in
          body(.init(rebasing: rows[range]), .init(rebasing: values[range]))
        }
      }
    }
  }
#endif

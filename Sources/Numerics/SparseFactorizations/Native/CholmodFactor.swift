#if SuiteSparse
  import CSuiteSparse
  import LinearAlgebra

  /// A factor of CHOLMOD's, symbolic or numeric, and its memory.
  ///
  /// Sendable because nobody writes to it once it is made: CHOLMOD's solver reads the factor and keeps its state
  /// in the workspace of the call.
  final class CholmodFactor: @unchecked Sendable {
    let factor: UnsafeMutablePointer<cholmod_factor>

    private init(_ factor: UnsafeMutablePointer<cholmod_factor>) { self.factor = factor }

    deinit {
      var factor: UnsafeMutablePointer<cholmod_factor>? = factor
      _ = try? withCholmod { common in cholmod_l_free_factor(&factor, common) }
    }

    /// What the analysis found: the entries of L, and the bytes of the numeric factor.
    struct Size {
      let entries: Int
      let bytes: Int
    }

    /// The analysis of the pattern of a symmetric matrix for L Lᵀ, or for L D Lᵀ if `simplicial`.
    ///
    /// The order is the given one where that leaves next to nothing to save: a band of order 1000 and half width 10
    /// then takes 0.28 ms instead of 0.6 ms. Else it is CHOLMOD's choice: by minimum degree, and by METIS as well
    /// where that fills in much. On a grid of 1000² points METIS, not chosen, would save a quarter of the entries
    /// and take 6.9 s in all instead of 3.8; on one of 45³, chosen, it takes half the memory and 2.6 s, not 3.4.
    static func analysis(
      of a: inout CholmodMatrix, simplicial: Bool, keepsOrder: Bool = false
    ) throws(FactorizationError) -> (factor: CholmodFactor, size: Size) {
      try withCholmod { common throws(FactorizationError) in
        if keepsOrder || a.isSkyline { csuitesparse_order_as_given(common) }
        if simplicial { common.pointee.supernodal = CHOLMOD_SIMPLICIAL }
        let factor = try a.withCholmod { cholmod_l_analyze($0, common) }
        try common.checkStatus()
        guard let factor else { throw .outOfMemory }
        // As doubles: the products of large counts are no integers of a machine.
        let n = Double(factor.pointee.n)
        let bytes =
          factor.pointee.is_super != 0
          ? 8 * (Double(factor.pointee.xsize) + Double(factor.pointee.ssize) + 2 * n)
          : 16 * common.pointee.lnz + 48 * n
        let size = Size(
          entries: Int(min(common.pointee.lnz, 9e18)), bytes: Int(min(bytes, 9e18)))
        return (CholmodFactor(factor), size)
      }
    }

    /// The numeric factor L Lᵀ of a matrix with the pattern of which this is the analysis.
    func choleskyFactor(of a: inout CholmodMatrix) throws(FactorizationError) -> CholmodFactor {
      let numeric = try factored(&a) { common in common.pointee.final_ll = 1 }
      guard numeric.factor.pointee.minor == numeric.factor.pointee.n else {
        throw .notPositiveDefinite(order: Int(numeric.factor.pointee.minor) + 1)
      }
      return numeric
    }

    /// The numeric factor L D Lᵀ of A − `shift` I; pivots smaller than `smallestPivot` are enlarged to it.
    func indefiniteFactor(
      of a: inout CholmodMatrix, shift: Double, smallestPivot: Double
    ) throws(FactorizationError) -> CholmodFactor {
      try factored(&a, shift: shift) { common in
        common.pointee.final_ll = 0
        common.pointee.dbound = smallestPivot
      }
    }

    private func factored(
      _ a: inout CholmodMatrix, shift: Double = 0,
      _ prepare: (UnsafeMutablePointer<cholmod_common>) -> Void
    ) throws(FactorizationError) -> CholmodFactor {
      try withCholmod { common throws(FactorizationError) in
        guard let copy = cholmod_l_copy_factor(factor, common) else { throw .outOfMemory }
        let numeric = CholmodFactor(copy)
        prepare(common)
        // No columns with room for entries to come.
        common.pointee.grow2 = 0
        var beta = [-shift, 0]
        _ = try a.withCholmod { cholmod_l_factorize_p($0, &beta, nil, 0, copy, common) }
        try common.checkStatus()
        return numeric
      }
    }

    /// An estimate of 1 / condition by the diagonal of the numeric factor; 0 if that is not finite.
    func reciprocalCondition() throws(FactorizationError) -> Double {
      try withCholmod { cholmod_l_rcond(factor, $0) }
    }

    /// b ← A⁻¹ b.
    func solve(_ b: inout Matrix) throws(FactorizationError) {
      var failure: FactorizationError?
      b.update { elements, rows in
        let columns = elements.count / max(rows, 1)
        elements.withUnsafeMutableBufferPointer { x in
          do throws(FactorizationError) {
            try withCholmod { common throws(FactorizationError) in
              var right = cholmod_dense()
              (right.nrow, right.ncol, right.nzmax, right.d) = (rows, columns, x.count, rows)
              (right.x, right.xtype, right.dtype) = (
                .init(x.baseAddress), CHOLMOD_REAL, CHOLMOD_DOUBLE
              )
              var solution = cholmod_l_solve(CHOLMOD_A, factor, &right, common)
              defer { cholmod_l_free_dense(&solution, common) }
              try common.checkStatus()
              guard let solution else { throw .outOfMemory }
              x.baseAddress!.update(
                from: solution.pointee.x.assumingMemoryBound(to: Double.self), count: x.count)
            }
          } catch {
            failure = error
          }
        }
      }
      if let failure { throw failure }
    }

    /// Visits the columns of a simplicial numeric factor: D's element, and L's rows and entries below the diagonal;
    /// those only that were reached.
    func forEachColumn(
      _ visit: (
        _ j: Int, _ pivot: Double, _ rows: UnsafeBufferPointer<Int>,
        _ entries: UnsafeBufferPointer<Double>
      ) -> Void
    ) {
      let l = factor.pointee
      precondition(l.is_super == 0 && l.is_ll == 0 && l.xtype == CHOLMOD_REAL)
      let starts = l.p.assumingMemoryBound(to: Int.self)
      let counts = l.nz.assumingMemoryBound(to: Int.self)
      let rows = l.i.assumingMemoryBound(to: Int.self)
      let entries = l.x.assumingMemoryBound(to: Double.self)
      for j in 0..<Int(l.minor) {
        let (first, below) = (starts[j], counts[j] - 1)
        visit(
          j, entries[first], .init(start: rows + first + 1, count: below),
          .init(start: entries + first + 1, count: below))
      }
    }
  }
#endif

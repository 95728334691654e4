import CellularSheaves
import ExactAlgebra

extension SheafZigzag {
  /// The intervals of H^q(X_0; F) ↔ … ↔ H^q(X_n; F) in the degrees up to a largest one.
  ///
  /// Over ℝ the maps are taken in orthonormal coordinates of the stalks; elsewhere the inner products have no say. The
  /// maps must commute and δδ be 0, which is checked where arithmetic is exact and left to `sheaf.check` over ℝ.
  ///
  /// - Parameter maximumDegree: the largest degree of intervals.
  /// - Throws: `coefficients` for an entry that is not in the field, a p that is no prime or δδ ≠ 0.
  /// - Complexity: that of one barcode (`FilteredReduction`) of a complex with two cells for each time that a cell
  ///   comes in, whatever n is; over ℚ numbers may grow.
  public func barcode(
    over coefficients: SheafFiltration.Coefficients, maximumDegree: Int = .max - 1
  ) throws(PersistenceError) -> ZigzagBarcode {
    let reduction = ExactZigzag(zigzag: self, top: maximumDegree)
    switch coefficients {
    case .prime(let p): return ZigzagBarcode(try reduction.result(sheaf, modulo: p))
    case .rational: return ZigzagBarcode(try reduction.rationalResult(sheaf))
    case .real(let tolerance):
      return RealZigzag(zigzag: self, tolerance: tolerance).barcode(upTo: maximumDegree)
    }
  }
}

/// The intervals over a field without rounding.
struct ExactZigzag: ExactComputation {
  let zigzag: SheafZigzag
  /// The largest degree of intervals.
  let top: Int

  func result<Arithmetic>(
    _ coboundaries: ExactCoboundaries<Arithmetic>
  ) throws -> [ZigzagBarcode.Interval] {
    let dimension = zigzag.sheaf.complex.dimension
    guard min(top, dimension) >= 0 else { return [] }
    let complex = ZigzagComplex(zigzag)
    let ring = coboundaries.arithmetic.ring
    var result: [ZigzagBarcode.Interval] = []
    var cleared = [Bool](repeating: false, count: complex.times[0].count)
    var lower: SparseColumns<Arithmetic.Element>?
    for k in 0...min(top, dimension) + 1 {
      let upper = k < dimension ? try coboundaries.columns(degree: k) : nil
      if let lower, let upper { try coboundaries.checkSquare(lower, upper, degree: k - 1) }
      let matrix = complex.matrix(
        degree: k, upper: upper, lower: lower, one: ring.one, negative: ring.negative)
      let reduced = try FilteredReduction.reduce(
        matrix, with: coboundaries.arithmetic, skipping: cleared, recording: false)
      cleared = [Bool](repeating: false, count: matrix.rows)
      for (column, row, _) in reduced.pairs {
        cleared[row] = true
        if let interval = complex.interval(degree: k, column, row), interval.degree <= top {
          result.append(interval)
        }
      }
      lower = upper
    }
    return result
  }
}

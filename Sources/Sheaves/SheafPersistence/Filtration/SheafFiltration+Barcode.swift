extension SheafFiltration {
  /// The field of coefficients.
  public enum Coefficients: Sendable, Equatable {
    /// GF(p), 2 ≤ p < 2³¹.
    case prime(Int)
    /// ℚ; every number of a map counts as the dyadic rational that it is.
    case rational
    /// ℝ in double precision: numbers up to the tolerance times the norm of the largest column of a coboundary count
    /// as 0; if nil 20 (m + n) ε for a coboundary of shape (m, n).
    case real(tolerance: Double? = nil)
  }

  /// The barcode of H^q(X_a; F), a from below all values on, in the degrees up to a largest one.
  ///
  /// Bars of the degrees 0, …, q need the cells of dimension q + 1 at most. Over ℝ the maps are taken in orthonormal
  /// coordinates of the stalks; elsewhere the inner products have no say. The maps must commute and δδ be 0, which is
  /// checked where arithmetic is exact and left to `sheaf.check` over ℝ.
  ///
  /// - Parameters:
  ///   - maximumDegree: the largest degree of bars.
  ///   - findingRepresentatives: whether to find a cochain for every bar, which takes memory for the combinations.
  /// - Throws: `coefficients` for an entry that is not in the field, a p that is no prime or δδ ≠ 0.
  /// - Complexity: that of `FilteredReduction`; over ℚ numbers may grow.
  public func barcode(
    over coefficients: Coefficients, maximumDegree: Int = .max - 1,
    findingRepresentatives: Bool = false
  ) throws(PersistenceError) -> Barcode {
    let exact = ExactBarcode(
      filtration: self, top: maximumDegree, findingRepresentatives: findingRepresentatives)
    switch coefficients {
    case .prime(let p): return Barcode(try exact.result(sheaf, modulo: p))
    case .rational: return Barcode(try exact.rationalResult(sheaf))
    case .real(let tolerance):
      return RealBarcode(filtration: self, tolerance: tolerance).barcode(
        upTo: maximumDegree, findingRepresentatives: findingRepresentatives)
    }
  }
}

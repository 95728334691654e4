extension SheafFiltration {
  /// The bars of a degree with a cycle each, whose classes at any a are a basis of H_q(X_a).
  ///
  /// The bars are those of `barcode`. Boundaries are reduced from the first cell on: the reduced boundary of the cell
  /// with which a bar ends is its cycle, and what a cell becomes whose boundary is reduced to 0 is the cycle of a bar
  /// without end (Edelsbrunner, Letscher, Zomorodian 2002; Zomorodian, Carlsson 2005, §4). Inner products have no say.
  ///
  /// - Parameters:
  ///   - degree: q.
  ///   - coefficients: over ℝ numbers up to the tolerance times the norm of the largest column of a boundary count as 0.
  /// - Returns: by birth, then by death.
  /// - Throws: as `barcode`.
  /// - Complexity: at worst cubic in the number of cells; slower than `barcode`, which reduces coboundaries.
  public func cycles(
    _ degree: Int, over coefficients: Coefficients
  ) throws(PersistenceError) -> [PersistentCycle] {
    guard degree >= 0, degree <= sheaf.complex.dimension else { return [] }
    let exact = ExactCycles(filtration: self, degree: degree)
    let cycles: [PersistentCycle] =
      switch coefficients {
      case .prime(let p): try exact.result(sheaf, modulo: p)
      case .rational: try exact.rationalResult(sheaf)
      case .real(let tolerance):
        RealCycles(filtration: self, degree: degree, tolerance: tolerance).cycles
      }
    return cycles.sorted {
      ($0.interval.birth, $0.interval.death) < ($1.interval.birth, $1.interval.death)
    }
  }
}

import CellularSheaves
import ExactAlgebra

extension CellularSheaf {
  /// The cohomology without rounding, over GF(p), ℚ or ℤ; the weights have no say in it.
  ///
  /// Every entry of a map counts as the number that it is in double precision: .1 is no tenth, .5 is a half.
  ///
  /// - Throws: `CochainComplexError`, for entries that are not in the ring, a p that is no prime, or δδ ≠ 0.
  public func exactCohomology(
    over coefficients: ExactCohomology.Coefficients, findingRepresentatives: Bool = false
  ) throws(CochainComplexError) -> ExactCohomology {
    let degrees = 0..<max(complex.dimension + 1, 0)
    return try ExactCohomology(
      dimensions: degrees.map { cochainDimension($0) },
      coboundaries: degrees.dropLast().map { coboundary($0) }, over: coefficients,
      findingRepresentatives: findingRepresentatives)
  }
}

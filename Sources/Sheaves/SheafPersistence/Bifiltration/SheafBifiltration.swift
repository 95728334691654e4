import CellComplexes
import CellularSheaves

/// A cellular sheaf F on a complex X with two values for every cell, both no later at faces than at cofaces: the
/// subcomplexes X_{s,t} of the cells with first value up to s and second up to t (Carlsson, Zomorodian 2009).
///
/// For (s, t) ≤ (s′, t′) the inclusion induces H^q(X_{s′,t′}; F) → H^q(X_{s,t}; F). Such a family has no barcode. What is
/// here of it are the dimensions (`hilbertFunction`), the ranks (`rank`), the barcodes along lines (`slice`) and how far
/// those of two families are apart (`matchingDistance`).
public struct SheafBifiltration: Sendable {
  /// The sheaf on the whole complex.
  public let sheaf: CellularSheaf
  /// The first value of each cell, in the order of the complex.
  public let first: [Double]
  /// The second value of each cell.
  public let second: [Double]

  /// A bifiltration by the values of the cells.
  ///
  /// - Parameters:
  ///   - first: one value for each cell, in the order of the complex.
  ///   - second: the same.
  /// - Throws: `missing` for the first cell without a value, `notFinite`, `faceAfterCoface`.
  /// - Complexity: proportional to the number of incidences.
  public init(
    _ sheaf: CellularSheaf, first: [Double], second: [Double]
  ) throws(PersistenceError) {
    (self.sheaf, self.first) = (sheaf, try SheafFiltration(sheaf, values: first).values)
    self.second = try SheafFiltration(sheaf, values: second).values
  }

  /// The cells of X_{s,t}, a closed set.
  public func cells(upTo s: Double, _ t: Double) -> Set<Int> {
    Set(first.indices.filter { first[$0] <= s && second[$0] <= t })
  }

  /// The different first values and the different second ones, ascending: where X_{s,t} changes.
  public var steps: (first: [Double], second: [Double]) {
    (Set(first).sorted(), Set(second).sorted())
  }
}

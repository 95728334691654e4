import CellComplexes
import CellularSheaves

/// A cellular sheaf F on a complex X with a value for every cell, faces no later than cofaces: the filtration of X by
/// the subcomplexes X_a of the cells with values up to a.
///
/// For a ≤ b the inclusion X_a ⊂ X_b induces H^q(X_b; F) → H^q(X_a; F), the restriction of classes; `barcode`
/// decomposes these maps (Zomorodian, Carlsson 2005; with coefficients in a sheaf Russold 2022).
public struct SheafFiltration: Sendable {
  /// The sheaf on the whole complex.
  public let sheaf: CellularSheaf
  /// The value of each cell, in the order of the complex.
  public let values: [Double]

  /// A filtration by the values of the cells.
  ///
  /// - Parameter values: one for each cell, in the order of the complex.
  /// - Throws: `missing` for the first cell without a value, `notFinite`, `faceAfterCoface`.
  /// - Complexity: proportional to the number of incidences.
  public init(_ sheaf: CellularSheaf, values: [Double]) throws(PersistenceError) {
    let complex = sheaf.complex
    precondition(
      values.count <= complex.count, "\(values.count) values for \(complex.count) cells")
    if values.count < complex.count { throw .missing(cell: complex.name(values.count)) }
    for (cell, value) in values.enumerated() where !value.isFinite {
      throw .notFinite(cell: complex.name(cell), found: value)
    }
    for cell in 0..<complex.count {
      for i in complex.incidences(of: cell) where values[complex.face(i)] > values[cell] {
        throw .faceAfterCoface(
          face: complex.name(complex.face(i)), value: values[complex.face(i)],
          coface: complex.name(cell), cofaceValue: values[cell])
      }
    }
    (self.sheaf, self.values) = (sheaf, values)
  }

  /// A filtration by the values of the cells' names.
  ///
  /// - Throws: `missing`, `unknownCell`, `notFinite`, `faceAfterCoface`.
  public init(_ sheaf: CellularSheaf, valuesByName: [String: Double]) throws(PersistenceError) {
    let complex = sheaf.complex
    var values: [Double] = []
    values.reserveCapacity(complex.count)
    var names: Set<String> = []
    for cell in 0..<complex.count {
      let name = complex.name(cell)
      guard let value = valuesByName[name] else { throw .missing(cell: name) }
      values.append(value)
      names.insert(name)
    }
    if let unknown = valuesByName.keys.filter({ !names.contains($0) }).min() {
      throw .unknownCell(unknown)
    }
    try self.init(sheaf, values: values)
  }

  /// The cells of X_a, a closed set.
  public func cells(upTo a: Double) -> Set<Int> {
    Set(values.indices.filter { values[$0] <= a })
  }

  /// F on X_a, and the cell of the whole complex that each of its cells is.
  public func subsheaf(upTo a: Double) -> (sheaf: CellularSheaf, cells: [Int]) {
    sheaf.restricted(to: cells(upTo: a))
  }

  /// The different values, ascending: where X_a changes.
  public var steps: [Double] { Set(values).sorted() }
}

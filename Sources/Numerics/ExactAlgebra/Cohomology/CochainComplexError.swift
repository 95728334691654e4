/// Why a list of matrices is no cochain complex over the ring asked for.
public enum CochainComplexError: Error, Equatable, CustomStringConvertible {
  /// The characteristic is no prime.
  case notAPrime(NotAPrime)
  /// There must be one coboundary fewer than dimensions.
  case count(dimensions: Int, coboundaries: Int)
  /// δ_degree does not have the shape (n_{degree + 1}, n_degree).
  case shape(degree: Int, rows: Int, columns: Int, expectedRows: Int, expectedColumns: Int)
  /// An entry of δ_degree has no image in the ring.
  case entry(degree: Int, UnreadableEntry)
  /// δ_{degree + 1} δ_degree is not 0.
  case notZero(degree: Int, row: Int, column: Int, value: String)

  public var description: String {
    switch self {
    case .notAPrime(let error): "\(error)"
    case .count(let dimensions, let coboundaries):
      "\(coboundaries) coboundaries for \(dimensions) dimensions, expected \(max(0, dimensions - 1))"
    case .shape(let degree, let rows, let columns, let expectedRows, let expectedColumns):
      "δ\(degree) is \(rows) × \(columns), expected \(expectedRows) × \(expectedColumns)"
    case .entry(let degree, let entry): "δ\(degree): \(entry)"
    case .notZero(let degree, let row, let column, let value):
      "δ\(degree + 1) δ\(degree) is \(value) in row \(row), column \(column), expected 0"
    }
  }
}

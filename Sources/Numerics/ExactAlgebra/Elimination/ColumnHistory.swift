/// How the columns of an elimination came about: pivot column j is
/// scale_j (a_j − Σ_i multiplier_ji · pivot column i), a_j the matrix's column, i < j.
struct ColumnHistory<Element: Sendable & Equatable>: Sendable {
  private(set) var starts: [Int] = [0]
  private(set) var ordinals: [Int32] = []
  private(set) var multipliers: [Element] = []
  private(set) var scales: [Element] = []

  /// Notes a multiplier of the column at work.
  mutating func append(_ ordinal: Int, _ multiplier: Element) {
    ordinals.append(Int32(truncatingIfNeeded: ordinal))
    multipliers.append(multiplier)
  }

  /// The column at work has become a pivot column.
  mutating func endColumn(scale: Element) {
    scales.append(scale)
    starts.append(ordinals.count)
  }

  /// The column at work has become none.
  mutating func dropColumn() {
    let surplus = ordinals.count - starts[starts.count - 1]
    ordinals.removeLast(surplus)
    multipliers.removeLast(surplus)
  }
}

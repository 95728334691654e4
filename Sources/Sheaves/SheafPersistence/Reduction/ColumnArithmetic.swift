import BigInt
import ExactAlgebra

/// How a column is freed of an entry by means of another: c ← α c − β b, α and β such that the entry becomes 0.
protocol ColumnArithmetic: Sendable {
  associatedtype Ring: CoefficientRing
  typealias Element = Ring.Element
  var ring: Ring { get }

  /// α and β, α ≠ 0, with α · entry = β · pivot.
  func factors(_ entry: Element, pivot: Element) throws(ArithmeticOverflow) -> (
    keep: Element, subtract: Element
  )

  /// What a finished column and its combination are scaled by.
  func scale(
    _ column: WorkingColumn<Element>, _ combination: WorkingColumn<Element>, pivot: Int?
  ) -> Element

  /// An entry of them, scaled.
  func scaled(_ a: Element, by scale: Element) -> Element
}

/// A field: pivots are 1.
struct FieldArithmetic: ColumnArithmetic {
  let ring: PrimeField

  func factors(_ entry: UInt32, pivot: UInt32) -> (keep: UInt32, subtract: UInt32) { (1, entry) }

  /// The inverse of the pivot.
  func scale(
    _ column: WorkingColumn<UInt32>, _ combination: WorkingColumn<UInt32>, pivot: Int?
  ) -> UInt32 { pivot.map { ring.inverse(ofUnit: column.values[$0]) } ?? 1 }

  func scaled(_ a: UInt32, by scale: UInt32) -> UInt32 {
    scale == 1 ? a : ring.product(a, scale)
  }
}

/// Multiples of rational columns that are whole, without a common divisor: elimination over ℚ without fractions.
struct RationalArithmetic<Ring: IntegerRing>: ColumnArithmetic {
  let ring: Ring

  func factors(_ entry: Ring.Element, pivot: Ring.Element) -> (
    keep: Ring.Element, subtract: Ring.Element
  ) {
    if pivot == 1 { return (1, entry) }
    if pivot == -1 { return (1, -entry) }
    let divisor = Self.gcd(entry, pivot)
    return (pivot / divisor, entry / divisor)
  }

  /// The greatest common divisor, to divide by.
  func scale(
    _ column: WorkingColumn<Ring.Element>, _ combination: WorkingColumn<Ring.Element>, pivot: Int?
  ) -> Ring.Element {
    var divisor = ring.zero
    for part in [column, combination] {
      for i in part.touched where part.values[Int(i)] != 0 {
        divisor = Self.gcd(part.values[Int(i)], divisor)
        if divisor == 1 { return divisor }
      }
    }
    return divisor
  }

  func scaled(_ a: Ring.Element, by divisor: Ring.Element) -> Ring.Element {
    divisor == 1 ? a : a / divisor
  }

  /// Euclid's algorithm; above 0.
  private static func gcd(_ a: Ring.Element, _ b: Ring.Element) -> Ring.Element {
    var (x, y) = (a, b)
    while y != 0 { (x, y) = (y, x % y) }
    return x < 0 ? -x : x
  }
}

/// A principal ideal domain in which matrices are eliminated: its arithmetic, and how numbers are read into it.
///
/// A ring is a value because its arithmetic may need one (the characteristic of a `PrimeField`).
/// Every operation is exact; what does not fit the elements' type throws and never wraps around.
public protocol CoefficientRing: Sendable {
  associatedtype Element: Sendable, Equatable

  /// 0.
  var zero: Element { get }
  /// 1.
  var one: Element { get }
  /// How error messages name the ring.
  var name: String { get }

  /// Whether `a` divides 1.
  func isUnit(_ a: Element) -> Bool
  /// The inverse of a unit.
  func inverse(ofUnit a: Element) -> Element
  /// −a.
  func negative(_ a: Element) -> Element
  /// a b.
  func product(_ a: Element, _ b: Element) throws(ArithmeticOverflow) -> Element
  /// a − b c.
  func difference(_ a: Element, minus b: Element, times c: Element) throws(ArithmeticOverflow)
    -> Element

  /// The image of a whole number.
  func element(_ value: Int) throws(ArithmeticOverflow) -> Element
  /// The image of a finite number, which is a dyadic rational; nil if it has none.
  func element(_ value: Double) throws(ArithmeticOverflow) -> Element?
}

/// A result that does not fit the machine integers; repeat the computation over `BigIntegers`.
public struct ArithmeticOverflow: Error, Equatable, CustomStringConvertible {
  public init() {}
  public var description: String { "a whole number beyond 64 bits" }
}

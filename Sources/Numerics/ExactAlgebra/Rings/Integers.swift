import BigInt

/// A model of ℤ.
public protocol IntegerRing: CoefficientRing where Element: SignedInteger {
  /// a 2^exponent, exponent ≥ 0.
  func shifted(_ a: Int, by exponent: Int) throws(ArithmeticOverflow) -> Element
}

/// ℤ as far as machine integers reach, −2⁶³ < a < 2⁶³: an operation whose result is beyond throws.
public struct Integers: IntegerRing, Equatable {
  public init() {}

  public var zero: Int { 0 }
  public var one: Int { 1 }
  public var name: String { "the integers" }

  public func isUnit(_ a: Int) -> Bool { a == 1 || a == -1 }
  public func inverse(ofUnit a: Int) -> Int { a }
  public func negative(_ a: Int) -> Int { -a }

  public func product(_ a: Int, _ b: Int) throws(ArithmeticOverflow) -> Int {
    let (product, overflows) = a.multipliedReportingOverflow(by: b)
    if overflows || product == .min { throw ArithmeticOverflow() }
    return product
  }

  public func difference(_ a: Int, minus b: Int, times c: Int) throws(ArithmeticOverflow) -> Int {
    let (product, isTooLarge) = b.multipliedReportingOverflow(by: c)
    let (difference, overflows) = a.subtractingReportingOverflow(product)
    if isTooLarge || overflows || difference == .min { throw ArithmeticOverflow() }
    return difference
  }

  public func element(_ value: Int) throws(ArithmeticOverflow) -> Int {
    if value == .min { throw ArithmeticOverflow() }
    return value
  }

  public func element(_ value: Double) throws(ArithmeticOverflow) -> Int? {
    guard value.isFinite, value == value.rounded() else { return nil }
    guard let whole = Int(exactly: value) else { throw ArithmeticOverflow() }
    return try element(whole)
  }

  public func shifted(_ a: Int, by exponent: Int) throws(ArithmeticOverflow) -> Int {
    if exponent > 62 { throw ArithmeticOverflow() }
    return try product(a, 1 << exponent)
  }
}

/// ℤ without bounds.
public struct BigIntegers: IntegerRing, Equatable {
  public init() {}

  public var zero: BigInt { 0 }
  public var one: BigInt { 1 }
  public var name: String { "the integers" }

  public func isUnit(_ a: BigInt) -> Bool { a == 1 || a == -1 }
  public func inverse(ofUnit a: BigInt) -> BigInt { a }
  public func negative(_ a: BigInt) -> BigInt { -a }
  public func product(_ a: BigInt, _ b: BigInt) -> BigInt { a * b }
  public func difference(_ a: BigInt, minus b: BigInt, times c: BigInt) -> BigInt { a - b * c }
  public func element(_ value: Int) -> BigInt { BigInt(value) }
  public func element(_ value: Double) -> BigInt? {
    value.isFinite && value == value.rounded() ? BigInt(exactly: value) : nil
  }
  public func shifted(_ a: Int, by exponent: Int) -> BigInt { BigInt(a) << exponent }
}

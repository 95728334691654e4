/// The field GF(p) of residues modulo a prime 2 ≤ p < 2³¹, its elements 0, …, p − 1.
///
/// Products are reduced without division (Barrett 1986): with m = ⌊(2⁶⁴ − 1)/p⌋ and x < 2⁶³, the number
/// ⌊x m/2⁶⁴⌋ falls short of ⌊x/p⌋ by at most 1.
public struct PrimeField: CoefficientRing, Equatable {
  /// p.
  public let characteristic: Int
  private let modulus: UInt64
  private let reciprocal: UInt64

  /// GF(p).
  ///
  /// - Throws: `NotAPrime` unless `p` is a prime below 2³¹.
  public init(_ p: Int) throws(NotAPrime) {
    guard p < 1 << 31, PrimeField.isPrime(p) else { throw NotAPrime(value: p) }
    characteristic = p
    modulus = UInt64(p)
    reciprocal = UInt64.max / modulus
  }

  /// The greatest prime fields, the greatest first: GF(2³¹ − 1), GF(2³¹ − 19), …
  static var large: some Sequence<PrimeField> {
    (0...).lazy.compactMap { try? PrimeField((1 << 31) - 1 - $0) }
  }

  /// Miller's test to the bases 2, 7 and 61, which together are fooled by no n < 4 759 123 141 (Jaeschke 1993).
  private static func isPrime(_ n: Int) -> Bool {
    for base in [2, 3, 5, 7, 61] where n % base == 0 { return n == base }
    if n < 2 { return false }
    let twos = (n - 1).trailingZeroBitCount
    return [2, 7, 61].allSatisfy { base in
      var (power, square, exponent) = (1, base, (n - 1) >> twos)
      while exponent != 0 {
        if exponent & 1 == 1 { power = power * square % n }
        square = square * square % n
        exponent >>= 1
      }
      if power == 1 { return true }
      for _ in 0..<twos {
        if power == n - 1 { return true }
        power = power * power % n
      }
      return false
    }
  }

  public var zero: UInt32 { 0 }
  public var one: UInt32 { 1 }
  public var name: String { "the field of \(characteristic) elements" }

  public func isUnit(_ a: UInt32) -> Bool { a != 0 }

  /// x mod p for x < 2⁶³.
  @inline(__always) private func residue(_ x: UInt64) -> UInt32 {
    let quotient = x.multipliedFullWidth(by: reciprocal).high
    let rest = x &- quotient &* modulus
    return UInt32(truncatingIfNeeded: rest >= modulus ? rest &- modulus : rest)
  }

  public func negative(_ a: UInt32) -> UInt32 {
    a == 0 ? 0 : UInt32(truncatingIfNeeded: modulus) &- a
  }

  public func product(_ a: UInt32, _ b: UInt32) -> UInt32 { residue(UInt64(a) &* UInt64(b)) }

  public func difference(_ a: UInt32, minus b: UInt32, times c: UInt32) -> UInt32 {
    residue(UInt64(a) &+ (modulus &- UInt64(b)) &* UInt64(c))
  }

  /// a⁻¹, by Euclid's algorithm.
  public func inverse(ofUnit a: UInt32) -> UInt32 {
    precondition(a != 0, "0 has no inverse")
    var (r, s) = (characteristic, Int(a))
    var (u, v) = (0, 1)
    while s != 0 {
      let quotient = r / s
      (r, s) = (s, r - quotient * s)
      (u, v) = (v, u - quotient * v)
    }
    return element(u)
  }

  public func element(_ value: Int) -> UInt32 {
    let rest = value % characteristic
    return UInt32(truncatingIfNeeded: rest < 0 ? rest + characteristic : rest)
  }

  /// m 2^e has an image unless e < 0 and p = 2 (m odd).
  public func element(_ value: Double) -> UInt32? {
    if let whole = Int(exactly: value) { return element(whole) }
    guard let dyadic = Dyadic(value) else { return nil }
    if dyadic.exponent < 0 && characteristic == 2 { return nil }
    let power = power(of: element(2), UInt(dyadic.exponent.magnitude))
    let factor = dyadic.exponent < 0 ? inverse(ofUnit: power) : power
    return product(element(dyadic.significand), factor)
  }

  /// The residue of least magnitude: −p/2 < a ≤ p/2.
  public func symmetric(_ a: UInt32) -> Int {
    2 * Int(a) > characteristic ? Int(a) - characteristic : Int(a)
  }

  private func power(of base: UInt32, _ exponent: UInt) -> UInt32 {
    var (result, square, rest) = (one, base, exponent)
    while rest != 0 {
      if rest & 1 == 1 { result = product(result, square) }
      square = product(square, square)
      rest >>= 1
    }
    return result
  }
}

/// A number that was to be the characteristic of a `PrimeField`.
public struct NotAPrime: Error, Equatable, CustomStringConvertible {
  public let value: Int
  public var description: String { "\(value) is not a prime number below 2³¹" }
}

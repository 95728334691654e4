import Foundation

/// What the fields of a table mean.
extension FieldScanner {
  /// A field as a number.
  enum Value {
    /// With a decimal point, or without a fraction.
    case number(Double)
    /// With a decimal comma.
    case commaNumber(Double)
    case missing
    case text
  }

  /// Words for a value that is not there, in lower case.
  private static let missingWords: [[UInt8]] = ["na", "n/a", "nan", "null", "?"].map {
    Array($0.utf8)
  }
  private static let infinityWords: [[UInt8]] = ["inf", "infinity"].map { Array($0.utf8) }

  /// Powers of ten that are doubles.
  private static let powers: [Double] = (0...22).map { k in (0..<k).reduce(1) { x, _ in x * 10 } }

  /// The value of a field: a decimal number, also with a comma for its point where commas do not
  /// separate; missing (empty, NA, N/A, NaN, null or ?, in any case); or text.
  func value(_ field: Field) -> Value {
    var i = field.start
    let end = field.end
    guard i < end else { return .missing }
    let isNegative = bytes[i] == UInt8(ascii: "-")
    if isNegative || bytes[i] == UInt8(ascii: "+") { i += 1 }
    var (mantissa, exponent, digits, kept) = (UInt64(0), 0, 0, 0)
    @inline(__always)
    func readDigits(_ step: Int) {
      while i < end {
        let digit = bytes[i] &- UInt8(ascii: "0")
        guard digit < 10 else { break }
        if kept < 19 {
          mantissa = mantissa &* 10 &+ UInt64(digit)
          if mantissa > 0 { kept += 1 }
          exponent -= step
        } else {
          kept = 20
          exponent += 1 - step
        }
        digits += 1
        i += 1
      }
    }
    readDigits(0)
    var hasComma = false
    if i < end
      && (bytes[i] == UInt8(ascii: ".")
        || bytes[i] == UInt8(ascii: ",") && separator != UInt8(ascii: ","))
    {
      hasComma = bytes[i] == UInt8(ascii: ",")
      i += 1
      readDigits(1)
    }
    guard digits > 0 else { return word(field) }
    if i < end && bytes[i] | 0x20 == UInt8(ascii: "e") {
      i += 1
      let isBelow = i < end && bytes[i] == UInt8(ascii: "-")
      if i < end && (isBelow || bytes[i] == UInt8(ascii: "+")) { i += 1 }
      guard i < end else { return .text }
      var power = 0
      while i < end, case let digit = bytes[i] &- UInt8(ascii: "0"), digit < 10 {
        power = min(power * 10 + Int(digit), 100_000)
        i += 1
      }
      exponent += isBelow ? -power : power
    }
    guard i == end else { return .text }
    let x: Double
    // Both exact, so that one operation rounds once (Clinger 1990).
    if kept <= 19 && mantissa <= 1 << 53 && abs(exponent) <= 22 {
      let m = Double(isNegative ? -Int64(mantissa) : Int64(mantissa))
      let value = exponent < 0 ? m / Self.powers[-exponent] : m * Self.powers[exponent]
      x = isNegative && mantissa == 0 ? -0.0 : value
    } else {
      let text = String(decoding: bytes[field.start..<end], as: UTF8.self)
      x = Double(hasComma ? text.replacingOccurrences(of: ",", with: ".") : text) ?? .nan
    }
    return hasComma ? .commaNumber(x) : .number(x)
  }

  private func word(_ field: Field) -> Value {
    func isOne(of words: [[UInt8]], _ range: Range<Int>) -> Bool {
      words.contains { word in
        word.count == range.count
          && zip(word, bytes[range]).allSatisfy { $0 == $1 | 0x20 || $0 == $1 }
      }
    }
    if isOne(of: Self.missingWords, field.start..<field.end) { return .missing }
    let isNegative = bytes[field.start] == UInt8(ascii: "-")
    let isSigned = isNegative || bytes[field.start] == UInt8(ascii: "+")
    if isOne(of: Self.infinityWords, field.start + (isSigned ? 1 : 0)..<field.end) {
      return .number(isNegative ? -.infinity : .infinity)
    }
    return .text
  }
}

extension FieldScanner {
  /// Whether a number has a decimal point.
  func hasPoint(_ field: Field) -> Bool {
    bytes[field.start..<field.end].contains(UInt8(ascii: "."))
  }
}

import Foundation

/// Labelled places of an axis, and those without a label between them.
struct Ticks: Hashable {
  var labelled: [Axis.Tick]
  var minor: [Double] = []

  /// Round numbers, at most about `count`.
  init(_ span: Span, count: Int) {
    switch span.scale {
    case .linear: self.init(linear: span, count: count)
    case .logarithmic: self.init(logarithmic: span, count: count)
    }
  }

  /// Those that were asked for, or round numbers.
  init(_ span: Span, axis: Axis, count: Int) {
    if let given = axis.ticks {
      self.init(given.filter { span.contains($0.value) })
    } else {
      self.init(span, count: count)
    }
  }

  /// Labels without further places.
  init(_ labelled: [Axis.Tick]) { self.labelled = labelled }

  private init(linear span: Span, count: Int) {
    self.init([])
    let rough = 0.8 * (span.high - span.low) / Double(max(count, 1))
    var exponent = Int(floor(log10(rough)))
    // The least of 1, 2, 5, 10 times a power of ten that is not below the rough step.
    var mantissa = [1.0, 2, 5].first { $0 * pow(10, Double(exponent)) >= rough * (1 - 1e-9) } ?? 10
    if mantissa == 10 { (mantissa, exponent) = (1, exponent + 1) }
    // Negative powers divide: their inverses are exact.
    func multiple(_ k: Double) -> Double {
      exponent < 0
        ? k * mantissa / pow(10, Double(-exponent)) : k * mantissa * pow(10, Double(exponent))
    }
    let first = (span.low / multiple(1) - 1e-9).rounded(.up)
    let last = (span.high / multiple(1) + 1e-9).rounded(.down)
    let size = max(abs(span.low), abs(span.high))
    let decimals = max(0, -exponent)
    labelled = stride(from: first, through: last, by: 1).map {
      let value = multiple($0)
      return Axis.Tick(value, Self.label(value, decimals: decimals, size: size))
    }
  }

  private init(logarithmic span: Span, count: Int) {
    let decades = log10(span.high / span.low)
    guard decades > 0.9 else {
      self.init(linear: Span(span), count: count)
      return
    }
    let (first, last) = (
      Int((log10(span.low) - 1e-9).rounded(.up)), Int((log10(span.high) + 1e-9).rounded(.down))
    )
    self.init([])
    let powers = first > last ? [] : Array(first...last)
    var step = 1
    while powers.count / step > max(count, 2) { step += 1 }
    labelled = powers.filter { $0 % step == 0 }.map {
      Axis.Tick(pow(10, Double($0)), "10" + Self.superscript($0))
    }
    let between = (first - 1...max(last, first - 1)).flatMap { power in
      stride(from: 2.0, through: 9, by: 1).map { ($0, power) }
    }
    if labelled.count < 2 || decades <= 1.5 && count >= 5 {
      labelled += between.filter { $0.0 == 2 || $0.0 == 5 }.map { digit, power in
        Axis.Tick(digit * pow(10, Double(power)), "\(Int(digit))·10" + Self.superscript(power))
      }
      labelled = labelled.filter { span.contains($0.value) }.sorted { $0.value < $1.value }
      if span.low > 0.009 && span.high < 1e5 {
        labelled = labelled.map { Axis.Tick($0.value, String(format: "%g", $0.value)) }
      }
    }
    if step == 1 && decades <= 10 {
      minor = between.map { $0 * pow(10, Double($1)) }
    } else if powers.count <= 30 {
      minor = powers.map { pow(10, Double($0)) }
    }
    minor = minor.filter(span.contains)
  }

  /// A number for an axis whose numbers are at most `size`.
  static func label(_ value: Double, decimals: Int, size: Double) -> String {
    if value == 0 { return "0" }
    let sign = value < 0 ? "−" : ""
    if size < 1e5 && size >= 1e-2 || size < 1e5 && decimals <= 3 {
      return sign + String(format: "%.\(decimals)f", abs(value))
    }
    let exponent = Int(floor(log10(abs(value)) + 1e-9))
    let digits = max(0, min(exponent + decimals, 6))
    var mantissa = String(format: "%.\(digits)f", abs(value) / pow(10, Double(exponent)))
    if mantissa.contains(".") {
      while mantissa.hasSuffix("0") { mantissa.removeLast() }
      if mantissa.hasSuffix(".") { mantissa.removeLast() }
    }
    return sign + mantissa + "·10" + superscript(exponent)
  }

  /// An exponent in small raised digits.
  static func superscript(_ number: Int) -> String {
    let digits = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
    return (number < 0 ? "⁻" : "")
      + String(String(abs(number)).map { digits[$0.wholeNumberValue ?? 0] })
  }
}

extension Span {
  /// The same ends on a linear axis.
  fileprivate init(_ span: Span) {
    (low, high, scale) = (span.low, span.high, .linear)
  }
}

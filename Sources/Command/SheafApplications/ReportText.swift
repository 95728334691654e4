import Foundation

/// Numbers as they stand in tables.
enum ReportText {
  /// With so many digits after the point.
  static func fixed(_ value: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", value)
  }

  /// A probability: two digits, and a power of ten where it is below 10⁻³.
  static func probability(_ p: Double) -> String {
    p < 1e-3 && p > 0 ? String(format: "%.1e", p) : String(format: "%.3f", p)
  }

  /// Mean ± standard deviation of a sample.
  static func spread(_ values: [Double], _ digits: Int) -> String {
    "\(fixed(mean(values), digits)) ± \(fixed(deviation(values), digits))"
  }

  /// The mean.
  static func mean(_ values: [Double]) -> Double {
    values.reduce(0, +) / Double(values.count)
  }

  /// The standard deviation of a sample, 0 for one value.
  static func deviation(_ values: [Double]) -> Double {
    let m = mean(values)
    guard values.count > 1 else { return 0 }
    return (values.reduce(0) { $0 + ($1 - m) * ($1 - m) } / Double(values.count - 1)).squareRoot()
  }
}

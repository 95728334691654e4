import Foundation
import SheafDiagnostics

/// Median, mean and standard error of some numbers, those that are not finite left out.
struct Statistics {
  let count: Int
  let median, mean: Double?
  /// s/√n with the sample deviation s; nil below two numbers.
  let standardError: Double?

  init(_ values: [Double]) {
    let values = values.filter(\.isFinite)
    let n = values.count
    count = n
    median = n == 0 ? nil : Quartiles(values).median
    let mean = n == 0 ? nil : values.reduce(0, +) / Double(n)
    self.mean = mean
    guard let mean, n > 1 else {
      standardError = nil
      return
    }
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    standardError = (squares / Double((n - 1) * n)).squareRoot()
  }

  /// "mean ± standard error", each times a factor, with some significant digits.
  func text(_ digits: Int = 3, times factor: Double = 1) -> String {
    guard let mean else { return "-" }
    let number = { (x: Double) in String(format: "%.\(digits)g", factor * x) }
    return number(mean) + (standardError.map { " ± " + String(format: "%.2g", factor * $0) } ?? "")
  }

  var json: [String: Any] {
    [
      "count": count, "median": JSONOutput.number(median), "mean": JSONOutput.number(mean),
      "standardError": JSONOutput.number(standardError),
    ]
  }
}

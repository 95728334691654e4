import Foundation
import SheafPersistence

/// A barcode of one degree in a few numbers, or the means of several.
public struct BarcodeSummary: Sendable, Equatable {
  /// The number of bars that end.
  public var count = 0.0
  /// The sum of their lengths.
  public var total = 0.0
  /// The longest.
  public var longest = 0.0
  /// −Σ p log p with p the length over the sum of all: log count for equal bars, 0 for a single one.
  public var entropy = 0.0
  /// The number of bars without end.
  public var endless = 0.0

  /// No bars.
  public init() {}

  /// Those of a degree.
  public init(_ barcode: Barcode, degree: Int = 0) {
    let bars = barcode[degree]
    let lengths = bars.map(\.length).filter { $0 < .infinity }
    count = Double(lengths.count)
    total = lengths.reduce(0, +)
    longest = lengths.max() ?? 0
    endless = Double(bars.count - lengths.count)
    for length in lengths where length > 0 { entropy -= length / total * log(length / total) }
  }

  /// The means of some.
  public init(meanOf summaries: [BarcodeSummary]) {
    let n = Double(max(summaries.count, 1))
    for s in summaries {
      count += s.count / n
      total += s.total / n
      longest += s.longest / n
      entropy += s.entropy / n
      endless += s.endless / n
    }
  }
}

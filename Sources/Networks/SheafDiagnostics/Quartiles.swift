import Foundation

/// The quartiles of some numbers; NaN where there are none that are finite.
public struct Quartiles: Sendable {
  /// The lower quartile.
  public let low: Double
  /// The median.
  public let median: Double
  /// The upper quartile.
  public let high: Double

  /// By linear interpolation between the sorted values (type 7 of Hyndman, Fan 1996).
  public init(_ values: [Double]) {
    let sorted = values.filter(\.isFinite).sorted()
    func at(_ p: Double) -> Double {
      guard !sorted.isEmpty else { return .nan }
      let place = p * Double(sorted.count - 1)
      let k = min(Int(place), sorted.count - 1)
      let next = min(k + 1, sorted.count - 1)
      return sorted[k] + (place - Double(k)) * (sorted[next] - sorted[k])
    }
    (low, median, high) = (at(0.25), at(0.5), at(0.75))
  }
}

/// A histogram with cells of equal ratio.
public struct Histogram: Sendable {
  /// The ends of the cells, ascending, one more than cells.
  public let edges: [Double]

  /// Cells that hold all of some positive numbers.
  public init(logarithmic values: [Double], cells: Int = 24) {
    let good = values.filter { $0.isFinite && $0 > 0 }
    let (low, high) = (good.min() ?? 1, good.max() ?? 10)
    let ratio = max(high / low, 1.01)
    edges = (0...cells).map { low * pow(ratio, Double($0) / Double(cells)) }
  }

  /// How many of some values each cell holds.
  public func counts(_ values: [Double]) -> [Double] {
    var counts = [Double](repeating: 0, count: edges.count - 1)
    for value in values where value.isFinite && value >= edges[0] {
      let k = edges.lastIndex { $0 <= value } ?? 0
      if k < counts.count || value <= edges[edges.count - 1] * (1 + 1e-9) {
        counts[min(k, counts.count - 1)] += 1
      }
    }
    return counts
  }
}

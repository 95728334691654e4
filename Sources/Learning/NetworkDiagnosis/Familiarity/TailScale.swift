import Foundation
import LinearAlgebra

/// How unusual a distance is, on a scale that distances of different kinds share: about −log of the share of usual ones that are as large,
/// continued beyond the largest.
///
/// With ℓ = log d, u the 80 % quantile of ℓ among usual ones and b the mean of ℓ − u beyond it,
/// t = −log 0.2 + (ℓ − u)/b for ℓ > u, an exponential tail; else t = −log max(p, 0.2), p = (1 + #{usual ≥ d})/(n + 1).
struct TailScale: Sendable {
  /// ℓ of usual distances, ascending.
  let sorted: [Double]
  private let quantile, mean: Double

  private static let share = 0.2

  /// From usual distances.
  init(_ usual: [Double]) { self.init(sorted: usual.map(Self.logarithm).sorted()) }

  /// From their logarithms, ascending.
  init(sorted: [Double]) {
    self.sorted = sorted
    // By linear interpolation, as quartiles are.
    let place = (1 - Self.share) * Double(max(sorted.count - 1, 0))
    let k = Int(place)
    quantile =
      sorted.isEmpty
      ? 0 : sorted[k] + (place - Double(k)) * (sorted[min(k + 1, sorted.count - 1)] - sorted[k])
    let beyond = sorted.filter { [quantile] in $0 > quantile }.map { [quantile] in $0 - quantile }
    mean = beyond.isEmpty ? 0 : beyond.reduce(0, +) / Double(beyond.count)
  }

  private static func logarithm(_ d: Double) -> Double { log(max(d, 1e-9)) }

  /// t of a distance.
  func callAsFunction(_ distance: Double) -> Double {
    let l = Self.logarithm(distance)
    guard l > quantile else {
      return -log(max(sorted.conformalPValue(of: l), Self.share))
    }
    return -log(Self.share) + (l - quantile) / max(mean, 1e-9)
  }
}

extension TailScale {
  /// The scale of the cube roots of scores, sums of cubes of t, ascending.
  init(cubeRootsOf scores: [Double]) { self.init(sorted: scores.map { cbrt(max($0, 0)) }) }

  /// The share of usual values, as the scale's own are taken here, that is expected to be x or more, by the exponential tail; 1 before that begins.
  func upperTail(_ x: Double) -> Double {
    x > quantile && mean > 0 ? Self.share * exp(-(x - quantile) / mean) : 1
  }
}

extension [Double] {
  /// (1 + #{elements ≥ x})/(1 + count) of an ascending list: at most u with probability at most u for an x drawn as the elements were
  /// (Vovk et al. 2005).
  func conformalPValue(of x: Double) -> Double {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < x { low = middle + 1 } else { high = middle }
    }
    return Double(1 + count - low) / Double(1 + count)
  }
}

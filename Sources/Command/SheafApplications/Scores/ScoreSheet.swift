import Foundation

/// Scores by name, one for each seed.
struct ScoreSheet {
  /// In the order of the seeds.
  private(set) var scores: [String: [Double]] = [:]

  mutating func add(_ name: String, _ value: Double) { scores[name, default: []].append(value) }

  /// The mean over the seeds; NaN for a name without scores.
  func mean(_ name: String) -> Double {
    guard let list = scores[name] else { return .nan }
    return ReportText.mean(list)
  }

  /// The standard deviation over the seeds, by n − 1; nil for one seed.
  func deviation(_ name: String) -> Double? {
    guard let list = scores[name], list.count > 1 else { return nil }
    return ReportText.deviation(list)
  }

  /// "0.9762 ± 0.0046", mean and standard deviation, or the mean alone for one seed.
  func text(_ name: String) -> String {
    let mean = String(format: "%.4f", mean(name))
    return deviation(name).map { mean + String(format: " ± %.4f", $0) } ?? mean
  }

  /// Of one score minus another, seed by seed: mean, standard deviation, and in how many it is above 0.
  func comparison(_ one: String, _ other: String) -> String {
    let d = zip(scores[one] ?? [], scores[other] ?? []).map { $0 - $1 }
    var sheet = ScoreSheet()
    for x in d { sheet.add("", x) }
    let spread = sheet.deviation("").map { String(format: " ± %.4f", $0) } ?? ""
    return String(format: "%+.4f", sheet.mean("")) + spread
      + ", above 0 in \(d.count { $0 > 0 }) of \(d.count)"
  }

  /// The means, and as "s.d. of …" the standard deviations.
  var numbers: [String: Double] {
    var result: [String: Double] = [:]
    for name in scores.keys {
      result[name] = mean(name)
      if let s = deviation(name) { result["s.d. of \(name)"] = s }
    }
    return result
  }
}

/// Measures of how well a score tells two kinds of samples apart, and of its levels.
enum Ranking {
  /// The probability that a score of the second list is above one of the first, ties counting ½: the area under the ROC curve
  /// (Mann, Whitney 1947).
  static func areaUnderROC(_ negative: [Double], _ positive: [Double]) -> Double {
    let all = negative.map { ($0, false) } + positive.map { ($0, true) }
    let order = all.sorted { $0.0 < $1.0 }
    var (rankSum, i) = (0.0, 0)
    while i < order.count {
      var j = i
      while j < order.count && order[j].0 == order[i].0 { j += 1 }
      let rank = Double(i + j + 1) / 2
      rankSum += rank * Double(order[i..<j].count { $0.1 })
      i = j
    }
    let (m, n) = (Double(positive.count), Double(negative.count))
    return (rankSum - m * (m + 1) / 2) / (m * n)
  }

  /// The quantile at p of a list, linear between its ordered values.
  static func quantile(_ list: [Double], _ p: Double) -> Double {
    let ordered = list.sorted()
    let place = p * Double(ordered.count - 1)
    let k = min(Int(place), ordered.count - 2)
    return ordered[k] + (place - Double(k)) * (ordered[k + 1] - ordered[k])
  }

  /// The share of places at which two lists are equal.
  static func agreement(_ a: [Int], _ b: [Int]) -> Double {
    Double(zip(a, b).count { $0 == $1 }) / Double(a.count)
  }
}

/// Warm spells by an index of the same readings: the three-month mean of anomalies from the climatology of 1981–2010, as that
/// of Peru's index for this coast. A check of consistency, no independent evidence.
enum WarmSpells {
  /// The months from the first to the last of every run of at least three in which the index is above a limit in °C, with
  /// the largest index.
  static func spells(_ temperatures: [Double], above limit: Double) -> [(
    months: Range<Int>, peak: Double
  )] {
    let reference = (31 * 12)..<(61 * 12)
    let climatology = (0..<12).map { m in
      ReportText.mean(reference.filter { $0 % 12 == m }.map { temperatures[$0] })
    }
    let a = temperatures.enumerated().map { $1 - climatology[$0 % 12] }
    let index = a.indices.map { t in
      t > 0 && t + 1 < a.count ? (a[t - 1] + a[t] + a[t + 1]) / 3 : a[t]
    }
    var spells: [(months: Range<Int>, peak: Double)] = []
    var start: Int?
    for t in 0...index.count {
      let isWarm = t < index.count && index[t] > limit
      if isWarm && start == nil { start = t }
      if !isWarm, let first = start {
        if t - first >= 3 { spells.append((first..<t, index[first..<t].max()!)) }
        start = nil
      }
    }
    return spells
  }
}

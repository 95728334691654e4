extension String {
  /// The candidate that needs the fewest changes to become this name; nil if none is near.
  ///
  /// Near is at most a third of the letters changed, or one, but never all of them; of equals the first.
  package func nearest(among candidates: [String]) -> String? {
    let allowed = Swift.min(count - 1, Swift.max(1, count / 3))
    return candidates.map { ($0, distance(to: $0)) }.filter { $0.1 <= allowed }
      .min { $0.1 < $1.1 }?.0
  }

  /// The edit distance (Damerau 1964, as optimal string alignment), without regard to case: the fewest
  /// insertions, deletions and replacements of letters and exchanges of neighbours that lead from one to
  /// the other. Cost: the product of the lengths.
  private func distance(to other: String) -> Int {
    let (a, b) = (Array(lowercased()), Array(other.lowercased()))
    var rows = [Array(0...b.count)]
    for i in a.indices {
      var row = [i + 1]
      for k in b.indices {
        var least = Swift.min(rows[i][k] + (a[i] == b[k] ? 0 : 1), rows[i][k + 1] + 1, row[k] + 1)
        if i > 0, k > 0, a[i] == b[k - 1], a[i - 1] == b[k] {
          least = Swift.min(least, rows[i - 1][k - 1] + 1)
        }
        row.append(least)
      }
      rows.append(row)
    }
    return rows[a.count][b.count]
  }
}

extension [String] {
  /// The names in a row, or their beginning and end if there are more than `most`.
  func shortened(to most: Int) -> String {
    guard count > most else { return joined(separator: ", ") }
    return prefix(most - 3).joined(separator: ", ") + ", … (\(count - most) more), "
      + suffix(3).joined(separator: ", ")
  }
}

import Foundation

extension SheafBifiltration {
  /// How far apart two bifiltrations are at least, and where this shows.
  public struct MatchingDistance: Sendable, Equatable {
    /// A lower bound of the matching distance.
    public let lowerBound: Double
    /// A line on which it is attained.
    public let line: Line
  }

  /// The largest weighted bottleneck distance of the barcodes along some lines, a lower bound of the matching distance
  ///
  ///   d(M, N) = sup over lines with u, v > 0, max(u, v) = 1, of min(u, v) · d_B(M on the line, N on the line)
  ///
  /// (Landi 2018, *The rank invariant stability via interleavings*; Cerri et al. 2013). With these weights d is at most
  /// the interleaving distance, and so at most the largest change of a value if both are one sheaf with two pairs of
  /// values. Both parameters count alike: they should be scaled to comparable units before.
  ///
  /// The lines have evenly spread angles, that of u = v among them if `directions` is odd, and for each of them evenly
  /// spread offsets, from the first to the last line that meets the rectangle of all values. Finer grids give larger
  /// or equal bounds only where they contain the coarser.
  ///
  /// - Parameters:
  ///   - other: a bifiltration, of any sheaf.
  ///   - degree: q of the classes.
  ///   - directions: the number of angles.
  ///   - offsets: the number of lines for each, 2 or more.
  /// - Throws: as `SheafFiltration.barcode`.
  /// - Complexity: two barcodes and a bottleneck distance for each of `directions` · `offsets` lines.
  public func matchingDistance(
    to other: SheafBifiltration, degree: Int, over coefficients: SheafFiltration.Coefficients,
    directions: Int = 9, offsets: Int = 9
  ) throws(PersistenceError) -> MatchingDistance {
    precondition(directions >= 1 && offsets >= 2, "\(directions) directions, \(offsets) offsets")
    var best = MatchingDistance(lowerBound: 0, line: Line(from: (0, 0), direction: (1, 1)))
    for line in lines(with: other, directions: directions, offsets: offsets) {
      let (mine, its) = (
        try slice(along: line).filtration.barcode(over: coefficients, maximumDegree: degree),
        try other.slice(along: line).filtration.barcode(over: coefficients, maximumDegree: degree)
      )
      let distance =
        min(line.direction.u, line.direction.v) * mine.bottleneckDistance(to: its, degree: degree)
      if distance > best.lowerBound { best = MatchingDistance(lowerBound: distance, line: line) }
    }
    return best
  }

  /// The lines of the grid.
  private func lines(
    with other: SheafBifiltration, directions: Int, offsets: Int
  ) -> [Line] {
    let (s, t) = (first + other.first, second + other.second)
    guard let left = s.min(), let right = s.max(), let bottom = t.min(), let top = t.max() else {
      return []
    }
    return (0..<directions).flatMap { k -> [Line] in
      let slope = tan((Double(k) + 0.5) / Double(directions) * .pi / 2)
      let isDiagonal = 2 * k + 1 == directions
      let u = isDiagonal ? 1 : min(1, 1 / slope)
      let v = isDiagonal ? 1 : min(1, slope)
      // From the upper left corner of the rectangle along its diagonal to the lower right one.
      return (0..<offsets).map { i in
        let share = Double(i) / Double(offsets - 1)
        return Line(
          from: (left + share * (right - left), top - share * (top - bottom)), direction: (u, v))
      }
    }
  }
}

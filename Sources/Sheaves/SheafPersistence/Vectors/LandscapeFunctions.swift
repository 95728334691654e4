/// The functions of a landscape by their critical points (Bubenik, Dłotko 2017, Algorithm 1).
///
/// The first function is the upper envelope of the tents of all bars. It is followed from the left: behind the top of
/// a tent (b, d) the next to rise above it is that of the first bar (b′, d′) with d′ > d, in the order of births. Where
/// they cross, at ((b′ + d)/2, (d − b′)/2), the rest of both that lies below is the tent of (b′, d), which is left for
/// the functions that follow.
struct LandscapeFunctions {
  private(set) var functions: [PiecewiseLinear] = []

  init(_ bars: [(birth: Double, death: Double)]) {
    var rest = bars.sorted(by: Self.precedes)
    while !rest.isEmpty { functions.append(Self.removeEnvelope(&rest)) }
  }

  /// By birth, of the same birth the longest first.
  private static func precedes(
    _ a: (birth: Double, death: Double), _ b: (birth: Double, death: Double)
  ) -> Bool { a.birth != b.birth ? a.birth < b.birth : a.death > b.death }

  /// The upper envelope, the bars changed to those of what lies below it.
  private static func removeEnvelope(
    _ bars: inout [(birth: Double, death: Double)]
  ) -> PiecewiseLinear {
    var remaining: [(birth: Double, death: Double)] = []
    var (birth, death) = bars[0]
    var points = [(birth, 0.0), top(birth, death)]
    // Bars before this place are not longer than those at hand; pieces left over are put in among those behind.
    var next = 1
    var left: [(birth: Double, death: Double)] = []
    while true {
      var found: (birth: Double, death: Double)?
      while next < bars.count {
        let bar = bars[next]
        next += 1
        if bar.death > death {
          found = bar
          break
        }
        remaining.append(bar)
      }
      guard let found else { break }
      if found.birth >= death {
        points.append((death, 0))
        if found.birth > death { points.append((found.birth, 0)) }
      } else {
        points.append(((found.birth + death) / 2, (death - found.birth) / 2))
        left.append((found.birth, death))
      }
      points.append(top(found.birth, found.death))
      (birth, death) = found
    }
    points.append((death, 0))
    bars = merged(remaining, left)
    return PiecewiseLinear(points)
  }

  /// Written as the crossings are, so that rounding keeps the order of the places.
  private static func top(_ birth: Double, _ death: Double) -> (Double, Double) {
    ((birth + death) / 2, (death - birth) / 2)
  }

  /// Two sorted lists as one. What is left of the envelope has ascending births.
  private static func merged(
    _ a: [(birth: Double, death: Double)], _ b: [(birth: Double, death: Double)]
  ) -> [(birth: Double, death: Double)] {
    var result: [(birth: Double, death: Double)] = []
    result.reserveCapacity(a.count + b.count)
    var (i, j) = (0, 0)
    while i < a.count || j < b.count {
      if j == b.count || (i < a.count && !precedes(b[j], a[i])) {
        result.append(a[i])
        i += 1
      } else {
        result.append(b[j])
        j += 1
      }
    }
    return result
  }
}

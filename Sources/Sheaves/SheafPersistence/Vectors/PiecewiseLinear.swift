/// A continuous function of a real variable, linear between places and 0 outside them.
public struct PiecewiseLinear: Sendable, Equatable {
  /// Ascending, each once.
  public let places: [Double]
  /// The value at each place, 0 at the first and the last.
  public let values: [Double]

  init(_ points: [(place: Double, value: Double)]) {
    var (places, values) = ([Double](), [Double]())
    for (x, y) in points {
      if x == places.last {
        values[values.count - 1] = y
      } else {
        places.append(x)
        values.append(y)
      }
    }
    (self.places, self.values) = (places, values)
  }

  /// The value at x. Cost: a binary search.
  public func callAsFunction(_ x: Double) -> Double {
    guard let first = places.first, let last = places.last, x >= first, x <= last else { return 0 }
    var (low, high) = (0, places.count - 1)
    while high - low > 1 {
      let middle = (low + high) / 2
      if places[middle] <= x { low = middle } else { high = middle }
    }
    return between(low, x)
  }

  /// The value at x in the piece that begins at place `i`.
  private func between(_ i: Int, _ x: Double) -> Double {
    guard i + 1 < places.count else { return values[i] }
    if x == places[i + 1] { return values[i + 1] }
    let t = (x - places[i]) / (places[i + 1] - places[i])
    return values[i] + t * (values[i + 1] - values[i])
  }

  /// The values at ascending places. Cost: proportional to both lists.
  func values(at ascending: [Double]) -> [Double] {
    var piece = 0
    return ascending.map { x in
      guard let first = places.first, let last = places.last, x >= first, x <= last else {
        return 0
      }
      while piece + 1 < places.count && places[piece + 1] <= x { piece += 1 }
      return between(piece, x)
    }
  }

  /// Σ cᵢ fᵢ.
  static func combination(_ terms: [(factor: Double, function: PiecewiseLinear)]) -> PiecewiseLinear
  {
    let places = Set(terms.flatMap(\.function.places)).sorted()
    var sums = [Double](repeating: 0, count: places.count)
    for (factor, function) in terms {
      for (i, value) in function.values(at: places).enumerated() { sums[i] += factor * value }
    }
    return PiecewiseLinear(zip(places, sums).map { ($0, $1) })
  }

  /// Each piece by its length and the values at its ends.
  private var pieces: some Sequence<(length: Double, from: Double, to: Double)> {
    places.indices.dropLast().lazy.map {
      (places[$0 + 1] - places[$0], values[$0], values[$0 + 1])
    }
  }

  /// ∫ |f|.
  var integral: Double {
    pieces.reduce(0) { sum, piece in
      let (h, a, b) = piece
      if a * b >= 0 { return sum + h * (abs(a) + abs(b)) / 2 }
      // Two triangles, their bases as the values.
      return sum + h * (a * a + b * b) / (2 * (abs(a) + abs(b)))
    }
  }

  /// ∫ f².
  var squareIntegral: Double {
    pieces.reduce(0) { $0 + $1.length * ($1.from * $1.from + $1.from * $1.to + $1.to * $1.to) / 3 }
  }

  /// max |f|.
  var maximum: Double { values.reduce(0) { max($0, abs($1)) } }
}

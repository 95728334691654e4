import Foundation

/// The edges of the cells around increasing centres, halfway between them on the axis.
struct CellEdges {
  /// One more than the centres; none if there are none that an axis can show.
  let edges: [Double]
  private let scale: Axis.Scale

  init(_ centres: [Double], _ scale: Axis.Scale) {
    precondition(
      zip(centres, centres.dropFirst()).allSatisfy { $0 < $1 }, "centres of cells must increase")
    self.scale = scale
    let shown = centres.filter { Span.admits($0, scale) }
    guard shown.count == centres.count, let first = shown.first, let last = shown.last else {
      edges = []
      return
    }
    let place: (Double) -> Double = scale == .linear ? { $0 } : { log($0) }
    let value: (Double) -> Double = scale == .linear ? { $0 } : { exp($0) }
    let places = shown.map(place)
    let halves = zip(places, places.dropFirst()).map { ($0 + $1) / 2 }
    guard let left = halves.first, let right = halves.last else {
      edges = scale == .linear ? [first - 0.5, last + 0.5] : [first / 2, last * 2]
      return
    }
    edges = ([2 * places[0] - left] + halves + [2 * places[places.count - 1] - right]).map(value)
  }

  var ends: Extent? {
    edges.isEmpty ? nil : Extent(low: edges[0], high: edges[edges.count - 1])
  }

  /// For each cell of a span that is cut into equal ones, the index of the centre that it belongs to. As many as there
  /// are centres, if those are equally far from each other and fill the span, or so many that no edge moves visibly.
  func indices(in span: Span, atMost finest: Int) -> [Int?] {
    guard !edges.isEmpty else { return [nil, nil] }
    let count = edges.count - 1
    let even = edges.enumerated().allSatisfy {
      Span.admits($1, span.scale) && abs(span.fraction($1) * Double(count) - Double($0)) < 1e-3
    }
    // Gnuplot draws no picture of a single row or column.
    let cells = even ? (count == 1 ? 2 : count) : finest
    var index = 0
    return (0..<cells).map {
      let value = span.value((Double($0) + 0.5) / Double(cells))
      while index < count - 1 && value > edges[index + 1] { index += 1 }
      return value >= edges[0] && value <= edges[count] ? index : nil
    }
  }
}

/// A place in data coordinates.
struct Point: Hashable {
  var x: Double
  var y: Double
}

/// What layers are drawn of. All coordinates can be shown, though they may lie outside of the axes' range.
enum Shape {
  case curves([[Point]], Stroke)
  /// Closed areas; the last point is joined to the first.
  case areas([[Point]], Paint)
  case markers([Point], PointStyle.Marker, size: Double, Paint)
  /// From a tail to a head.
  case arrows([(tail: Point, head: Point)], Stroke, headLength: Double)
  case picture(Picture)
  /// A line of text.
  case words(String, at: Point, Anchor)
}

/// How a text lies beside its place.
enum Anchor {
  /// Begins at the place.
  case leading
  /// Lies around it, on a light ground.
  case onGround
  /// Ends above it.
  case aboveEnd
  /// Begins beside it, upwards from the bottom to the top, and ends there.
  case alongUp
}

/// Coloured cells that fill the whole frame of a panel; nil for those outside of the map.
struct Picture: Hashable {
  let columns: Int
  /// Rows from the bottom.
  let cells: [Paint?]
}

/// An entry of a legend.
struct LegendEntry {
  enum Swatch {
    case stroke(Stroke)
    case area(Paint)
    case marker(PointStyle.Marker, size: Double, Paint)
  }

  let label: String
  let swatch: Swatch
}

/// The axes' spans, and what they can show.
struct Frame {
  let x: Span
  let y: Span

  func admits(_ point: Point) -> Bool {
    Span.admits(point.x, x.scale) && Span.admits(point.y, y.scale)
  }

  func contains(_ point: Point) -> Bool { x.contains(point.x) && y.contains(point.y) }

  /// The lower end of bars.
  var base: Double { y.scale == .linear ? 0 : y.low }

  /// The points that can be shown, in runs between those that cannot.
  func runs(_ points: [Point]) -> [[Point]] {
    points.split { !admits($0) }.map(Array.init)
  }
}

/// Pairs of coordinates.
func pairs(_ x: [Double], _ y: [Double]) -> [Point] {
  precondition(x.count == y.count, "\(x.count) and \(y.count) coordinates")
  return zip(x, y).map { Point(x: $0, y: $1) }
}

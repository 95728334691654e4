/// A point of the drawing; y grows downwards.
struct Point: Sendable, Equatable {
  var x, y: Double
}

/// An axis-parallel rectangle.
struct Box: Sendable, Equatable {
  var left, top, width, height: Double

  var right: Double { left + width }
  var bottom: Double { top + height }
  var centre: Point { Point(x: left + width / 2, y: top + height / 2) }

  /// Whether the interiors meet.
  func overlaps(_ other: Box) -> Bool {
    left < other.right && other.left < right && top < other.bottom && other.top < bottom
  }

  /// Whether the point lies in the interior.
  func contains(_ p: Point) -> Bool { left < p.x && p.x < right && top < p.y && p.y < bottom }
}

/// A piecewise cubic curve; a straight piece is a cubic with its control points at its ends.
struct Path: Sendable, Equatable {
  struct Piece: Sendable, Equatable {
    var control1, control2, end: Point
    var isLine: Bool
  }

  var start: Point
  var pieces: [Piece] = []

  init(from start: Point) { self.start = start }

  var end: Point { pieces.last?.end ?? start }

  /// Appends a straight piece, unless it has no length.
  mutating func addLine(to p: Point) {
    if p != end { pieces.append(Piece(control1: end, control2: p, end: p, isLine: true)) }
  }

  /// Appends a curve that leaves and arrives vertically and is monotone in both coordinates.
  mutating func addCurve(to p: Point) {
    if p.x == end.x { return addLine(to: p) }
    let middle = (end.y + p.y) / 2
    pieces.append(
      Piece(
        control1: Point(x: end.x, y: middle), control2: Point(x: p.x, y: middle), end: p,
        isLine: false))
  }

  /// Appends the axis-parallel polygon through `corners` to `p`, its corners rounded.
  mutating func addRoundedLine(through corners: [Point], to p: Point, radius: Double) {
    for (corner, next) in zip(corners, corners.dropFirst() + [p]) {
      let entry = corner.moved(towards: end, by: radius)
      let exit = corner.moved(towards: next, by: radius)
      addLine(to: entry)
      // A quarter circle up to 0.03 %.
      let reach = 0.5523 * radius
      pieces.append(
        Piece(
          control1: entry.moved(towards: corner, by: reach),
          control2: exit.moved(towards: corner, by: reach), end: exit, isLine: false))
    }
    addLine(to: p)
  }

  mutating func append(_ other: Path) {
    addLine(to: other.start)
    pieces += other.pieces
  }

  func shifted(by dx: Double) -> Path {
    var path = self
    path.start.x += dx
    for i in pieces.indices {
      path.pieces[i].control1.x += dx
      path.pieces[i].control2.x += dx
      path.pieces[i].end.x += dx
    }
    return path
  }

  /// `count` points along each piece, ends included.
  func samples(perPiece count: Int) -> [Point] {
    var points = [start]
    var from = start
    for piece in pieces {
      for i in 1...count {
        let t = Double(i) / Double(count)
        let (a, b, c, d) = (
          (1 - t) * (1 - t) * (1 - t), 3 * t * (1 - t) * (1 - t), 3 * t * t * (1 - t), t * t * t
        )
        points.append(
          Point(
            x: a * from.x + b * piece.control1.x + c * piece.control2.x + d * piece.end.x,
            y: a * from.y + b * piece.control1.y + c * piece.control2.y + d * piece.end.y))
      }
      from = piece.end
    }
    return points
  }
}

extension Point {
  /// The point at the given distance on the axis-parallel way to `other`.
  func moved(towards other: Point, by distance: Double) -> Point {
    let (dx, dy) = (other.x - x, other.y - y)
    return abs(dx) > abs(dy)
      ? Point(x: x + (dx > 0 ? distance : -distance), y: y)
      : Point(x: x, y: y + (dy > 0 ? distance : -distance))
  }
}

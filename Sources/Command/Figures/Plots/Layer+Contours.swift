extension Layer {
  /// Curves on a light ground, which shows on every colour.
  static func contour(_ curves: [[Point]], _ stroke: Stroke) -> [Shape] {
    let ground = Stroke(
      paint: Paint(rgb: Paint.paper.rgb, opacity: 0.45), width: stroke.width + 1.2)
    return [.curves(curves, ground), .curves(curves, stroke)]
  }

  /// A number on each level that has a curve of some length, as far from the others as there is room.
  static func levelLabels(
    _ levels: [(level: Double, curves: [[Point]])], in frame: Frame
  ) -> [Shape] {
    /// Fractions of the frame.
    func place(_ point: Point) -> Point {
      Point(x: frame.x.fraction(point.x), y: frame.y.fraction(point.y))
    }
    func distance(_ a: Point, _ b: Point) -> Double {
      let (x, y) = (a.x - b.x, a.y - b.y)
      return (x * x + y * y).squareRoot()
    }
    var taken: [Point] = []
    return levels.compactMap { level, curves in
      let candidates = curves.filter { $0.count >= 8 }.joined().filter(frame.contains)
      // Twice the distance from the border, which hides no number.
      let best = candidates.max { room($0) < room($1) }
      func room(_ point: Point) -> Double {
        let p = place(point)
        let border = 2 * min(p.x, 1 - p.x, p.y, 1 - p.y)
        return taken.reduce(min(border, 0.3)) { min($0, distance(p, $1)) }
      }
      guard let best else { return nil }
      taken.append(place(best))
      return .words(brief(level), at: best, .onGround)
    }
  }

  /// A number without zeros at its end.
  private static func brief(_ value: Double) -> String {
    let number = Ticks.label(value, decimals: 6, size: abs(value))
    guard number.contains("."), !number.contains("·") else { return number }
    var short = Substring(number)
    while short.hasSuffix("0") { short.removeLast() }
    return String(short.hasSuffix(".") ? short.dropLast() : short)
  }
}

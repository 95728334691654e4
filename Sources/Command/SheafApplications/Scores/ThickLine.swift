import Figures

extension Layer {
  /// A thick line between two points, as two that begin beyond its middle and end at one of them: gnuplot's PNG terminal leaves a
  /// spike behind the first point of a thick line, and so each lies on the other.
  static func thickLine(
    _ a: (x: Double, y: Double), _ b: (x: Double, y: Double), _ colour: Colour, width: Double
  ) -> [Layer] {
    return [(a, b), (b, a)].map { end, other in
      .line(
        x: [0.4 * end.x + 0.6 * other.x, end.x], y: [0.4 * end.y + 0.6 * other.y, end.y],
        style: LineStyle(colour, dash: .solid, width: width))
    }
  }
}

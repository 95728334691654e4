/// Colours and sizes of drawings.
enum Style {
  static let fonts = "DejaVu Sans, Helvetica, Arial, sans-serif"
  static let titleSize = 14.0
  static let nameSize = 12.0
  static let detailSize = 10.0
  static let labelSize = 9.0
  static let margin = 16.0
  /// Beside the text in a box.
  static let padding = 8.0
  static let narrowestBox = 56.0
  /// Longer texts in boxes and at edges lose their middle.
  static let widestText = 150.0
  /// The heading and the legend may be as wide as this where the drawing is narrower.
  static let narrowestHead = 360.0
  static let arrowHalfWidth = 3.2
  static let grey = "#666666"

  /// The palette of Okabe, Ito 2008, safe for colour-blind readers.
  private static let palette = [
    ("input", "#000000"), ("affine", "#0072b2"), ("activation", "#d55e00"),
    ("pooling", "#009e73"), ("junction", "#cc79a7"), ("output", "#e69f00"),
  ]

  /// The colour of a kind; sky blue for those without one of their own.
  static func colour(of kind: String) -> String {
    palette.first { $0.0 == kind }?.1 ?? "#56b4e9"
  }

  /// The distinct kinds: those of the palette in its order, then others in order of appearance.
  static func kinds(_ all: [String]) -> [String] {
    var seen: Set<String> = []
    let distinct = all.filter { seen.insert($0).inserted }
    let known = palette.map(\.0)
    return known.filter(seen.contains) + distinct.filter { !known.contains($0) }
  }

  /// A line of text, centred at `p` unless the attributes say otherwise.
  static func text(
    _ string: String, _ p: Point, size: Double, _ attributes: String = ""
  ) -> String {
    "<text x=\"\(Text.number(p.x))\" y=\"\(Text.number(p.y))\" font-size=\"\(Text.number(size))\""
      + (attributes.isEmpty ? "" : " \(attributes)") + ">\(Text.escaped(string))</text>"
  }
}

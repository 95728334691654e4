import Foundation

/// Commands of gnuplot for a page of so many points, which are collected panel by panel.
struct GnuplotScript {
  let format: DrawingFormat
  let width: Double
  let height: Double
  private(set) var lines: [String] = []
  /// Blocks of data so far.
  private var blocks = 0

  init(_ format: DrawingFormat, width: Double, height: Double) {
    self.format = format
    self.width = width
    self.height = height
  }

  /// A font of so many points.
  private func font(_ size: Double) -> String { "font 'DejaVu Sans,\(size)'" }

  /// Begins a page: chooses the format, and that nothing is drawn that is not asked for.
  mutating func begin() {
    let (columns, rows) = (Int(width), Int(height))
    let text = "noenhanced \(font(Typesetting.small))"
    // Of cairo's terminals the font counts in 96ths of an inch, and dashes in 0.55 of what they do in SVG.
    switch format {
    case .svg:
      add("set terminal svg size \(columns),\(rows) fixed \(text) background rgb '#ffffff'")
    case .pdf:
      add(
        "set terminal pdfcairo size \(columns)/72.0in,\(rows)/72.0in \(text) fontscale 0.75 "
          + "linewidth 2 dashlength 1.818")
    case .png:
      add(
        "set terminal pngcairo size \(4 * columns),\(4 * rows) \(text) fontscale 3 linewidth 4 "
          + "pointscale 4 dashlength 1.818 background rgb '#ffffff'")
    }
    add("set encoding utf8")
    add("set termoption noenhanced")
    add("unset key")
    add("set x2range [0:1]")
    add("set y2range [0:1]")
    add("set multiplot")
  }

  mutating func add(_ line: String) { lines.append(line) }

  /// A fraction of the page or the like.
  static func number(_ value: Double) -> String { String(format: "%.6f", value) }

  /// Points on the page.
  func screen(_ x: Double, _ y: Double) -> String {
    "screen \(Self.number(x / width)),screen \(Self.number(y / height))"
  }

  /// How a text lies along the line on which its place is.
  enum Alignment: String { case left, center, right }

  /// A text whose middle line goes through a place on the page.
  mutating func label(
    _ text: String, x: Double, y: Double, _ alignment: Alignment = .left, rotation: Double = 0,
    size: Double = Typesetting.small, paint: Paint = .ink
  ) {
    guard !text.isEmpty else { return }
    let turned = rotation == 0 ? "norotate" : "rotate by \(Int(rotation))"
    add(
      "set label \(Typesetting.quoted(text)) at \(screen(x, y)) \(alignment.rawValue) \(turned) "
        + "\(font(size)) textcolor rgb \(paint.code) front noenhanced")
  }

  /// A filled rectangle on the page.
  mutating func area(_ box: Box, _ paint: Paint) {
    add(
      "set object rectangle from \(screen(box.left, box.bottom)) to \(screen(box.right, box.top)) "
        + "front fillcolor rgb \(paint.code) fillstyle solid noborder")
  }

  /// A straight line on the page.
  mutating func line(from a: (Double, Double), to b: (Double, Double), _ stroke: Stroke) {
    add(
      "set arrow from \(screen(a.0, a.1)) to \(screen(b.0, b.1)) nohead front \(Self.pen(stroke))")
  }

  /// A mark on the page.
  mutating func mark(
    x: Double, y: Double, _ marker: PointStyle.Marker, size: Double, _ paint: Paint
  ) {
    add("set label '' at \(screen(x, y)) \(point(marker, size: size, paint)) front")
  }

  /// A block of rows; an empty row parts curves and areas.
  mutating func block(_ rows: some Sequence<String>) -> String {
    blocks += 1
    let name = "$data\(blocks)"
    lines.append("\(name) << END")
    lines.append(contentsOf: rows)
    lines.append("END")
    return name
  }

  /// The options of a pen.
  static func pen(_ stroke: Stroke) -> String {
    let width = min(max(stroke.width, 0.05), 50)
    // Gnuplot counts dashes in widths of the pen.
    let lengths = stroke.dash.map { String(format: "%.3f", 2 * $0 / width) }
    let dash = lengths.isEmpty ? "solid" : "(" + lengths.joined(separator: ",") + ")"
    return "linewidth \(width) dashtype \(dash) linecolor rgb \(stroke.paint.code)"
  }

  /// The options of a mark of so many points across.
  func point(_ marker: PointStyle.Marker, size: Double, _ paint: Paint) -> String {
    let type =
      switch marker {
      case .automatic, .circle: 7
      case .square: 5
      case .triangle: 9
      case .diamond: 13
      case .cross: 2
      case .plus: 1
      case .openCircle: 6
      case .openSquare: 4
      }
    let scale = String(format: "%.3f", min(max(size, 0.1), 100) / 5.6)
    // Cairo's marks are drawn with thicker pens.
    return
      "point pointtype \(type) pointsize \(scale) linewidth \(format == .svg ? 0.8 : 0.45) linecolor rgb \(paint.code)"
  }
}

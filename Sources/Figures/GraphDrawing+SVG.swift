extension GraphDrawing {
  /// The drawing as an SVG document with an opaque white background.
  public var svg: String {
    let kinds = Style.kinds(vertices.map(\.kind) + edges.map(\.kind))
    let legend = Legend(kinds, widest: max(layout.width, Style.narrowestHead))
    let heading = Text.shortened(
      title, to: max(layout.width, Style.narrowestHead), size: Style.titleSize, isBold: true)
    let headingWidth = Text.width(heading, size: Style.titleSize, isBold: true)
    let inner = max(layout.width, legend.width, headingWidth)
    var y = Style.margin
    var head: [String] = []
    if !title.isEmpty {
      y += Style.titleSize
      head.append(
        Style.text(
          heading, Point(x: inner / 2, y: y), size: Style.titleSize, "font-weight=\"bold\""))
      y += Style.titleSize
    }
    head += legend.elements(Point(x: (inner - legend.width) / 2, y: y))
    y += legend.height + Style.titleSize

    let n = Text.number
    let (width, height) = (
      n(inner + 2 * Style.margin), n(y + layout.height + Style.margin)
    )
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\" "
        + "viewBox=\"0 0 \(width) \(height)\" font-family=\"\(Style.fonts)\" "
        + "text-anchor=\"middle\">",
      "<title>\(Text.escaped(title))</title>",
      "<rect width=\"\(width)\" height=\"\(height)\" fill=\"#ffffff\"/>",
      "<g transform=\"translate(\(n(Style.margin)) 0)\">",
    ]
    lines += head
    lines.append("</g>")
    let left = Style.margin + (inner - layout.width) / 2
    lines.append("<g transform=\"translate(\(n(left)) \(n(y)))\">")
    for (edge, path) in zip(edges, layout.branches) { lines.append(Self.arrow(edge, path)) }
    for (label, box) in zip(edgeLabels, layout.labels) {
      if let box { lines += Self.note(label, box) }
    }
    for (v, box) in layout.boxes.enumerated() { lines += boxElements(v, box) }
    lines += ["</g>", "</svg>", ""]
    return lines.joined(separator: "\n")
  }

  /// A line, or its branch from an earlier one; its last piece becomes the arrowhead.
  private static func arrow(_ edge: Edge, _ path: Path) -> String {
    let n = Text.number
    func at(_ p: Point) -> String { "\(n(p.x)) \(n(p.y))" }
    let colour = Style.colour(of: edge.kind)
    var d = "M\(at(path.start))"
    for piece in path.pieces.dropLast() {
      d +=
        piece.isLine
        ? "L\(at(piece.end))"
        : "C\(at(piece.control1)) \(at(piece.control2)) \(at(piece.end))"
    }
    let (tip, base) = (path.end, path.pieces.last!.control1)
    let half = Style.arrowHalfWidth
    return "<g class=\"edge\"><path d=\"\(d)\" fill=\"none\" stroke=\"\(colour)\" "
      + "stroke-width=\"1.3\"/><path d=\"M\(at(tip))L\(n(tip.x - half)) \(n(base.y))"
      + "H\(n(tip.x + half))Z\" fill=\"\(colour)\"/></g>"
  }

  /// The note beside a line, on a white ground in case there is no place clear of other lines.
  private static func note(_ label: String, _ box: Box) -> [String] {
    let n = Text.number
    return [
      "<rect x=\"\(n(box.left))\" y=\"\(n(box.top))\" width=\"\(n(box.width))\" "
        + "height=\"\(n(box.height))\" fill=\"#ffffff\" fill-opacity=\"0.8\"/>",
      Style.text(
        label, Point(x: box.centre.x, y: box.top + 0.8 * box.height), size: Style.labelSize,
        "fill=\"\(Style.grey)\""),
    ]
  }

  private func boxElements(_ v: Int, _ box: Box) -> [String] {
    let n = Text.number
    let vertex = vertices[v]
    let hasDetail = !vertex.detail.isEmpty
    var lines = [
      "<g class=\"vertex\"><title>\(Text.escaped("\(vertex.name)  \(vertex.detail)"))</title>",
      "<rect x=\"\(n(box.left))\" y=\"\(n(box.top))\" width=\"\(n(box.width))\" "
        + "height=\"\(n(box.height))\" rx=\"4\" fill=\"#ffffff\" "
        + "stroke=\"\(Style.colour(of: vertex.kind))\" stroke-width=\"1.8\"/>",
      Style.text(
        names[v], Point(x: box.centre.x, y: box.top + (hasDetail ? 0.43 : 0.62) * box.height),
        size: Style.nameSize, "font-weight=\"bold\""),
    ]
    if hasDetail {
      lines.append(
        Style.text(
          details[v], Point(x: box.centre.x, y: box.top + 0.81 * box.height),
          size: Style.detailSize))
    }
    lines.append("</g>")
    return lines
  }
}

/// The kinds of a drawing with their colours, in rows.
private struct Legend {
  private var items: [(kind: String, place: Point)] = []
  private(set) var width = 0.0
  private(set) var height = 0.0

  init(_ kinds: [String], widest: Double) {
    var p = Point(x: 0, y: 0)
    for kind in kinds {
      let item = Self.swatch + 5 + Text.width(kind, size: Style.detailSize)
      if p.x > 0 && p.x + item > widest { p = Point(x: 0, y: p.y + Self.row) }
      items.append((kind, p))
      width = max(width, p.x + item)
      height = p.y + Self.row
      p.x += item + 14
    }
  }

  func elements(_ origin: Point) -> [String] {
    let n = Text.number
    return items.flatMap { kind, place in
      let (x, y) = (origin.x + place.x, origin.y + place.y)
      return [
        "<rect x=\"\(n(x))\" y=\"\(n(y + 2))\" width=\"\(n(Self.swatch))\" height=\"10\" rx=\"2\" "
          + "fill=\"#ffffff\" stroke=\"\(Style.colour(of: kind))\" stroke-width=\"1.8\"/>",
        Style.text(
          kind, Point(x: x + Self.swatch + 5, y: y + 10.5), size: Style.detailSize,
          "text-anchor=\"start\""),
      ]
    }
  }

  private static let swatch = 16.0
  private static let row = 17.0
}

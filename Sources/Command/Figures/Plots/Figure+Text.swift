import Foundation

extension Figure {
  /// The figure for a terminal, without gnuplot: curves, points and areas in Braille patterns, heat maps in five
  /// shades, letters that tell series apart, the ends of the axes in numbers.
  ///
  /// - Parameters:
  ///   - columns: characters per line, at least 20.
  ///   - rows: lines per panel, at least 6.
  /// - Returns: for each panel so many lines of so many characters; an empty line between panels.
  public func text(columns: Int = 78, rows: Int = 20) -> String {
    precondition(columns >= 20 && rows >= 6, "\(columns) × \(rows) characters")
    return panels.enumerated().map { k, panel in
      let titles = [k == 0 ? title : nil, panel.title].compactMap { $0 }
      return panel.lines(titles, columns: columns, rows: rows).joined(separator: "\n") + "\n"
    }.joined(separator: "\n")
  }
}

extension Panel {
  fileprivate func lines(_ titles: [String], columns: Int, rows: Int) -> [String] {
    let frame = self.frame
    let names = zip(layers, turns).map { $0.entries(turn: $1).map(\.label) }
    var next = 0
    let letters = names.map { $0.map { _ in Self.letter(&next) } }
    let head = (titles + (y.label.isEmpty ? [] : ["↑ " + y.label])).joined(separator: " · ")
    let legend = zip(letters.joined(), names.joined()).map { "\($0) \($1)" }
    let numbers = frame.map { [Self.number($0.y.high), Self.number($0.y.low)] } ?? ["", ""]
    let margin = numbers.map(\.count).max() ?? 0
    let height = rows - 2 - (head.isEmpty ? 0 : 1) - (legend.isEmpty ? 0 : 1)
    var canvas = BrailleCanvas(columns: columns - margin - 1, rows: height)
    if let frame {
      for (k, layer) in layers.enumerated() {
        // The first shapes of a layer are those of its entries.
        for (s, shape) in layer.shapes(in: frame, turn: turns[k]).enumerated() {
          let letter = s < letters[k].count ? letters[k][s] : nil
          canvas.draw(shape, in: frame, letter: letter, turn: k)
        }
      }
    } else {
      for (k, letter) in "no data".enumerated() {
        canvas.put(letter, atX: canvas.width / 2 + 2 * (k - 4), y: canvas.height / 2)
      }
    }
    var lines = head.isEmpty ? [] : [Self.cell(head, columns)]
    for (k, line) in canvas.lines.enumerated() {
      let number = k == 0 ? numbers[0] : k == height - 1 ? numbers[1] : ""
      lines.append(String(repeating: " ", count: margin - number.count) + number + "│" + line)
    }
    lines.append(
      String(repeating: " ", count: margin) + "└" + String(repeating: "─", count: canvas.columns))
    let (low, high) = frame.map { (Self.number($0.x.low), Self.number($0.x.high)) } ?? ("", "")
    let room = max(columns - margin - 1 - low.count - high.count, 0)
    let name = Self.cell(x.label, min(room, x.label.count))
    let left = (room - name.count) / 2
    lines.append(
      Self.cell(
        String(repeating: " ", count: margin + 1) + low + String(repeating: " ", count: left) + name
          + String(repeating: " ", count: room - left - name.count) + high, columns))
    if !legend.isEmpty { lines.append(Self.cell(legend.joined(separator: "  "), columns)) }
    return lines
  }

  /// The next letter.
  private static func letter(_ next: inout Int) -> Character {
    defer { next += 1 }
    return Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ")[next % 26]
  }

  /// A text in exactly so many characters.
  private static func cell(_ text: String, _ width: Int) -> String {
    let line = Typesetting.line(text)
    if line.count > width { return width > 0 ? line.prefix(width - 1) + "…" : "" }
    return line + String(repeating: " ", count: width - line.count)
  }

  /// An end of an axis in four digits.
  private static func number(_ value: Double) -> String { String(format: "%.4g", value) }
}

extension BrailleCanvas {
  /// A shape, with a letter at three places of it.
  fileprivate mutating func draw(_ shape: Shape, in frame: Frame, letter: Character?, turn: Int) {
    let (across, up) = (Double(width) - 1e-6, Double(height) - 1e-6)
    func place(_ point: Point) -> Point {
      Point(x: frame.x.fraction(point.x) * across, y: frame.y.fraction(point.y) * up)
    }
    var marked: [Point] = []
    switch shape {
    case .curves(let curves, _):
      for curve in curves.map({ $0.map(place) }) {
        for (a, b) in zip(curve, curve.count == 1 ? curve[...] : curve.dropFirst()) { line(a, b) }
        marked += curve
      }
    case .areas(let areas, let paint):
      for area in areas.map({ $0.map(place) }) {
        fill(area, sparse: paint.opacity < 0.9)
        marked += area
      }
    case .markers(let points, _, _, _):
      marked = points.map(place)
      for point in marked { line(point, point) }
    case .arrows(let arrows, _, _):
      for arrow in arrows { line(place(arrow.tail), place(arrow.head)) }
    case .picture(let picture):
      let (columns, rows) = (columns, self.rows)
      shade { picture.shade(Double($0) / Double(columns), 1 - Double($1 + 1) / Double(rows)) }
    case .words(let text, let point, _):
      // Moved to the left where there is no room.
      let (start, letters) = (place(point), Array(Typesetting.line(text)))
      let first = max(0, min(Int(start.x), width - 2 * letters.count))
      for (k, letter) in letters.enumerated() { put(letter, atX: first + 2 * k, y: Int(start.y)) }
    }
    let inside = marked.filter { $0.x >= 0 && $0.x < across && $0.y >= 0 && $0.y < up }
    guard let letter, !inside.isEmpty else { return }
    for k in [1, 3, 5] {
      // Another place for each series, so that curves that meet keep their letters apart.
      let point = inside[(k * inside.count / 6 + turn * inside.count / 13) % inside.count]
      put(letter, atX: Int(point.x), y: Int(point.y))
    }
  }
}

extension Picture {
  /// The shade at a place, in fractions from the lower left corner, by the colour's brightness.
  fileprivate func shade(_ x: Double, _ y: Double) -> Character {
    let rows = cells.count / columns
    let row = min(Int(y * Double(rows)), rows - 1)
    guard let paint = cells[row * columns + min(Int(x * Double(columns)), columns - 1)] else {
      return " "
    }
    let brightness = zip(paint.channels, [0.3, 0.59, 0.11]).reduce(0) { $0 + $1.0 * $1.1 } / 256
    return Array(" ░▒▓█")[Int(brightness * 5)]
  }
}

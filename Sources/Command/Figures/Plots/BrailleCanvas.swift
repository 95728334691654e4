/// A picture of characters, each with 2 × 4 dots (Unicode's Braille patterns), over shades, under letters.
struct BrailleCanvas {
  let columns: Int
  let rows: Int
  /// Bits of U+2800, from the top row.
  private var dots: [UInt32]
  private var shades: [Character]
  private var letters: [Character?]

  init(columns: Int, rows: Int) {
    (self.columns, self.rows) = (columns, rows)
    dots = Array(repeating: 0, count: columns * rows)
    shades = Array(repeating: " ", count: columns * rows)
    letters = Array(repeating: nil, count: columns * rows)
  }

  /// Dots in each direction.
  var width: Int { 2 * columns }
  var height: Int { 4 * rows }

  /// The lines, from the top.
  var lines: [String] {
    (0..<rows).map { row in
      String(
        (row * columns..<(row + 1) * columns).map { k in
          if let letter = letters[k] { return letter }
          return dots[k] == 0
            ? shades[k] : Unicode.Scalar(0x2800 + dots[k]).map(Character.init) ?? " "
        })
    }
  }

  /// A dot, counted from the lower left corner; nothing outside.
  mutating func dot(_ x: Int, _ y: Int) {
    guard x >= 0, x < width, y >= 0, y < height else { return }
    let (row, k) = ((height - 1 - y) / 4, (height - 1 - y) % 4)
    let bits: [UInt32] = x % 2 == 0 ? [0x01, 0x02, 0x04, 0x40] : [0x08, 0x10, 0x20, 0x80]
    dots[row * columns + x / 2] |= bits[k]
  }

  /// A straight line between places in dots.
  mutating func line(_ a: Point, _ b: Point) {
    // Cut to the picture's surroundings, so that far ends cost nothing.
    let limit = Double(2 * (width + height))
    guard let (a, b) = Self.cut(a, b, limit) else { return }
    let steps = max(1, Int(max(abs(b.x - a.x), abs(b.y - a.y)).rounded(.up)))
    for k in 0...steps {
      let t = Double(k) / Double(steps)
      dot(Int((a.x + t * (b.x - a.x)).rounded(.down)), Int((a.y + t * (b.y - a.y)).rounded(.down)))
    }
  }

  /// The part of a line with coordinates in −limit…limit (Liang, Barsky 1984); nil if there is none.
  private static func cut(_ a: Point, _ b: Point, _ limit: Double) -> (Point, Point)? {
    let (dx, dy) = (b.x - a.x, b.y - a.y)
    var (first, last) = (0.0, 1.0)
    for (slope, room) in [
      (-dx, a.x + limit), (dx, limit - a.x), (-dy, a.y + limit), (dy, limit - a.y),
    ] {
      if slope == 0 {
        if room < 0 { return nil }
      } else if slope < 0 {
        first = max(first, room / slope)
      } else {
        last = min(last, room / slope)
      }
    }
    guard first <= last else { return nil }
    return (
      Point(x: a.x + first * dx, y: a.y + first * dy), Point(x: a.x + last * dx, y: a.y + last * dy)
    )
  }

  /// The inside of a polygon, by the even–odd rule; one dot of four if `sparse`.
  mutating func fill(_ corners: [Point], sparse: Bool) {
    for y in 0..<height where !sparse || y % 2 == 0 {
      let level = Double(y) + 0.5
      let crossings = corners.indices.compactMap { k -> Double? in
        let (a, b) = (corners[k], corners[(k + 1) % corners.count])
        guard (a.y > level) != (b.y > level) else { return nil }
        return a.x + (level - a.y) / (b.y - a.y) * (b.x - a.x)
      }.sorted().map { min(max($0, 0), Double(width)) }
      for k in stride(from: 0, to: crossings.count - 1, by: 2) {
        for x in Int(
          crossings[k].rounded())..<max(
            Int(crossings[k + 1].rounded()), Int(crossings[k].rounded()))
        where !sparse || (x + y / 2) % 2 == 0 { dot(x, y) }
      }
    }
  }

  /// A character at a place in dots; nothing outside.
  mutating func put(_ letter: Character, atX x: Int, y: Int) {
    guard x >= 0, x < width, y >= 0, y < height else { return }
    letters[(height - 1 - y) / 4 * columns + x / 2] = letter
  }

  /// A ground for each character, of columns and rows from the upper left corner.
  mutating func shade(_ shade: (_ column: Int, _ row: Int) -> Character) {
    for row in 0..<rows {
      for column in 0..<columns { shades[row * columns + column] = shade(column, row) }
    }
  }
}

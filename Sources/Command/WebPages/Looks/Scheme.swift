/// The colours of a page on a light or a dark ground.
///
/// Texts are at least 4.5 times as light as their ground, or as dark (WCAG 2.2, 1.4.3).
struct Scheme {
  /// Names in the stylesheet, and colours as red, green, blue, eight bits each.
  let colours: [(name: String, colour: UInt32)]
  /// The ends between which greys of figures lie.
  let black: UInt32
  let white: UInt32

  static let light = Scheme(
    colours: [
      ("ground", 0xFFFFFF), ("panel", 0xF5F6F7), ("ink", 0x1B1E22), ("soft", 0x565D66),
      ("line", 0xD9DCE0), ("accent", 0x0B5CAD), ("problem", 0xA8230F), ("notice", 0x7A5200),
      ("fine", 0x1D6B3A), ("bar", 0xC9DFF3), ("mark", 0xFFF3C4),
    ],
    black: 0x000000, white: 0xFFFFFF)

  static let dark = Scheme(
    colours: [
      ("ground", 0x14171A), ("panel", 0x1D2125), ("ink", 0xE4E6E9), ("soft", 0xA4ABB4),
      ("line", 0x353B42), ("accent", 0x7DB9F2), ("problem", 0xFF9C88), ("notice", 0xE6B95C),
      ("fine", 0x7FCF9A), ("bar", 0x1F4468), ("mark", 0x3D3613),
    ],
    black: 0xE4E6E9, white: 0x14171A)

  /// What the strongest shade of a cell is, as numbers of red, green, blue.
  private var heat: String { self.black == 0 ? "120 176 226" : "33 92 140" }

  /// The declarations of the stylesheet.
  var declarations: String {
    let named = colours.map { "--\($0.name):\(Self.code($0.colour))" }
    let tones = (1...9).map {
      "--tone-\($0):\(Self.code(Self.mixed(black, white, Double($0) / 10)))"
    }
    return (named + tones + ["--heat:\(heat)"]).joined(separator: ";")
  }

  private static func code(_ colour: UInt32) -> String {
    let digits = String(colour, radix: 16)
    return "#" + String(repeating: "0", count: 6 - digits.count) + digits
  }

  /// The colour at a fraction of the way.
  private static func mixed(_ first: UInt32, _ second: UInt32, _ fraction: Double) -> UInt32 {
    [16, 8, 0].reduce(0) { sum, shift in
      let (a, b) = (Double(first >> shift & 255), Double(second >> shift & 255))
      return sum | UInt32((a + fraction * (b - a)).rounded()) << shift
    }
  }
}

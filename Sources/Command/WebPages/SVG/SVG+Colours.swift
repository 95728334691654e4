extension SVG {
  /// The attributes whose values are colours.
  static let paints: Set<String> = [
    "fill", "stroke", "color", "flood-color", "stop-color", "lighting-color",
  ]

  /// A colour as the page has it: black is the colour of the text around, white the ground, and greys are nine
  /// tones between them, each with the grey itself for readers outside of a page. Other colours stay.
  static func adapted(colour: String) -> String {
    guard let grey = grey(colour) else { return colour }
    let tone = Int((Double(grey) / 25.5).rounded())
    let own = "#" + String(repeating: hexadecimal(grey), count: 3)
    switch tone {
    case 0: return "currentColor"
    case 10: return "var(--ground,\(own))"
    default: return "var(--tone-\(tone),\(own))"
    }
  }

  /// How light a grey is, 0…255; nil for other colours.
  static func grey(_ colour: String) -> Int? {
    let text = colour.lowercased().filter { $0 != " " }
    switch text {
    case "black": return 0
    case "white": return 255
    case "gray", "grey": return 128
    case "darkgray", "darkgrey": return 169
    case "lightgray", "lightgrey": return 211
    case "dimgray", "dimgrey": return 105
    default: break
    }
    var channels: [Int?] = []
    if text.hasPrefix("#") {
      let digits = Array(text.dropFirst())
      switch digits.count {
      case 3: channels = digits.map { Int(String([$0, $0]), radix: 16) }
      case 6: channels = [0, 2, 4].map { Int(String(digits[$0..<$0 + 2]), radix: 16) }
      default: return nil
      }
    } else if text.hasPrefix("rgb("), text.hasSuffix(")") {
      channels = text.dropFirst(4).dropLast().split(separator: ",").map { Int($0) }
    }
    guard channels.count == 3, let first = channels[0], channels.allSatisfy({ $0 == first }),
      (0...255).contains(first)
    else { return nil }
    return first
  }

  private static func hexadecimal(_ number: Int) -> String {
    (number < 16 ? "0" : "") + String(number, radix: 16)
  }
}

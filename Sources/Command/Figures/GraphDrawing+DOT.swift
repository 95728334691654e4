import Foundation

extension GraphDrawing {
  /// The drawing in Graphviz's language, with the heading and the kinds' colours in the graph's label.
  /// The same graph gives the same text.
  public var dot: String {
    let kinds = Palette.kinds(vertices.map(\.kind) + edges.map(\.kind))
    let swatches = kinds.map {
      "<td><font color=\"\(Palette.colour(of: $0))\">▬</font> \(Self.text($0))</td>"
    }
    let heading =
      title.isEmpty ? [] : ["<tr><td colspan=\"20\"><b>\(Self.text(title, 80))</b></td></tr>"]
    let rows = stride(from: 0, to: swatches.count, by: 8).map {
      "<tr>" + swatches[$0..<min($0 + 8, swatches.count)].joined() + "</tr>"
    }
    let head = (heading + rows).joined()
    var lines = [
      "digraph {",
      "  graph [rankdir=TB, ranksep=0.35, nodesep=0.3, labelloc=t, fontname=\"DejaVu Sans\", fontsize=11,",
      "    label=<\(head.isEmpty ? "" : "<table border=\"0\" cellspacing=\"4\">\(head)</table>")>];",
      "  node [shape=box, style=rounded, penwidth=1.8, margin=\"0.12,0.05\", fontname=\"DejaVu Sans\", fontsize=11];",
      "  edge [arrowsize=0.6, penwidth=1.3, fontname=\"DejaVu Sans\", fontsize=9, fontcolor=\"#555555\"];",
    ]
    for (v, vertex) in vertices.enumerated() {
      let detail =
        vertex.detail.isEmpty
        ? "" : "<br/><font point-size=\"9\">\(Self.text(vertex.detail))</font>"
      let link = vertex.link.map { ", URL=\"\(Self.text($0, 200))\"" } ?? ""
      lines.append(
        "  v\(v) [color=\"\(Palette.colour(of: vertex.kind))\", label=<<b>\(Self.text(vertex.name))</b>\(detail)>\(link)];"
      )
    }
    for edge in edges {
      // The space keeps the note off the line, which may be thick.
      let space = edge.emphasis == nil ? " " : "   "
      let label = edge.label.isEmpty ? "" : ", label=<\(space)\(Self.text(edge.label)) >"
      let look =
        edge.emphasis.map { Palette.emphasis($0) } ?? "color=\"\(Palette.colour(of: edge.kind))\""
      lines.append("  v\(edge.source) -> v\(edge.target) [\(look)\(label)];")
    }
    return (lines + ["}", ""]).joined(separator: "\n")
  }

  /// A text with what XML reserves as entities and what it forbids replaced, its middle left out where it is
  /// longer than so many characters.
  private static func text(_ text: String, _ length: Int = 40) -> String {
    var short = text
    if text.count > length {
      short = text.prefix(length / 2) + "…" + text.suffix(length - length / 2 - 1)
    }
    var result = ""
    for scalar in short.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\t", "\n", "\r": result += " "
      case "\u{0}"..<" ", "\u{7F}"..<"\u{A0}", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    // Graphviz refuses empty tags.
    return result.isEmpty ? " " : result
  }
}

/// The palette of Okabe, Ito 2008, safe for colour-blind readers.
private enum Palette {
  static let colours = [
    ("input", "#000000"), ("affine", "#0072b2"), ("activation", "#d55e00"),
    ("pooling", "#009e73"), ("junction", "#cc79a7"), ("output", "#e69f00"),
  ]

  /// The colour of a kind; sky blue for those without one of their own.
  static func colour(of kind: String) -> String {
    colours.first { $0.0 == kind }?.1 ?? "#56b4e9"
  }

  /// From thin and grey to thick and vermilion.
  static func emphasis(_ x: Double) -> String {
    let t = min(max(x.isNaN ? 0 : x, 0), 1)
    let mixed = [(0xA8, 0xD5), (0xA8, 0x5E), (0xA8, 0x00)].map { low, high in
      String(format: "%02x", Int((Double(low) + t * Double(high - low)).rounded()))
    }
    return "color=\"#\(mixed.joined())\", penwidth=\(String(format: "%.2f", 1 + 5 * t))"
  }

  /// The distinct kinds: those of the palette in its order, then others in order of appearance.
  static func kinds(_ all: [String]) -> [String] {
    var seen: Set<String> = []
    let distinct = all.filter { seen.insert($0).inserted }
    let known = colours.map(\.0)
    return known.filter(seen.contains) + distinct.filter { !known.contains($0) }
  }
}

import Foundation

/// Rewrites a document of SVG, tag by tag (`SVG.adapted`).
struct SVGAdapter {
  typealias Attribute = SVGToken.Attribute

  /// What is kept; other elements are left out with what they hold.
  static let elements: Set<String> = [
    "svg", "g", "defs", "a", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon",
    "text", "tspan", "use", "image", "clipPath", "mask", "marker", "symbol", "pattern",
    "linearGradient", "radialGradient", "stop", "filter", "feFlood", "feComposite", "feMerge",
    "feMergeNode", "feGaussianBlur", "feOffset", "feBlend",
  ]

  /// What would take effect outside of the figure, or means nothing in a page.
  static let unwanted: Set<String> = [
    "xlink:type", "xlink:show", "xlink:actuate", "xlink:title", "target", "class", "version",
    "role", "tabindex",
  ]

  let tokens: [SVGToken]
  let idPrefix: String
  let title: String
  let place: (String) -> String?
  private let ids: Set<String>
  private var claimed: Set<String> = []
  private var linked: Set<String> = []
  private var pieces: [String] = []
  /// The elements that are open: what they are written as, and where in `pieces`.
  private var stack: [(source: String, name: String, piece: Int)] = []
  private var hasPainted = false

  init(tokens: [SVGToken], idPrefix: String, title: String, place: @escaping (String) -> String?) {
    (self.tokens, self.idPrefix, self.title, self.place) = (tokens, idPrefix, title, place)
    ids = Set(
      tokens.flatMap { token -> [String] in
        guard case .open(_, let attributes, _) = token else { return [] }
        return attributes.filter { $0.name == "id" }.map(\.value)
      })
  }

  mutating func run() -> String {
    /// How deep inside an element that is left out.
    var skipped = 0
    for token in tokens {
      switch token {
      case .open(let name, _, let isEmpty) where skipped > 0 || !Self.elements.contains(name):
        if !isEmpty { skipped += 1 }
      case .open(let name, let attributes, let isEmpty): open(name, attributes, isEmpty)
      case .close where skipped > 0: skipped -= 1
      case .close(let name): close(name)
      case .text(let text) where skipped == 0: write(text)
      case .text: continue
      }
      if stack.isEmpty { break }
    }
    while let last = stack.last { close(last.source) }
    return pieces.joined()
  }

  private mutating func open(_ name: String, _ attributes: [Attribute], _ isEmpty: Bool) {
    let isRoot = stack.isEmpty
    if isGround(name, attributes) {
      if !isEmpty { stack.append((name, "", pieces.count)) }
      return
    }
    var kept = attributes.compactMap { attribute in adapted(attribute, of: name, isRoot: isRoot) }
    kept.removeAll { $0.name == "id" && !claimed.insert($0.value).inserted }
    if isRoot { kept = root(attributes) + kept }
    var (written, inside) = (name, "")
    if name == "a" {
      // Without a place to lead to it is a group.
      if !kept.contains(where: { $0.name == "href" }) { written = "g" }
      // Graphviz links an arrow and its label: keys stop at one of them.
      if let link = kept.first(where: { $0.name == "href" }), !linked.insert(link.value).inserted {
        kept.append(Attribute(name: "tabindex", value: "-1"))
      }
      if let label = attributes.first(where: { $0.name == "xlink:title" })?.value, written == "a" {
        kept.append(Attribute(name: "aria-label", value: label))
        inside = "<title>\(label)</title>"
      }
    }
    let text = kept.map { " \($0.name)=\"\($0.value)\"" }.joined()
    if isEmpty && !isRoot {
      pieces.append("<\(written)\(text) />")
    } else {
      stack.append((name, written, pieces.count))
      pieces.append("<\(written)\(text)>\(inside)")
      if isEmpty { close(name) }
    }
  }

  private mutating func close(_ name: String) {
    // A tag without its beginning is left out; elements left open end with the one around them.
    guard stack.contains(where: { $0.source == name }) else { return }
    while let last = stack.popLast() {
      if last.name == "g", last.piece == pieces.count - 1 {
        pieces.removeLast()
      } else if !last.name.isEmpty {
        pieces.append("</\(last.name)>")
      }
      if last.source == name { return }
    }
  }

  private mutating func write(_ text: String) {
    let isText = stack.last.map { $0.name == "text" || $0.name == "tspan" } ?? false
    if isText { pieces.append(text) }
  }

  /// Whether it is the white ground: a rectangle or polygon before any other shape.
  private mutating func isGround(_ name: String, _ attributes: [Attribute]) -> Bool {
    let shapes: Set = [
      "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "use", "image",
    ]
    guard !hasPainted, shapes.contains(name), !stack.contains(where: { $0.source == "defs" })
    else { return false }
    hasPainted = true
    let fill = attributes.first { $0.name == "fill" }?.value ?? ""
    return (name == "rect" || name == "polygon") && SVG.grey(fill) == 255
  }

  /// An attribute as the page has it; nil for none.
  private func adapted(_ attribute: Attribute, of element: String, isRoot: Bool) -> Attribute? {
    let (name, value) = (attribute.name, attribute.value)
    let low = name.lowercased()
    if low.hasPrefix("on") || low.hasPrefix("xmlns") || low.hasPrefix("aria-")
      || Self.unwanted.contains(low)
      || isRoot && ["width", "height", "viewBox", "style", "id", "fill"].contains(name)
      || !name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_:.".contains($0)) })
      || name.first.map({ !$0.isLetter }) ?? true
    {
      return nil
    }
    switch name {
    case "id": return Attribute(name: name, value: own(value))
    case "href", "xlink:href":
      return reference(value, of: element).map { Attribute(name: "href", value: $0) }
    case "style":
      let kept = value.split(separator: ";").compactMap { declaration -> String? in
        let halves = declaration.split(separator: ":", maxSplits: 1).map {
          $0.trimmingCharacters(in: .whitespaces)
        }
        guard halves.count == 2, let value = paint(halves[1], of: halves[0]) else { return nil }
        return "\(halves[0]):\(value)"
      }
      return kept.isEmpty ? nil : Attribute(name: name, value: kept.joined(separator: ";"))
    case "font-family" where !value.contains(","):
      return Attribute(name: name, value: value + ", Verdana, Helvetica, Arial, sans-serif")
    case _ where low.contains(":") && low != "xml:space": return nil
    default: return paint(value, of: name).map { Attribute(name: name, value: $0) }
    }
  }

  /// A name of the figure's as the page has it.
  private func own(_ id: String) -> String { idPrefix + Anchor.id(Self.plain(id)) }

  /// A reference to the figure's own parts, to a place of the page, or to an image within the file.
  private func reference(_ value: String, of element: String) -> String? {
    if value.hasPrefix("#") {
      let id = String(value.dropFirst())
      if ids.contains(id) { return "#" + own(id) }
      return element == "a" ? place(Self.plain(id)).map { "#" + $0 } : nil
    }
    let isImage = ["png", "jpeg", "gif"].contains { value.hasPrefix("data:image/\($0)") }
    return element == "image" && isImage ? value : nil
  }

  /// A value with its colour, and its references to paints of the figure; nil where it refers elsewhere.
  private func paint(_ value: String, of name: String) -> String? {
    let low = value.lowercased()
    if low.contains("url(") {
      let id = value.drop { $0 != "(" }.dropFirst().drop { "\"' ".contains($0) }
      guard low.hasPrefix("url("), id.hasPrefix("#"), let end = id.firstIndex(of: ")"),
        id.index(after: end) == id.endIndex
      else { return nil }
      return "url(#\(own(id[..<end].dropFirst().filter { !"\"' ".contains($0) })))"
    }
    if ["@import", "expression(", "image-set(", "image(", "\\", "//"].contains(where: low.contains)
    {
      return nil
    }
    return SVG.paints.contains(name) ? SVG.adapted(colour: value) : value
  }

  /// The attributes of the outermost element.
  private func root(_ attributes: [Attribute]) -> [Attribute] {
    func value(_ name: String) -> String? { attributes.first { $0.name == name }?.value }
    func number(_ name: String) -> Double? { value(name).flatMap(Self.number) }
    var result: [Attribute] = []
    if let box = value("viewBox") {
      result.append(Attribute(name: "viewBox", value: box))
    } else if let width = number("width"), let height = number("height") {
      result.append(Attribute(name: "viewBox", value: "0 0 \(width) \(height)"))
    }
    // Links inside must be reachable, which those of an image are not.
    let hasLinks = tokens.contains {
      if case .open("a", let all, _) = $0 {
        all.contains { $0.name.hasSuffix("href") && reference($0.value, of: "a") != nil }
      } else {
        false
      }
    }
    return result + [
      Attribute(name: "style", value: "--natural:\(naturalWidth)px"),
      Attribute(name: "fill", value: "currentColor"),
      Attribute(name: "role", value: hasLinks ? "group" : "img"),
      Attribute(name: "aria-label", value: Markup.escaped(title)),
    ]
  }

  /// The width at which the least text is 11 pixels high, in pixels.
  var naturalWidth: Int {
    var (width, least) = (300.0, Double.infinity)
    for (k, token) in tokens.enumerated() {
      guard case .open(_, let attributes, _) = token else { continue }
      for attribute in attributes {
        switch attribute.name {
        case "width" where k == 0: width = Self.number(attribute.value) ?? width
        case "font-size":
          if let size = Self.number(attribute.value), size > 0.5 { least = min(least, size) }
        default: continue
        }
      }
      if k == 0, let box = attributes.first(where: { $0.name == "viewBox" })?.value {
        let numbers = box.split { " ,".contains($0) }.compactMap { Double($0) }
        if numbers.count == 4, numbers[2] > 0 { width = numbers[2] }
      }
    }
    if least > 1e6 { least = 11 }
    return Int(min(max(width * 11 / least, 1), 1e5).rounded())
  }

  /// The number that a length begins with.
  private static func number(_ text: String) -> Double? {
    Double(text.prefix { "0123456789.".contains($0) })
  }

  /// A value without its entities.
  private static func plain(_ value: String) -> String {
    ["&lt;": "<", "&gt;": ">", "&quot;": "\"", "&apos;": "'", "&#39;": "'", "&#45;": "-"]
      .reduce(value) { $0.replacing($1.key, with: $1.value) }.replacing("&amp;", with: "&")
  }
}

/// Writes the pieces of a page, one after the other, and keeps count of what must be said once.
struct PageWriter {
  var html = ""
  /// The places that links may lead to.
  private let places: Set<String>
  private var claimed: Set<String> = []
  private var numbers: [String: Int] = [:]

  init(places: Set<String>) { self.places = places }

  /// ` id="…"` for the first that asks for a name; nothing for those after it.
  mutating func place(_ name: String?) -> String {
    guard let name else { return "" }
    let id = Anchor.id(name)
    return claimed.insert(id).inserted ? " id=\"\(id)\"" : ""
  }

  /// A name of the page's own that is new.
  mutating func own(_ kind: String) -> String {
    numbers[kind, default: 0] += 1
    return "\(Anchor.reserved)\(kind)-\(numbers[kind, default: 0])"
  }

  /// The place that a caller's name stands for; nil where there is none.
  func target(_ name: String?) -> String? {
    guard let name else { return nil }
    let id = Anchor.id(name)
    return places.contains(id) ? id : nil
  }

  /// A text, as a link where its place exists.
  func linked(_ text: String, to name: String?) -> String {
    let text = Markup.escaped(text)
    return target(name).map { "<a href=\"#\($0)\">\(text)</a>" } ?? text
  }

  /// A line of text with its faces.
  func inline(_ inline: Inline) -> String {
    inline.parts.map { part in
      switch part {
      case .text(let text): Markup.escaped(text)
      case .strong(let text): "<strong>\(Markup.escaped(text))</strong>"
      case .code(let text): "<code>\(Markup.escaped(text))</code>"
      case .link(let text, let name): linked(text, to: name)
      }
    }.joined()
  }

  /// A line of the file.
  mutating func line(_ text: String) { html += text + "\n" }
}

/// A line of text with emphasis, code and links. Everything is taken literally: `<`, `&`, quotes are themselves.
///
/// ```swift
/// let text: Inline = "Layer \(.code("fc1.weight")) holds \(.strong("37 %")) of the discord."
/// ```
public struct Inline: Sendable, Equatable {
  /// A piece in one face.
  enum Part: Sendable, Equatable {
    case text(String)
    case strong(String)
    case code(String)
    case link(String, to: String)
  }

  var parts: [Part]

  init(parts: [Part]) { self.parts = parts }

  /// Plain text.
  public init(_ text: String) { parts = [.text(text)] }

  /// Plain text.
  public static func text(_ text: String) -> Inline { Inline(text) }

  /// What is not to be missed.
  public static func strong(_ text: String) -> Inline { Inline(parts: [.strong(text)]) }

  /// A name of a file, a tensor, a command.
  public static func code(_ text: String) -> Inline { Inline(parts: [.code(text)]) }

  /// A link to a place of the page: plain text where there is no such place.
  public static func link(_ text: String, to anchor: String) -> Inline {
    Inline(parts: [.link(text, to: anchor)])
  }

  /// One after the other, without a space between.
  public static func + (first: Inline, second: Inline) -> Inline {
    Inline(parts: first.parts + second.parts)
  }

  /// One after the other, without a space between.
  public static func += (first: inout Inline, second: Inline) { first.parts += second.parts }

  /// The words alone.
  public var plain: String {
    parts.map {
      switch $0 {
      case .text(let text), .strong(let text), .code(let text), .link(let text, _): text
      }
    }.joined()
  }
}

extension Inline: ExpressibleByStringInterpolation {
  /// Collects the pieces of a literal.
  public struct StringInterpolation: StringInterpolationProtocol {
    var parts: [Part] = []

    /// Nothing yet.
    public init(literalCapacity: Int, interpolationCount: Int) {}

    /// Text as it stands.
    public mutating func appendLiteral(_ literal: String) {
      if !literal.isEmpty { parts.append(.text(literal)) }
    }

    /// Text with faces of its own.
    public mutating func appendInterpolation(_ inline: Inline) { parts += inline.parts }

    /// A value as it describes itself.
    public mutating func appendInterpolation(_ value: some CustomStringConvertible) {
      parts.append(.text(value.description))
    }
  }

  /// Plain text.
  public init(stringLiteral value: String) { self.init(value) }

  /// Text with values and faces in between.
  public init(stringInterpolation: StringInterpolation) { parts = stringInterpolation.parts }
}

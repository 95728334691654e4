import Foundation

/// A table of words and numbers, to be written as CSV, Markdown or HTML.
public struct ResultTable: Sendable {
  /// The names of the columns.
  public let header: [String]
  /// The rows, as long as the header.
  public private(set) var rows: [[String]] = []

  init(_ header: [String]) { self.header = header }

  mutating func append(_ row: [String]) {
    precondition(row.count == header.count, "\(row.count) fields of \(header.count)")
    rows.append(row)
  }

  /// With all digits that were written; fields with commas, quotes or line breaks are quoted.
  public var csv: String {
    ([header] + rows).map { $0.map(Self.quoted).joined(separator: ",") + "\n" }.joined()
  }

  /// A table of GitHub's Markdown.
  public var markdown: String {
    let lines = [header, header.map { _ in "---" }] + rows
    return lines.map { "| " + $0.map(Self.escaped).joined(separator: " | ") + " |\n" }.joined()
  }

  /// An HTML table.
  public var html: String {
    func row(_ fields: [String], _ tag: String) -> String {
      "<tr>" + fields.map { "<\(tag)>\(HTML.escaped($0))</\(tag)>" }.joined() + "</tr>\n"
    }
    return "<table>\n" + row(header, "th") + rows.map { row($0, "td") }.joined() + "</table>\n"
  }

  private static func quoted(_ field: String) -> String {
    field.contains { ",\"\n\r".contains($0) }
      ? "\"" + field.replacingOccurrences(of: "\"", with: "\"\"") + "\"" : field
  }

  private static func escaped(_ field: String) -> String {
    field.replacingOccurrences(of: "|", with: "\\|").replacingOccurrences(of: "\n", with: " ")
  }
}

/// Words of HTML.
enum HTML {
  /// A text with what HTML would read as its own written out.
  static func escaped(_ text: String) -> String {
    text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: ">", with: "&gt;").replacingOccurrences(of: "\"", with: "&quot;")
  }
}

/// A number in a table: some significant digits, no trailing zeros.
func digits(_ x: Double, _ count: Int = 4) -> String {
  x.isFinite ? String(format: "%.\(count)g", x) : "\(x)"
}

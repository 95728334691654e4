extension DataTable {
  func write(to writer: inout PageWriter) {
    let label = writer.own("table")
    let name = rows.count > 20 ? "table" : "table short"
    writer.line("<div class=\"\(name)\"\(writer.place(id)) data-shown=\"\(shown)\">")
    writer.line("<p class=\"caption\" id=\"\(label)\">\(Markup.escaped(caption))</p>")
    // A region that scrolls must be reachable by keys.
    writer.line(
      "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"\(Markup.escaped("Table: " + caption))\">"
    )
    writer.line("<table aria-labelledby=\"\(label)\"\(isSortable ? " data-sortable=\"yes\"" : "")>")
    let heads = columns.map { column in
      "<th scope=\"col\"\(column.kind == .number ? " class=\"n\"" : "")>\(Markup.escaped(column.title))</th>"
    }
    writer.line("<thead><tr>\(heads.joined())</tr></thead>")
    writer.line("<tbody>")
    for row in rows {
      let cells = zip(columns, row.cells).enumerated().map { k, pair in
        Self.cell(pair.1, pair.0.kind, isName: k == 0, writer)
      }
      writer.line("<tr\(writer.place(row.id))>\(cells.joined())</tr>")
    }
    writer.line("</tbody>")
    writer.line("</table>")
    writer.line("</div>")
    writeKey(to: &writer)
    writer.line("</div>")
  }

  private static func cell(
    _ cell: Cell, _ kind: Column.Kind, isName: Bool, _ writer: PageWriter
  ) -> String {
    var classes: [String] = []
    var style = ""
    if kind == .number { classes.append("n") }
    if let bar = Markup.fraction(cell.bar) {
      classes.append("bar")
      style += "--b:\(bar);"
    }
    if let shade = Markup.fraction(cell.shade) {
      classes.append("shade")
      style += "--s:\(shade);"
    }
    var attributes = isName ? " scope=\"row\"" : ""
    if !classes.isEmpty { attributes += " class=\"\(classes.joined(separator: " "))\"" }
    if !style.isEmpty { attributes += " style=\"\(style)\"" }
    if let value = cell.value, !value.isNaN { attributes += " data-v=\"\(key(value))\"" }
    let tag = isName ? "th" : "td"
    return "<\(tag)\(attributes)>\(writer.linked(cell.text, to: cell.link))</\(tag)>"
  }

  /// A number as scripts read it.
  static func key(_ value: Double) -> String {
    if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
    return abs(value) < 1e15 && value == value.rounded() ? "\(Int(value))" : "\(value)"
  }

  /// What the columns mean.
  private func writeKey(to writer: inout PageWriter) {
    let explained = columns.compactMap { column in
      column.explanation.map { (column.title, $0) }
    }
    guard !explained.isEmpty else { return }
    writer.line("<details class=\"key\"><summary>What the columns mean</summary>")
    writer.line("<dl class=\"facts\">")
    for (title, explanation) in explained {
      writer.line(
        "<div><dt>\(Markup.escaped(title))</dt><dd>\(Markup.escaped(explanation))</dd></div>")
    }
    writer.line("</dl>")
    writer.line("</details>")
  }
}

extension Block {
  func write(to writer: inout PageWriter) {
    switch self {
    case .paragraph(let text): writer.line("<p>\(writer.inline(text))</p>")
    case .list(let items):
      if items.isEmpty { return }
      writer.line("<ul>")
      for item in items { writer.line("<li>\(writer.inline(item))</li>") }
      writer.line("</ul>")
    case .table(let table): table.write(to: &writer)
    case .drawing(let drawing): drawing.write(to: &writer)
    case .gallery(let cards):
      if cards.isEmpty { return }
      writer.line("<ul class=\"gallery\">")
      for card in cards { card.write(to: &writer) }
      writer.line("</ul>")
    case .facts(let facts):
      if facts.isEmpty { return }
      writer.line("<dl class=\"facts\">")
      for (name, value) in facts {
        writer.line("<div><dt>\(Markup.escaped(name))</dt><dd>\(writer.inline(value))</dd></div>")
      }
      writer.line("</dl>")
    case .details(let summary, let blocks):
      writer.line("<details><summary>\(Markup.escaped(summary))</summary>")
      for block in blocks { block.write(to: &writer) }
      writer.line("</details>")
    case .heading(let text): writer.line("<h3>\(Markup.escaped(text))</h3>")
    }
  }
}

extension Drawing {
  fileprivate func write(to writer: inout PageWriter) {
    let prefix = writer.own("figure") + "-"
    let adapted = SVG.adapted(svg, idPrefix: prefix, title: alternative) { writer.target($0) }
    writer.line("<figure\(writer.place(id))\(isWide ? " class=\"wide\"" : "")>")
    if let adapted {
      // On a narrow screen it shrinks no further than its texts can be read; then it scrolls.
      let scrolls = isWide && adapted.width > 460
      let label = Markup.escaped("Figure: " + alternative)
      let region = "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"\(label)\">"
      writer.line(scrolls ? region + adapted.element + "</div>" : adapted.element)
    } else {
      writer.line("<p class=\"skipped\">The figure is not a document of SVG.</p>")
    }
    if !caption.plain.isEmpty {
      writer.line("<figcaption>\(writer.inline(caption))</figcaption>")
    }
    writer.line("</figure>")
  }
}

extension Card {
  fileprivate func write(to writer: inout PageWriter) {
    writer.line("<li\(writer.place(id))>")
    if let image {
      // Whole multiples keep pixels square.
      let factor = max(1, 96 / max(image.width, image.height))
      let alternative = Markup.escaped(
        "\(title), an image of \(image.width) × \(image.height) pixels")
      writer.line(
        "<img src=\"data:image/png;base64,\(image.png.base64EncodedString())\" width=\"\(factor * image.width)\" "
          + "height=\"\(factor * image.height)\" alt=\"\(alternative)\" />")
    }
    writer.line("<p>\(writer.linked(title, to: link))</p>")
    if !facts.isEmpty {
      writer.line("<dl>")
      for fact in facts {
        writer.line(
          "<div><dt>\(Markup.escaped(fact.name))</dt><dd>\(Markup.escaped(fact.value))</dd></div>")
      }
      writer.line("</dl>")
    }
    writer.line("</li>")
  }
}

import Foundation

extension Page {
  /// Who wrote it, as the file says.
  static let generator = "<meta name=\"generator\" content=\"swift-sheaf\" />"

  /// Whether a file is a report that this library wrote, by its first kilobyte: a name of its own that a command
  /// may overwrite.
  public static func isOwn(_ data: Data) -> Bool {
    let start = String(decoding: data.prefix(1024), as: UTF8.self)
    return start.hasPrefix("<!DOCTYPE html>") && start.contains(generator)
  }

  /// The file, in UTF-8.
  public var html: String {
    var writer = PageWriter(places: places)
    writeHead(&writer)
    writer.line("<body>")
    writer.line("<a class=\"skip\" href=\"#page-main\">Skip to the summary</a>")
    writer.line("<header>")
    writer.line("<h1>\(Markup.escaped(title))</h1>")
    if !subtitle.isEmpty { writer.line("<p>\(Markup.escaped(subtitle))</p>") }
    writer.line("</header>")
    writer.line("<div class=\"columns\">")
    writeContents(&writer)
    writer.line("<main id=\"page-main\" tabindex=\"-1\">")
    writeSummary(&writer)
    for section in sections { section.write(to: &writer) }
    writer.line("</main>")
    writer.line("</div>")
    writer.line(
      "<footer><p>Written by swift-sheaf. The file stands alone: it loads nothing.</p></footer>")
    writer.line("<script>/*<![CDATA[*/\n\(Script.text)/*]]>*/</script>")
    writer.line("</body>")
    writer.line("</html>")
    return writer.html
  }

  private func writeHead(_ writer: inout PageWriter) {
    writer.line("<!DOCTYPE html>")
    writer.line("<html lang=\"\(Markup.escaped(language))\">")
    writer.line("<head>")
    writer.line("<meta charset=\"utf-8\" />")
    writer.line(Self.generator)
    writer.line(
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        + "script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'\" />")
    writer.line("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />")
    writer.line("<meta name=\"color-scheme\" content=\"light dark\" />")
    writer.line("<title>\(Markup.escaped(title))</title>")
    writer.line("<style>/*<![CDATA[*/\n\(Stylesheet.text)/*]]>*/</style>")
    writer.line("</head>")
  }

  private func writeContents(_ writer: inout PageWriter) {
    writer.line("<nav id=\"page-contents\" aria-label=\"Contents\">")
    writer.line("<ol>")
    writer.line("<li><a href=\"#page-summary\">Summary</a></li>")
    for section in sections {
      let mark = section.status == .done ? "" : " <span class=\"mark\">(skipped)</span>"
      writer.line("<li>\(writer.linked(section.title, to: section.id))\(mark)</li>")
    }
    writer.line("</ol>")
    writer.line("</nav>")
  }

  private func writeSummary(_ writer: inout PageWriter) {
    writer.line("<section id=\"page-summary\" aria-labelledby=\"page-summary-heading\">")
    writer.line("<h2 id=\"page-summary-heading\">Summary</h2>")
    let counts = SummaryLine.Severity.allCases.compactMap { severity -> String? in
      let count = summary.count { $0.severity == severity }
      return count == 0 ? nil : severity.counted(count)
    }
    writer.line(
      "<p class=\"note\">\(counts.isEmpty ? "Nothing to report." : counts.joined(separator: ", ") + ".")</p>"
    )
    if !summary.isEmpty {
      writer.line("<ul class=\"summary\">")
      for line in summary {
        let title = sections.first { $0.id == line.target }?.title
        let more =
          title.map {
            " <span class=\"arrow\" aria-hidden=\"true\">→</span> "
              + writer.linked($0, to: line.target)
          } ?? ""
        writer.line(
          "<li class=\"\(line.severity.rawValue)\"><span class=\"severity\">"
            + "<span class=\"sign\" aria-hidden=\"true\">\(line.severity.sign)</span> \(line.severity.word)</span>"
            + "<span class=\"said\">\(writer.inline(line.text))\(more)</span></li>")
      }
      writer.line("</ul>")
    }
    writer.line("</section>")
  }
}

extension Section {
  /// The heading, the note and the blocks.
  fileprivate func write(to writer: inout PageWriter) {
    let heading = writer.own("heading")
    writer.line("<section\(writer.place(id)) aria-labelledby=\"\(heading)\">")
    writer.line("<h2 id=\"\(heading)\">\(Markup.escaped(title))</h2>")
    if let note { writer.line("<p class=\"note\">\(writer.inline(note))</p>") }
    if case .skipped(let why) = status {
      writer.line("<p class=\"skipped\"><strong>Skipped.</strong> \(Markup.escaped(why))</p>")
    }
    for block in blocks { block.write(to: &writer) }
    writer.line("<p class=\"up\"><a href=\"#page-contents\">↑ Contents</a></p>")
    writer.line("</section>")
  }
}

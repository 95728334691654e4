import Foundation

/// The page of a reproduction: each exhibit with its sentence, pictures, tables, settings and distances from the paper.
struct ReproductionPage {
  let records: [ExhibitRecord]

  static let title = "Neural networks as local-to-global computations, reproduced"

  var html: String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(Self.title)</title>
    <style>
    body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
    h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 3rem; border-top: 1px solid #ccc; padding-top: 1rem; }
    img { max-width: 100%; } .settings { color: #555; font-size: .9rem; }
    .wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .85rem; margin: 1rem 0; }
    th, td { border-bottom: 1px solid #ddd; padding: .2rem .7rem; text-align: right; white-space: nowrap; }
    th:first-child, td:first-child { text-align: left; } nav { columns: 2; font-size: .9rem; }
    details summary { cursor: pointer; color: #555; font-size: .9rem; }
    </style>
    </head>
    <body>
    <h1>\(Self.title)</h1>
    <p>The figures and tables of V. Bosca, R. Ghrist, <em>Neural Networks as Local-to-Global Computations</em>
    (arXiv:2603.14831, 2026), §6 and appendix E, from runs with data and weights of our own.
    \(records.contains(where: \.isQuick) ? "<strong>What is marked quick has runs a tenth as long and thinner sweeps.</strong>" : "")</p>
    <nav>\(records.map { "<div><a href=\"#\($0.name)\">\(HTML.escaped($0.title))</a></div>" }.joined(separator: "\n"))</nav>
    \(records.map(section).joined(separator: "\n"))
    </body>
    </html>

    """
  }

  private func section(_ record: ExhibitRecord) -> String {
    var parts = [
      "<section id=\"\(record.name)\"><h2>\(HTML.escaped(record.title))\(record.isQuick ? " (quick)" : "")</h2>",
      "<p>\(HTML.escaped(record.sentence))</p>",
    ]
    for figure in record.figures {
      parts.append(
        record.isDrawn
          ? "<p><a href=\"\(figure).pdf\"><img src=\"\(figure).svg\" alt=\"\(HTML.escaped(record.title))\"></a></p>"
          : "<p>Not drawn: <a href=\"\(figure).gnuplot\">\(figure).gnuplot</a> holds gnuplot's commands and the data.</p>"
      )
    }
    for table in record.tables {
      let long = table.html.components(separatedBy: "<tr>").count > 22
      let body =
        "<div class=\"wide\">\(table.html)</div><p class=\"settings\"><a href=\"\(table.name).csv\">\(table.name).csv</a></p>"
      parts.append(long ? "<details><summary>table</summary>\(body)</details>" : body)
    }
    if !record.comparisons.isEmpty {
      var table = ResultTable(["compared", "here", "the paper", "ratio"])
      for c in record.comparisons {
        table.append([c.what, digits(c.found), digits(c.paper), digits(c.found / c.paper, 3)])
      }
      parts.append("<div class=\"wide\">\(table.html)</div>")
    }
    parts.append(
      "<p class=\"settings\">Settings: \(HTML.escaped(record.settings)). Took \(digits(record.seconds, 2)) s, swift-sheaf \(HTML.escaped(record.version)).</p></section>"
    )
    return parts.joined(separator: "\n")
  }
}

import Foundation
import NeuralSheaves

/// Plain tables for people.
enum TextOutput {
  /// The most letters of a line.
  static let width = 100

  /// Rows in columns: columns of numbers to the right, others to the left. The first row is the
  /// heading. Where a line would be too long, long words are shortened in their middle, and if that is not enough
  /// the columns go below each other, each time beside the first.
  static func table(_ rows: [[String]], width: Int = TextOutput.width) -> String {
    guard let heading = rows.first, !heading.isEmpty else { return "" }
    let rows = shortened(rows, to: width)
    let widths = self.widths(rows)
    var parts: [[Int]] = [[0]]
    var length = widths[0]
    for c in heading.indices.dropFirst() {
      if length + 2 + widths[c] > width && parts[parts.count - 1].count > 1 {
        parts.append([0])
        length = widths[0]
      }
      parts[parts.count - 1].append(c)
      length += 2 + widths[c]
    }
    return parts.map { block(rows, columns: $0, widths) }.joined(separator: "\n\n")
  }

  private static func block(_ rows: [[String]], columns: [Int], _ widths: [Int]) -> String {
    let areNumbers = rows[0].indices.map { c in
      c > 0
        && rows.dropFirst().allSatisfy { $0[c].first.map { "-.0123456789".contains($0) } ?? true }
    }
    return rows.map { row in
      let cells = columns.map { c in
        let pad = String(repeating: " ", count: widths[c] - row[c].count)
        return areNumbers[c] ? pad + row[c] : row[c] + pad
      }
      return String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
    }.joined(separator: "\n")
  }

  private static func widths(_ rows: [[String]]) -> [Int] {
    rows[0].indices.map { c in rows.map { $0[c].count }.max() ?? 0 }
  }

  /// The rows with their longest words cut to the length at which a line fits, but to no fewer than 24 letters.
  private static func shortened(_ rows: [[String]], to width: Int) -> [[String]] {
    let widths = self.widths(rows)
    func total(_ most: Int) -> Int { widths.reduce(2 * (widths.count - 1)) { $0 + min($1, most) } }
    var most = widths.max() ?? 0
    while most > 24 && total(most) > width { most -= 1 }
    return rows.map { $0.map { abbreviated($0, to: most) } }
  }

  /// A word with its middle left out where it is longer.
  static func abbreviated(_ word: String, to most: Int) -> String {
    guard word.count > most else { return word }
    // More of the end, where names differ.
    let tail = (most - 1) * 2 / 3
    return word.prefix(most - 1 - tail) + "…" + word.suffix(tail)
  }

  /// A number with six significant digits.
  static func number(_ x: Double?) -> String {
    x.map { $0.isNaN ? "nan" : String(format: "%.6g", $0) } ?? "-"
  }

  /// The discords by edge, with the edges' names in the file where it has some.
  static func discords(_ report: DiscordReport, of network: Network) -> String {
    let tensors = network.tensorNames(of: report)
    let hasNames = tensors.contains { $0 != nil }
    var rows = [["edge", "kind", "layer", "discord"] + (hasNames ? ["in the file"] : [])]
    for (edge, tensor) in zip(report.edges, tensors) {
      rows.append(
        [edge.edge, edge.kind.rawValue, "\(edge.layer)", number(edge.discord)]
          + (hasNames ? [tensor ?? ""] : []))
    }
    rows.append(["total", "", "", number(report.total)] + (hasNames ? [""] : []))
    return table(rows)
  }
}

/// What the file calls the quantities of a network.
extension Network {
  /// The file's names of a vertex, `vertices.count` for a_{k+1}.
  func tensorNames(of vertex: Int) -> [String] {
    aliases.filter { $0.value == vertex }.keys.sorted { ($0.count, $0) < ($1.count, $1) }
  }

  /// The file's shortest name for the quantity that each edge determines.
  func tensorNames(of report: DiscordReport) -> [String?] {
    guard !aliases.isEmpty else { return report.edges.map { _ in nil } }
    let names = (0...vertices.count).map { tensorNames(of: $0).first }
    return report.edges.indices.map { e in
      e < edges.count ? names[edges[e].target] : names[vertices.count] ?? names[lastVertex]
    }
  }
}

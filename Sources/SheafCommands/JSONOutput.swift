import Foundation
import LinearAlgebra
import NeuralSheaves

/// Values for `JSONSerialization`.
enum JSONOutput {
  /// A number, or null if it is not finite.
  static func number(_ x: Double?) -> Any {
    guard let x, x.isFinite else { return NSNull() }
    return x
  }

  /// A list of samples, each a list of numbers.
  static func samples(_ m: Matrix) -> Any {
    (0..<m.columns).map { j in m.column(j).map { number($0) } }
  }

  static func discords(_ report: DiscordReport) -> Any {
    report.edges.map {
      [
        "edge": $0.edge, "kind": $0.kind.rawValue, "layer": $0.layer,
        "discord": number($0.discord),
      ] as [String: Any]
    }
  }

  /// Prints one object on standard output.
  static func print(_ object: [String: Any]) throws {
    let data = try JSONSerialization.data(
      withJSONObject: object, options: [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes])
    FileHandle.standardOutput.write(data + Data("\n".utf8))
  }
}

/// Plain tables for people.
enum TextOutput {
  /// Rows in columns: columns of numbers to the right, others to the left. The first row is the
  /// heading.
  static func table(_ rows: [[String]]) -> String {
    let columns = 0..<(rows.first?.count ?? 0)
    let widths = columns.map { c in rows.map { $0[c].count }.max() ?? 0 }
    let areNumbers = columns.map { c in
      c > 0
        && rows.dropFirst().allSatisfy { $0[c].first.map { "-.0123456789".contains($0) } ?? true }
    }
    return rows.map { row in
      let cells = row.enumerated().map { c, text in
        let pad = String(repeating: " ", count: widths[c] - text.count)
        return areNumbers[c] ? pad + text : text + pad
      }
      return String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
    }.joined(separator: "\n")
  }

  /// A number with six significant digits.
  static func number(_ x: Double?) -> String {
    x.map { $0.isNaN ? "nan" : String(format: "%.6g", $0) } ?? "-"
  }

  static func discords(_ report: DiscordReport) -> String {
    let rows = report.edges.map { [$0.edge, $0.kind.rawValue, "\($0.layer)", number($0.discord)] }
    return table(
      [["edge", "kind", "layer", "discord"]] + rows + [["total", "", "", number(report.total)]])
  }
}

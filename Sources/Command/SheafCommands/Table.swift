import ArrayFiles
import Foundation
import LinearAlgebra
import NeuralSheaves

/// A table on its way to a file or to standard output.
struct Table {
  private var lines: [String]

  /// A table with its columns' names.
  init(_ names: [String]) { lines = [names.map(\.csvField).joined(separator: ",")] }

  /// A table of lines that are written out.
  init(lines: [String]) { self.lines = lines }

  /// Appends a row; a field that is nil is empty.
  mutating func append(_ fields: [String?]) {
    lines.append(fields.map { ($0 ?? "").csvField }.joined(separator: ","))
  }

  /// The lines of a CSV file.
  var csv: String { lines.joined(separator: "\n") + "\n" }

  /// Writes it whole or not at all; to standard output where the name is `-`.
  func write(to path: String) throws {
    if path == CallFiles.standardStream {
      try StandardStreams.print(lines.joined(separator: "\n"))
    } else {
      try ArrayFile.write(Data(csv.utf8), to: path)
    }
  }

  /// Writes an output of a network, one row per sample unless the call says otherwise.
  static func write(
    _ m: Matrix, of network: Network, _ arrays: ArrayOptions, to path: String
  ) throws {
    if path.lowercased().hasSuffix(".npy") {
      return try ArrayFile.write(NPY.encode(arrays.array(m)), to: path)
    }
    let isTurned = arrays.samples == .columns
    let names =
      isTurned
      ? (0..<m.columns).map { "sample \($0)" }
      : (0..<m.rows).map { network.coordinateName($0) }
    var table = Table(names)
    let rows = isTurned ? m.transposed : m
    for j in 0..<rows.columns { table.append(rows.column(j).map { "\($0)" }) }
    try table.write(to: path)
  }
}

extension Network {
  /// What a coordinate of the output is called: its class where it has one.
  func coordinateName(_ i: Int) -> String {
    classNames.isEmpty ? "\(outputName)[\(i)]" : classNames[i]
  }
}

extension String {
  /// The text as a field of a CSV file (RFC 4180).
  var csvField: String {
    contains { ",\"\n\r".contains($0) }
      ? "\"" + replacingOccurrences(of: "\"", with: "\"\"") + "\"" : self
  }
}

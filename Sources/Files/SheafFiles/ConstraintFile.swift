import ArrayFiles
import Foundation
import SheafInference

/// Linear constraints on the values of cells, from JSON
/// `[{"name": "limit", "terms": {"a": [1, 0]}, "relation": "<=", "value": 3}, …]`; a number stands for a list of one, and a
/// constraint without name has its number for one.
public struct ConstraintFile: Sendable {
  /// The terms of each by the names of cells.
  private var list:
    [(name: String, terms: [String: [Double]], relation: StalkConstraint.Relation, value: Double)] =
      []

  /// Reads a file, or standard input for `-`.
  public init(contentsOf path: String) throws(ArrayFileError) {
    try self.init(
      json: try ArrayFile.bytes(path), file: path == "-" ? "standard input" : path)
  }

  /// Reads JSON.
  public init(json data: Data, file: String) throws(ArrayFileError) {
    var reader = SheafReader(JSONScanner(data, file: file, whole: "the constraints"))
    try reader.scanner.take("[")
    while try reader.scanner.hasNext(before: "]", after: list.count) {
      reader.scanner.path = ["constraint \(list.count)"]
      var (name, terms): (String?, [String: [Double]]?) = (nil, nil)
      var (relation, value): (StalkConstraint.Relation?, Double?) = (nil, nil)
      try reader.forEachKey(["name", "terms", "relation", "value"]) {
        (reader, key) throws(ArrayFileError) in
        switch key {
        case "name": name = try reader.scanner.string()
        case "value": value = try reader.scanner.number()
        case "relation":
          let word = try reader.scanner.string()
          guard let known = StalkConstraint.Relation(rawValue: word) else {
            throw reader.scanner.failure(
              "the relation \"\(word.printable)\", expected \"=\", \"<=\" or \">=\"")
          }
          relation = known
        default:
          var found: [String: [Double]] = [:]
          try reader.scanner.take("{")
          while try reader.scanner.hasNext(before: "}", after: found.count) {
            let cell = try reader.scanner.string()
            guard found[cell] == nil else {
              throw reader.scanner.failure("cell \"\(cell.printable)\" twice, expected it once")
            }
            try reader.scanner.take(":")
            found[cell] = try reader.numberOrList()
          }
          terms = found
        }
      }
      guard let terms, let relation, let value else {
        throw reader.scanner.failure(
          "no \"terms\", \"relation\" or \"value\", expected all three")
      }
      list.append((name ?? "constraint \(list.count)", terms, relation, value))
    }
    reader.scanner.path = []
    try reader.scanner.finish()
  }

  /// The constraints on the cells of a sheaf.
  ///
  /// - Parameter cells: the number of each name.
  public func constraints(
    _ cells: [String: Int], file: String
  ) throws(ArrayFileError) -> [StalkConstraint] {
    var result: [StalkConstraint] = []
    for entry in list {
      var terms: [Int: [Double]] = [:]
      for (name, a) in entry.terms {
        guard let cell = cells[name] else {
          throw ArrayFileError(
            file: file, problem: "\(InferenceError.unknownCell(String(name.printable)))")
        }
        terms[cell] = a
      }
      result.append(StalkConstraint(entry.name, terms, entry.relation, entry.value))
    }
    return result
  }
}

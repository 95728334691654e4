import ArrayFiles
import CellComplexes
import CellularSheaves
import Foundation
import LinearAlgebra
import SheafInference

/// Values on some cells of a sheaf, from JSON `{"a": […], "b": {"value": […], "variance": v, "unit": "km"}}`; a number stands
/// for a list of one, and v is a number, a list (a diagonal) or a list of rows.
public struct AssignmentFile: Sendable, Equatable {
  /// What the file says of a cell.
  public struct Entry: Sendable, Equatable {
    /// The value.
    public var values: [Double]
    /// Of its error; nil where the file has none.
    public var variance: Covariance?
    /// The unit; nil where the file has none.
    public var unit: String?
  }

  /// What it says by cell name.
  public var entries: [String: Entry] = [:]

  /// The values of cells.
  public init(_ values: [String: [Double]]) { entries = values.mapValues { Entry(values: $0) } }

  /// Reads a file, or standard input for `-`.
  public init(contentsOf path: String) throws(ArrayFileError) {
    let file = path == "-" ? "standard input" : path
    var data = try ArrayFile.bytes(path)
    if Gzip.isGzip(data) { data = try Gzip.unpack(data, file: file) }
    try self.init(json: data, file: file)
  }

  /// Reads JSON.
  public init(json data: Data, file: String) throws(ArrayFileError) {
    var reader = SheafReader(JSONScanner(data, file: file, whole: "the assignment"))
    try reader.scanner.take("{")
    while try reader.scanner.hasNext(before: "}", after: entries.count) {
      let name = try reader.scanner.string()
      guard entries[name] == nil else {
        throw reader.scanner.failure("cell \"\(name.printable)\" twice, expected it once")
      }
      try reader.scanner.take(":")
      reader.scanner.path = [name]
      entries[name] = try reader.assignmentEntry()
      reader.scanner.path = []
    }
    try reader.scanner.finish()
  }

  /// The values as coordinates of cochains of one degree.
  ///
  /// - Parameter file: the name for messages.
  /// - Returns: the degree, and the coordinates with their values, in the order of the cells.
  /// - Throws: for a name that is no cell, a list of the wrong length, cells of different dimensions, and variances, which exact
  ///   values do not have.
  public func coordinates(
    in sheaf: CellularSheaf, file: String
  ) throws(ArrayFileError) -> (degree: Int, coordinates: [Int], values: [Double]) {
    func failure(_ problem: String) -> ArrayFileError {
      ArrayFileError(file: file, problem: problem)
    }
    let cells = sheaf.complex.cellsByName()
    var found: [(cell: Int, values: [Double])] = []
    for (name, entry) in entries.sorted(by: { $0.key < $1.key }) {
      guard let cell = cells[name] else {
        throw failure("\"\(name.printable)\" is no cell of the sheaf, expected ids of its cells")
      }
      guard entry.variance == nil else {
        throw failure(
          "\"\(name.printable)\" has a variance, expected values that are held; sheaf fuse weighs them"
        )
      }
      let n = sheaf.stalk(of: cell)
      guard entry.values.count == n else {
        throw failure(
          "\"\(name.printable)\" has \(entry.values.count) values, expected \(n), the dimension of its stalk"
        )
      }
      found.append((cell, entry.values))
    }
    found.sort { $0.cell < $1.cell }
    guard let first = found.first else { return (0, [], []) }
    let degree = sheaf.complex.dimension(of: first.cell)
    if let last = found.last, sheaf.complex.dimension(of: last.cell) != degree {
      throw failure(
        "\"\(sheaf.complex.name(first.cell))\" has dimension \(degree) and "
          + "\"\(sheaf.complex.name(last.cell))\" \(sheaf.complex.dimension(of: last.cell)), expected "
          + "cells of one dimension")
    }
    return (degree, found.flatMap { sheaf.range(of: $0.cell) }, found.flatMap(\.values))
  }

  /// The readings of cells; of unit variance where the file has none.
  ///
  /// - Parameter cells: the number of each name.
  /// - Throws: for a name that is no cell. The rest is checked where it is used.
  public func assignment(
    _ cells: [String: Int], file: String
  ) throws(ArrayFileError) -> Assignment {
    var result = Assignment()
    for (name, entry) in entries.sorted(by: { $0.key < $1.key }) {
      guard let cell = cells[name] else {
        throw ArrayFileError(
          file: file, problem: "\(InferenceError.unknownCell(String(name.printable)))")
      }
      result.readings[cell] = Assignment.Reading(
        entry.values, covariance: entry.variance ?? .scalar(1), unit: entry.unit)
    }
    return result
  }
}

extension SheafReader {
  fileprivate mutating func assignmentEntry() throws(ArrayFileError) -> AssignmentFile.Entry {
    guard scanner.nextKind() == .object else {
      return AssignmentFile.Entry(values: try numberOrList())
    }
    var (values, variance, unit): ([Double]?, Covariance?, String?) = (nil, nil, nil)
    try forEachKey(["value", "variance", "unit"]) { (reader, key) throws(ArrayFileError) in
      switch key {
      case "value": values = try reader.numberOrList()
      case "variance":
        switch try reader.weight() {
        case .standard: variance = .scalar(1)
        case .scalar(let v): variance = .scalar(v)
        case .diagonal(let v): variance = .diagonal(v)
        case .matrix(let v): variance = .matrix(v)
        }
      default: unit = try reader.scanner.string()
      }
    }
    guard let values else {
      throw scanner.failure("an object without \"value\", expected a number or a list")
    }
    return AssignmentFile.Entry(values: values, variance: variance, unit: unit)
  }

  /// A number as a list of one, or a list.
  mutating func numberOrList() throws(ArrayFileError) -> [Double] {
    scanner.nextKind() == .array ? try numbers() : [try scanner.number()]
  }
}

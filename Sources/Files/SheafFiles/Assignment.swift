import ArrayFiles
import CellComplexes
import CellularSheaves
import Foundation

/// Values on some cells of a complex, from JSON `{"a": […], "b": […]}`; a number stands for a list of one.
public struct Assignment: Sendable, Equatable {
  /// The values by cell name.
  public var values: [String: [Double]]

  /// An assignment.
  public init(_ values: [String: [Double]]) { self.values = values }

  /// Reads a file, or standard input for `-`.
  public init(contentsOf path: String) throws(ArrayFileError) {
    try self.init(
      json: try ArrayFile.bytes(path), file: path == "-" ? "standard input" : path)
  }

  /// Reads JSON.
  public init(json data: Data, file: String) throws(ArrayFileError) {
    var reader = SheafReader(JSONScanner(data, file: file, whole: "the assignment"))
    values = [:]
    try reader.scanner.take("{")
    while try reader.scanner.hasNext(before: "}", after: values.count) {
      let name = try reader.scanner.string()
      guard values[name] == nil else {
        throw reader.scanner.failure("cell \"\(name.printable)\" twice, expected it once")
      }
      try reader.scanner.take(":")
      reader.scanner.path = [name]
      values[name] =
        reader.scanner.nextKind() == .array
        ? try reader.numbers() : [try reader.scanner.number()]
      reader.scanner.path = []
    }
    try reader.scanner.finish()
  }

  /// The values as coordinates of cochains of one degree.
  ///
  /// - Parameter file: the name for messages.
  /// - Returns: the degree, and the coordinates with their values, in the order of the cells.
  /// - Throws: for a name that is no cell, a list of the wrong length, or cells of different dimensions.
  public func coordinates(
    in sheaf: CellularSheaf, file: String
  ) throws(ArrayFileError) -> (degree: Int, coordinates: [Int], values: [Double]) {
    func failure(_ problem: String) -> ArrayFileError {
      ArrayFileError(file: file, problem: problem)
    }
    let cells = sheaf.complex.cellsByName()
    var found: [(cell: Int, values: [Double])] = []
    for (name, list) in values.sorted(by: { $0.key < $1.key }) {
      guard let cell = cells[name] else {
        throw failure("\"\(name.printable)\" is no cell of the sheaf, expected ids of its cells")
      }
      let n = sheaf.stalk(of: cell)
      guard list.count == n else {
        throw failure(
          "\"\(name.printable)\" has \(list.count) values, expected \(n), the dimension of its stalk"
        )
      }
      found.append((cell, list))
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
}

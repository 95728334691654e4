import ArgumentParser
import ArrayFiles
import CellularSheaves
import LinearAlgebra
import SheafFiles
import SheafPersistence

/// How the cells of a sheaf appear one after the other.
struct FiltrationArguments: ParsableArguments {
  @OptionGroup var file: SheafArgument
  @Option(
    help: "A JSON file {\"a\": 0, \"ab\": 1.5, …}: the value at which each cell appears.")
  var values: String?
  @Option(
    help: """
      A JSON file with a value for each vertex: every other cell appears with the last of its vertices.
      """)
  var lowerStar: String?
  @Option(
    help: """
      An ASSIGNMENT of all vertices: vertices are there from 0 on, an edge appears at its discord ‖δx‖, a larger cell \
      with the last of its faces.
      """)
  var discord: String?
  @Flag(
    help: """
      Vertices are there from 0 on, an edge appears at the distance of its ends' positions, a larger cell with its last \
      edge.
      """)
  var diameter = false

  func declare(in files: inout CallFiles) {
    file.declare(in: &files)
    files.reads("--values", values)
    files.reads("--lower-star", lowerStar)
    files.reads("--discord", discord)
  }

  func check() throws {
    let names = [
      values.map { _ in "--values" }, lowerStar.map { _ in "--lower-star" },
      discord.map { _ in "--discord" }, diameter ? "--diameter" : nil,
    ].compactMap { $0 }
    guard names.count == 1 else {
      throw ValidationError(
        (names.isEmpty ? "nothing" : names.joined(separator: " and "))
          + " given, expected one of --values, --lower-star, --discord and --diameter")
    }
  }

  func load() throws -> SheafFiltration {
    let (sheaf, loaded) = try file.loadChecked()
    if let values {
      return try refusing(values) {
        try SheafFiltration(sheaf, valuesByName: numbers(values))
      }
    }
    if let lowerStar {
      let given = try numbers(lowerStar)
      return try refusing(lowerStar) {
        let vertices = sheaf.complex.cells(ofDimension: 0).map(sheaf.complex.name)
        let known = Set(vertices)
        if let other = given.keys.filter({ !known.contains($0) }).min() {
          throw PersistenceError.quantity(
            name: "values of vertices", found: "one for \"\(other)\"", expected: "names of vertices"
          )
        }
        return try .lowerStar(
          sheaf,
          vertexValues: try vertices.map { name in
            guard let value = given[name] else { throw PersistenceError.missing(cell: name) }
            return value
          })
      }
    }
    if let discord {
      let cochain = try AssignmentFile(contentsOf: discord).vertexCochain(in: sheaf, file: discord)
      return try refusing(discord) {
        try .discord(sheaf, of: cochain.column(0))
      }
    }
    let vertices = sheaf.complex.cells(ofDimension: 0)
    let places = try vertices.map { vertex -> [Double] in
      guard let place = loaded.positions[sheaf.complex.name(vertex)] else {
        throw ArrayFileError(
          file: file.name,
          problem: "cell \"\(sheaf.complex.name(vertex).printable)\" has no position, expected "
            + "\"position\": [x, y] or points for --diameter")
      }
      return place
    }
    let d = places.first?.count ?? 0
    guard places.allSatisfy({ $0.count == d }) else {
      throw ArrayFileError(
        file: file.name,
        problem: "positions of different lengths, expected one number of coordinates"
      )
    }
    return try refusing(file.name) {
      try .byDistance(
        sheaf, points: Matrix(rows: d, columns: places.count, columnMajor: places.flatMap { $0 }))
    }
  }

  /// One number for each name.
  private func numbers(_ path: String) throws -> [String: Double] {
    try AssignmentFile(contentsOf: path).entries.reduce(into: [:]) { result, entry in
      guard entry.value.values.count == 1, entry.value.variance == nil else {
        throw ArrayFileError(
          file: path,
          problem: "\"\(entry.key.printable)\" has "
            + (entry.value.variance == nil
              ? "\(entry.value.values.count) values" : "a variance") + ", expected one number")
      }
      result[entry.key] = entry.value.values[0]
    }
  }

  private func refusing<Result>(_ path: String, _ work: () throws -> Result) throws -> Result {
    do { return try work() } catch let error as PersistenceError {
      throw ArrayFileError(file: path, problem: "\(error)")
    }
  }
}

import ArrayFiles
import CellComplexes
import CellularSheaves
import LinearAlgebra
import SheafInference

/// The reader of sheaf files.
struct SheafReader {
  var scanner: JSONScanner
  /// Reads a network that a map names.
  var networks: SheafFile.NetworkLoader = SheafFile.noNetworks
  /// How many maps are being read within each other.
  var nesting = 0
  /// Where cells are drawn.
  var positions: [String: [Double]] = [:]
  /// What was read of the shorthands.
  private var edges: [[String]]?
  private var vertices: [String] = []
  private var points: [[Double]]?
  private var (radius, maximumDimension, stalk): (Double?, Int?, Int?) = (nil, nil, nil)

  init(_ scanner: JSONScanner) { self.scanner = scanner }

  mutating func read() throws(ArrayFileError) -> SheafFile {
    var result: SheafFile.Content?
    let allowed = [
      "cells": [], "poset": [], "graph": ["vertices", "stalk"],
      "points": ["radius", "maximumDimension", "stalk"],
    ]
    let keys = [
      "cells", "poset", "graph", "vertices", "points", "radius", "maximumDimension", "stalk",
      "name", "comment",
    ]
    let seen = try forEachKey(keys) { (reader, key) throws(ArrayFileError) in
      switch key {
      case "cells":
        var cells = CellReader()
        try cells.read(&reader)
        result = try cells.content(reader.scanner)
      case "poset":
        var poset = PosetReader()
        try poset.read(&reader)
        result = try poset.content(reader.scanner)
      case "graph": reader.edges = try reader.listOfIDs()
      case "vertices": reader.vertices = try reader.ids()
      case "points": reader.points = try reader.rows()
      case "radius": reader.radius = try reader.scanner.number()
      case "maximumDimension": reader.maximumDimension = try reader.scanner.wholeNumber()
      case "stalk": reader.stalk = try reader.scanner.wholeNumber()
      default: _ = try reader.scanner.string()
      }
    }
    try scanner.finish()
    guard let form = seen.first(where: { allowed[$0] != nil }) else {
      throw scanner.failure(
        "none of \"cells\", \"graph\", \"points\" and \"poset\" found, expected one of them")
    }
    let beside = [form, "name", "comment"] + allowed[form]!
    if let other = seen.first(where: { !beside.contains($0) }) {
      throw scanner.failure(
        "\"\(other)\" beside \"\(form)\", expected "
          + beside.dropFirst().map { "\"\($0)\"" }.joined(separator: ", "))
    }
    if let result { return SheafFile(result, positions: positions) }
    if let edges {
      return SheafFile(
        .cellular(try GraphReader(edges: edges, vertices: vertices).sheaf(stalk ?? 1, scanner)))
    }
    let points = points ?? []
    return SheafFile(
      .cellular(try rips(points)),
      positions: Dictionary(uniqueKeysWithValues: points.enumerated().map { ("\($0)", $1) }))
  }

  private func rips(_ points: [[Double]]) throws(ArrayFileError) -> CellularSheaf {
    guard let radius else {
      throw scanner.failure("\"points\" without \"radius\", expected a number")
    }
    let width = points.first?.count ?? 0
    if let j = points.firstIndex(where: { $0.count != width }) {
      throw scanner.failure(
        "point \(j) has \(points[j].count) coordinates, expected \(width) as in the first")
    }
    let matrix = Matrix(
      rows: width, columns: points.count, columnMajor: points.flatMap { $0 })
    do {
      let complex = try SimplicialComplex.vietorisRips(
        points: matrix, radius: radius, maximumDimension: maximumDimension ?? 2)
      try checkStalk(stalk ?? 1, cells: complex.complex.count)
      return .constant(stalk ?? 1, on: complex.complex)
    } catch let error as ArrayFileError {
      throw error
    } catch {
      throw scanner.failure("\(error)")
    }
  }

  /// The most dimensions of all stalks together: some gigabytes before a map is read.
  static let dimensionLimit = 100_000_000

  /// The stalks of a constant sheaf keep to the limit.
  private func checkStalk(_ stalk: Int, cells: Int) throws(ArrayFileError) {
    guard stalk <= SheafReader.dimensionLimit / max(1, cells) else {
      throw scanner.failure("a stalk of dimension \(stalk), expected a smaller one")
    }
  }

  /// Visits the keys of an object; each at most once, and no other than those expected.
  ///
  /// - Returns: the keys that were there.
  @discardableResult mutating func forEachKey(
    _ expected: [String],
    _ visit: (inout SheafReader, String) throws(ArrayFileError) -> Void
  ) throws(ArrayFileError) -> [String] {
    var seen: [String] = []
    try scanner.take("{")
    while try scanner.hasNext(before: "}", after: seen.count) {
      let key = try scanner.string()
      guard expected.contains(key) else {
        throw scanner.failure(
          "the key \"\(key.printable)\", expected "
            + expected.map { "\"\($0)\"" }.joined(separator: ", "))
      }
      guard !seen.contains(key) else {
        throw scanner.failure("the key \"\(key)\" twice, expected it once")
      }
      try scanner.take(":")
      seen.append(key)
      try visit(&self, key)
    }
    return seen
  }

  /// An id: a string, or a whole number as its digits.
  mutating func id() throws(ArrayFileError) -> String {
    scanner.nextKind() == .number ? "\(try scanner.wholeNumber())" : try scanner.string()
  }

  mutating func ids() throws(ArrayFileError) -> [String] {
    var list: [String] = []
    try scanner.take("[")
    while try scanner.hasNext(before: "]", after: list.count) { list.append(try id()) }
    return list
  }

  private mutating func listOfIDs() throws(ArrayFileError) -> [[String]] {
    var list: [[String]] = []
    try scanner.take("[")
    while try scanner.hasNext(before: "]", after: list.count) { list.append(try ids()) }
    return list
  }

  mutating func numbers() throws(ArrayFileError) -> [Double] {
    var list: [Double] = []
    try scanner.take("[")
    while try scanner.hasNext(before: "]", after: list.count) { list.append(try scanner.number()) }
    return list
  }

  mutating func rows() throws(ArrayFileError) -> [[Double]] {
    var list: [[Double]] = []
    try scanner.take("[")
    while try scanner.hasNext(before: "]", after: list.count) { list.append(try numbers()) }
    return list
  }

  /// A map as it stands in the file: the shape of an empty list is not known before the stalks are.
  enum ReadMap {
    case identity
    case scalar(Double)
    case rows([[Double]])
    case smooth(any SmoothMap)

    /// Whether it is written as an object.
    var isSmooth: Bool {
      if case .smooth = self { true } else { false }
    }
  }

  mutating func map() throws(ArrayFileError) -> ReadMap {
    switch scanner.nextKind() {
    case .number: return .scalar(try scanner.number())
    case .array: return .rows(try rows())
    case .string:
      let word = try scanner.string()
      guard word == "identity" else {
        throw scanner.failure(
          "the map \"\(word.printable)\", expected \"identity\", a number or a list of rows")
      }
      return .identity
    case .object: return .smooth(try smoothMap())
    case .other:
      throw scanner.unexpected("a map: \"identity\", a number, a list of rows or an object")
    }
  }

  mutating func weight() throws(ArrayFileError) -> InnerProduct {
    guard scanner.nextKind() == .array else { return .scalar(try scanner.number()) }
    var (list, rows) = ([Double](), [[Double]]())
    try scanner.take("[")
    while try scanner.hasNext(before: "]", after: list.count + rows.count) {
      if scanner.nextKind() == .array {
        rows.append(try numbers())
      } else {
        list.append(try scanner.number())
      }
    }
    guard !rows.isEmpty else { return .diagonal(list) }
    guard list.isEmpty && rows.allSatisfy({ $0.count == rows.count }) else {
      throw scanner.failure("a weight that is no square matrix, expected a number, a list or rows")
    }
    return .matrix(Matrix(rows))
  }

  /// A map between stalks of known dimensions.
  static func map(
    _ map: ReadMap, rows m: Int, columns n: Int, _ problem: (String) -> ArrayFileError
  ) throws(ArrayFileError) -> RestrictionMap {
    switch map {
    case .identity: return .identity
    case .scalar(let s): return .scalar(s)
    case .smooth: throw problem("a map that is an object, expected a linear one")
    case .rows(let rows):
      let width = rows.first?.count ?? n
      guard rows.allSatisfy({ $0.count == width }) else {
        throw problem("rows of different lengths, expected a matrix of shape (\(m), \(n))")
      }
      return .matrix(Matrix(rows: rows.count, columns: width, rowMajor: rows.flatMap { $0 }))
    }
  }

  /// A map that need not be linear between stalks of known dimensions.
  static func smooth(
    _ map: ReadMap, rows m: Int, columns n: Int, _ problem: (String) -> ArrayFileError
  ) throws(ArrayFileError) -> any SmoothMap {
    if case .smooth(let map) = map { return map }
    return AffineMap(try self.map(map, rows: m, columns: n, problem))
  }
}

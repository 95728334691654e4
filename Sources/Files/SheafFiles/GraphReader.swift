import ArrayFiles
import CellComplexes
import CellularSheaves
import Foundation

/// A plain graph from a file, on which the sheaf is constant.
struct GraphReader {
  /// The ends of each edge, one or two.
  private var edges: [[String]] = []
  private var vertices: [String] = []
  private var file = ""

  /// A graph from its edges and perhaps vertices without any.
  init(edges: [[String]], vertices: [String]) { (self.edges, self.vertices) = (edges, vertices) }

  /// A table of edges: the first two columns are the ends, separated by commas, semicolons or tabs, or by spaces. A first
  /// line with the words source and target, or from and to, is a header.
  init(table data: Data, file: String) throws(ArrayFileError) {
    self.file = file
    guard let text = String(data: data, encoding: .utf8) else {
      throw ArrayFileError(file: file, problem: "is not UTF-8, expected a table of edges")
    }
    for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .enumerated()
    {
      let words = Self.words(line)
      guard !words.isEmpty, !words[0].hasPrefix("#") else { continue }
      if edges.isEmpty && Self.headings.contains(words.prefix(2).map { $0.lowercased() }) {
        continue
      }
      guard words.count >= 2, !words[0].isEmpty, !words[1].isEmpty else {
        throw ArrayFileError(
          file: file,
          problem: "line \(number + 1): \"\(line.printable)\", expected the two ends of an edge")
      }
      edges.append(Array(words.prefix(2)))
    }
  }

  private static let headings = [
    ["source", "target"], ["from", "to"], ["tail", "head"], ["u", "v"],
  ]

  private static func words(_ line: Substring) -> [String] {
    let separator = [",", ";", "\t"].first { line.contains($0) }
    let parts =
      separator.map { line.split(separator: $0, omittingEmptySubsequences: false) }
      ?? line.split(whereSeparator: \.isWhitespace)
    return parts.map { part in
      var word = part.drop { $0.isWhitespace }
      while word.last?.isWhitespace == true { word.removeLast() }
      if word.count >= 2 && word.first == "\"" && word.last == "\"" {
        word = word.dropFirst().dropLast()
      }
      return String(word)
    }.filter { !($0.isEmpty && parts.count == 1) }
  }

  /// A graph from GraphML (Brandes et al. 2002): the elements `node` and `edge`; what else there is, keys and data, is
  /// passed over.
  init(graphML data: Data, file: String) throws(ArrayFileError) {
    self.file = file
    var tags = XMLTags(data, file: file)
    var isGraph = false
    while let tag = try tags.next() {
      switch tag.name {
      case "graph": isGraph = true
      case "node":
        guard let id = tag.attributes["id"] else {
          throw ArrayFileError(file: file, problem: "a node without id, expected one")
        }
        vertices.append(id)
      case "edge":
        guard let source = tag.attributes["source"], let target = tag.attributes["target"] else {
          throw ArrayFileError(
            file: file, problem: "an edge without source or target, expected both")
        }
        edges.append([source, target])
      case "hyperedge":
        throw ArrayFileError(file: file, problem: "a hyperedge, expected edges with two ends")
      default: break
      }
    }
    guard isGraph else {
      throw ArrayFileError(file: file, problem: "no element graph found, expected GraphML")
    }
    let known = Set(vertices)
    guard known.count == vertices.count else {
      throw ArrayFileError(file: file, problem: "two nodes have one id, expected different ones")
    }
    if let missing = edges.joined().first(where: { !known.contains($0) }) {
      throw ArrayFileError(
        file: file, problem: "an edge ends at \"\(missing.printable)\", expected the id of a node")
    }
  }

  func sheaf() throws(ArrayFileError) -> CellularSheaf {
    try sheaf(1) { ArrayFileError(file: file, problem: $0) }
  }

  func sheaf(_ stalk: Int, _ scanner: JSONScanner) throws(ArrayFileError) -> CellularSheaf {
    try sheaf(stalk) { scanner.failure($0) }
  }

  private func sheaf(
    _ stalk: Int, _ failure: (String) -> ArrayFileError
  ) throws(ArrayFileError) -> CellularSheaf {
    var (names, places) = ([String](), [String: Int]())
    func place(_ name: String) -> Int {
      if let known = places[name] { return known }
      places[name] = names.count
      names.append(name)
      return names.count - 1
    }
    for vertex in vertices {
      guard places[vertex] == nil else {
        throw failure("\(CellComplexError.repeatedName(vertex.printable))")
      }
      _ = place(vertex)
    }
    var (ends, edgeNames, copies) = ([(Int, Int?)](), [String](), [String: Int]())
    for edge in edges {
      guard edge.count == 1 || edge.count == 2 else {
        throw failure("an edge with \(edge.count) ends, expected two, or one if it is half-open")
      }
      ends.append((place(edge[0]), edge.count == 2 ? place(edge[1]) : nil))
      let name = edge.joined(separator: ",") + (edge.count == 1 ? "," : "")
      copies[name, default: 0] += 1
      edgeNames.append(copies[name]! == 1 ? name : "\(name)#\(copies[name]!)")
    }
    if let name = edgeNames.first(where: { places[$0] != nil }) {
      throw failure(
        "a vertex and an edge are both called \"\(name.printable)\", expected other ids")
    }
    guard stalk <= SheafReader.dimensionLimit / max(1, names.count + edges.count) else {
      throw failure("a stalk of dimension \(stalk), expected a smaller one")
    }
    do {
      let complex = try CellComplex.graph(
        vertices: names.count, edges: ends, names: names + edgeNames)
      return .constant(stalk, on: complex)
    } catch {
      throw failure("\(error)".oneLine)
    }
  }
}

import ArgumentParser
import ArrayFiles
import Figures
import Foundation
import LinearAlgebra
import NeuralSheaves

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show the sheaf of a network: its stalks, edges and restriction maps.",
    discussion: """
      An edge's restriction maps are [R | diag c] from its source and a projection from its target, \
      with as many rows as the edge's stalk has dimensions.
      Example: sheaf inspect network.onnx --figure network.svg
      """)

  @OptionGroup var network: NetworkOptions
  @Option(
    help: ArgumentHelp(
      "Draw the graph into an .svg, .pdf or .png file by Graphviz, or write its .dot file.",
      discussion: "Without Graphviz the .dot file is written beside it."))
  var figure: String?
  @Flag(help: "Print one JSON object.") var json = false

  /// What is shown of an edge.
  private struct Row {
    let name, kind, operation, from, to: String
    let dimension: Int
    /// Columns of the two restriction maps; nil for the smooth output edge, which has none.
    let columns: (source: Int, target: Int)?
    let parameters: Int
  }

  func run() throws {
    var files = CallFiles()
    network.declare(in: &files)
    try files.writes("--figure", figure, extensions: ["svg", "pdf", "png", "dot"])
    files.prints("--json", json)
    try files.check()
    let path = network.network
    let network = try network.load()
    var delivery = Delivery()
    if let figure {
      let title = URL(fileURLWithPath: path).lastPathComponent
      delivery.put { try draw(GraphDrawing(network, title: title), to: figure) }
    }
    if json {
      delivery.put { try JSONOutput.print(object(of: network)) }
    } else {
      delivery.print(text(of: network))
    }
    try delivery.end()
  }

  /// Writes a drawing as the name's ending says; where there is no Graphviz, its graph for later.
  private func draw(_ drawing: GraphDrawing, to path: String) throws {
    let dot = Data(drawing.dot.utf8)
    guard let format = Graphviz.Format(rawValue: String(path.lowercased().suffix(3))) else {
      return try ArrayFile.write(dot, to: path)
    }
    do {
      try ArrayFile.write(try Graphviz.draw(drawing.dot, as: format), to: path)
    } catch let missing as DrawingFailure where missing.isMissing {
      let graph = String(path.dropLast(3)) + "dot"
      let found = FileManager.default.contents(atPath: graph)
      guard found == nil || found == dot else {
        throw ArrayFileError(
          file: path,
          problem: "is not drawn, since \(missing), and \(graph) is in use")
      }
      try ArrayFile.write(dot, to: graph)
      throw ArrayFileError(
        file: path,
        problem: "is not drawn, since \(missing); its graph is in \(graph) for "
          + "dot -T\(format.rawValue) -o \(path) \(graph)")
    } catch let failure as DrawingFailure {
      throw ArrayFileError(file: path, problem: "is not drawn: \(failure)")
    }
  }

  private func vertices(of network: Network) -> [(name: String, dimension: Int)] {
    network.vertices.map { ($0.name, $0.dimension) }
      + (network.outputActivation == .identity
        ? [] : [(network.outputName, network.outputDimension)])
  }

  private func object(of network: Network) -> [String: Any] {
    [
      "vertices": vertices(of: network).map {
        ["name": $0.name, "dimension": $0.dimension] as [String: Any]
      },
      "edges": rows(of: network).map { row in
        var edge: [String: Any] = [
          "name": row.name, "kind": row.kind, "operation": row.operation, "from": row.from,
          "to": row.to, "dimension": row.dimension, "parameters": row.parameters,
        ]
        if let columns = row.columns {
          edge["restrictionMaps"] = [
            "from": [row.dimension, columns.source], "to": [row.dimension, columns.target],
          ]
        }
        return edge
      },
      "freeDimension": network.freeDimension, "parameters": network.parameterCount,
      "outputActivation": network.outputActivation.rawValue, "aliases": aliases(of: network),
      "classNames": network.classNames,
    ]
  }

  private func text(of network: Network) -> String {
    let names = network.aliases.isEmpty ? nil : aliases(of: network)
    let stalks =
      [["vertex", "dimension"] + (names == nil ? [] : ["in the file"])]
      + vertices(of: network).map { vertex in
        [vertex.name, "\(vertex.dimension)"]
          + (names.map { [shortened($0[vertex.name, default: []].filter { $0 != vertex.name })] }
            ?? [])
      }
    let edges =
      [["edge", "kind", "operation", "from", "to", "map from", "map to", "parameters"]]
      + rows(of: network).map { row in
        [
          row.name, row.kind, row.operation, row.from, row.to,
          row.columns.map { "\(row.dimension)×\($0.source)" } ?? "-",
          row.columns.map { "\(row.dimension)×\($0.target)" } ?? "-", "\(row.parameters)",
        ]
      }
    let classes =
      network.classNames.isEmpty ? [] : ["classes: " + shortened(network.classNames, to: 90)]
    let counts =
      "free dimension \(network.freeDimension), parameters \(network.parameterCount), output activation "
      + network.outputActivation.rawValue
    return ([TextOutput.table(stalks), TextOutput.table(edges)] + classes + [counts]).joined(
      separator: "\n\n")
  }

  private func rows(of network: Network) -> [Row] {
    let stalks = NeuralSheaf(network).augmentedDimensions
    var rows = network.edges.enumerated().map { e, edge in
      Row(
        name: network.edgeName(e), kind: edge.operation.kind.rawValue,
        operation: edge.operation.summary, from: network.vertices[edge.source].name,
        to: network.vertices[edge.target].name, dimension: edge.operation.targetRows.count,
        columns: (stalks[edge.source], stalks[edge.target]),
        parameters: edge.operation.parameters.reduce(0) { $0 + $1.count })
    }
    if network.outputActivation != .identity {
      rows.append(
        Row(
          name: network.outputName, kind: OperationKind.output.rawValue,
          operation: network.outputActivation.rawValue,
          from: network.vertices[network.lastVertex].name, to: network.outputName,
          dimension: network.outputDimension, columns: nil, parameters: 0))
    }
    return rows
  }

  /// As many names as fit into so many characters.
  private func shortened(_ names: [String], to length: Int = 48) -> String {
    var text = ""
    for (k, name) in names.enumerated() {
      let next = (text.isEmpty ? "" : text + ", ") + name.printable
      guard text.isEmpty || next.count <= length else {
        return text + ", … (\(names.count - k) more)"
      }
      text = next
    }
    return text
  }

  /// The tensors' names by vertex.
  private func aliases(of network: Network) -> [String: [String]] {
    Dictionary(grouping: network.aliases.keys.sorted()) {
      let v = network.aliases[$0]!
      return v < network.vertices.count ? network.vertices[v].name : network.outputName
    }
  }
}

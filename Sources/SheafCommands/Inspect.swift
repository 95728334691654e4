import ArgumentParser
import LinearAlgebra
import NeuralSheaves

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show the sheaf of a network: its stalks and edges.",
    discussion: "Example: sheaf inspect network.npz --output-activation softmax")

  @OptionGroup var network: NetworkOptions
  @Flag(help: "Print one JSON object.") var json = false

  func run() throws {
    let network = try network.load()
    var vertices = network.vertices.map { ($0.name, $0.dimension) }
    var edges = network.edges.enumerated().map { e, edge in
      (
        network.edgeName(e), edge.operation.kind.rawValue, network.vertices[edge.source].name,
        network.vertices[edge.target].name, edge.operation.targetRows.count
      )
    }
    if network.outputActivation != .identity {
      let last = network.vertices[network.lastVertex]
      vertices.append((network.outputName, last.dimension))
      edges.append(
        (
          network.outputName, OperationKind.output.rawValue, last.name, network.outputName,
          last.dimension
        ))
    }
    if json {
      return try JSONOutput.print([
        "vertices": vertices.map { ["name": $0.0, "dimension": $0.1] as [String: Any] },
        "edges": edges.map {
          ["name": $0.0, "kind": $0.1, "from": $0.2, "to": $0.3, "dimension": $0.4]
            as [String: Any]
        },
        "freeDimension": network.freeDimension, "parameters": network.parameterCount,
        "outputActivation": network.outputActivation.rawValue,
      ])
    }
    print(TextOutput.table([["vertex", "dimension"]] + vertices.map { [$0.0, "\($0.1)"] }))
    print()
    print(
      TextOutput.table(
        [["edge", "kind", "from", "to", "dimension"]]
          + edges.map { [$0.0, $0.1, $0.2, $0.3, "\($0.4)"] }))
    print("\nfree dimension \(network.freeDimension), parameters \(network.parameterCount)")
  }
}

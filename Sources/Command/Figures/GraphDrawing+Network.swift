import NeuralSheaves

extension GraphDrawing {
  /// The graph of the neural sheaf of a network: a box for each stalk with its dimension, coloured
  /// by the operation that determines it; an arrow for each operation, with what it does; and the output edge, where φ is not the identity.
  public init(_ network: Network, title: String) {
    var vertices = network.vertices.map {
      Vertex(name: $0.name, detail: "\($0.dimension)", kind: "input")
    }
    var edges = network.edges.map { edge in
      let label = edge.operation.kind == .junction ? "" : edge.operation.summary
      return Edge(
        source: edge.source, target: edge.target, label: label,
        kind: edge.operation.kind.rawValue)
    }
    for edge in edges { vertices[edge.target].kind = edge.kind }
    if network.outputActivation != .identity {
      vertices.append(
        Vertex(
          name: network.outputName, detail: "\(network.outputDimension)",
          kind: OperationKind.output.rawValue))
      edges.append(
        Edge(
          source: network.lastVertex, target: vertices.count - 1,
          label: "φ = \(network.outputActivation.rawValue)", kind: OperationKind.output.rawValue))
    }
    self.init(vertices: vertices, edges: edges, title: title)
  }
}

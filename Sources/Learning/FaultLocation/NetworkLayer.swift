import NeuralSheaves

/// A layer of a network: an edge with weights, and what follows up to the next.
public struct NetworkLayer: Sendable, Equatable {
  /// The name of the vertex that the edge with weights determines, such as `z2`.
  public let name: String
  /// The edge with weights.
  public let edge: Int
  /// The edges with parameters, that one first: normalisations and trained slopes that follow are part of the layer.
  public let trained: [Int]
  /// All edges of the layer, ascending.
  public let edges: [Int]
}

extension Network {
  /// The layers, in the order of the edges.
  ///
  /// Every edge belongs to the layer of what it reads, and those before the first layer to the first. In a residual
  /// sum what follows it belongs to the branch that comes last.
  public var layers: [NetworkLayer] {
    let heads = edges.indices.filter {
      edges[$0].operation.kind == .affine && edges[$0].operation.parameterNames.contains("weight")
    }
    guard !heads.isEmpty else { return [] }
    var members = [[Int]](repeating: [], count: heads.count)
    var owner = [Int](repeating: 0, count: vertices.count)
    var next = 0
    for (e, edge) in edges.enumerated() {
      var layer = owner[edge.source]
      if next < heads.count && heads[next] == e {
        layer = next
        next += 1
      }
      members[layer].append(e)
      owner[edge.target] = max(owner[edge.target], layer)
    }
    return heads.enumerated().map { l, head in
      NetworkLayer(
        name: vertices[edges[head].target].name, edge: head,
        trained: [head]
          + members[l].filter { $0 != head && !edges[$0].operation.parameterNames.isEmpty },
        edges: members[l])
    }
  }
}

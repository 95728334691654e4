import NeuralSheaves

extension Network {
  /// How many channels the coordinates of each vertex fall into, of equal size and one after the other: the filters of the convolution or
  /// the features of the dense layer that it comes from; all coordinates, each by itself, where nothing says otherwise.
  var channelCounts: [Int] {
    var counts = vertices.map(\.dimension)
    for v in vertices.indices.dropFirst() {
      guard incoming[v].count == 1, let e = incoming[v].first else { continue }
      let operation = edges[e].operation
      // Coordinates in another order fall into no blocks.
      guard !(operation is Relabelled) else { continue }
      switch operation.kind {
      case .affine:
        // One bias, or one scale, for each channel.
        if let i = operation.parameterNames.firstIndex(where: { $0 == "bias" || $0 == "shift" }) {
          counts[v] = operation.parameters[i].rows
        } else if operation.targetDimension == operation.sourceDimension {
          counts[v] = counts[edges[e].source]
        }
      case .activation, .pooling: counts[v] = counts[edges[e].source]
      case .junction, .output: break
      }
      if counts[v] == 0 || vertices[v].dimension % counts[v] != 0 {
        counts[v] = vertices[v].dimension
      }
    }
    return counts
  }
}

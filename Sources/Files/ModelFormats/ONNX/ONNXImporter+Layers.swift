import ArrayFiles
import LinearAlgebra
import NetworkKernels
import NeuralSheaves

/// Convolutions, normalisation.
extension ONNXImporter {
  mutating func convolution(
    _ node: ONNXNode, _ x: ONNXInputs
  ) throws(ArrayFileError) -> [ONNXValue] {
    let q = try x.quantity(0)
    let w = try x.weights(1, "weight")
    let spatial = q.shape.count - 1
    guard (1...3).contains(spatial), w.shape.count == spatial + 2 else {
      throw node.failure(
        "shapes \(ONNXShapes.describe(q.layout, batch)) and \(w.shape), expected images of "
          + "one to three dimensions and a weight with as many")
    }
    let kernel = Array(w.shape.dropFirst(2))
    if let given = try node.integers("kernel_shape"), given != kernel {
      throw node.failure("kernel_shape \(given) with a weight of shape \(w.shape)")
    }
    let groups = try node.integer("group") ?? 1
    let (filters, channels) = (w.shape[0], q.shape[0])
    guard groups > 0, filters > 0, channels % groups == 0, filters % groups == 0,
      w.shape[1] == channels / groups
    else {
      throw node.failure(
        "a weight of shape \(w.shape) in \(groups) groups for \(channels) channels, expected "
          + "\(groups > 0 ? "\(channels / max(groups, 1))" : "?") along axis 1")
    }
    let window = try window(node, q, kernel: kernel)
    let convolution = Convolution(window: window, filters: filters, groups: groups)
    var bias = [Double](repeating: 0, count: filters)
    if x.values.count > 2, x.values[2] != nil {
      bias = try x.weights(2, "bias").reals
      guard bias.count == filters else {
        throw node.failure("\(bias.count) biases for \(filters) filters")
      }
    }
    let weight = w.matrix(rows: convolution.filterSize, columns: filters, isRowMajor: false)
    return [
      .quantity(
        try append(
          Convolutional(convolution, weight: weight, bias: bias), to: q,
          shape: [filters] + extents(of: window.output, spatial), for: node))
    ]
  }

  mutating func batchNormalization(
    _ node: ONNXNode, _ x: ONNXInputs
  ) throws(ArrayFileError) -> [ONNXValue] {
    let q = try x.quantity(0)
    // Before operator set 14 training shows in the further outputs.
    guard try node.integer("training_mode") ?? 0 == 0,
      node.outputs.count(where: { !$0.isEmpty }) == 1
    else {
      throw node.failure("is in training mode; export the network in evaluation mode")
    }
    // In operator set 7 there may be one number for each coordinate.
    let spatial = try node.integer("spatial") ?? 1
    let isSpatial = node.operatorSet >= 9 || spatial != 0
    let channels = isSpatial ? q.shape.first ?? 0 : q.size
    var lists: [[Double]] = []
    for (i, name) in ["scale", "bias", "mean", "variance"].enumerated() {
      lists.append(try x.weights(i + 1, name).reals)
      guard lists[i].count == channels else {
        throw node.failure("\(lists[i].count) numbers as \(name), expected \(channels)")
      }
    }
    // Statistics are no parameters.
    origins = try x.weights(1, "scale").origins.union(try x.weights(2, "bias").origins)
    let epsilon = try node.real("epsilon") ?? 1e-5
    guard lists[3].allSatisfy({ $0 + epsilon > 0 }) else {
      throw node.failure("a variance that is negative")
    }
    let scale = lists[0].indices.map { lists[0][$0] / (lists[3][$0] + epsilon).squareRoot() }
    let shift = scale.indices.map { lists[1][$0] - lists[2][$0] * scale[$0] }
    try reserve(2 * q.size, for: node)
    return [
      .quantity(
        try append(
          ChannelAffine(
            scale: scale, shift: shift, extent: q.size / scale.count,
            isTrained: !marks.constants.contains(node.name)),
          to: q, shape: q.shape, for: node))
    ]
  }
}

import ArrayFiles
import LinearAlgebra
import NeuralSheaves

/// Dense and convolutional layers, normalisation.
extension ONNXImporter {
  mutating func gemm(_ node: ONNXNode, _ x: ONNXInputs) throws(ArrayFileError) -> [ONNXValue] {
    let q = try x.quantity(0)
    let b = try x.weights(1, "weight")
    guard try node.integer("transA") ?? 0 == 0 else {
      throw node.failure("transposes its first input, which mixes the batch with other axes")
    }
    guard q.shape.count == 1, b.shape.count == 2 else {
      throw node.failure(
        "shapes \(ONNXShapes.describe([batch] + q.shape, batch)) and \(b.shape), expected two axes")
    }
    let isTransposed = try node.integer("transB") ?? 0 != 0
    let (outputs, inputs) = isTransposed ? (b.shape[0], b.shape[1]) : (b.shape[1], b.shape[0])
    guard inputs == q.size else {
      throw node.failure(
        "a weight of shape \(b.shape) for \(q.size) coordinates, expected \(q.size) along axis "
          + (isTransposed ? "1" : "0"))
    }
    var weight =
      isTransposed
      ? Matrix(rows: outputs, columns: inputs, rowMajor: b.reals)
      : Matrix(rows: outputs, columns: inputs, columnMajor: b.reals)
    let alpha = try node.real("alpha") ?? 1
    if alpha != 1 { weight.scale(by: alpha) }
    var bias = [Double](repeating: 0, count: outputs)
    if x.values.count > 2, x.values[2] != nil {
      let c = try x.weights(2, "bias")
      let beta = try node.real("beta") ?? 1
      guard let shape = broadcastShape(c.shape, [1, outputs]), shape == [1, outputs] else {
        throw node.failure("a bias of shape \(c.shape) for \(outputs) outputs")
      }
      bias = c.reals(broadcastTo: shape).map { beta == 1 ? $0 : beta * $0 }
    }
    return [
      .quantity(
        try append(Dense(weight: weight, bias: bias), to: q, shape: [outputs], for: node))
    ]
  }

  mutating func matrixProduct(
    _ node: ONNXNode, _ x: ONNXInputs
  ) throws(ArrayFileError) -> [ONNXValue] {
    if x.values.count == 2, case .constant? = x.values[0] { return try leftProduct(node, x) }
    let q = try x.quantity(0)
    guard x.values.count == 2, case .constant? = x.values[1] else {
      throw node.failure(
        "multiplies computed tensors, which is not piecewise linear; expected a constant weight")
    }
    let b = try x.weights(1, "weight")
    guard b.shape.count == 2, b.shape[0] == q.shape.last else {
      throw node.failure(
        "shapes \(ONNXShapes.describe([batch] + q.shape, batch)) and \(b.shape), expected the "
          + "second to have two axes, the first of \(q.shape.last ?? 0)")
    }
    let (inputs, outputs) = (b.shape[0], b.shape[1])
    let weight = Matrix(rows: outputs, columns: inputs, columnMajor: b.reals)
    let bias = [Double](repeating: 0, count: outputs)
    if q.shape.count == 1 {
      return [
        .quantity(
          try append(Dense(weight: weight, bias: bias), to: q, shape: [outputs], for: node))
      ]
    }
    // The same matrix for each row: a pointwise convolution whose channels are the columns.
    let rows = q.size / inputs
    let columnsFirst = viewed(q, as: q.view.reshaped([rows, inputs]).transposed([1, 0]))
    let result = try append(
      pointwise(weight.transposed, bias, places: rows), to: columnsFirst, shape: [outputs, rows],
      for: node)
    let rowsFirst = viewed(result, as: result.view.transposed([1, 0]))
    return [
      .quantity(viewed(rowsFirst, as: rowsFirst.view.reshaped(q.shape.dropLast() + [outputs])))
    ]
  }

  /// A constant matrix times the last two axes of a quantity.
  private mutating func leftProduct(
    _ node: ONNXNode, _ x: ONNXInputs
  ) throws(ArrayFileError) -> [ONNXValue] {
    let a = try x.weights(0, "weight")
    let q = try x.quantity(1)
    guard a.shape.count == 2, q.shape.count == 2, a.shape[1] == q.shape[0] else {
      throw node.failure(
        "shapes \(a.shape) and \(ONNXShapes.describe([batch] + q.shape, batch)), expected "
          + "(m, n) and (batch, n, k)")
    }
    let bias = [Double](repeating: 0, count: a.shape[0])
    let weight = Matrix(rows: a.shape[1], columns: a.shape[0], columnMajor: a.reals)
    return [
      .quantity(
        try append(
          pointwise(weight, bias, places: q.shape[1]), to: q, shape: [a.shape[0], q.shape[1]],
          for: node))
    ]
  }

  private func pointwise(_ weight: Matrix, _ bias: [Double], places: Int) -> Convolutional {
    let window = SlidingWindow(
      channels: weight.rows, image: Extent(1, places), kernel: Extent(1, 1))
    return Convolutional(
      Convolution(window: window, filters: weight.columns), weight: weight, bias: bias)
  }

  mutating func convolution(
    _ node: ONNXNode, _ x: ONNXInputs
  ) throws(ArrayFileError) -> [ONNXValue] {
    let q = try x.quantity(0)
    let w = try x.weights(1, "weight")
    let spatial = q.shape.count - 1
    guard (1...2).contains(spatial), w.shape.count == spatial + 2 else {
      throw node.failure(
        "shapes \(ONNXShapes.describe([batch] + q.shape, batch)) and \(w.shape), expected images of "
          + "one or two dimensions and a weight with as many")
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
    let weight = Matrix(rows: convolution.filterSize, columns: filters, columnMajor: w.reals)
    return [
      .quantity(
        try append(
          Convolutional(convolution, weight: weight, bias: bias), to: q,
          shape: [filters] + extents(window, spatial), for: node))
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
    var lists: [[Double]] = []
    for (i, name) in ["scale", "bias", "mean", "variance"].enumerated() {
      lists.append(try x.weights(i + 1, name).reals)
      guard lists[i].count == q.shape.first else {
        throw node.failure("\(lists[i].count) numbers as \(name), expected \(q.shape.first ?? 0)")
      }
    }
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

import ArrayFiles
import LinearAlgebra
import NeuralSheaves

/// What the operators use to build.
extension ONNXImporter {
  /// Appends an operation; the result has the order of its vertex, and its batch where the source
  /// has it.
  mutating func append(
    _ operation: any NetworkOperation, to q: ONNXQuantity, shape: [Int], for node: ONNXNode
  ) throws(ArrayFileError) -> ONNXQuantity {
    try reserve(operation.targetDimension + 4 * (q.order?.count ?? 0), for: node)
    if let i = operation.parameters.firstIndex(where: { $0.firstNonFinite != nil }) {
      throw node.failure("its \(operation.parameterNames[i]) is not finite in double")
    }
    let whole =
      q.order.map {
        Relabelled(operation, order: $0, sourceDimension: network.vertices[q.vertex].dimension)
      } ?? operation
    var layout = q.layout
    layout.sample = shape
    let result = ONNXQuantity(vertex: network.append(whole, to: q.vertex), layout: layout)
    if !operation.parameterNames.isEmpty { markParametersOfLastEdge() }
    return result
  }

  /// Remembers which constants the parameters of the last edge come from.
  private mutating func markParametersOfLastEdge() {
    let edge = network.edges.count - 1
    for name in origins where edgesWithParameters[name]?.last != edge {
      edgesWithParameters[name, default: []].append(edge)
    }
  }

  /// Appends an operation that treats all coordinates alike: its result keeps the order of a
  /// source whose coordinates are only permuted.
  mutating func appendElementwise(
    to q: ONNXQuantity, for node: ONNXNode, _ operation: (Int) -> any NetworkOperation
  ) throws(ArrayFileError) -> ONNXQuantity {
    guard let order = q.order,
      q.view.isPermutation(count: network.vertices[q.vertex].dimension)
    else { return try append(operation(q.size), to: q, shape: q.shape, for: node) }
    var base = q
    base.order = nil
    var result = try append(operation(q.size), to: base, shape: q.shape, for: node)
    result.order = order
    return result
  }

  /// Appends the direct sum of quantities.
  mutating func appendJunction(
    of parts: [ONNXQuantity], for node: ONNXNode
  ) throws(ArrayFileError) -> Int {
    try reserve(parts.reduce(0) { $0 + $1.size + 4 * ($1.order?.count ?? 0) }, for: node)
    return network.appendJunction(of: parts.map { (source: $0.vertex, order: $0.order) })
  }

  /// A quantity under another order of its vertex.
  func viewed(_ q: ONNXQuantity, as view: TensorView) -> ONNXQuantity {
    var result = q
    result.shape = view.shape
    result.order =
      view.isIdentity(count: network.vertices[q.vertex].dimension) ? nil : view.indices
    return result
  }

  /// Repeats a quantity to a shape that its sample broadcasts to.
  mutating func expanded(
    _ q: ONNXQuantity, to shape: [Int], for node: ONNXNode
  ) throws(ArrayFileError) -> ONNXQuantity {
    if q.shape == shape { return q }
    try reserve(elementCount(shape, limit: Self.sizeLimit) ?? .max, for: node)
    return viewed(q, as: q.view.expanded(to: shape))
  }

  /// The inputs of a node that broadcasts (NumPy's rule, the batches aligned): the common shape,
  /// and each input with a sample of as many axes, not yet repeated to it.
  func broadcast(
    _ node: ONNXNode, _ x: ONNXInputs
  ) throws(ArrayFileError) -> (common: TensorShape, values: [ONNXValue]) {
    var quantities: [Int: ONNXQuantity] = [:]
    var constants: [Int: ONNXConstant] = [:]
    for (i, value) in x.values.enumerated() {
      switch value {
      case .quantity: quantities[i] = try x.tensor(i)
      case .constant(let c):
        guard c.alternative == nil else {
          throw node.failure("input \(i) depends on the number of samples, which mixes them")
        }
        constants[i] = c
      case nil: throw node.failure("lacks input \(i)")
      }
    }
    func layouts(isWhole: Bool) -> [TensorShape] {
      x.values.indices.map { i in
        if let q = quantities[i] { return isWhole ? q.layout.whole : q.layout }
        return isWhole ? constants[i]!.layout.whole : constants[i]!.layout
      }
    }
    // A constant of a fixed batch has a number for each sample, which must be the same.
    if batch > 1, let q = quantities.values.first, let k = q.layout.batchAxis {
      for (i, c) in constants where c.batchAxis == nil {
        let axis = k + c.layout.rank - q.layout.rank
        guard axis >= 0, c.shape[axis] != 1 else { continue }
        guard !q.layout.isMerged, c.shape[axis] == batch,
          var row = c.withoutRepetition(along: axis)
        else {
          throw node.failure(
            "combines \(ONNXShapes.describe(q.layout, batch)) with a constant of shape \(c.shape), "
              + "which tells samples apart")
        }
        row.batchAxis = axis
        constants[i] = row
      }
    }
    guard
      let (common, samples) = TensorShape.broadcast(layouts(isWhole: false))
        ?? (batch == 1 ? TensorShape.broadcast(layouts(isWhole: true)) : nil),
      elementCount(common.sample, limit: Self.sizeLimit) != nil
    else {
      let shapes = layouts(isWhole: false).map { ONNXShapes.describe($0, batch) }
      throw node.failure(
        "combines shapes \(shapes.prefix(8).joined(separator: " and ")), expected shapes that "
          + "broadcast and batches that meet")
    }
    let values = x.values.indices.map { i -> ONNXValue in
      if var q = quantities[i] {
        q.layout = common
        q.shape = samples[i]
        return .quantity(q)
      }
      var c = constants[i]!
      (c.shape, c.batchAxis) = (samples[i], nil)
      return .constant(c)
    }
    return (common, values)
  }

  /// Adds a constant to the bias of the product that made a quantity, where exporters left the two
  /// apart: nothing else reads the product, and the constant has one number for each of its rows.
  /// Says whether it did.
  mutating func absorbBias(_ shift: ONNXConstant, _ q: ONNXQuantity, _ node: ONNXNode) -> Bool {
    for name in node.inputs {
      guard let (vertex, axis) = biasless[name], vertex == q.vertex,
        shift.count > 1
          || network.vertices[vertex].dimension == 1, addBias(shift, to: q, axis: axis)
      else { continue }
      // With its bias the vertex is not the bare product any more.
      network.removeAlias(name)
      return true
    }
    return false
  }

  /// Adds a constant to the bias of the last operation, which made q and has its outputs along an
  /// axis of q's sample, where the constant differs along that axis alone. Says whether it did.
  mutating func addBias(_ shift: ONNXConstant, to q: ONNXQuantity, axis: Int) -> Bool {
    guard let edge = network.edges.last, edge.target == q.vertex,
      edge.operation.parameterNames == ["weight", "bias"], q.shape.indices.contains(axis)
    else { return false }
    let outputs = edge.operation.parameters[1].count
    let shape = [Int](repeating: 1, count: max(0, q.shape.count - shift.shape.count)) + shift.shape
    guard q.shape[axis] == outputs, shape.count == q.shape.count,
      shape.indices.allSatisfy({ shape[$0] == 1 || $0 == axis })
    else { return false }
    let bias = ONNXConstant(shape: [shift.count], shift.values).reals(broadcastTo: [outputs])
    network.updateParameters(of: network.edges.count - 1) { i, w in
      if i == 1 { w.add(Matrix(column: bias)) }
    }
    markParametersOfLastEdge()
    return true
  }

  /// Remembers that a result has no bias yet, which would lie along an axis of the sample.
  mutating func markBiasless(_ node: ONNXNode, _ q: ONNXQuantity, axis: Int) {
    guard let name = node.outputs.first, name != output, graph.readers[name]?.count == 1 else {
      return
    }
    biasless[name] = (q.vertex, axis)
  }
}

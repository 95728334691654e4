import ArrayFiles
import LinearAlgebra
import NeuralSheaves

/// Concatenation of computed tensors and constants.
extension ONNXImporter {
  mutating func concatenation(
    _ node: ONNXNode, _ x: ONNXInputs
  ) throws(ArrayFileError) -> [ONNXValue] {
    guard let given = try node.integer("axis"), x.values.count > 0 else {
      throw node.failure("expected inputs and an axis")
    }
    if x.values.count == 1 { return [.quantity(try x.tensor(0))] }
    // Where the batch is one, every axis is the sample's.
    var parts: [(q: ONNXQuantity?, c: ONNXConstant?, layout: TensorShape)] = []
    for (i, value) in x.values.enumerated() {
      switch value {
      case .quantity:
        var q = try x.tensor(i)
        if batch == 1 { q.layout = q.layout.whole }
        parts.append((q, nil, q.layout))
      case .constant(let c):
        parts.append((nil, c.count == 0 ? c : try x.operand(i, "constant"), c.layout))
      case nil: throw node.failure("lacks input \(i)")
      }
    }
    guard var common = parts.first(where: { $0.q != nil })?.layout else {
      throw node.failure("expected a computed tensor")
    }
    let full = try node.axis(given, rank: common.rank)
    guard let axis = common.sampleAxis(full) else {
      throw node.failure("joins along the batch, axis \(full)")
    }
    for i in parts.indices {
      if let c = parts[i].c, c.batchAxis == nil, let k = common.batchAxis,
        c.shape.count == common.rank
      {
        // A row for each sample of a fixed batch.
        guard !common.isMerged, c.shape[k] == batch, let row = c.withoutRepetition(along: k) else {
          throw node.failure("joins a constant of shape \(c.shape), which tells samples apart")
        }
        parts[i] = (nil, row, TensorShape(sample: row.shape, batchAxis: k))
      }
      let layout = parts[i].layout
      guard layout.batchAxis == common.batchAxis, layout.isMerged == common.isMerged else {
        throw node.failure(
          "joins \(ONNXShapes.describe(common, batch)) and \(ONNXShapes.describe(layout, batch)), "
            + "whose batches do not meet")
      }
    }
    guard let shape = joinedShape(parts.map(\.layout.sample), axis: axis) else {
      throw node.failure(
        "joins shapes \(parts.prefix(8).map(\.layout.sample)) of a sample along axis \(axis)")
    }
    common.sample = shape
    guard let size = elementCount(shape, limit: Self.sizeLimit) else {
      throw node.failure("makes more than 2^26 coordinates")
    }
    let quantities = parts.compactMap(\.q)
    var whole: ONNXQuantity
    if quantities.count == 1 {
      whole = quantities[0]
    } else {
      let junction = try appendJunction(of: quantities, for: node)
      whole = ONNXQuantity(vertex: junction, layout: common)
      // The junction holds one part after the other: along the first axis that is the order
      // already.
      if shape[..<axis].allSatisfy({ $0 == 1 }) && quantities.count == parts.count {
        return [.quantity(whole)]
      }
    }
    try reserve(size, for: node)
    return [
      .quantity(try interleaved(parts.map { ($0.layout.sample, $0.c) }, whole, common, axis, node))
    ]
  }

  /// Parts in the order of their concatenation: coordinates of `source`, which has those that are
  /// computed one after the other, and constants.
  private mutating func interleaved(
    _ parts: [(shape: [Int], constant: ONNXConstant?)], _ source: ONNXQuantity,
    _ layout: TensorShape, _ axis: Int, _ node: ONNXNode
  ) throws(ArrayFileError) -> ONNXQuantity {
    let outer = layout.sample[..<axis].reduce(1, *)
    var indices: [Int32] = []
    var shifts: [Double] = []
    let numbers = parts.map { $0.constant?.reals ?? [] }
    for o in 0..<outer {
      var start = 0
      for (part, reals) in zip(parts, numbers) {
        let size = part.shape.reduce(1, *)
        let block = size / outer
        let places = o * block..<(o + 1) * block
        if part.constant != nil {
          indices += repeatElement(-1, count: block)
          shifts += reals[places]
        } else {
          indices += places.map { i in
            source.order.map { $0[start + i] } ?? Int32(start + i)
          }
          shifts += repeatElement(0, count: block)
          start += size
        }
      }
    }
    var result = source
    result.layout = layout
    result = viewed(result, as: TensorView(shape: layout.sample, indices: indices))
    guard shifts.contains(where: { $0 != 0 }) else { return result }
    return try shifted(result, by: shifts, for: node)
  }

  /// A quantity with zeros that are no coordinates of its vertex, and numbers added to it.
  mutating func shifted(
    _ q: ONNXQuantity, by shifts: [Double], for node: ONNXNode
  ) throws(ArrayFileError) -> ONNXQuantity {
    let shift = ChannelAffine(
      scale: [Double](repeating: 1, count: shifts.count), shift: shifts, extent: 1,
      isTrained: false)
    return try append(shift, to: q, shape: q.shape, for: node)
  }
}

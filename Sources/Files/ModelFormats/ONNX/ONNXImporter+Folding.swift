import ArrayFiles

/// Nodes that work on constants.
extension ONNXImporter {
  /// The value of a node that works on constants.
  ///
  /// What depends on an open number of samples is worked out for two of them: so it is known which
  /// numbers do.
  mutating func fold(_ node: ONNXNode, _ inputs: [ONNXValue?]) throws(ArrayFileError) -> [ONNXValue]
  {
    let constants = inputs.map { value -> ONNXConstant? in
      if case .constant(let c)? = value { c } else { nil }
    }
    var results = try folded(node, constants, batch: batch)
    if constants.contains(where: { $0?.alternative != nil }) {
      let others = try folded(
        node,
        constants.map { c in
          var other = c
          if let values = c?.alternative { other?.values = values }
          return other
        }, batch: Self.otherBatch)
      for (i, other) in others.enumerated() {
        guard results[i].layout == other.layout else {
          throw node.failure(
            "makes a constant whose shape depends on the number of samples"
              + (node.type == "Range"
                ? " (export with a batch of 1, or by PyTorch with dynamo=True)" : ""))
        }
        results[i].alternative = results[i].values == other.values ? nil : other.values
      }
    }
    var origins = constants.reduce(into: Set<String>()) { $0.formUnion($1?.origins ?? []) }
    if node.type == "Constant", results.first?.integers == nil { origins = [node.outputs[0]] }
    let isChosen = ONNXShapes.operators.contains(node.type) || node.type == "Concat"
    let mayCountSamples = constants.contains { c in
      c.map { $0.mayCountSamples || (!isChosen && $0.alternative != nil) } ?? false
    }
    for i in results.indices {
      results[i].origins = origins
      results[i].mayCountSamples = mayCountSamples
      foldingRoom -= min(results[i].count, Self.sizeLimit + 1)
      guard foldingRoom >= 0 else {
        throw node.failure("the file's constants fold to more than 2^26 numbers")
      }
    }
    return results.map { .constant($0) }
  }

  private func folded(
    _ node: ONNXNode, _ constants: [ONNXConstant?], batch: Int
  ) throws(ArrayFileError) -> [ONNXConstant] {
    if ONNXShapes.operators.contains(node.type) {
      guard let x = constants.first ?? nil else { throw node.failure("lacks its input") }
      return try ONNXRearrangement(
        node, x.layout, batch: batch, isConstant: true, parameters: Array(constants.dropFirst()),
        limit: foldingRoom, view: { TensorView(shape: x.shape) }
      ).results().map { (result) throws(ArrayFileError) in
        guard !result.layout.isMerged else {
          throw node.failure("mixes the batch with other axes")
        }
        return result.view.map {
          x.chosen(by: $0, fill: result.fill, batchAxis: result.layout.batchAxis)
        } ?? x.reshaped(result.layout)
      }
    }
    if ONNXScatter.operators.contains(node.type) {
      let scatter = try ONNXScatter(
        node, constants.map { $0.map { .constant($0) } }, batch: batch)
      guard let value = scatter.folded() else { throw node.failure("expected constants") }
      return [value]
    }
    if node.type == "Concat" { return [try concatenated(node, constants)] }
    guard
      let value = try ONNXFolding.value(
        node, constants.compactMap { $0 }, reader: reader, limit: foldingRoom, batch: batch)
    else {
      throw node.failure(
        constants.first.flatMap { $0 } == nil
          ? "lacks its first input" : "works on constants alone, which is not supported")
    }
    return [value]
  }

  private func concatenated(
    _ node: ONNXNode, _ parts: [ONNXConstant?]
  ) throws(ArrayFileError) -> ONNXConstant {
    let list = parts.compactMap { $0 }
    guard list.count == parts.count, let first = list.first, !first.shape.isEmpty else {
      throw node.failure("expected constants with at least one axis")
    }
    guard list.allSatisfy({ $0.batchAxis == first.batchAxis }) else {
      throw node.failure("joins constants of which not all are as long as the batch")
    }
    let given = try node.axis(try node.integer("axis") ?? 0, rank: first.layout.rank)
    guard let axis = first.layout.sampleAxis(given) else {
      throw node.failure("joins along the batch, axis \(given)")
    }
    guard let whole = joinedShape(list.map(\.shape), axis: axis) else {
      throw node.failure("joins shapes \(list.prefix(8).map(\.shape)) along axis \(axis)")
    }
    let outer = whole[..<axis].reduce(1, *)
    func joined<T>(_ values: (ONNXConstant) -> [T]) -> [T] {
      let arrays = list.map(values)
      var result: [T] = []
      for o in 0..<outer {
        for a in arrays {
          let size = a.count / outer
          result += a[size * o..<size * (o + 1)]
        }
      }
      return result
    }
    return ONNXConstant(
      shape: whole,
      list.allSatisfy { $0.integers != nil }
        ? .integer(joined { $0.integers! }) : .real(joined { $0.reals }),
      batchAxis: first.batchAxis)
  }
}

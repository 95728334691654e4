import ArrayFiles
import LinearAlgebra
import NeuralSheaves

/// The operators that become edges or relabel a vertex, by name.
extension ONNXImporter {
  typealias Operator =
    @Sendable (inout ONNXImporter, ONNXNode, ONNXInputs) throws(ArrayFileError) -> [ONNXValue]

  /// The registry.
  static let operators: [String: Operator] = [
    "Abs": { (i, n, x) throws(ArrayFileError) in try i.elementwise(n, x, .absolute) },
    "Add": { (i, n, x) throws(ArrayFileError) in try i.combination(n, x, [1, 1]) },
    "AveragePool": { (i, n, x) throws(ArrayFileError) in try i.pool(n, x) },
    "BatchNormalization": { (i, n, x) throws(ArrayFileError) in try i.batchNormalization(n, x) },
    "Cast": { (i, n, x) throws(ArrayFileError) in try i.cast(n, x) },
    "CastLike": { (_, _, x) throws(ArrayFileError) in [x.values[0]!] },
    "Clip": { (i, n, x) throws(ArrayFileError) in try i.clip(n, x) },
    "Concat": { (i, n, x) throws(ArrayFileError) in try i.concatenation(n, x) },
    "Conv": { (i, n, x) throws(ArrayFileError) in try i.convolution(n, x) },
    "ConvTranspose": { (i, n, x) throws(ArrayFileError) in try i.transposedConvolution(n, x) },
    "CumSum": { (i, n, x) throws(ArrayFileError) in try i.cumulativeSum(n, x) },
    "Div": { (i, n, x) throws(ArrayFileError) in try i.product(n, x, isQuotient: true) },
    "Dropout": { (i, n, x) throws(ArrayFileError) in try i.dropout(n, x) },
    "Einsum": { (i, n, x) throws(ArrayFileError) in try i.einsum(n, x) },
    "Gemm": { (i, n, x) throws(ArrayFileError) in try i.gemm(n, x) },
    "GlobalAveragePool": { (i, n, x) throws(ArrayFileError) in try i.globalPool(n, x) },
    "GlobalMaxPool": { (i, n, x) throws(ArrayFileError) in try i.globalPool(n, x) },
    "HardSigmoid": { (i, n, x) throws(ArrayFileError) in try i.hardSigmoid(n, x) },
    "Identity": { (i, n, x) throws(ArrayFileError) in try i.identity(n, x) },
    "LeakyRelu": { (i, n, x) throws(ArrayFileError) in
      try i.elementwise(n, x, .leakyRectifier(slope: try n.real("alpha") ?? 0.01))
    },
    "MatMul": { (i, n, x) throws(ArrayFileError) in try i.matrixProduct(n, x) },
    "Max": { (i, n, x) throws(ArrayFileError) in try i.extreme(n, x) },
    "MaxPool": { (i, n, x) throws(ArrayFileError) in try i.pool(n, x) },
    "Mean": { (i, n, x) throws(ArrayFileError) in try i.mean(n, x) },
    "Min": { (i, n, x) throws(ArrayFileError) in try i.extreme(n, x) },
    "Mul": { (i, n, x) throws(ArrayFileError) in try i.product(n, x, isQuotient: false) },
    "Neg": { (i, n, x) throws(ArrayFileError) in try i.combination(n, x, [-1]) },
    "PRelu": { (i, n, x) throws(ArrayFileError) in try i.parametricRectifier(n, x) },
    "ReduceL1": { (i, n, x) throws(ArrayFileError) in try i.reduction(n, x) },
    "ReduceMax": { (i, n, x) throws(ArrayFileError) in try i.reduction(n, x) },
    "ReduceMean": { (i, n, x) throws(ArrayFileError) in try i.reduction(n, x) },
    "ReduceMin": { (i, n, x) throws(ArrayFileError) in try i.reduction(n, x) },
    "ReduceSum": { (i, n, x) throws(ArrayFileError) in try i.reduction(n, x) },
    "Relu": { (i, n, x) throws(ArrayFileError) in try i.elementwise(n, x, .rectifier) },
    "Resize": { (i, n, x) throws(ArrayFileError) in try i.resize(n, x) },
    "Scatter": { (i, n, x) throws(ArrayFileError) in try i.scatter(n, x) },
    "ScatterElements": { (i, n, x) throws(ArrayFileError) in try i.scatter(n, x) },
    "ScatterND": { (i, n, x) throws(ArrayFileError) in try i.scatter(n, x) },
    "SequenceAt": { (_, n, _) throws(ArrayFileError) in throw n.failure("expected a sequence") },
    "Shape": { (i, n, x) throws(ArrayFileError) in try i.shape(n, x) },
    "Sigmoid": { (i, n, x) throws(ArrayFileError) in try i.outputActivation(n, x, .sigmoid) },
    "Size": { (i, n, x) throws(ArrayFileError) in try i.shape(n, x) },
    "Softmax": { (i, n, x) throws(ArrayFileError) in try i.outputActivation(n, x, .softmax) },
    "Sub": { (i, n, x) throws(ArrayFileError) in try i.combination(n, x, [1, -1]) },
    "Sum": { (i, n, x) throws(ArrayFileError) in
      try i.combination(n, x, [Double](repeating: 1, count: x.values.count))
    },
    "Upsample": { (i, n, x) throws(ArrayFileError) in try i.resize(n, x) },
    "Where": { (i, n, x) throws(ArrayFileError) in try i.choice(n, x) },
  ]

  /// Operators after which φ may still be the last activation.
  static let relabelling: Set<String> = [
    "Cast", "CastLike", "Dropout", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze",
  ]

  /// The result of a node on computed tensors.
  mutating func apply(
    _ node: ONNXNode, _ values: [ONNXValue?]
  ) throws(ArrayFileError) -> [ONNXValue] {
    let inputs = ONNXInputs(node: node, values: values, batch: batch)
    if ONNXShapes.operators.contains(node.type) { return try rearrange(node, inputs) }
    guard let apply = Self.operators[node.type] else { throw node.failure("is not supported") }
    guard values.first.flatMap({ $0 }) != nil else { throw node.failure("lacks its first input") }
    return try apply(&self, node, inputs)
  }

  private mutating func rearrange(
    _ node: ONNXNode, _ x: ONNXInputs
  ) throws(ArrayFileError) -> [ONNXValue] {
    guard case .quantity(let q)? = x.values.first.flatMap({ $0 }) else {
      throw node.failure("expected a computed tensor as input 0")
    }
    if q.activation != .identity && !Self.relabelling.contains(node.type) { _ = try x.tensor(0) }
    var parameters: [ONNXConstant?] = []
    for i in x.values.indices.dropFirst() { parameters.append(try x.constant(i)) }
    let rearrangement = ONNXRearrangement(
      node, q.layout, batch: batch, isConstant: false, parameters: parameters,
      limit: Self.sizeLimit, view: { q.view })
    var results: [ONNXValue] = []
    for rearranged in try rearrangement.results() {
      var result = q
      if let view = rearranged.view {
        guard !view.indices.isEmpty else { throw node.failure("leaves no coordinates") }
        try reserve(view.indices.count, for: node)
        result = viewed(q, as: view)
        // What is added is no coordinate of the source: it needs a vertex.
        if rearranged.fill != 0 && view.indices.contains(-1) {
          result = try shifted(
            result, by: view.indices.map { $0 < 0 ? rearranged.fill : 0 }, for: node)
        }
      }
      result.layout = rearranged.layout
      results.append(.quantity(result))
    }
    return results
  }

  private func cast(_ node: ONNXNode, _ x: ONNXInputs) throws(ArrayFileError) -> [ONNXValue] {
    guard [1, 10, 11, 16].contains(try node.integer("to") ?? 1) else {
      throw node.failure("casts to whole numbers; expected float or double")
    }
    return [x.values[0]!]
  }

  /// Another name for its input, but for the identities of our own files that are vertices.
  private mutating func identity(
    _ node: ONNXNode, _ x: ONNXInputs
  ) throws(ArrayFileError) -> [ONNXValue] {
    let (isIdentity, isCopy) = (
      marks.identities.contains(node.name), marks.copies.contains(node.name)
    )
    guard isIdentity || isCopy else { return [x.values[0]!] }
    let q = try x.tensor(0)
    return [
      .quantity(
        try append(
          isIdentity ? Inclusion.identity(dimension: q.size) : Sum(terms: 1, dimension: q.size),
          to: q, shape: q.shape, for: node))
    ]
  }

  private func dropout(_ node: ONNXNode, _ x: ONNXInputs) throws(ArrayFileError) -> [ONNXValue] {
    if let training = try x.constant(2), training.reals.contains(where: { $0 != 0 }) {
      throw node.failure("is in training mode; export the network in evaluation mode")
    }
    return [x.values[0]!]
  }

  private func shape(_ node: ONNXNode, _ x: ONNXInputs) throws(ArrayFileError) -> [ONNXValue] {
    let layout = x.values[0]!.layout
    let full = layout.extents(batch: batch)
    var result: ONNXConstant
    var other = layout.extents(batch: Self.otherBatch)
    if node.type == "Size" {
      result = ONNXConstant(shape: [], .integer([full.reduce(1, *)]))
      other = [other.reduce(1, *)]
    } else {
      func place(_ p: Int) -> Int {
        min(max(p < 0 ? max(p, -full.count) + full.count : p, 0), full.count)
      }
      let start = place(try node.integer("start") ?? 0)
      let end = max(start, place(try node.integer("end") ?? full.count))
      result = ONNXConstant(shape: [end - start], .integer(Array(full[start..<end])))
      other = Array(other[start..<end])
    }
    if Self.isOpen(batch), result.values != .integer(other) { result.alternative = .integer(other) }
    return [.constant(result)]
  }

  private func outputActivation(
    _ node: ONNXNode, _ x: ONNXInputs, _ activation: OutputActivation
  ) throws(ArrayFileError) -> [ONNXValue] {
    var q = try x.tensor(0)
    if activation == .softmax { try checkSoftmax(node, q) }
    q.activation = activation
    return [.quantity(q)]
  }

  /// Checks that a softmax is over all coordinates of a sample. Before operator set 13 it is over
  /// all axes from the given one on.
  private func checkSoftmax(_ node: ONNXNode, _ q: ONNXQuantity) throws(ArrayFileError) {
    let layout = batch == 1 ? q.layout.whole : q.layout
    let isFlat = node.operatorSet < 13
    let axis = try node.axis(try node.integer("axis") ?? (isFlat ? 1 : -1), rank: layout.rank)
    let axes = (isFlat ? Array(axis..<layout.rank) : [axis]).map { layout.sampleAxis($0) }
    guard !axes.contains(nil), axes.reduce(1, { $0 * layout.sample[$1!] }) == q.size else {
      throw node.failure(
        "works along axis \(axis) of \(ONNXShapes.describe(layout, batch)), expected the one axis "
          + "that all coordinates lie on")
    }
  }
}

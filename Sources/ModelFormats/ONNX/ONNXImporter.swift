import ArrayFiles
import LinearAlgebra
import NeuralSheaves

/// What a tensor of an ONNX graph is to the sheaf: a constant, or a choice of coordinates of a vertex.
enum ONNXValue {
  case constant(ONNXConstant)
  case quantity(ONNXQuantity)
}

/// A computed tensor: the stalk of a vertex, perhaps under another order, of the given shape per
/// sample.
struct ONNXQuantity {
  var vertex: Int
  /// The shape without the batch.
  var shape: [Int]
  /// The vertex's coordinate of each element; nil for its own order.
  var order: [Int32]?
  /// φ, where the tensor is φ of the vertex: nothing but relabelling may follow.
  var activation = OutputActivation.identity

  var size: Int { shape.reduce(1, *) }

  var view: TensorView {
    order.map { TensorView(shape: shape, indices: $0) } ?? TensorView(shape: shape)
  }
}

/// Builds a network from the nodes of an ONNX graph, one after the other.
struct ONNXImporter {
  /// The most coordinates of all stalks together, and the most places of all windows.
  static let sizeLimit = 1 << 26

  let file: String
  let graph: ONNXGraph
  let output: String
  /// The extent of axis 0: the file's number, or a stand-in that no product of other extents meets.
  let batch: Int
  let reader: ONNXTensorReader
  let marks: ONNXMarks
  private(set) var network: Network
  private var values: [String: ONNXValue] = [:]
  /// The results of products with a matrix that nothing but one sum reads: its constant is their
  /// bias.
  private var biasless: Set<String> = []
  /// How much more may be allocated.
  private var room = ONNXImporter.sizeLimit
  /// Constants made by folding may take as much again.
  private var foldingRoom = ONNXImporter.sizeLimit

  init(
    file: String, graph: ONNXGraph, constants: [String: ONNXConstant],
    marks: ONNXMarks, input: (name: String, shape: [Int], batch: Int), output: String
  ) throws(ArrayFileError) {
    self.file = file
    self.graph = graph
    self.output = output
    self.marks = marks
    batch = input.batch
    reader = ONNXTensorReader(file: file)
    guard let size = elementCount(input.shape, limit: Self.sizeLimit), size > 0 else {
      throw ArrayFileError(
        file: file,
        problem:
          "input \"\(input.name)\" has shape \(input.shape) per sample, expected extents ≥ 1 "
          + "and at most 2^27 numbers")
    }
    network = Network(inputDimension: size)
    for (name, constant) in constants { values[name] = .constant(constant) }
    values[input.name] = .quantity(ONNXQuantity(vertex: 0, shape: input.shape))
    network.addAlias(input.name, of: 0)
  }

  /// Visits all nodes; the network whose output is the tensor `output`.
  mutating func run() throws(ArrayFileError) -> Network {
    for node in graph.nodes { try visit(node) }
    guard case .quantity(var result)? = values[output] else {
      throw ArrayFileError(
        file: file, problem: "the output \"\(output)\" does not depend on the input")
    }
    let activation = result.activation
    if result.order != nil || result.vertex != network.lastVertex || result.vertex == 0 {
      result.activation = .identity
      result = try append(
        Sum(terms: 1, dimension: result.size), to: result, shape: result.shape,
        for: graph.nodes.last!)
    }
    network.outputActivation = activation
    network.addAlias(
      output, of: activation == .identity ? network.lastVertex : network.vertices.count)
    return network
  }

  private mutating func visit(_ node: ONNXNode) throws(ArrayFileError) {
    var inputs: [ONNXValue?] = []
    for name in node.inputs {
      if !Self.readsViews(node) { try settle(name, for: node) }
      inputs.append(name.isEmpty ? nil : values[name])
    }
    let results: [ONNXValue]
    if graph.isComputed(node) {
      results = try apply(node, inputs)
    } else {
      results = try fold(node, inputs)
    }
    guard results.count >= node.outputs.count(where: { isUsed($0) }) else {
      throw node.failure("has \(node.outputs.count) outputs, of which only the first is supported")
    }
    for (name, value) in zip(node.outputs, results) where !name.isEmpty {
      values[name] = value
      // A matrix on the right; its rows are the last axis, along which a bias lies.
      if node.type == "MatMul", name != output, graph.readers[name]?.count == 1,
        case .constant? = inputs.last ?? nil
      {
        biasless.insert(name)
      }
      if case .quantity(let q) = value, q.order == nil, q.activation == .identity {
        network.addAlias(name, of: q.vertex)
      }
    }
  }

  /// Operators that take a tensor with zeros that are no coordinates of its vertex: those that
  /// rearrange further, and sums, whose edge is affine.
  private static func readsViews(_ node: ONNXNode) -> Bool {
    ONNXShapes.operators.contains(node.type)
      || ["Identity", "Dropout", "Cast", "CastLike", "Shape", "Size", "Add"].contains(node.type)
  }

  /// Gives a tensor with zeros that are no coordinates of its vertex a vertex of its own.
  private mutating func settle(_ name: String, for node: ONNXNode) throws(ArrayFileError) {
    guard case .quantity(let q)? = values[name], q.order?.contains(-1) == true else { return }
    values[name] = .quantity(
      try append(Sum(terms: 1, dimension: q.size), to: q, shape: q.shape, for: node))
  }

  /// Whether a tensor is read, or is the output.
  private func isUsed(_ tensor: String) -> Bool {
    !tensor.isEmpty && (graph.readers[tensor] != nil || tensor == output)
  }

  /// The value of a node that works on constants.
  private mutating func fold(
    _ node: ONNXNode, _ inputs: [ONNXValue?]
  ) throws(ArrayFileError) -> [ONNXValue] {
    let constants = inputs.map { value -> ONNXConstant? in
      if case .constant(let c)? = value { c } else { nil }
    }
    var results: [ONNXConstant] = []
    if ONNXShapes.operators.contains(node.type) {
      guard let x = constants.first ?? nil else { throw node.failure("lacks its input") }
      let views = try ONNXShapes.views(
        node, shape: x.shape, batch: nil, parameters: Array(constants.dropFirst()),
        reserve: { count throws(ArrayFileError) in try reserveConstants(count, for: node) }
      ) { TensorView(shape: x.shape) }
      for view in views {
        switch view {
        case .reshape(let shape): results.append(ONNXConstant(shape: shape, x.values))
        case .view(let view, let fill): results.append(x.chosen(by: view, fill: fill))
        }
      }
    } else if node.type == "Concat" {
      results = [try concatenated(node, constants)]
    } else if let value = try ONNXFolding.value(
      node, constants.compactMap { $0 }, reader: reader, limit: foldingRoom)
    {
      results = [value]
    } else {
      throw node.failure(
        inputs.isEmpty || inputs[0] == nil
          ? "lacks its first input" : "works on constants alone, which is not supported")
    }
    for c in results { try reserveConstants(c.count, for: node) }
    return results.map { .constant($0) }
  }

  private mutating func reserveConstants(_ count: Int, for node: ONNXNode) throws(ArrayFileError) {
    foldingRoom -= min(count, Self.sizeLimit + 1)
    guard foldingRoom >= 0 else {
      throw node.failure("the file's constants fold to more than 2^26 numbers")
    }
  }

  private func concatenated(
    _ node: ONNXNode, _ parts: [ONNXConstant?]
  ) throws(ArrayFileError) -> ONNXConstant {
    let list = parts.compactMap { $0 }
    guard list.count == parts.count, let first = list.first, !first.shape.isEmpty else {
      throw node.failure("expected constants with at least one axis")
    }
    let axis = try node.axis(try node.integer("axis") ?? 0, rank: first.shape.count)
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
    if list.allSatisfy({ $0.integers != nil }) {
      return ONNXConstant(shape: whole, .integer(joined { $0.integers! }))
    }
    return ONNXConstant(shape: whole, .real(joined { $0.reals }))
  }
}

/// What the operators use to build.
extension ONNXImporter {
  /// Appends an operation; the result has the order of its vertex.
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
    return ONNXQuantity(vertex: network.append(whole, to: q.vertex), shape: shape)
  }

  /// Appends an operation that treats all coordinates alike: its result keeps the order of a
  /// source whose coordinates are only permuted.
  mutating func appendElementwise(
    to q: ONNXQuantity, for node: ONNXNode, _ operation: (Int) -> any NetworkOperation
  ) throws(ArrayFileError) -> ONNXQuantity {
    guard let order = q.order else {
      return try append(operation(q.size), to: q, shape: q.shape, for: node)
    }
    guard q.view.isPermutation(count: network.vertices[q.vertex].dimension) else {
      return try append(operation(q.size), to: q, shape: q.shape, for: node)
    }
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

  /// Repeats a quantity to a shape that it broadcasts to.
  mutating func expanded(
    _ q: ONNXQuantity, to shape: [Int], for node: ONNXNode
  ) throws(ArrayFileError) -> ONNXQuantity {
    if q.shape == shape { return q }
    try reserve(elementCount(shape, limit: Self.sizeLimit) ?? .max, for: node)
    return viewed(q, as: q.view.expanded(to: shape))
  }

  /// Books coordinates of stalks or places of windows.
  mutating func reserve(_ count: Int, for node: ONNXNode) throws(ArrayFileError) {
    room -= min(max(count, 0), Self.sizeLimit + 1)
    guard count > 0 else { throw node.failure("makes a quantity without coordinates") }
    guard room >= 0 else {
      throw node.failure(
        "with this node the network has more than 2^26 coordinates and window places")
    }
  }

  /// Adds a constant to the bias of the product that made a quantity, where exporters left the two
  /// apart: nothing else reads the product, and the constant has one number for each of its rows.
  /// Says whether it did.
  mutating func absorbBias(
    _ shift: ONNXConstant, _ q: ONNXQuantity, _ node: ONNXNode
  ) -> Bool {
    guard node.inputs.contains(where: { biasless.contains($0) }), let edge = network.edges.last,
      edge.target == q.vertex, edge.operation.parameterNames == ["weight", "bias"]
    else { return false }
    let outputs = edge.operation.parameters[1].count
    guard shift.count == outputs, shift.shape.last == outputs, q.shape.last == outputs else {
      return false
    }
    network.updateParameters(of: network.edges.count - 1) { i, w in
      if i == 1 { w.add(Matrix(column: shift.reals)) }
    }
    // With its bias the vertex is not the bare product any more.
    for name in node.inputs where biasless.contains(name) { network.removeAlias(name) }
    return true
  }
}

/// A node's inputs, checked.
struct ONNXInputs {
  let node: ONNXNode
  let values: [ONNXValue?]

  /// A computed input, not φ of one.
  func quantity(_ i: Int) throws(ArrayFileError) -> ONNXQuantity {
    guard i < values.count, case .quantity(let q)? = values[i] else {
      throw node.failure("expected a computed tensor as input \(i), found a constant or nothing")
    }
    guard q.activation == .identity else {
      throw node.failure(
        "reads the result of a hidden \(q.activation.rawValue): hidden operations must be piecewise "
          + "linear; sigmoid and softmax may only come last")
    }
    return q
  }

  /// A constant input, nil if it is left out.
  func constant(_ i: Int) throws(ArrayFileError) -> ONNXConstant? {
    guard i < values.count, let value = values[i] else { return nil }
    guard case .constant(let c) = value else {
      throw node.failure("expected a constant as input \(i), found a computed tensor")
    }
    return c
  }

  /// A constant input of finite numbers that must be there.
  func weights(_ i: Int, _ name: String) throws(ArrayFileError) -> ONNXConstant {
    guard let c = try constant(i) else { throw node.failure("lacks the \(name), input \(i)") }
    let reals = c.reals
    guard !reals.isEmpty else { throw node.failure("the \(name) has shape \(c.shape), no numbers") }
    if let k = reals.firstIndex(where: { !$0.isFinite }) {
      throw node.failure(
        "number \(k) of the \(name) \"\(node.inputs[i].printable)\" is not finite")
    }
    return ONNXConstant(shape: c.shape, .real(reals))
  }

  /// A single constant number, nil if it is left out.
  func number(_ i: Int, _ name: String) throws(ArrayFileError) -> Double? {
    guard let c = try constant(i) else { return nil }
    guard c.count == 1, !c.reals[0].isNaN else {
      throw node.failure("expected a single number as \(name), found shape \(c.shape)")
    }
    return c.reals[0]
  }
}

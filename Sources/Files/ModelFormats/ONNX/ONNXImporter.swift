import ArrayFiles
import LinearAlgebra
import NeuralSheaves

/// Builds a network from the nodes of an ONNX graph, one after the other.
struct ONNXImporter {
  /// The most coordinates of all stalks together, and the most places of all windows.
  static let sizeLimit = 1 << 26

  /// What stands for an open number of samples while shapes are worked out: a prime that no product
  /// of a network's extents is likely to meet; and another, which tells what depends on it.
  static let openBatch = 1_000_003
  static let otherBatch = 1_000_033

  static func isOpen(_ batch: Int) -> Bool { batch == openBatch || batch == otherBatch }

  let file: String
  /// The graph, or what is left of it from a branch on.
  var graph: ONNXGraph
  var inlining: ONNXInlining
  let output: String
  /// The number of samples: the file's, 1 where a tensor is one sample, or a stand-in for any
  /// number.
  let batch: Int
  let reader: ONNXTensorReader
  let marks: ONNXMarks
  /// The tensors that get no vertex of their own (see `piecewise`).
  var deferred: Set<String>
  var network: Network
  var values: [String: ONNXValue] = [:]
  /// The tensors of each sequence.
  var sequences: [String: [ONNXValue]] = [:]
  /// The results of products without a bias that one node alone reads, and the axis of the sample
  /// along which a bias lies: the constant of a sum is their bias.
  var biasless: [String: (vertex: Int, axis: Int)] = [:]
  /// How much more may be allocated.
  private var room = ONNXImporter.sizeLimit
  /// How many numbers the constants of branches may have.
  var branchRoom = ONNXTensorReader.elementLimit
  /// Constants made by folding may take as much again.
  var foldingRoom = ONNXImporter.sizeLimit
  /// The constants that the node at work reads, and the edges with parameters from each.
  var origins: Set<String> = []
  var edgesWithParameters: [String: [Int]] = [:]

  init(
    file: String, graph: ONNXGraph, inlining: ONNXInlining,
    constants: consuming [String: ONNXConstant], marks: ONNXMarks,
    input: (name: String, layout: TensorShape, batch: Int), output: String
  ) throws(ArrayFileError) {
    self.file = file
    self.graph = graph
    self.inlining = inlining
    self.output = output
    self.marks = marks
    deferred = Self.deferred(in: graph, output: output, marks: marks)
    batch = input.batch
    reader = ONNXTensorReader(file: file)
    guard let size = elementCount(input.layout.sample, limit: Self.sizeLimit), size > 0 else {
      throw ArrayFileError(
        file: file,
        problem:
          "input \"\(input.name.printable)\" has shape \(input.layout.sample) per sample, expected "
          + "extents ≥ 1 and at most 2^26 numbers")
    }
    network = Network(inputDimension: size)
    for (name, constant) in constants {
      var constant = constant
      if constant.integers == nil { constant.origins = [name] }
      values[name] = .constant(constant)
    }
    values[input.name] = .quantity(ONNXQuantity(vertex: 0, layout: input.layout))
    network.addAlias(input.name, of: 0)
  }

  /// Visits all nodes; the network whose output is the tensor `output`.
  mutating func run() throws(ArrayFileError) -> Network {
    var k = 0
    while k < graph.nodes.count {
      let node = graph.nodes[k]
      if node.type == "If" {
        try takeBranch(k)
        k = 0
        continue
      }
      try visit(node)
      // Weights are large: each goes with its last reader.
      for name in node.inputs where graph.readers[name]?.last == k && name != output {
        if case .constant? = values[name] { values[name] = nil }
      }
      k += 1
    }
    if let last = graph.nodes.last { try settlePieces(output, for: last) }
    guard sequences[output] == nil else {
      throw ArrayFileError(
        file: file, problem: "the output \"\(output.printable)\" is a sequence, expected a tensor")
    }
    guard case .quantity(var result)? = values[output] else {
      throw ArrayFileError(
        file: file, problem: "the output \"\(output.printable)\" does not depend on the input")
    }
    let activation = result.activation
    if result.order != nil || result.vertex != network.lastVertex || result.vertex == 0 {
      result.activation = .identity
      result = try append(
        Sum(terms: 1, dimension: result.size), to: result, shape: result.shape,
        for: graph.nodes.last!)
    }
    network.outputActivation = activation
    for (name, edges) in edgesWithParameters.sorted(by: { $0.key < $1.key }) where edges.count > 1 {
      network.addSharedParameter(name, edges: edges)
    }
    network.addAlias(
      output, of: activation == .identity ? network.lastVertex : network.vertices.count)
    return network
  }

  private mutating func visit(_ node: ONNXNode) throws(ArrayFileError) {
    if node.type == "SequenceAt" {
      set(node.outputs[0], to: try element(node))
      return
    }
    var inputs: [ONNXValue?] = []
    for name in node.inputs {
      if !Self.readsViews(node) { try settle(name, for: node) }
      inputs.append(name.isEmpty ? nil : values[name])
    }
    origins = []
    for case .constant(let c)? in inputs { origins.formUnion(c.origins) }
    if graph.isComputed(node), let result = try piecewise(node, inputs) {
      set(node.outputs[0], to: result)
      return
    }
    for (i, name) in node.inputs.enumerated() where !name.isEmpty {
      try settlePieces(name, for: node)
      inputs[i] = values[name]
    }
    let results: [ONNXValue]
    if graph.isComputed(node) {
      results = try apply(node, inputs)
    } else {
      results = try fold(node, inputs)
    }
    if node.type == "SplitToSequence" {
      sequences[node.outputs[0]] = results
      return
    }
    guard results.count >= node.outputs.count(where: { isUsed($0) }) else {
      throw node.failure("has \(node.outputs.count) outputs, of which only the first is supported")
    }
    for (name, value) in zip(node.outputs, results) where !name.isEmpty {
      set(name, to: value)
    }
  }

  /// The tensor at a constant place of a sequence.
  private func element(_ node: ONNXNode) throws(ArrayFileError) -> ONNXValue {
    guard let name = node.inputs.first, let sequence = sequences[name] else {
      throw node.failure("expected a sequence that SplitToSequence makes")
    }
    guard node.inputs.count > 1, case .constant(let c)? = values[node.inputs[1]], c.count == 1,
      c.alternative == nil, let place = c.integers?[0]
    else { throw node.failure("expected a constant whole number as position") }
    let n = sequence.count
    guard (-n..<n).contains(place) else {
      throw node.failure("position \(place) of a sequence of \(n)")
    }
    return sequence[place < 0 ? place + n : place]
  }

  /// Gives a tensor its value, and its name to the vertex that it is.
  private mutating func set(_ name: String, to value: ONNXValue) {
    values[name] = value
    if case .quantity(let q) = value, q.order == nil, q.activation == .identity, q.pieces == nil {
      network.addAlias(name, of: q.vertex)
    }
  }

  /// Gives a tensor that is functions of another's elements a vertex of its own.
  private mutating func settlePieces(_ name: String, for node: ONNXNode) throws(ArrayFileError) {
    guard case .quantity(let q)? = values[name], q.pieces != nil else { return }
    set(name, to: .quantity(try settled(q, for: node)))
  }

  /// Operators that take a tensor with zeros that are no coordinates of its vertex: those that
  /// rearrange further, and sums, whose edge is affine. Padding has numbers of its own for such
  /// places.
  private static func readsViews(_ node: ONNXNode) -> Bool {
    ONNXShapes.operators.contains(node.type) && node.type != "Pad"
      || ["Identity", "Dropout", "Cast", "CastLike", "Shape", "Size", "Add"].contains(node.type)
  }

  /// Gives a tensor with zeros that are no coordinates of its vertex a vertex of its own.
  private mutating func settle(_ name: String, for node: ONNXNode) throws(ArrayFileError) {
    guard case .quantity(let q)? = values[name], q.order?.contains(-1) == true else { return }
    values[name] = .quantity(
      try append(Sum(terms: 1, dimension: q.size), to: q, shape: q.shape, for: node))
  }

  /// Whether a tensor is read, or is the output.
  func isUsed(_ tensor: String) -> Bool {
    !tensor.isEmpty && (graph.readers[tensor] != nil || tensor == output)
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
}

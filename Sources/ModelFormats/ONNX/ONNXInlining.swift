import ArrayFiles

/// Puts the branches of `If` where nodes stand for them.
struct ONNXInlining {
  /// The most branches.
  static let branchLimit = 1 << 12

  let file: String
  /// The names of tensors that are taken.
  private var names: Set<String>
  private var branchCount = 0

  init(_ model: ONNXModelProto, constants: some Sequence<String>, file: String) {
    self.file = file
    names = Set(constants)
    names.formUnion(model.graph.input.map(\.name))
    names.formUnion(model.graph.node.flatMap(\.output))
  }

  /// The nodes of a list.
  func nodes(_ list: [ONNXNodeProto], operatorSet: Int) throws(ArrayFileError) -> [ONNXNode] {
    list.map { ONNXNode($0, file: file, operatorSet: operatorSet) }
  }

  /// The nodes of the branch that an `If` takes, and its constants with their names.
  mutating func branch(
    of node: ONNXNode, isTaken: Bool
  ) throws(ArrayFileError) -> (nodes: [ONNXNode], constants: [ONNXTensorProto]) {
    let attribute = isTaken ? "then_branch" : "else_branch"
    guard let graph = node.graph(attribute), graph.output.count >= node.outputs.count else {
      throw node.failure("expected a graph with \(node.outputs.count) outputs as \(attribute)")
    }
    branchCount += 1
    guard branchCount <= Self.branchLimit else { throw node.failure("is one of too many branches") }
    var tensors: [String: String] = [:]
    for tensor in graph.initializer { tensors[tensor.name] = unique(tensor.name, node) }
    let copies = rename(
      graph.output.map(\.name), made: graph.node.flatMap(\.output), as: node.outputs, &tensors, node
    )
    let body =
      graph.node.map { $0.with(tensors, nil) }
      + copies.map { .copy(of: tensors[$0.source] ?? $0.source, to: $0.target) }
    let constants = graph.initializer.map { tensor in
      var result = tensor
      result.name = tensors[tensor.name]!
      return result
    }
    return (try nodes(body, operatorSet: node.operatorSet), constants)
  }

  /// Names the tensors that nodes make: those that are outputs as the node that stands for them
  /// does, others anew.
  ///
  /// - Returns: outputs that need a copy, since the nodes do not make them, or twice.
  mutating func rename(
    _ outputs: [String], made: [String], as names: [String], _ tensors: inout [String: String],
    _ node: ONNXNode
  ) -> [(source: String, target: String)] {
    let made = Set(made)
    var copies: [(source: String, target: String)] = []
    for (source, target) in zip(outputs, names) where !target.isEmpty {
      if made.contains(source), tensors[source] == nil {
        tensors[source] = target
      } else {
        copies.append((source, target))
      }
    }
    for name in made.sorted() where tensors[name] == nil {
      tensors[name] = name.isEmpty ? "" : unique(name, node)
    }
    return copies
  }

  /// A name that no tensor has: the given one, or one that tells the node too.
  mutating func unique(_ name: String, _ node: ONNXNode? = nil) -> String {
    var result = name
    if let node, names.contains(result) { result = "\(node.name)/\(name)" }
    var k = 2
    while names.contains(result) {
      result = "\(name)#\(k)"
      k += 1
    }
    names.insert(result)
    return result
  }
}

extension ONNXNodeProto {
  /// The tensors from outside that the graphs among its attributes read.
  var captured: [String] {
    attribute.lazy.filter(\.hasG).flatMap { $0.g.captured.sorted() }
  }

  /// The same node on other tensors, with values for attributes that refer to a function's.
  func with(
    _ tensors: [String: String], _ attributes: [String: ONNXAttributeProto]?
  ) -> ONNXNodeProto {
    var result = self
    result.input = input.map { tensors[$0] ?? $0 }
    result.output = output.map { tensors[$0] ?? $0 }
    result.attribute = attribute.compactMap { a in
      var own = a
      if let attributes, !a.refAttrName.isEmpty {
        guard let value = attributes[a.refAttrName] else { return nil }
        own = value
        own.name = a.name
      } else if a.hasG {
        own.g = a.g.with(tensors, attributes)
      }
      return own
    }
    return result
  }

  static func copy(of source: String, to target: String) -> ONNXNodeProto {
    var node = ONNXNodeProto()
    (node.opType, node.input, node.output) = ("Identity", [source], [target])
    return node
  }
}

extension ONNXGraphProto {
  private var own: Set<String> {
    Set(node.flatMap(\.output) + initializer.map(\.name) + input.map(\.name))
  }

  /// The names of tensors of the graph around it that it reads.
  var captured: Set<String> {
    Set(node.flatMap { $0.input + $0.captured } + output.map(\.name)).subtracting(own)
      .subtracting([""])
  }

  func with(
    _ tensors: [String: String], _ attributes: [String: ONNXAttributeProto]?
  ) -> ONNXGraphProto {
    let own = own
    let outer = tensors.filter { !own.contains($0.key) }
    var result = self
    result.node = node.map { $0.with(outer, attributes) }
    for i in output.indices { result.output[i].name = outer[output[i].name] ?? output[i].name }
    return result
  }
}

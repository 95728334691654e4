import ArrayFiles

/// Puts the bodies of a model's functions, and the branches of `If`, where nodes stand for them.
struct ONNXInlining {
  /// The most nodes of a model with functions, all together.
  static let nodeLimit = 1 << 15
  /// The most functions that call each other in a row, and the most branches.
  static let depthLimit = 64
  static let branchLimit = 1 << 12

  let file: String
  private var functions: [[String]: ONNXFunctionProto] = [:]
  /// The names of tensors that are taken.
  private var names: Set<String>
  /// The last number behind a name that was taken.
  private var repetitions: [String: Int] = [:]
  private var nodeCount = 0
  private var branchCount = 0

  init(_ model: ONNXModelProto, constants: some Sequence<String>, file: String) {
    self.file = file
    for function in model.functions {
      functions[Self.key(function.domain, function.name, function.overload)] = function
    }
    names = Set(constants)
    names.formUnion(model.graph.input.map(\.name))
    names.formUnion(model.graph.node.flatMap(\.output))
  }

  private static func key(_ domain: String, _ name: String, _ overload: String) -> [String] {
    [domain == "ai.onnx" ? "" : domain, name, overload]
  }

  /// The nodes, functions among them by their bodies.
  ///
  /// - Parameter calls: the functions that they are the body of, from the outermost.
  mutating func nodes(
    _ list: [ONNXNodeProto], operatorSet: Int, calls: [[String]] = []
  ) throws(ArrayFileError) -> [ONNXNode] {
    var result: [ONNXNode] = []
    for proto in list {
      let node = ONNXNode(proto, file: file, operatorSet: operatorSet)
      nodeCount += 1
      guard nodeCount <= Self.nodeLimit || functions.isEmpty else {
        throw node.failure("with this node the functions make more than 2^15 nodes")
      }
      let key = Self.key(proto.domain, proto.opType, proto.overload)
      // ONNX's own operators are what ONNX says.
      guard !key[0].isEmpty, let function = functions[key] else {
        result.append(node)
        continue
      }
      guard !calls.contains(key), calls.count < Self.depthLimit else {
        throw node.failure("is a function that calls itself, or calls others too deep")
      }
      result += try nodes(
        body(of: function, for: node), operatorSet: try self.operatorSet(of: function, for: node),
        calls: calls + [key])
    }
    return result
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
      graph.output.map(\.name), made: graph.node.flatMap(\.output), as: node.outputs, &tensors,
      node,
      keepsNames: true
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
  /// - Parameter keepsNames: whether these keep their names where no tensor has them.
  /// - Returns: outputs that need a copy, since the nodes do not make them, or twice.
  mutating func rename(
    _ outputs: [String], made: [String], as names: [String], _ tensors: inout [String: String],
    _ node: ONNXNode, keepsNames: Bool
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
      tensors[name] =
        name.isEmpty ? "" : keepsNames ? unique(name, node) : unique("\(node.name)/\(name)")
    }
    return copies
  }

  /// A name that no tensor has: the given one, one that tells the node too, or one with a number.
  mutating func unique(_ name: String, _ node: ONNXNode? = nil) -> String {
    var result = name
    if let node, names.contains(result) { result = "\(node.name)/\(name)" }
    let base = result
    while names.contains(result) {
      repetitions[base, default: 1] += 1
      result = "\(base)#\(repetitions[base]!)"
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

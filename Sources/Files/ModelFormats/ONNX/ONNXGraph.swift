import ArrayFiles

/// The nodes that the output of an ONNX graph depends on, in topological order.
struct ONNXGraph {
  let nodes: [ONNXNode]
  /// The nodes that read each tensor.
  private(set) var readers: [String: [Int]] = [:]
  /// The tensors that depend on the network's input, and not on its shape alone.
  private(set) var computed: Set<String>
  /// The tensors of which it is not known what they are before the branches of `If` are taken.
  private(set) var undecided: Set<String> = []

  /// Sorts the nodes that `output` depends on.
  ///
  /// - Throws: for a tensor that nothing provides, for a node without its first input and for a cycle,
  ///   naming it.
  init(
    _ all: [ONNXNode], inputs: [String], output: String, constants: Set<String>, file: String
  ) throws(ArrayFileError) {
    var producer: [String: Int] = [:]
    let inputs = Set(inputs)
    for (k, node) in all.enumerated() {
      for name in node.outputs where !name.isEmpty {
        if let other = producer[name] {
          throw node.failure(
            "computes \"\(name.printable)\", which \"\(all[other].name.printable)\" computes too")
        }
        if constants.contains(name) || inputs.contains(name) {
          throw node.failure("computes \"\(name.printable)\", which is an initializer or an input")
        }
        producer[name] = k
      }
    }
    // Depth first from the output, with a stack of our own: files may be deep.
    enum Mark { case open, done }
    var marks: [Int: Mark] = [:]
    var order: [Int] = []
    func dependencies(_ k: Int) throws(ArrayFileError) -> [Int] {
      var result: [Int] = []
      if all[k].inputs.first == "" { throw all[k].failure("lacks its first input") }
      for name in all[k].reads
      where !name.isEmpty && !inputs.contains(name) && !constants.contains(name) {
        guard let p = producer[name] else {
          throw all[k].failure(
            "reads \"\(name.printable)\", which is neither an initializer, nor an input, nor computed"
          )
        }
        result.append(p)
      }
      return result
    }
    guard let last = producer[output] else {
      throw ArrayFileError(
        file: file,
        problem:
          "the output \"\(output.printable)\" is computed by no node; expected a network with at "
          + "least one operation")
    }
    var stack: [(node: Int, sources: [Int], seen: Int)] = [(last, try dependencies(last), 0)]
    marks[last] = .open
    while let (k, sources, seen) = stack.last {
      guard seen < sources.count else {
        marks[k] = .done
        order.append(k)
        stack.removeLast()
        continue
      }
      let next = sources[seen]
      stack[stack.count - 1].seen += 1
      switch marks[next] {
      case .done: break
      case .open:
        let cycle = stack.drop { $0.node != next }.map { "\"\(all[$0.node].name.printable)\"" }
        throw ArrayFileError(
          file: file,
          problem: "the graph has a cycle through \(cycle.prefix(8).joined(separator: ", ")); "
            + "expected a feedforward network")
      case nil:
        marks[next] = .open
        stack.append((next, try dependencies(next), 0))
      }
    }
    // In the file's own order where that is topological, so that names count as a reader expects.
    let ascending = order.sorted()
    let isSorted = ascending.allSatisfy { k in
      (try? dependencies(k))?.allSatisfy { $0 < k } ?? false
    }
    nodes = (isSorted ? ascending : order).map { all[$0] }
    computed = inputs
    for (k, node) in nodes.enumerated() {
      for name in node.reads where !name.isEmpty { readers[name, default: []].append(k) }
      if Self.sources(node).contains(where: { computed.contains($0) }) && !Self.isShape(node) {
        computed.formUnion(node.outputs.filter { !$0.isEmpty })
      }
      if node.type == "If" || node.reads.contains(where: { undecided.contains($0) }) {
        undecided.formUnion(node.outputs.filter { !$0.isEmpty })
      }
    }
  }

  /// Whether a node works on what the network computes, rather than on constants and shapes.
  func isComputed(_ node: ONNXNode) -> Bool {
    Self.isShape(node) || Self.sources(node).contains { computed.contains($0) }
  }

  private static func isShape(_ node: ONNXNode) -> Bool {
    node.type == "Shape" || node.type == "Size"
  }

  /// The inputs whose values a node uses, not their types alone.
  private static func sources(_ node: ONNXNode) -> ArraySlice<String> {
    node.type == "CastLike" ? node.inputs.prefix(1) : node.reads[...]
  }

  /// Whether only relabelling stands between a tensor and the output.
  func leadsToOutput(_ tensor: String, output: String, relabelling: Set<String>) -> Bool {
    var name = tensor
    guard !name.isEmpty else { return false }
    while name != output {
      // What a branch makes of it is seen when that is taken.
      if readers[name]?.contains(where: { nodes[$0].type == "If" }) == true { return true }
      guard let next = readers[name], next.count == 1, relabelling.contains(nodes[next[0]].type),
        nodes[next[0]].inputs.first == name, let target = nodes[next[0]].outputs.first,
        !target.isEmpty
      else { return false }
      name = target
    }
    return readers[output] == nil
  }
}

import ArrayFiles

/// The branches of If.
extension ONNXImporter {
  /// Puts the branch that node k, an `If`, takes into its place: what is left of the graph begins
  /// with it.
  mutating func takeBranch(_ k: Int) throws(ArrayFileError) {
    let node = graph.nodes[k]
    guard let name = node.inputs.first, let value = values[name] else {
      throw node.failure("lacks its condition")
    }
    guard case .constant(let condition) = value else {
      throw node.failure("its condition depends on the input")
    }
    guard condition.alternative == nil, !condition.mayCountSamples, condition.batchAxis == nil
    else {
      throw node.failure("its condition depends on the number of samples")
    }
    guard condition.count == 1 else {
      throw node.failure("a condition of shape \(condition.shape), expected one number")
    }
    let branch = try inlining.branch(of: node, isTaken: condition.reals[0] != 0)
    for tensor in branch.constants {
      var constant = try reader.constant(tensor, name: tensor.name)
      branchRoom -= constant.count
      guard branchRoom >= 0 else {
        throw node.failure("with it the branches have more than 2^28 numbers")
      }
      if constant.integers == nil { constant.origins = [tensor.name] }
      values[tensor.name] = .constant(constant)
    }
    var (inputs, constants): ([String], Set<String>) = ([], [])
    for (name, value) in values {
      if value.quantity == nil { constants.insert(name) } else { inputs.append(name) }
    }
    inputs += sequences.keys
    graph = try ONNXGraph(
      branch.nodes + graph.nodes[(k + 1)...], inputs: inputs, output: output, constants: constants,
      file: file)
    try ONNXFile.checkOperators(graph, output: output, file: file)
    deferred = Self.deferred(in: graph, output: output, marks: marks)
    // Who reads them is known better now.
    biasless = biasless.filter { graph.readers[$0.key]?.count == 1 }
  }
}

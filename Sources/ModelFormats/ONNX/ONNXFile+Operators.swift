import ArrayFiles

/// What of a graph cannot become a sheaf.
extension ONNXFile {
  /// One error for all operators that cannot become a sheaf.
  static func checkOperators(
    _ graph: ONNXGraph, output: String, file: String
  ) throws(ArrayFileError) {
    var found: [(type: String, nodes: [String])] = []
    for node in graph.nodes {
      let type = node.type
      if type == "If", let condition = node.inputs.first, !graph.computed.contains(condition) {
        continue
      }
      // What depends on a branch is looked at when that is taken.
      if node.reads.contains(where: { graph.undecided.contains($0) }) { continue }
      let isKnown =
        ONNXImporter.operators[type] != nil || ONNXPieces.gates.contains(type)
        || ONNXPieces.others.contains(type) || ONNXShapes.operators.contains(type)
        || (!graph.isComputed(node) && ONNXFolding.operators.contains(type))
      let isHidden =
        (type == "Sigmoid" || type == "Softmax") && graph.isComputed(node)
        && !graph.leadsToOutput(
          node.outputs.first ?? "", output: output, relabelling: ONNXImporter.relabelling)
      guard !isKnown || isHidden else { continue }
      if let k = found.firstIndex(where: { $0.type == type }) {
        found[k].nodes.append(node.name)
      } else {
        found.append((type, [node.name]))
      }
    }
    guard !found.isEmpty else { return }
    let list = found.prefix(20).map { type, nodes in
      let names = nodes.prefix(5).map { "\"\($0.printable)\"" }.joined(separator: ", ")
      let more = nodes.count > 5 ? " and \(nodes.count - 5) more" : ""
      return "\(type.printable)\(reason(type)) at \(names)\(more)"
    }
    let supported = Set(ONNXImporter.operators.keys).union(ONNXShapes.operators).union(
      ONNXPieces.gates
    ).sorted()
    throw ArrayFileError(
      file: file,
      problem: "operators that cannot become a sheaf: \(list.joined(separator: "; ")). Supported: "
        + supported.joined(separator: ", "))
  }

  private static func reason(_ type: String) -> String {
    switch type {
    case "If": " (its condition depends on the input)"
    case "Loop", "Scan", "LSTM", "GRU", "RNN": " (not feedforward)"
    case "Sigmoid", "Softmax":
      " (a hidden operation must be piecewise linear; this may only come last)"
    case "LogSoftmax", "ArgMax", "ArgMin", "Hardmax", "TopK":
      " (read the network up to its input, the logits, by --output-tensor NAME)"
    case "Tanh", "Gelu", "Erf", "Elu", "Selu", "Celu", "Softplus", "Softsign", "Mish", "HardSwish",
      "Swish", "Exp", "Log", "Pow", "Sin", "Cos", "LayerNormalization",
      "InstanceNormalization", "GroupNormalization", "RMSNormalization", "LpNormalization",
      "ReduceL2", "Sqrt", "Reciprocal":
      " (not piecewise linear; hidden operations must be)"
    default: ""
    }
  }
}

import ArrayFiles

/// What of a graph cannot become a sheaf.
extension ONNXFile {
  /// One error for all operators that cannot become a sheaf.
  static func checkOperators(
    _ graph: ONNXGraph, output: String, file: String
  ) throws(ArrayFileError) {
    var found: [(type: String, nodes: [String])] = []
    func isLast(_ node: ONNXNode) -> Bool {
      node.outputs.contains {
        graph.leadsToOutput($0, output: output, relabelling: ONNXImporter.relabelling)
      }
    }
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
        (type == "Sigmoid" || type == "Softmax") && graph.isComputed(node) && !isLast(node)
      guard !isKnown || isHidden else { continue }
      let what = type.printable + reason(type, isLast: tails.contains(type) && isLast(node))
      if let k = found.firstIndex(where: { $0.type == what }) {
        found[k].nodes.append(node.name)
      } else {
        found.append((what, [node.name]))
      }
    }
    guard !found.isEmpty else { return }
    let list = found.prefix(20).map { type, nodes in
      let names = nodes.prefix(5).map { "\"\($0.printable)\"" }.joined(separator: ", ")
      let more = nodes.count > 5 ? " and \(nodes.count - 5) more" : ""
      return "\(type) at \(names)\(more)"
    }
    let more = found.count > 20 ? "; and \(found.count - 20) more" : ""
    throw ArrayFileError(
      file: file,
      problem: "operators that cannot become a sheaf: \(list.joined(separator: "; "))\(more). "
        + "Docs/FeedforwardNetworks.md, §5, has those that can")
  }

  /// Operators that say something of the logits in front of them.
  private static let tails: Set<String> = ["ArgMax", "ArgMin", "Hardmax", "LogSoftmax", "TopK"]

  private static func reason(_ type: String, isLast: Bool) -> String {
    switch type {
    case "If": " (its condition depends on the input)"
    case "Loop", "Scan", "LSTM", "GRU", "RNN": " (not feedforward)"
    case "Sigmoid", "Softmax":
      " (a hidden operation must be piecewise linear; this may only come last)"
    case _ where isLast:
      " (read the network up to its input, the logits, by --output-tensor NAME)"
    case "ArgMax", "ArgMin", "Hardmax", "TopK": " (hidden, and its places jump)"
    case "LogSoftmax", "Tanh", "Gelu", "Erf", "Elu", "Selu", "Celu", "Softplus", "Softsign", "Mish",
      "HardSwish",
      "Swish", "Exp", "Log", "Pow", "Sin", "Cos", "LayerNormalization",
      "InstanceNormalization", "GroupNormalization", "RMSNormalization", "LpNormalization",
      "ReduceL2", "Sqrt", "Reciprocal", "Floor", "Round", "Ceil", "Mod", "QuantizeLinear", "LRN",
      "ReduceProd", "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare", "Acos", "Acosh", "Asin",
      "Asinh", "Atan", "Atanh", "Cosh", "Sinh", "Tan", "MeanVarianceNormalization":
      " (not piecewise linear; hidden operations must be)"
    default: ""
    }
  }
}

import ArrayFiles
import Foundation
import NeuralSheaves
import SwiftProtobuf

/// Networks in the Open Neural Network Exchange format, operator sets 11 to 24.
public enum ONNXFile {
  /// The operator sets that are read.
  public static let operatorSets = 11...24

  /// Reads a feedforward network of piecewise linear operations.
  ///
  /// One input and one output, whose axis 0 is the batch, whatever number stands there; weights as
  /// float or double in the file or beside it. Reshaping, transposition and slicing relabel
  /// coordinates; computations of shapes are worked out. Names of tensors become aliases of vertices.
  ///
  /// - Throws: `ArrayFileError`; for operators that cannot become a sheaf one error that names them
  ///   all with their nodes.
  public static func read(_ path: String) throws(ArrayFileError) -> Network {
    try decode(try ArrayFile.bytes(path), file: path)
  }

  /// Reads a network from the bytes of a file; `file` is its path, for messages and external data.
  public static func decode(_ data: Data, file: String) throws(ArrayFileError) -> Network {
    func fail(_ problem: String) -> ArrayFileError { ArrayFileError(file: file, problem: problem) }
    let model: ONNXModelProto
    do {
      model = try ONNXModelProto(serializedBytes: data)
    } catch {
      throw fail("not an ONNX file: its \(data.count) bytes are no protocol buffer of a model")
    }
    guard model.hasGraph, !model.graph.output.isEmpty else {
      throw fail("not an ONNX file, or one without a graph and an output")
    }
    for set in model.opsetImport where set.domain.isEmpty || set.domain == "ai.onnx" {
      guard operatorSets.contains(Int(set.version)) else {
        throw fail(
          "operator set \(set.version), expected \(operatorSets.lowerBound) to "
            + "\(operatorSets.upperBound) (export again with opset_version=20)")
      }
    }
    let graph = model.graph
    let reader = ONNXTensorReader(file: file)
    var constants: [String: ONNXConstant] = [:]
    var total = 0
    for tensor in graph.initializer {
      guard constants[tensor.name] == nil else {
        throw fail("two initializers are called \"\(tensor.name.printable)\"")
      }
      let constant = try reader.constant(tensor, name: tensor.name)
      // Many may stand on the same bytes of another file.
      total += constant.count
      guard total <= ONNXTensorReader.elementLimit else {
        throw fail("initializers of more than 2^28 numbers")
      }
      constants[tensor.name] = constant
    }
    let inputs = graph.input.filter { constants[$0.name] == nil }
    guard inputs.count == 1 else {
      let names = inputs.map { "\"\($0.name.printable)\"" }.joined(separator: ", ")
      throw fail("\(inputs.count) inputs\(names.isEmpty ? "" : " (\(names))"), expected one")
    }
    guard graph.output.count == 1 else {
      let names = graph.output.map { "\"\($0.name.printable)\"" }.joined(separator: ", ")
      throw fail("\(graph.output.count) outputs (\(names)), expected one")
    }
    let output = graph.output[0].name
    let sorted = try ONNXGraph(
      graph, input: inputs[0].name, output: output, constants: Set(constants.keys), file: file)
    try checkOperators(sorted, output: output, file: file)
    let (shape, batch) = try inputShape(inputs[0], file: file)
    var importer = try ONNXImporter(
      file: file, graph: sorted, constants: constants,
      marks: ONNXMarks(model),
      input: (inputs[0].name, shape, batch), output: output)
    return try importer.run()
  }

  /// The shape of the input without its leading axis, and what stands for the batch.
  private static func inputShape(
    _ input: ONNXValueInfoProto, file: String
  ) throws(ArrayFileError) -> (shape: [Int], batch: Int) {
    func fail(_ problem: String) -> ArrayFileError {
      ArrayFileError(file: file, problem: "input \"\(input.name.printable)\": \(problem)")
    }
    guard input.type.hasTensorType, input.type.tensorType.hasShape else {
      throw fail("no shape, expected a tensor with fixed extents after the batch")
    }
    let type = input.type.tensorType.elemType
    guard [1, 10, 11, 16].contains(type) else {
      throw fail("element type \(type), expected float or double")
    }
    let axes = input.type.tensorType.shape.dim
    guard axes.count >= 2 else {
      throw fail("\(axes.count) axes, expected the batch and at least one more")
    }
    var shape: [Int] = []
    for (k, axis) in axes.enumerated().dropFirst() {
      guard axis.dimValue > 0 else {
        throw fail(
          "axis \(k) is \(axis.dimParam.isEmpty ? "\(axis.dimValue)" : "\"\(axis.dimParam.printable)\""), expected a "
            + "fixed number (only the batch, axis 0, may vary)")
      }
      shape.append(Int(axis.dimValue))
    }
    let given = Int(axes[0].dimValue)
    // A prime that no product of the network's extents is likely to meet.
    return (shape, (1...1_000_000).contains(given) ? given : 1_000_003)
  }

  /// One error for all operators that cannot become a sheaf.
  private static func checkOperators(
    _ graph: ONNXGraph, output: String, file: String
  ) throws(ArrayFileError) {
    var found: [(type: String, nodes: [String])] = []
    for node in graph.nodes {
      let type = node.type
      let isKnown =
        ONNXImporter.operators[type] != nil || ONNXShapes.operators.contains(type)
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
    let supported = Set(ONNXImporter.operators.keys).union(ONNXShapes.operators).sorted()
    throw ArrayFileError(
      file: file,
      problem: "operators that cannot become a sheaf: \(list.joined(separator: "; ")). Supported: "
        + supported.joined(separator: ", "))
  }

  private static func reason(_ type: String) -> String {
    switch type {
    case "If", "Loop", "Scan", "LSTM", "GRU", "RNN": " (not feedforward)"
    case "Sigmoid", "Softmax":
      " (a hidden operation must be piecewise linear; this may only come last)"
    case "LogSoftmax": " (export the network without it; its softmax is known)"
    case "Tanh", "Gelu", "Erf", "Elu", "Selu", "Celu", "Softplus", "Softsign", "Mish", "HardSwish",
      "Swish", "Exp", "Log", "Pow", "Sin", "Cos", "LayerNormalization",
      "InstanceNormalization", "GroupNormalization", "RMSNormalization", "LpNormalization",
      "ReduceL2", "Sqrt", "Reciprocal":
      " (not piecewise linear; hidden operations must be)"
    default: ""
    }
  }
}

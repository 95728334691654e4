import ArrayFiles
import Foundation

/// What a file says of its weights and its input.
extension ONNXFile {
  /// The constants of a graph by name, taken away from it: initializers, and the large ones of
  /// Constant nodes, so that each is in memory once.
  static func initializers(
    of graph: inout ONNXGraphProto, file: String
  ) throws(ArrayFileError) -> [String: ONNXConstant] {
    let reader = ONNXTensorReader(file: file)
    var constants: [String: ONNXConstant] = [:]
    var total = 0
    func add(_ tensor: ONNXTensorProto, _ name: String) throws(ArrayFileError) {
      guard constants[name] == nil else {
        throw ArrayFileError(
          file: file, problem: "two initializers are called \"\(name.printable)\"")
      }
      let constant = try reader.constant(tensor, name: name)
      // Many may stand on the same bytes of another file.
      total += constant.count
      guard total <= ONNXTensorReader.elementLimit else {
        throw ArrayFileError(file: file, problem: "initializers of more than 2^28 numbers")
      }
      constants[name] = constant
    }
    var tensors = graph.initializer
    graph.initializer = []
    for i in tensors.indices {
      let tensor = tensors[i]
      tensors[i] = ONNXTensorProto()
      try add(tensor, tensor.name)
    }
    var nodes = graph.node
    graph.node = []
    var rest: [ONNXNodeProto] = []
    for i in nodes.indices {
      let node = nodes[i]
      nodes[i] = ONNXNodeProto()
      if node.opType == "Constant", node.domain.isEmpty, node.output.count == 1,
        node.attribute.count == 1, node.attribute[0].name == "value",
        node.attribute[0].t.rawData.count > 4096
      {
        try add(node.attribute[0].t, node.output[0])
      } else {
        rest.append(node)
      }
    }
    graph.node = rest
    return constants
  }

  /// The shape of the input and the number of samples: axis 0 is the batch, whatever number stands
  /// there, but of an input with one axis, which is one sample.
  static func inputShape(
    _ input: ONNXValueInfoProto, file: String
  ) throws(ArrayFileError) -> (TensorShape, batch: Int) {
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
    guard axes.count > 0 else { throw fail("no axes, expected at least one") }
    let hasBatch = axes.count > 1
    var sample: [Int] = []
    for (k, axis) in axes.enumerated().dropFirst(hasBatch ? 1 : 0) {
      guard axis.dimValue > 0 else {
        let found =
          axis.dimParam.isEmpty ? "\(axis.dimValue)" : "\"\(axis.dimParam.printable)\""
        throw fail(
          "axis \(k) is \(found), expected a fixed number"
            + (hasBatch ? " (only the batch, axis 0, may vary)" : ""))
      }
      sample.append(Int(axis.dimValue))
    }
    guard hasBatch else { return (TensorShape(sample: sample, batchAxis: nil), 1) }
    let given = Int(axes[0].dimValue)
    return (
      TensorShape(sample: sample),
      (1...1_000_000).contains(given) ? given : ONNXImporter.openBatch
    )
  }
}

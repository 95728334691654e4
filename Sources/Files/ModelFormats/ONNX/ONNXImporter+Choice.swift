import ArrayFiles
import LinearAlgebra
import NeuralSheaves

/// Where, between tensors that are no functions of one.
extension ONNXImporter {
  /// The coordinates of one tensor or the other, as a constant mask says.
  mutating func choice(_ node: ONNXNode, _ x: ONNXInputs) throws(ArrayFileError) -> [ONNXValue] {
    guard x.values.count == 3, x.isConstant(0) else {
      throw node.failure(
        "chooses between computed tensors that are no functions of the one it looks at, which is "
          + "not continuous")
    }
    _ = try x.operand(0, "condition")
    let (common, operands) = try broadcast(node, x)
    guard case .constant(let c) = operands[0] else {
      throw node.failure("expected a constant condition")
    }
    let mask = c.reals(broadcastTo: common.sample).map { $0 != 0 }
    let size = mask.count
    var parts: [ONNXQuantity] = []
    for case .quantity(let q) in operands.dropFirst() {
      parts.append(try expanded(q, to: common.sample, for: node))
    }
    try reserve(size, for: node)
    let junction = try appendJunction(of: parts, for: node)
    var result = ONNXQuantity(vertex: junction, layout: common)
    result.order = mask.indices.map { Int32(mask[$0] ? $0 : size + $0) }
    return [.quantity(result)]
  }
}

import ArrayFiles
import LinearAlgebra
import NetworkKernels
import NeuralSheaves

/// Operators on each coordinate.
extension ONNXImporter {
  mutating func elementwise(
    _ node: ONNXNode, _ x: ONNXInputs, _ function: PiecewiseAffine
  ) throws(ArrayFileError) -> [ONNXValue] {
    let q = try x.tensor(0)
    return [
      .quantity(
        try appendElementwise(to: q, for: node) { Elementwise(function, dimension: $0) })
    ]
  }

  /// Before operator set 11 the bounds are attributes.

  mutating func hardSigmoid(
    _ node: ONNXNode, _ x: ONNXInputs
  ) throws(ArrayFileError) -> [ONNXValue] {
    let (slope, offset) = (try node.real("alpha") ?? 0.2, try node.real("beta") ?? 0.5)
    guard slope > 0 else { throw node.failure("alpha \(slope), expected a positive number") }
    return try elementwise(node, x, .hardSigmoid(slope: slope, offset: offset))
  }

  mutating func parametricRectifier(
    _ node: ONNXNode, _ x: ONNXInputs
  ) throws(ArrayFileError) -> [ONNXValue] {
    _ = try x.operand(1, "slope")
    let (common, operands) = try broadcast(node, x)
    guard case .quantity(let q) = operands[0], case .constant(let slopes) = operands[1],
      common.sample == q.shape
    else { throw node.failure("a slope that does not broadcast to the input") }
    let (values, extent) = try perChannel(slopes, q.shape, node)
    if values.count == 1 {
      return [
        .quantity(
          try appendElementwise(to: q, for: node) {
            ParametricRectifier(slopes: values, extent: $0)
          })
      ]
    }
    return [
      .quantity(
        try append(
          ParametricRectifier(slopes: values, extent: extent), to: q, shape: q.shape, for: node))
    ]
  }
}

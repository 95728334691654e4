import ArrayFiles
import LinearAlgebra
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
  mutating func clip(_ node: ONNXNode, _ x: ONNXInputs) throws(ArrayFileError) -> [ONNXValue] {
    let isOld = node.operatorSet < 11
    let lower = isOld ? try node.real("min") : try x.number(1, "min")
    let upper = isOld ? try node.real("max") : try x.number(2, "max")
    return try clipped(node, x, lower: lower ?? -.infinity, upper: upper ?? .infinity)
  }

  private mutating func clipped(
    _ node: ONNXNode, _ x: ONNXInputs, lower: Double, upper: Double
  ) throws(ArrayFileError) -> [ONNXValue] {
    // Exporters write "no bound" as the largest float.
    let (l, u) = (
      lower <= -Double(Float.greatestFiniteMagnitude) ? -.infinity : lower,
      upper >= Double(Float.greatestFiniteMagnitude) ? .infinity : upper
    )
    if l == -.infinity && u == .infinity { return [x.values[0]!] }
    guard l < u else { throw node.failure("clips to [\(lower), \(upper)], expected min < max") }
    return try elementwise(node, x, .clip(lower: l, upper: u))
  }

  mutating func hardSigmoid(
    _ node: ONNXNode, _ x: ONNXInputs
  ) throws(ArrayFileError) -> [ONNXValue] {
    let (slope, offset) = (try node.real("alpha") ?? 0.2, try node.real("beta") ?? 0.5)
    guard slope > 0 else { throw node.failure("alpha \(slope), expected a positive number") }
    return try elementwise(node, x, .hardSigmoid(slope: slope, offset: offset))
  }

  /// z moved towards 0 by λ, and 0 within; without the move it would jump at ±λ.
  mutating func shrink(_ node: ONNXNode, _ x: ONNXInputs) throws(ArrayFileError) -> [ONNXValue] {
    let (bound, bias) = (try node.real("lambd") ?? 0.5, try node.real("bias") ?? 0)
    guard bound == bias, bound > 0 else {
      throw node.failure(
        "lambd \(bound) and bias \(bias) make a jump; expected equal positive numbers")
    }
    return try elementwise(
      node, x,
      PiecewiseAffine(kinks: [-bound, bound], slopes: [1, 0, 1], offsets: [bound, 0, -bound]))
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

  mutating func maximum(_ node: ONNXNode, _ x: ONNXInputs) throws(ArrayFileError) -> [ONNXValue] {
    if x.values.count == 1 { return [x.values[0]!] }
    if let (bound, only) = try singleBound(node, x) {
      return try clipped(node, only, lower: bound, upper: .infinity)
    }
    // The maximum over the columns of a junction of k blocks of n coordinates.
    for i in x.values.indices { _ = try x.tensor(i) }
    let (common, operands) = try broadcast(node, x)
    var parts: [ONNXQuantity] = []
    for case .quantity(let q) in operands {
      parts.append(try expanded(q, to: common.sample, for: node))
    }
    let shape = common.sample
    let size = shape.reduce(1, *)
    let junction = try appendJunction(of: parts, for: node)
    try reserve(parts.count * size, for: node)
    let window = SlidingWindow(
      channels: 1, image: Extent(parts.count, size), kernel: Extent(parts.count, 1))
    var result = try append(
      MaximumPooling(window), to: ONNXQuantity(vertex: junction, shape: [parts.count * size]),
      shape: shape, for: node)
    result.layout = common
    return [.quantity(result)]
  }

  mutating func minimum(_ node: ONNXNode, _ x: ONNXInputs) throws(ArrayFileError) -> [ONNXValue] {
    if x.values.count == 1 { return [x.values[0]!] }
    guard let (bound, only) = try singleBound(node, x) else {
      throw node.failure("expected one computed tensor and one constant number")
    }
    return try clipped(node, only, lower: -.infinity, upper: bound)
  }

  /// The constant number and the quantity of a maximum or minimum of two.
  private func singleBound(
    _ node: ONNXNode, _ x: ONNXInputs
  ) throws(ArrayFileError) -> (Double, ONNXInputs)? {
    guard x.values.count == 2 else { return nil }
    for (i, j) in [(0, 1), (1, 0)] {
      if case .constant? = x.values[i], let bound = try x.number(i, "bound") {
        return (bound, ONNXInputs(node: node, values: [x.values[j]], batch: batch))
      }
    }
    return nil
  }
}

import ArrayFiles
import LinearAlgebra
import NetworkKernels
import NeuralSheaves

/// Sums, and products with constants.
extension ONNXImporter {
  /// A sum with coefficients of constants and at least one quantity.
  mutating func combination(
    _ node: ONNXNode, _ x: ONNXInputs, _ coefficients: [Double]
  ) throws(ArrayFileError) -> [ONNXValue] {
    guard x.values.count == coefficients.count else {
      throw node.failure("has \(x.values.count) inputs, expected \(coefficients.count)")
    }
    for i in x.values.indices where x.isConstant(i) { _ = try x.operand(i, "constant") }
    let (common, operands) = try broadcast(node, x)
    var parts: [(q: ONNXQuantity, coefficient: Double)] = []
    var constants: [(c: ONNXConstant, coefficient: Double)] = []
    for (value, coefficient) in zip(operands, coefficients) {
      switch value {
      case .quantity(let q): parts.append((q, coefficient))
      case .constant(let c): constants.append((c, coefficient))
      }
    }
    var result: ONNXQuantity
    var coefficient = 1.0
    if parts.count == 1 {
      coefficient = parts[0].coefficient
      result = try expanded(parts[0].q, to: common.sample, for: node)
    } else {
      var expanded: [ONNXQuantity] = []
      for part in parts {
        expanded.append(try self.expanded(part.q, to: common.sample, for: node))
      }
      let junction = try appendJunction(of: expanded, for: node)
      let size = common.sample.reduce(1, *)
      result = try append(
        parts.contains { $0.coefficient < 0 }
          ? Sum.difference(dimension: size) : Sum(terms: parts.count, dimension: size),
        to: ONNXQuantity(vertex: junction, shape: [parts.count * size]), shape: common.sample,
        for: node)
      result.layout = common
    }
    for (c, sign) in constants {
      result = try scaleAndShift(
        result, scale: .number(coefficient), shift: sign == 1 ? c : c.mapped { sign * $0 }, node)
      coefficient = 1
    }
    if coefficient != 1 {
      result = try scaleAndShift(result, scale: .number(coefficient), shift: .number(0), node)
    }
    return [.quantity(result)]
  }

  /// The mean of tensors: of quantities alone a pooling of their junction.
  mutating func mean(_ node: ONNXNode, _ x: ONNXInputs) throws(ArrayFileError) -> [ONNXValue] {
    let terms = x.values.count
    let (common, operands) = try broadcast(node, x)
    var parts: [ONNXQuantity] = []
    for value in operands {
      if case .quantity(let q) = value {
        parts.append(try expanded(q, to: common.sample, for: node))
      }
    }
    guard parts.count == terms, terms > 1 else {
      let sum = try combination(node, x, [Double](repeating: 1, count: terms))
      guard case .quantity(let q) = sum[0] else { return sum }
      return [
        .quantity(
          try scaleAndShift(q, scale: .number(1 / Double(terms)), shift: .number(0), node))
      ]
    }
    let size = common.sample.reduce(1, *)
    let junction = try appendJunction(of: parts, for: node)
    try reserve(terms * size, for: node)
    let window = SlidingWindow(
      channels: 1, image: Extent(terms, size), kernel: Extent(terms, 1))
    var result = try append(
      AveragePooling(window, includesPadding: false),
      to: ONNXQuantity(vertex: junction, shape: [terms * size]), shape: common.sample, for: node)
    result.layout = common
    return [.quantity(result)]
  }

  mutating func product(
    _ node: ONNXNode, _ x: ONNXInputs, isQuotient: Bool
  ) throws(ArrayFileError) -> [ONNXValue] {
    guard x.values.count == 2 else { throw node.failure("expected two inputs") }
    let first = if case .quantity? = x.values[0] { 0 } else { 1 }
    let other = 1 - first
    guard x.isConstant(other) else {
      throw node.failure(
        "\(isQuotient ? "divides" : "multiplies") computed tensors, which is not piecewise linear; "
          + "expected one constant")
    }
    guard !isQuotient || first == 0 else {
      throw node.failure("divides by a computed tensor, which is not piecewise linear")
    }
    let factor = try x.operand(other, "factor")
    guard !isQuotient || factor.reals.allSatisfy({ $0 != 0 }) else {
      throw node.failure("divides by zero")
    }
    let (common, operands) = try broadcast(node, x)
    guard case .quantity(let q) = operands[first], case .constant(let c) = operands[other] else {
      throw node.failure("expected a computed tensor and a constant")
    }
    let whole = try expanded(q, to: common.sample, for: node)
    let scale = isQuotient ? c.mapped { 1 / $0 } : c
    return [.quantity(try scaleAndShift(whole, scale: scale, shift: .number(0), node))]
  }

  /// q ↦ scale · q + shift, constants that broadcast to a sample of q. What changes nothing makes
  /// no vertex.
  mutating func scaleAndShift(
    _ q: ONNXQuantity, scale: ONNXConstant, shift: ONNXConstant, _ node: ONNXNode
  ) throws(ArrayFileError) -> ONNXQuantity {
    if scale.reals.allSatisfy({ $0 == 1 }) {
      if shift.reals.allSatisfy({ $0 == 0 }) || absorbBias(shift, q, node) { return q }
    }
    try reserve(2 * q.size, for: node)
    var (s, n) = try perChannel(scale, q.shape, node)
    var (t, m) = try perChannel(shift, q.shape, node)
    let extent = min(n, m)
    s = s.flatMap { [Double](repeating: $0, count: n / extent) }
    t = t.flatMap { [Double](repeating: $0, count: m / extent) }
    guard (s + t).allSatisfy(\.isFinite) else {
      throw node.failure("its constant is not finite in double")
    }
    if s.count == 1 {
      return try appendElementwise(to: q, for: node) {
        ChannelAffine(scale: s, shift: t, extent: $0, isTrained: false)
      }
    }
    return try append(
      ChannelAffine(scale: s, shift: t, extent: extent, isTrained: false), to: q, shape: q.shape,
      for: node)
  }

  /// The coefficients of a constant that broadcasts to a sample shape: one for all coordinates, one
  /// for each channel (the first axis longer than 1), or one for each coordinate; and the
  /// coordinates for each.
  func perChannel(
    _ c: ONNXConstant, _ shape: [Int], _ node: ONNXNode
  ) throws(ArrayFileError) -> (values: [Double], extent: Int) {
    let size = shape.reduce(1, *)
    if c.count == 1 { return (c.reals, size) }
    let extents = [Int](repeating: 1, count: max(0, shape.count - c.shape.count)) + c.shape
    guard broadcastShape(extents, shape) == shape else {
      throw node.failure("shape \(c.shape) does not broadcast to a sample of shape \(shape)")
    }
    if let channel = shape.firstIndex(where: { $0 > 1 }), extents[channel] == c.count,
      c.count == shape[channel]
    {
      return (c.reals, size / c.count)
    }
    return (ONNXConstant(shape: extents, c.values).reals(broadcastTo: shape), 1)
  }
}

extension ONNXConstant {
  /// A single number.
  static func number(_ value: Double) -> ONNXConstant { ONNXConstant(shape: [], .real([value])) }

  /// A function of each number.
  func mapped(_ f: (Double) -> Double) -> ONNXConstant {
    var result = self
    result.values = .real(reals.map(f))
    return result
  }
}

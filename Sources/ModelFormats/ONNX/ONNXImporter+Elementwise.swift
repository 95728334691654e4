import ArrayFiles
import LinearAlgebra
import NeuralSheaves

/// Operators on each coordinate, and sums.
extension ONNXImporter {
  mutating func elementwise(
    _ node: ONNXNode, _ x: ONNXInputs, _ function: PiecewiseAffine
  ) throws(ArrayFileError) -> [ONNXValue] {
    let q = try x.quantity(0)
    return [
      .quantity(
        try appendElementwise(to: q, for: node) { Elementwise(function, dimension: $0) })
    ]
  }

  mutating func clip(_ node: ONNXNode, _ x: ONNXInputs) throws(ArrayFileError) -> [ONNXValue] {
    try clipped(
      node, x, lower: try x.number(1, "min") ?? -.infinity,
      upper: try x.number(2, "max") ?? .infinity)
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

  mutating func parametricRectifier(
    _ node: ONNXNode, _ x: ONNXInputs
  ) throws(ArrayFileError) -> [ONNXValue] {
    let q = try x.quantity(0)
    let slopes = try x.weights(1, "slope")
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

  /// The coefficients of a constant that broadcasts to a sample shape: one for all coordinates, one for each
  /// channel (first axis), or one for each coordinate; and the coordinates for each.
  private func perChannel(
    _ c: ONNXConstant, _ shape: [Int], _ node: ONNXNode
  ) throws(ArrayFileError) -> (values: [Double], extent: Int) {
    let size = shape.reduce(1, *)
    if c.count == 1 { return (c.reals, size) }
    var extents = c.shape[...]
    // Leading axes of extent 1, the batch's among them.
    while extents.count > shape.count, extents.first == 1 { extents.removeFirst() }
    guard broadcastShape(Array(extents), shape) == shape else {
      throw node.failure(
        "shape \(c.shape) does not broadcast to \(ONNXShapes.describe([batch] + shape, batch))")
    }
    if extents.count == shape.count, extents.first == shape.first,
      extents.dropFirst().allSatisfy({ $0 == 1 })
    {
      return (c.reals, size / c.count)
    }
    return (ONNXConstant(shape: Array(extents), .real(c.reals)).reals(broadcastTo: shape), 1)
  }

  /// A sum with coefficients of constants and at least one quantity.
  mutating func combination(
    _ node: ONNXNode, _ x: ONNXInputs, _ coefficients: [Double]
  ) throws(ArrayFileError) -> [ONNXValue] {
    guard x.values.count == coefficients.count else {
      throw node.failure("has \(x.values.count) inputs, expected \(coefficients.count)")
    }
    var parts: [(q: ONNXQuantity, coefficient: Double)] = []
    var constants: [(c: ONNXConstant, coefficient: Double)] = []
    var shape: [Int]?
    for (i, c) in coefficients.enumerated() {
      switch x.values[i] {
      case .quantity:
        let q = try x.quantity(i)
        guard let common = broadcastShape(shape ?? q.shape, q.shape),
          (shape ?? q.shape).count == q.shape.count
        else {
          throw node.failure(
            "combines shapes \(ONNXShapes.describe([batch] + (shape ?? []), batch)) and "
              + "\(ONNXShapes.describe([batch] + q.shape, batch)), expected as many axes, so that the "
              + "batches meet")
        }
        shape = common
        parts.append((q, c))
      case .constant:
        constants.append((try x.weights(i, "constant"), c))
      case nil: throw node.failure("lacks input \(i)")
      }
    }
    let whole = shape!
    var result: ONNXQuantity
    var coefficient = 1.0
    if parts.count == 1 {
      (result, coefficient) = parts[0]
    } else {
      var expanded: [ONNXQuantity] = []
      for part in parts { expanded.append(try self.expanded(part.q, to: whole, for: node)) }
      let junction = try appendJunction(of: expanded, for: node)
      let size = whole.reduce(1, *)
      result = try append(
        parts.contains { $0.coefficient < 0 }
          ? Sum.difference(dimension: size) : Sum(terms: parts.count, dimension: size),
        to: ONNXQuantity(vertex: junction, shape: [parts.count * size]), shape: whole, for: node)
    }
    for (c, sign) in constants {
      var shift = c
      if sign != 1 { shift = ONNXConstant(shape: c.shape, .real(c.reals.map { sign * $0 })) }
      result = try scaleAndShift(
        result, scale: ONNXConstant(shape: [], .real([coefficient])), shift: shift, node)
      coefficient = 1
    }
    if coefficient != 1 {
      result = try scaleAndShift(
        result, scale: ONNXConstant(shape: [], .real([coefficient])),
        shift: ONNXConstant(shape: [], .real([0])), node)
    }
    return [.quantity(result)]
  }

  mutating func product(
    _ node: ONNXNode, _ x: ONNXInputs, isQuotient: Bool
  ) throws(ArrayFileError) -> [ONNXValue] {
    guard x.values.count == 2 else { throw node.failure("expected two inputs") }
    let first = if case .quantity? = x.values[0] { 0 } else { 1 }
    let other = 1 - first
    guard case .constant? = x.values[other] else {
      throw node.failure(
        "\(isQuotient ? "divides" : "multiplies") computed tensors, which is not piecewise linear; "
          + "expected one constant")
    }
    guard !isQuotient || first == 0 else {
      throw node.failure("divides by a computed tensor, which is not piecewise linear")
    }
    var scale = try x.weights(other, "factor")
    if isQuotient {
      guard scale.reals.allSatisfy({ $0 != 0 }) else { throw node.failure("divides by zero") }
      scale = ONNXConstant(shape: scale.shape, .real(scale.reals.map { 1 / $0 }))
    }
    return [
      .quantity(
        try scaleAndShift(
          try x.quantity(first), scale: scale, shift: ONNXConstant(shape: [], .real([0])), node))
    ]
  }

  /// q ↦ scale · q + shift, constants that broadcast, or that q broadcasts to.
  private mutating func scaleAndShift(
    _ q: ONNXQuantity, scale: ONNXConstant, shift: ONNXConstant, _ node: ONNXNode
  ) throws(ArrayFileError) -> ONNXQuantity {
    var shape = [1] + q.shape
    for c in [scale, shift] {
      guard let common = broadcastShape(shape, c.shape), common.first == 1,
        elementCount(common, limit: Self.sizeLimit) != nil
      else {
        throw node.failure(
          "a constant of shape \(c.shape) with a tensor of shape "
            + ONNXShapes.describe([batch] + q.shape, batch))
      }
      shape = common
    }
    guard shape.count == q.shape.count + 1 else {
      throw node.failure("a constant of shape \(shift.shape) adds axes in front of the batch")
    }
    let whole = try expanded(q, to: Array(shape.dropFirst()), for: node)
    if scale.count == 1, scale.reals[0] == 1, absorbBias(shift, whole, node) { return whole }
    try reserve(2 * whole.size, for: node)
    var (s, n) = try perChannel(scale, whole.shape, node)
    var (t, m) = try perChannel(shift, whole.shape, node)
    let extent = min(n, m)
    s = s.flatMap { [Double](repeating: $0, count: n / extent) }
    t = t.flatMap { [Double](repeating: $0, count: m / extent) }
    guard (s + t).allSatisfy(\.isFinite) else {
      throw node.failure("its constant is not finite in double")
    }
    if s.count == 1 {
      return try appendElementwise(to: whole, for: node) {
        ChannelAffine(scale: s, shift: t, extent: $0, isTrained: false)
      }
    }
    return try append(
      ChannelAffine(scale: s, shift: t, extent: extent, isTrained: false), to: whole,
      shape: whole.shape, for: node)
  }

  mutating func maximum(_ node: ONNXNode, _ x: ONNXInputs) throws(ArrayFileError) -> [ONNXValue] {
    if x.values.count == 1 { return [x.values[0]!] }
    if let (bound, only) = try singleBound(node, x) {
      return try clipped(node, only, lower: bound, upper: .infinity)
    }
    // The maximum over the columns of a junction of k blocks of n coordinates.
    var parts: [ONNXQuantity] = []
    for i in x.values.indices { parts.append(try x.quantity(i)) }
    var shape = parts[0].shape
    for q in parts {
      guard let common = broadcastShape(shape, q.shape), shape.count == q.shape.count else {
        throw node.failure(
          "shapes \(shape) and \(q.shape) of a sample, expected as many axes that broadcast")
      }
      shape = common
    }
    let size = shape.reduce(1, *)
    for i in parts.indices { parts[i] = try expanded(parts[i], to: shape, for: node) }
    let junction = try appendJunction(of: parts, for: node)
    try reserve(parts.count * size, for: node)
    let window = SlidingWindow(
      channels: 1, image: Extent(parts.count, size), kernel: Extent(parts.count, 1))
    return [
      .quantity(
        try append(
          MaximumPooling(window),
          to: ONNXQuantity(vertex: junction, shape: [parts.count * size]), shape: shape,
          for: node))
    ]
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
        return (bound, ONNXInputs(node: node, values: [x.values[j]]))
      }
    }
    return nil
  }
}

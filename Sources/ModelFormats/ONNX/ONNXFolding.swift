import ArrayFiles

/// Operators on constants: what exporters leave of shape computations, reshaped weights and the
/// like is worked out when the file is read.
enum ONNXFolding {
  /// The operators.
  static let operators: Set<String> = [
    "Add", "Cast", "CastLike", "Ceil", "Concat", "Constant", "ConstantOfShape", "Div", "Dropout",
    "Equal",
    "Expand", "Flatten", "Floor", "Gather", "Identity", "Max", "Min", "Mod", "Mul", "Neg", "Range",
    "Reciprocal", "Reshape", "Shape", "Size", "Slice", "Split", "Sqrt", "Squeeze", "Sub",
    "Transpose", "Unsqueeze", "Where",
  ]

  /// The value, of at most `limit` numbers, of a node whose inputs are all constant; nil for shape operators, which are the same
  /// for constants and for quantities.
  static func value(
    _ node: ONNXNode, _ inputs: [ONNXConstant], reader: ONNXTensorReader, limit: Int
  ) throws(ArrayFileError) -> ONNXConstant? {
    func input(_ i: Int) throws(ArrayFileError) -> ONNXConstant {
      guard i < inputs.count else { throw node.failure("lacks input \(i)") }
      return inputs[i]
    }
    switch node.type {
    case "Constant": return try node.constant(reader)
    case "Identity", "Dropout": return try input(0)
    case "Cast":
      return try cast(
        try input(0), isReal: [1, 10, 11, 16].contains(try node.integer("to") ?? 1), node)
    case "CastLike":
      // What it is like may be computed, and then real.
      return try cast(try input(0), isReal: inputs.count < 2 || inputs[1].integers == nil, node)
    case "Mod":
      return try combine(
        node, limit, try input(0), try input(1),
        { a, b in
          guard b != 0 && b != -1 else { return 0 }
          return (a % b + b) % b
        }, { $0 - $1 * ($0 / $1).rounded(.down) })
    case "Add": return try combine(node, limit, try input(0), try input(1), { $0 &+ $1 }, +)
    case "Sub": return try combine(node, limit, try input(0), try input(1), { $0 &- $1 }, -)
    case "Mul": return try combine(node, limit, try input(0), try input(1), { $0 &* $1 }, *)
    case "Div":
      return try combine(
        node, limit, try input(0), try input(1),
        { $1 == 0 ? 0 : $0.dividedReportingOverflow(by: $1).partialValue }, /)
    case "Max": return try combine(node, limit, try input(0), try input(1), max, max)
    case "Min": return try combine(node, limit, try input(0), try input(1), min, min)
    case "Equal":
      return try combine(
        node, limit, try input(0), try input(1), { $0 == $1 ? 1 : 0 }, { $0 == $1 ? 1 : 0 })
    case "Where":
      let (c, a, b) = (try input(0), try input(1), try input(2))
      guard let ab = broadcastShape(a.shape, b.shape), let shape = broadcastShape(c.shape, ab),
        elementCount(shape, limit: limit) != nil
      else {
        throw node.failure(
          "shapes \(c.shape), \(a.shape), \(b.shape) do not broadcast to at most \(limit) elements")
      }
      let choice = c.reals(broadcastTo: shape)
      if a.integers != nil && b.integers != nil {
        let (p, q) = (a.expanded(to: shape).integers!, b.expanded(to: shape).integers!)
        return ONNXConstant(
          shape: shape, .integer(choice.indices.map { choice[$0] != 0 ? p[$0] : q[$0] }))
      }
      let (p, q) = (a.reals(broadcastTo: shape), b.reals(broadcastTo: shape))
      return ONNXConstant(
        shape: shape, .real(choice.indices.map { choice[$0] != 0 ? p[$0] : q[$0] }))
    case "Neg":
      let x = try input(0)
      if let n = x.integers { return ONNXConstant(shape: x.shape, .integer(n.map { 0 &- $0 })) }
      return map(x, -)
    case "Sqrt": return map(try input(0)) { $0.squareRoot() }
    case "Reciprocal": return map(try input(0)) { 1 / $0 }
    case "Floor": return map(try input(0)) { $0.rounded(.down) }
    case "Ceil": return map(try input(0)) { $0.rounded(.up) }
    case "ConstantOfShape":
      guard let shape = try input(0).integers,
        let count = elementCount(shape, limit: limit)
      else { throw node.failure("expected a shape of at most \(limit) elements") }
      let value = try node.tensor("value", reader) ?? ONNXConstant(shape: [1], .real([0]))
      guard value.count == 1 else { throw node.failure("expected a single value") }
      if let n = value.integers {
        return ONNXConstant(shape: shape, .integer([Int](repeating: n[0], count: count)))
      }
      return ONNXConstant(
        shape: shape, .real([Double](repeating: value.reals[0], count: count)))
    case "Range":
      guard let start = try input(0).integers?.first, let end = try input(1).integers?.first,
        let step = try input(2).integers?.first, step != 0,
        abs(end.subtractingReportingOverflow(start).partialValue / step) <= 1 << 20
      else { throw node.failure("expected whole numbers and at most 2^20 of them") }
      let numbers = Array(stride(from: start, to: end, by: step))
      return ONNXConstant(shape: [numbers.count], .integer(numbers))
    default: return nil
    }
  }

  private static func map(_ x: ONNXConstant, _ f: (Double) -> Double) -> ONNXConstant {
    ONNXConstant(shape: x.shape, .real(x.reals.map(f)))
  }

  private static func cast(
    _ x: ONNXConstant, isReal: Bool, _ node: ONNXNode
  ) throws(ArrayFileError) -> ONNXConstant {
    if isReal { return ONNXConstant(shape: x.shape, .real(x.reals)) }
    guard case .real(let reals) = x.values else { return x }
    var result: [Int] = []
    for value in reals {
      guard let n = Int(exactly: value.rounded(.towardZero)) else {
        throw node.failure("\(value) is no whole number")
      }
      result.append(n)
    }
    return ONNXConstant(shape: x.shape, .integer(result))
  }

  private static func combine(
    _ node: ONNXNode, _ limit: Int, _ a: ONNXConstant, _ b: ONNXConstant,
    _ whole: (Int, Int) -> Int,
    _ real: (Double, Double) -> Double
  ) throws(ArrayFileError) -> ONNXConstant {
    guard let shape = broadcastShape(a.shape, b.shape),
      elementCount(shape, limit: limit) != nil
    else {
      throw node.failure(
        "shapes \(a.shape) and \(b.shape) do not broadcast to at most \(limit) elements")
    }
    let (p, q) = (a.expanded(to: shape), b.expanded(to: shape))
    if let m = p.integers, let n = q.integers {
      return ONNXConstant(shape: shape, .integer(zip(m, n).map(whole)))
    }
    return ONNXConstant(shape: shape, .real(zip(p.reals, q.reals).map(real)))
  }
}

extension ONNXConstant {
  func expanded(to target: [Int]) -> ONNXConstant {
    target == shape ? self : chosen(by: TensorView(shape: shape).expanded(to: target))
  }
}

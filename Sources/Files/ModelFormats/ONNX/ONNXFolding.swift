import ArrayFiles
import Foundation

/// Operators on constants: what exporters leave of shape computations, reshaped weights and the
/// like is worked out when the file is read.
enum ONNXFolding {
  /// The operators.
  static let operators = Set([
    "Add", "And", "Cast", "CastLike", "Concat", "Constant", "ConstantOfShape", "CumSum",
    "DequantizeLinear", "Div", "Dropout", "Equal", "Gemm", "Greater", "GreaterOrEqual", "Identity",
    "Less",
    "LessOrEqual", "MatMul", "Max", "Min", "Mod", "Mul", "Neg", "Or", "Pow", "QuantizeLinear",
    "Range", "Shape", "Size", "Sub", "Sum", "Where",
  ])
  .union(ONNXShapes.operators).union(ONNXScatter.operators).union(functions.keys)
  .union(reductions.keys)

  /// The value, of at most `limit` numbers, of a node whose inputs are all constant; nil for shape
  /// operators, which are the same for constants and for quantities.
  static func value(
    _ node: ONNXNode, _ inputs: [ONNXConstant], reader: ONNXTensorReader, limit: Int,
    batch: Int
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
    case "Pow":
      return try combine(
        node, limit, try input(0), try input(1),
        { Int(exactly: pow(Double($0), Double($1)).rounded(.towardZero)) ?? 0 }, pow)
    case "Max", "Min", "Sum":
      var result = try input(0)
      for other in inputs.dropFirst() {
        switch node.type {
        case "Max": result = try combine(node, limit, result, other, max, max)
        case "Min": result = try combine(node, limit, result, other, min, min)
        default: result = try combine(node, limit, result, other, { $0 &+ $1 }, +)
        }
      }
      return result
    case "Equal": return try compare(node, limit, inputs, ==, ==)
    case "Greater": return try compare(node, limit, inputs, >, >)
    case "GreaterOrEqual": return try compare(node, limit, inputs, >=, >=)
    case "Less": return try compare(node, limit, inputs, <, <)
    case "LessOrEqual": return try compare(node, limit, inputs, <=, <=)
    case "And":
      return try compare(node, limit, inputs, { $0 != 0 && $1 != 0 }, { $0 != 0 && $1 != 0 })
    case "Or":
      return try compare(node, limit, inputs, { $0 != 0 || $1 != 0 }, { $0 != 0 || $1 != 0 })
    case "CumSum": return try cumulativeSum(node, try input(0), try input(1))
    case "MatMul", "Gemm": return try product(node, inputs, limit)
    case "DequantizeLinear", "QuantizeLinear": return try quantized(node, inputs)
    case "Where":
      let (common, list) = try aligned(node, limit, [try input(0), try input(1), try input(2)])
      let choice = list[0].reals
      if let p = list[1].integers, let q = list[2].integers {
        return ONNXConstant(
          shape: common.sample, .integer(choice.indices.map { choice[$0] != 0 ? p[$0] : q[$0] }),
          batchAxis: common.batchAxis)
      }
      let (p, q) = (list[1].reals, list[2].reals)
      return ONNXConstant(
        shape: common.sample, .real(choice.indices.map { choice[$0] != 0 ? p[$0] : q[$0] }),
        batchAxis: common.batchAxis)
    case "Neg":
      let x = try input(0)
      if let n = x.integers {
        return ONNXConstant(shape: x.shape, .integer(n.map { 0 &- $0 }), batchAxis: x.batchAxis)
      }
      return map(x, -)
    case "ConstantOfShape":
      guard var shape = try input(0).integers else { throw node.failure("expected a shape") }
      let batchAxis = ONNXImporter.isOpen(batch) ? shape.firstIndex(of: batch) : nil
      if let batchAxis { shape.remove(at: batchAxis) }
      guard let count = elementCount(shape, limit: limit)
      else { throw node.failure("expected a shape of at most \(limit) elements") }
      let value = try node.tensor("value", reader) ?? ONNXConstant(shape: [1], .real([0]))
      guard value.count == 1 else { throw node.failure("expected a single value") }
      if let n = value.integers {
        return ONNXConstant(
          shape: shape, .integer([Int](repeating: n[0], count: count)),
          batchAxis: batchAxis)
      }
      return ONNXConstant(
        shape: shape, .real([Double](repeating: value.reals[0], count: count)),
        batchAxis: batchAxis)
    case "Range":
      guard let start = try input(0).integers?.first, let end = try input(1).integers?.first,
        let step = try input(2).integers?.first, step != 0,
        abs(end.subtractingReportingOverflow(start).partialValue / step) <= 1 << 20
      else { throw node.failure("expected whole numbers and at most 2^20 of them") }
      let numbers = Array(stride(from: start, to: end, by: step))
      return ONNXConstant(shape: [numbers.count], .integer(numbers))
    default:
      if let f = functions[node.type] {
        let x = try input(0)
        // Whole numbers stay such where they may.
        if x.integers != nil, isIntegral.contains(node.type) {
          return ONNXConstant(
            shape: x.shape, .integer(x.reals.map { Int(exactly: f($0)) ?? 0 }),
            batchAxis: x.batchAxis)
        }
        return map(x, f)
      }
      if let f = reductions[node.type] { return try reduced(node, inputs, f) }
      return nil
    }
  }

  static func map(_ x: ONNXConstant, _ f: (Double) -> Double) -> ONNXConstant {
    ONNXConstant(shape: x.shape, .real(x.reals.map(f)), batchAxis: x.batchAxis)
  }

  private static func cast(
    _ x: ONNXConstant, isReal: Bool, _ node: ONNXNode
  ) throws(ArrayFileError) -> ONNXConstant {
    if isReal && x.integers == nil { return x }
    if isReal { return ONNXConstant(shape: x.shape, .real(x.reals), batchAxis: x.batchAxis) }
    if x.integers != nil { return x }
    let reals = x.reals
    var result: [Int] = []
    for value in reals {
      guard let n = Int(exactly: value.rounded(.towardZero)) else {
        throw node.failure("\(value) is no whole number")
      }
      result.append(n)
    }
    return ONNXConstant(shape: x.shape, .integer(result), batchAxis: x.batchAxis)
  }

  static func combine(
    _ node: ONNXNode, _ limit: Int, _ a: ONNXConstant, _ b: ONNXConstant,
    _ whole: (Int, Int) -> Int,
    _ real: (Double, Double) -> Double
  ) throws(ArrayFileError) -> ONNXConstant {
    let (common, list) = try aligned(node, limit, [a, b])
    if let m = list[0].integers, let n = list[1].integers {
      return ONNXConstant(
        shape: common.sample, .integer(zip(m, n).map(whole)), batchAxis: common.batchAxis)
    }
    return ONNXConstant(
      shape: common.sample, .real(zip(list[0].reals, list[1].reals).map(real)),
      batchAxis: common.batchAxis)
  }

  /// Constants repeated to their common shape.
  private static func aligned(
    _ node: ONNXNode, _ limit: Int, _ constants: [ONNXConstant]
  ) throws(ArrayFileError) -> (TensorShape, [ONNXConstant]) {
    guard let (common, samples) = TensorShape.broadcast(constants.map(\.layout)),
      elementCount(common.sample, limit: limit) != nil
    else {
      throw node.failure(
        "shapes \(constants.map(\.shape)) do not broadcast to at most \(limit) elements")
    }
    return (
      common,
      zip(constants, samples).map { c, sample in
        var c = c
        c.shape = sample
        return c.expanded(to: common.sample)
      }
    )
  }
}

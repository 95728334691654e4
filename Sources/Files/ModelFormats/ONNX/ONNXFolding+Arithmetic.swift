import ArrayFiles
import Foundation
import LinearAlgebra

/// Functions, comparisons, reductions, products and quantisation of constants.
extension ONNXFolding {
  /// Functions of one number.
  static let functions: [String: @Sendable (Double) -> Double] = [
    "Abs": { abs($0) }, "Ceil": { $0.rounded(.up) }, "Exp": { exp($0) },
    "Floor": { $0.rounded(.down) }, "Log": { log($0) }, "Not": { $0 == 0 ? 1 : 0 },
    "Reciprocal": { 1 / $0 }, "Relu": { max(0, $0) }, "Round": { $0.rounded(.toNearestOrEven) },
    "Sigmoid": { 1 / (1 + exp(-$0)) }, "Sign": { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 },
    "Sqrt": { $0.squareRoot() }, "Tanh": { tanh($0) },
  ]

  /// Those that make whole numbers of whole numbers.
  static let isIntegral: Set<String> = ["Abs", "Ceil", "Floor", "Not", "Relu", "Round", "Sign"]

  /// Reductions of a list of numbers.
  static let reductions: [String: @Sendable ([Double]) -> Double] = [
    "ReduceMax": { $0.max() ?? 0 }, "ReduceMean": { $0.reduce(0, +) / Double($0.count) },
    "ReduceMin": { $0.min() ?? 0 }, "ReduceProd": { $0.reduce(1, *) },
    "ReduceSum": { $0.reduce(0, +) },
  ]

  static func compare(
    _ node: ONNXNode, _ limit: Int, _ inputs: [ONNXConstant], _ whole: (Int, Int) -> Bool,
    _ real: (Double, Double) -> Bool
  ) throws(ArrayFileError) -> ONNXConstant {
    guard inputs.count == 2 else { throw node.failure("expected two inputs") }
    var result = try combine(
      node, limit, inputs[0], inputs[1], { whole($0, $1) ? 1 : 0 }, { real($0, $1) ? 1 : 0 })
    result.values = .integer(result.integers ?? result.reals.map { $0 == 0 ? 0 : 1 })
    return result
  }

  static func reduced(
    _ node: ONNXNode, _ inputs: [ONNXConstant], _ f: ([Double]) -> Double
  ) throws(ArrayFileError) -> ONNXConstant {
    guard let x = inputs.first, x.batchAxis == nil else {
      throw node.failure("reduces what is as long as the batch")
    }
    let rank = x.shape.count
    var given = try node.integers("axes") ?? []
    if inputs.count > 1 { given = inputs[1].integers ?? [] }
    if given.isEmpty {
      if try node.integer("noop_with_empty_axes") ?? 0 != 0 { return x }
      given = Array(0..<rank)
    }
    var axes: Set<Int> = []
    for a in given { axes.insert(try node.axis(a, rank: rank)) }
    let (kept, over) = (
      (0..<rank).filter { !axes.contains($0) }, (0..<rank).filter { axes.contains($0) }
    )
    let size = over.reduce(1) { $0 * x.shape[$1] }
    guard size > 0 else { throw node.failure("reduces nothing") }
    let rows = x.chosen(by: TensorView(shape: x.shape).transposed(kept + over)).reals
    let values = stride(from: 0, to: rows.count, by: size).map { f(Array(rows[$0..<$0 + size])) }
    let keepsAxes = try node.integer("keepdims") ?? 1 != 0
    let shape =
      keepsAxes
      ? (0..<rank).map { axes.contains($0) ? 1 : x.shape[$0] } : kept.map { x.shape[$0] }
    if x.integers != nil, values.allSatisfy({ Int(exactly: $0) != nil }) {
      return ONNXConstant(shape: shape, .integer(values.map { Int($0) }))
    }
    return ONNXConstant(shape: shape, .real(values))
  }

  /// The product of two matrices; of Gemm with its factors and its sum.
  static func product(
    _ node: ONNXNode, _ inputs: [ONNXConstant], _ limit: Int
  ) throws(ArrayFileError) -> ONNXConstant {
    if let a = inputs.first, let k = a.batchAxis {
      return try product(node, inputs, limit, along: k)
    }
    if node.type == "MatMul", inputs.count == 2, inputs.contains(where: { $0.shape.count != 2 }) {
      return try stackedProduct(node, inputs[0], inputs[1], limit)
    }
    guard inputs.count >= 2, inputs[0].shape.count == 2, inputs[1].shape.count == 2,
      inputs[0].batchAxis == nil, inputs[1].batchAxis == nil
    else { throw node.failure("multiplies constants that are no matrices") }
    func matrix(_ c: ONNXConstant, _ attribute: String) throws(ArrayFileError) -> Matrix {
      let m = c.matrix(rows: c.shape[0], columns: c.shape[1], isRowMajor: true)
      return try node.integer(attribute) ?? 0 == 0 ? m : m.transposed
    }
    let (a, b) = (try matrix(inputs[0], "transA"), try matrix(inputs[1], "transB"))
    guard a.columns == b.rows, a.count > 0, b.count > 0 else {
      throw node.failure("shapes \(inputs[0].shape) and \(inputs[1].shape) do not match")
    }
    guard elementCount([a.rows, b.columns], limit: limit) != nil else {
      throw node.failure("makes \(a.rows)×\(b.columns) numbers, expected at most \(limit)")
    }
    var c = Matrix(rows: a.rows, columns: b.columns)
    c.addProduct(a, b, scale: try node.real("alpha") ?? 1)
    if inputs.count > 2 {
      let beta = try node.real("beta") ?? 1
      guard broadcastShape(inputs[2].shape, [a.rows, b.columns]) == [a.rows, b.columns] else {
        throw node.failure("a bias of shape \(inputs[2].shape) for \(c.shape)")
      }
      let bias = inputs[2].reals(broadcastTo: [a.rows, b.columns])
      c.add(Matrix(rows: a.rows, columns: b.columns, rowMajor: bias), scale: beta)
    }
    return ONNXConstant(shape: [a.rows, b.columns], .real(c.rowMajor))
  }

  /// A product whose left factor is as long as the batch, axis k: that of one sample.
  private static func product(
    _ node: ONNXNode, _ inputs: [ONNXConstant], _ limit: Int, along k: Int
  ) throws(ArrayFileError) -> ONNXConstant {
    let rank = inputs[0].layout.rank
    guard inputs.count > 1, inputs[1].batchAxis == nil, inputs[1].shape.count > 1, k < rank - 1,
      try node.integer("transA") ?? 0 == 0
    else { throw node.failure("multiplies constants along the batch") }
    let whole = inputs.map { $0.reshaped($0.layout.whole) }
    guard whole.dropFirst(2).allSatisfy({ $0.shape.count < 2 || $0.shape[0] == 1 }) else {
      throw node.failure("adds a constant that tells samples apart")
    }
    var result = try product(node, whole, limit)
    let axis = k + result.shape.count - rank
    guard result.shape[axis] == 1 else { throw node.failure("repeats the batch") }
    result.shape.remove(at: axis)
    result.batchAxis = axis
    return result
  }

  /// NumPy's product of matrices in the last two axes, whose other axes broadcast; a tensor of one
  /// axis is a row on the left and a column on the right.
  private static func stackedProduct(
    _ node: ONNXNode, _ a: ONNXConstant, _ b: ONNXConstant, _ limit: Int
  ) throws(ArrayFileError) -> ONNXConstant {
    func fail(_ why: String) -> ArrayFileError {
      node.failure("multiplies constants of shapes \(a.shape) and \(b.shape), \(why)")
    }
    guard a.batchAxis == nil, b.batchAxis == nil, !a.shape.isEmpty, !b.shape.isEmpty else {
      throw fail("of which one is a number or as long as the batch")
    }
    let p = a.shape.count == 1 ? [1] + a.shape : a.shape
    let q = b.shape.count == 1 ? b.shape + [1] : b.shape
    let (m, n, k) = (p[p.count - 2], q[q.count - 1], p[p.count - 1])
    guard let stack = broadcastShape(p.dropLast(2), q.dropLast(2)), q[q.count - 2] == k,
      let count = elementCount(stack + [m, n], limit: limit), count > 0, k > 0,
      elementCount(stack + [m, k], limit: limit) != nil,
      elementCount(stack + [k, n], limit: limit) != nil
    else { throw fail("which do not match or make too many numbers") }
    let x = a.reshaped(TensorShape(sample: p, batchAxis: nil)).reals(broadcastTo: stack + [m, k])
    let y = b.reshaped(TensorShape(sample: q, batchAxis: nil)).reals(broadcastTo: stack + [k, n])
    var result: [Double] = []
    for s in 0..<stack.reduce(1, *) {
      var product = Matrix(rows: m, columns: n)
      product.addProduct(
        Matrix(rows: m, columns: k, rowMajor: Array(x[s * m * k..<(s + 1) * m * k])),
        Matrix(rows: k, columns: n, rowMajor: Array(y[s * k * n..<(s + 1) * k * n])), scale: 1)
      result += product.rowMajor
    }
    let shape =
      stack + (a.shape.count == 1 ? [] : [m]) + (b.shape.count == 1 ? [] : [n])
    if a.integers != nil, b.integers != nil {
      return ONNXConstant(shape: shape, .integer(result.map { Int(exactly: $0) ?? 0 }))
    }
    return ONNXConstant(shape: shape, .real(result))
  }

  /// Weights as small whole numbers: real = scale · (whole − zero point), the scale and the zero
  /// point one for all, for each place on an axis, or for each block of one; and the whole numbers
  /// nearest to weights.
  static func quantized(
    _ node: ONNXNode, _ inputs: [ONNXConstant]
  ) throws(ArrayFileError) -> ONNXConstant {
    guard inputs.count >= 2 else { throw node.failure("lacks the scale") }
    let x = inputs[0]
    func spread(_ c: ONNXConstant) throws(ArrayFileError) -> [Double] {
      if c.count == 1 { return [Double](repeating: c.reals[0], count: x.count) }
      let axis = try node.axis(try node.integer("axis") ?? 1, rank: x.shape.count)
      var c = c
      if c.shape.count == 1 {
        guard c.count == x.shape[axis] else {
          throw node.failure("\(c.count) scales along an axis of \(x.shape[axis])")
        }
        c.shape += [Int](repeating: 1, count: x.shape.count - axis - 1)
      } else {
        let block = try node.integer("block_size") ?? 0
        guard block > 0, c.shape.count == x.shape.count,
          c.shape[axis] == (x.shape[axis] + block - 1) / block
        else { throw node.failure("scales of shape \(c.shape) for \(x.shape)") }
        c = c.chosen(
          by: TensorView(shape: c.shape).gathered(
            axis: axis, (0..<x.shape[axis]).map { $0 / block }))
      }
      guard broadcastShape(c.shape, x.shape) == x.shape else {
        throw node.failure("scales of shape \(c.shape) for \(x.shape)")
      }
      return c.reals(broadcastTo: x.shape)
    }
    let scales = try spread(inputs[1])
    let zeros = inputs.count > 2 ? try spread(inputs[2]) : scales.map { _ in 0 }
    let numbers = x.reals
    if node.type == "DequantizeLinear" {
      return ONNXConstant(
        shape: x.shape,
        .real(numbers.indices.map { Double(Float((numbers[$0] - zeros[$0]) * scales[$0])) }))
    }
    let range = inputs.count > 2 ? inputs[2].range : 0...255
    guard let range, scales.allSatisfy({ $0 != 0 }), numbers.allSatisfy(\.isFinite) else {
      throw node.failure("expected finite numbers and whole numbers of one or two bytes")
    }
    // In floats, as a runtime rounds.
    var result = ONNXConstant(
      shape: x.shape,
      .integer(
        numbers.indices.map { i in
          let quotient = (Float(numbers[i]) / Float(scales[i])).rounded(.toNearestOrEven)
          let n = Double(quotient) + zeros[i]
          return Int(min(max(n, Double(range.lowerBound)), Double(range.upperBound)))
        }))
    result.range = range
    return result
  }
}

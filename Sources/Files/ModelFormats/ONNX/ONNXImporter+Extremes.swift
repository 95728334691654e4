import ArrayFiles
import LinearAlgebra
import NetworkKernels
import NeuralSheaves

/// Largest and least of several tensors, element by element.
extension ONNXImporter {
  /// Max or Min: of computed tensors a pooling of their junction, with a constant number a clip, with several
  /// numbers a spline for each coordinate.
  mutating func extreme(_ node: ONNXNode, _ x: ONNXInputs) throws(ArrayFileError) -> [ONNXValue] {
    if x.values.count == 1 { return [x.values[0]!] }
    let isMinimum = node.type == "Min"
    for i in x.values.indices {
      guard let bound = try x.isConstant(i) ? x.constant(i) : nil else { continue }
      // No bound at all.
      if bound.reals.allSatisfy({ $0 == (isMinimum ? .infinity : -.infinity) }) { continue }
      _ = try x.operand(i, "bound")
    }
    let (common, operands) = try broadcast(node, x)
    var (parts, bounds): ([ONNXQuantity], [ONNXConstant]) = ([], [])
    for operand in operands {
      switch operand {
      case .quantity(let q): parts.append(try expanded(q, to: common.sample, for: node))
      case .constant(let c): bounds.append(c)
      }
    }
    var result = parts[0]
    if parts.count > 1 {
      let size = common.sample.reduce(1, *)
      let junction = try appendJunction(of: parts, for: node)
      try reserve(parts.count * size, for: node)
      let window = SlidingWindow(
        channels: 1, image: Extent(parts.count, size), kernel: Extent(parts.count, 1))
      result = try append(
        MaximumPooling(window, isMinimum: isMinimum),
        to: ONNXQuantity(vertex: junction, shape: [parts.count * size]), shape: common.sample,
        for: node)
    }
    result.layout = common
    guard var bound = bounds.first else { return [.quantity(result)] }
    for other in bounds.dropFirst() {
      let (a, b) = (bound.expanded(to: common.sample), other.expanded(to: common.sample))
      bound = ONNXConstant(
        shape: common.sample,
        .real(zip(a.reals, b.reals).map { isMinimum ? min($0, $1) : max($0, $1) }))
    }
    return [.quantity(try bounded(result, by: bound, isMinimum: isMinimum, node))]
  }

  /// max(q, c) or min(q, c).
  private mutating func bounded(
    _ q: ONNXQuantity, by bound: ONNXConstant, isMinimum: Bool, _ node: ONNXNode
  ) throws(ArrayFileError) -> ONNXQuantity {
    let numbers = bound.reals
    if let only = numbers.first, numbers.allSatisfy({ $0 == only }) {
      return try clipped(
        q, node, lower: isMinimum ? -.infinity : only, upper: isMinimum ? only : .infinity)
    }
    try reserve(4 * q.size, for: node)
    let kinks = Matrix(column: bound.reals(broadcastTo: q.shape))
    var slopes = Matrix(rows: q.size, columns: 2)
    for i in 0..<q.size { slopes[i, isMinimum ? 0 : 1] = 1 }
    let splines = LinearSplines(
      kinks: kinks, slopes: slopes,
      firstOffsets: isMinimum ? Matrix(rows: q.size, columns: 1) : kinks)
    return try append(ElementwiseSplines(splines), to: q, shape: q.shape, for: node)
  }

  mutating func clip(_ node: ONNXNode, _ x: ONNXInputs) throws(ArrayFileError) -> [ONNXValue] {
    let q = try x.tensor(0)
    // Before operator set 11 bounds are attributes.
    let (low, high) = (try node.real("min"), try node.real("max"))
    return [
      .quantity(
        try clipped(
          q, node, lower: try x.number(1, "min") ?? low ?? -.infinity,
          upper: try x.number(2, "max") ?? high ?? .infinity))
    ]
  }

  private mutating func clipped(
    _ q: ONNXQuantity, _ node: ONNXNode, lower: Double, upper: Double
  ) throws(ArrayFileError) -> ONNXQuantity {
    // Exporters write "no bound" as the largest float.
    let (l, u) = (
      lower <= -Double(Float.greatestFiniteMagnitude) ? -.infinity : lower,
      upper >= Double(Float.greatestFiniteMagnitude) ? .infinity : upper
    )
    if l == -.infinity && u == .infinity { return q }
    guard l < u else { throw node.failure("clips to [\(lower), \(upper)], expected min < max") }
    return try appendElementwise(to: q, for: node) {
      Elementwise(.clip(lower: l, upper: u), dimension: $0)
    }
  }
}

import ArrayFiles
import LinearAlgebra
import NeuralSheaves

/// CumSum: the places along one axis whose sum each place takes.
struct ONNXCumulativeSum {
  let axis: Int
  /// The extents in front of the axis, along it and behind it.
  let outer: Int
  let count: Int
  let inner: Int
  /// Whether a place itself does not count.
  let isExclusive: Bool
  /// Whether sums run from the end.
  let isReversed: Bool

  init(
    _ node: ONNXNode, _ layout: TensorShape, axis: ONNXConstant?
  ) throws(ArrayFileError) {
    guard let axis, let given = axis.integers, given.count == 1, axis.alternative == nil else {
      throw node.failure("expected a constant whole number as axis")
    }
    let full = try node.axis(given[0], rank: layout.rank)
    guard let own = layout.sampleAxis(full) else {
      throw node.failure("sums along the batch, axis \(full), which mixes samples")
    }
    self.axis = own
    let shape = layout.sample
    (outer, count, inner) = (
      shape[..<own].reduce(1, *), shape[own], shape[(own + 1)...].reduce(1, *)
    )
    isExclusive = try node.integer("exclusive") ?? 0 != 0
    isReversed = try node.integer("reverse") ?? 0 != 0
  }

  /// The elements that an element sums.
  func terms(_ i: Int) -> [Int] {
    let place = i / inner % count
    let start = i - place * inner
    let range =
      isReversed
      ? place + (isExclusive ? 1 : 0)..<count : 0..<place + (isExclusive ? 0 : 1)
    return range.map { start + $0 * inner }
  }
}

extension ONNXImporter {
  /// Sums of the elements up to each one, a sparse map.
  mutating func cumulativeSum(
    _ node: ONNXNode, _ x: ONNXInputs
  ) throws(ArrayFileError) -> [ONNXValue] {
    var q = try x.tensor(0)
    if batch == 1 { q.layout = q.layout.whole }
    let sum = try ONNXCumulativeSum(node, q.layout, axis: try x.constant(1))
    guard let entries = elementCount([q.size, sum.count / 2 + 1], limit: Self.sizeLimit) else {
      throw node.failure("sums more than 2^26 coordinates")
    }
    try reserve(entries, for: node)
    let rows = (0..<q.size).map { i in sum.terms(i).map { (column: $0, value: 1.0) } }
    return [
      .quantity(
        try append(
          SparseLinear(SparseMatrix(rows: rows, columns: q.size)), to: q, shape: q.shape,
          for: node))
    ]
  }
}

extension ONNXFolding {
  static func cumulativeSum(
    _ node: ONNXNode, _ x: ONNXConstant, _ axis: ONNXConstant
  ) throws(ArrayFileError) -> ONNXConstant {
    let sum = try ONNXCumulativeSum(node, x.layout, axis: axis)
    var result = x
    func summed<T: AdditiveArithmetic>(_ numbers: [T]) -> [T] {
      var result = [T](repeating: .zero, count: numbers.count)
      for o in 0..<sum.outer {
        for i in 0..<sum.inner {
          var total = T.zero
          for p in 0..<sum.count {
            let place = sum.isReversed ? sum.count - 1 - p : p
            let k = (o * sum.count + place) * sum.inner + i
            if sum.isExclusive { result[k] = total }
            total += numbers[k]
            if !sum.isExclusive { result[k] = total }
          }
        }
      }
      return result
    }
    if let n = x.integers {
      result.values = .integer(summed(n))
    } else {
      result.values = .real(summed(x.reals))
    }
    return result
  }
}

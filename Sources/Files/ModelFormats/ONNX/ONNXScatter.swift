import ArrayFiles
import LinearAlgebra
import NeuralSheaves

/// One node ScatterND or ScatterElements: a tensor some of whose elements are replaced by those of
/// another, or have them added.
///
/// Which ones is constant, so a sample of the result is a choice among the elements of a sample of
/// both, or a sum of some.
struct ONNXScatter {
  static let operators: Set<String> = ["Scatter", "ScatterElements", "ScatterND"]

  /// The tensor and what is written into it, each a sample with the batch at an axis of its own.
  let data: ONNXValue
  let updates: ONNXValue
  /// The element of the data's sample that each element of the updates' is written to.
  let targets: [Int]
  /// Whether elements are added, not replaced.
  let isSum: Bool

  init(_ node: ONNXNode, _ values: [ONNXValue?], batch: Int) throws(ArrayFileError) {
    guard values.count == 3, let first = values[0], let last = values[2] else {
      throw node.failure("expected data, indices and updates")
    }
    guard let places = try ONNXInputs(node: node, values: values, batch: batch).constant(1),
      places.integers != nil, places.alternative == nil
    else { throw node.failure("expected constant whole numbers as indices") }
    let reduction = try node.text("reduction") ?? "none"
    guard reduction == "none" || reduction == "add" else {
      throw node.failure("reduction \"\(reduction.printable)\", expected none or add")
    }
    isSum = reduction == "add"
    let isList = node.type == "ScatterND"
    let depth = isList ? places.shape.last ?? 0 : 0
    // How many more axes the updates have in front of what both share.
    let added = isList ? places.shape.count - 1 - depth : 0
    let (d, u) = (
      Self.layout(of: first, batch: batch), Self.layout(of: last, batch: batch)
    )
    let k = d.batchAxis ?? u.batchAxis.map { $0 - added }
    if let k, k < depth { throw node.failure("writes along the batch, which mixes samples") }
    let isMerged = d.isMerged || u.isMerged
    let row = { (value: ONNXValue, axis: Int?) throws(ArrayFileError) in
      try Self.row(value, axis, isMerged: isMerged, node, batch)
    }
    data = try row(first, k)
    updates = try row(last, k.map { $0 + added })
    let (shape, written) = (data.layout.sample, updates.layout.sample)
    func fail() -> ArrayFileError {
      node.failure(
        "writes shape \(written) at indices of shape \(places.shape) into shape \(shape)")
    }
    if isList {
      guard (1...16).contains(depth), depth <= shape.count,
        written == places.shape.dropLast() + shape[depth...]
      else { throw fail() }
      targets = try Self.blocks(places.integers!, depth, shape, node)
    } else {
      guard !isMerged else { throw node.failure("works on an axis that the batch is part of") }
      let axis = try node.axis(try node.integer("axis") ?? 0, rank: data.layout.rank)
      guard let own = data.layout.sampleAxis(axis) else {
        throw node.failure("writes along the batch, axis \(axis), which mixes samples")
      }
      let indices = try row(.constant(places), k)
      guard case .constant(let c) = indices, c.shape == written else { throw fail() }
      targets = try ONNXShapes.places(c, along: own, of: shape, node)
    }
    guard isSum || Set(targets).count == targets.count else {
      throw node.failure("writes to one place twice, in an order that is not fixed")
    }
  }

  /// The tensor's shape; where the batch is one, all of it is the sample.
  private static func layout(of value: ONNXValue, batch: Int) -> TensorShape {
    batch == 1 ? value.layout.whole : value.layout
  }

  /// A tensor with the batch at `axis`: a constant has the same numbers for every sample.
  private static func row(
    _ value: ONNXValue, _ axis: Int?, isMerged: Bool, _ node: ONNXNode, _ batch: Int
  ) throws(ArrayFileError) -> ONNXValue {
    let layout = layout(of: value, batch: batch)
    if layout.batchAxis == axis, axis == nil || layout.isMerged == isMerged {
      switch value {
      case .quantity(var q):
        q.layout = layout
        return .quantity(q)
      case .constant: return value
      }
    }
    guard case .constant(let c) = value, c.batchAxis == nil, !isMerged, let axis,
      c.shape.indices.contains(axis), c.shape[axis] == batch,
      var row = c.withoutRepetition(along: axis)
    else {
      throw node.failure(
        "works on \(ONNXShapes.describe(layout, batch)), expected "
          + (axis.map { "the batch as axis \($0), and constants that are the same for all of it" }
            ?? "no batch"))
    }
    row.batchAxis = axis
    return .constant(row)
  }

  /// The elements of the slices at lists of places on the first axes.
  private static func blocks(
    _ list: [Int], _ depth: Int, _ shape: [Int], _ node: ONNXNode
  ) throws(ArrayFileError) -> [Int] {
    let inner = shape[depth...].reduce(1, *)
    var result: [Int] = []
    for start in stride(from: 0, to: list.count, by: depth) {
      var position = 0
      for axis in 0..<depth {
        let (i, n) = (list[start + axis], shape[axis])
        guard (-n..<n).contains(i) else { throw node.failure("indices outside an axis of \(n)") }
        position = position * n + (i < 0 ? i + n : i)
      }
      result += position * inner..<(position + 1) * inner
    }
    return result
  }

  /// Which element of both, the data's first, each element of the result is, where they are
  /// replaced.
  func choice() -> [Int] {
    let size = data.layout.sample.reduce(1, *)
    var result = Array(0..<size)
    for (i, target) in targets.enumerated() { result[target] = size + i }
    return result
  }

  /// Numbers of both, the data's first, replaced or added.
  func numbers<T: AdditiveArithmetic>(_ data: [T], _ updates: [T]) -> [T] {
    var result = data
    for (i, target) in targets.enumerated() {
      result[target] = isSum ? result[target] + updates[i] : updates[i]
    }
    return result
  }

  /// The result of constants.
  func folded() -> ONNXConstant? {
    guard case .constant(let d) = data, case .constant(let u) = updates else { return nil }
    var result = d
    if let m = d.integers, let n = u.integers {
      result.values = .integer(numbers(m, n))
    } else {
      result.values = .real(numbers(d.reals, u.reals))
    }
    return result
  }
}

extension ONNXShapes {
  /// The element of a tensor of shape `extents` that each of a list of indices along one axis
  /// stands for, whose own place is that along the others.
  static func places(
    _ indices: ONNXConstant, along axis: Int, of extents: [Int], _ node: ONNXNode
  ) throws(ArrayFileError) -> [Int] {
    let shape = indices.shape
    guard shape.count == extents.count,
      shape.indices.allSatisfy({ $0 == axis || shape[$0] <= extents[$0] })
    else { throw node.failure("indices of shape \(shape) for shape \(extents)") }
    let n = extents[axis]
    var result: [Int] = []
    for (i, given) in (indices.integers ?? []).enumerated() {
      guard (-n..<n).contains(given) else {
        throw node.failure("indices outside an axis of \(n)")
      }
      var (rest, place, step) = (i, 0, 1)
      for k in shape.indices.reversed() {
        place += step * (k == axis ? (given < 0 ? given + n : given) : rest % shape[k])
        rest /= shape[k]
        step *= extents[k]
      }
      result.append(place)
    }
    return result
  }
}

extension ONNXImporter {
  /// A tensor with some elements replaced by, or increased by, those of another.
  mutating func scatter(_ node: ONNXNode, _ x: ONNXInputs) throws(ArrayFileError) -> [ONNXValue] {
    for i in [0, 2] where i < x.values.count {
      if x.isConstant(i) { _ = try x.operand(i, "constant") } else { _ = try x.tensor(i) }
    }
    let scatter = try ONNXScatter(node, x.values, batch: batch)
    let parts = [scatter.data, scatter.updates]
    var (quantities, numbers, isComputed): ([ONNXQuantity], [Double], [Bool]) = ([], [], [])
    for part in parts {
      let size = part.layout.sample.reduce(1, *)
      isComputed += repeatElement(part.quantity != nil, count: size)
      switch part {
      case .quantity(let q):
        quantities.append(q)
        numbers += repeatElement(0, count: size)
      case .constant(let c): numbers += c.reals
      }
    }
    var source = quantities[0]
    if quantities.count > 1 {
      source = ONNXQuantity(vertex: try appendJunction(of: quantities, for: node), shape: [])
      source.shape = [quantities.reduce(0) { $0 + $1.size }]
    }
    source.layout = TensorShape(sample: [source.size])
    // The coordinate of the source that each element is.
    var next: Int32 = -1
    let coordinates = isComputed.map { isOwn -> Int32 in
      next += isOwn ? 1 : 0
      return isOwn ? next : -1
    }
    let size = scatter.data.layout.sample.reduce(1, *)
    try reserve(size + scatter.targets.count, for: node)
    let shifts = scatter.numbers(Array(numbers[..<size]), Array(numbers[size...]))
    let layout = scatter.data.layout
    var result: ONNXQuantity
    if scatter.isSum {
      var rows = coordinates[..<size].map { k -> [(column: Int, value: Double)] in
        k < 0 ? [] : [(Int(k), 1)]
      }
      for (k, target) in zip(coordinates[size...], scatter.targets) where k >= 0 {
        rows[target].append((Int(k), 1))
      }
      result = try append(
        SparseLinear(SparseMatrix(rows: rows, columns: source.size)), to: source,
        shape: layout.sample, for: node)
    } else {
      let own = source.view.indices
      let chosen = scatter.choice().map { coordinates[$0] < 0 ? -1 : own[Int(coordinates[$0])] }
      result = viewed(source, as: TensorView(shape: layout.sample, indices: chosen))
    }
    if shifts.contains(where: { $0 != 0 }) {
      result = try shifted(result, by: shifts, for: node)
    }
    result.layout = layout
    return [.quantity(result)]
  }
}

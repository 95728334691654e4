import ArrayFiles

/// The operators that only rearrange: on a constant they choose numbers, on a quantity coordinates.
enum ONNXShapes {
  /// The operators.
  static let operators: Set<String> = [
    "Expand", "Flatten", "Gather", "Pad", "Reshape", "Slice", "Split", "Squeeze", "Transpose",
    "Unsqueeze",
  ]

  /// What the first input becomes under each output.
  ///
  /// - Parameters:
  ///   - shape: of the first input; of a quantity with the batch as axis 0.
  ///   - batch: the extent of the batch for a quantity, which must stay axis 0; nil for a constant.
  ///   - parameters: the other inputs; nil where they are left out.
  ///   - reserve: books elements of a view before it is made.
  ///   - view: makes a view of the input, of its shape without the batch.
  static func views(
    _ node: ONNXNode, shape: [Int], batch: Int?, parameters: [ONNXConstant?],
    reserve: (Int) throws(ArrayFileError) -> Void, view: () -> TensorView
  ) throws(ArrayFileError) -> [Rearrangement] {
    let rank = shape.count
    let size = shape.dropFirst(batch == nil ? 0 : 1).reduce(1, *)
    // Axes of the view: those of the tensor without the batch.
    let skipped = batch == nil ? 0 : 1
    func integers(_ i: Int, _ attribute: String) throws(ArrayFileError) -> [Int]? {
      if let list = try node.integers(attribute) { return list }
      if let n = try node.integer(attribute) { return [n] }
      guard i < parameters.count, let p = parameters[i] else { return nil }
      guard let list = p.integers else {
        throw node.failure("expected whole numbers as \(attribute)")
      }
      return list
    }
    func sampleAxis(_ axis: Int) throws(ArrayFileError) -> Int {
      let axis = try node.axis(axis, rank: rank)
      guard axis >= skipped else { throw node.failure("works on the batch, axis 0") }
      return axis - skipped
    }
    func reshaped(_ extents: [Int]) throws(ArrayFileError) -> [Rearrangement] {
      guard let batch else { return [.reshape(extents)] }
      guard extents.first == batch else {
        throw node.failure(
          "reshapes \(describe(shape, batch)) to \(describe(extents, batch)), which mixes the batch "
            + "with other axes")
      }
      return [.reshape(Array(extents.dropFirst()))]
    }
    switch node.type {
    case "Reshape":
      guard var target = try integers(0, "shape") else { throw node.failure("lacks the shape") }
      let copiesZero = try node.integer("allowzero") ?? 0 == 0
      for (k, n) in target.enumerated() where n == 0 && copiesZero {
        guard k < rank else { throw node.failure("copies axis \(k) of \(rank)") }
        target[k] = shape[k]
      }
      let total = shape.reduce(1, *)
      if target.count(where: { $0 == -1 }) == 1, let k = target.firstIndex(of: -1) {
        target[k] = 1
        guard let rest = elementCount(target, limit: .max), rest > 0, total % rest == 0 else {
          throw node.failure("reshapes \(describe(shape, batch)) to \(target)")
        }
        target[k] = total / rest
      }
      guard elementCount(target, limit: .max) == total else {
        throw node.failure(
          "reshapes \(describe(shape, batch)), \(total / (batch ?? 1)) coordinates, to "
            + "\(describe(target, batch))")
      }
      return try reshaped(target)
    case "Flatten":
      var axis = try node.integer("axis") ?? 1
      guard (-rank...rank).contains(axis) else { throw node.failure("axis \(axis) of \(rank)") }
      if axis < 0 { axis += rank }
      return try reshaped([shape[..<axis].reduce(1, *), shape[axis...].reduce(1, *)])
    case "Squeeze":
      var axes: [Int] = []
      if let given = try integers(0, "axes") {
        for a in given { axes.append(try sampleAxis(a) + skipped) }
      } else {
        axes = (skipped..<rank).filter { shape[$0] == 1 }
      }
      guard axes.allSatisfy({ shape[$0] == 1 }) else {
        throw node.failure("squeezes axes \(axes) of \(describe(shape, batch))")
      }
      return try reshaped(shape.indices.filter { !axes.contains($0) }.map { shape[$0] })
    case "Unsqueeze":
      guard let given = try integers(0, "axes"), given.count <= 16 else {
        throw node.failure("expected at most 16 axes")
      }
      var axes: [Int] = []
      for a in given { axes.append(try node.axis(a, rank: rank + given.count)) }
      guard Set(axes).count == axes.count else { throw node.failure("repeats an axis") }
      var rest = shape[...]
      let extents = (0..<rank + axes.count).map { axes.contains($0) ? 1 : rest.removeFirst() }
      return try reshaped(extents)
    case "Transpose":
      let permutation = try node.integers("perm") ?? Array((0..<rank).reversed())
      guard permutation.sorted() == Array(0..<rank) else {
        throw node.failure("perm \(permutation), expected a permutation of \(rank) axes")
      }
      guard batch == nil || permutation.first == 0 else {
        throw node.failure("moves the batch from axis 0 (perm \(permutation))")
      }
      try reserve(size)
      return [.view(view().transposed(permutation.dropFirst(skipped).map { $0 - skipped }))]
    case "Gather":
      let axis = try sampleAxis(try node.integer("axis") ?? 0)
      guard let indices = parameters.first ?? nil, let list = indices.integers else {
        throw node.failure("expected constant whole numbers as indices")
      }
      let extent = shape[axis + skipped]
      guard list.allSatisfy({ (-extent..<extent).contains($0) }) else {
        throw node.failure("indices outside an axis of \(extent)")
      }
      let positions = list.map { $0 < 0 ? $0 + extent : $0 }
      try check(shape, axis + skipped, positions.count, batch, node)
      try reserve(size / max(extent, 1) * positions.count)
      let chosen = view().gathered(axis: axis, positions)
      var extents = chosen.shape
      extents.replaceSubrange(axis...axis, with: indices.shape)
      return [.view(chosen.reshaped(extents))]
    case "Slice":
      guard let starts = try integers(0, "starts"), let ends = try integers(1, "ends"),
        starts.count == ends.count
      else { throw node.failure("expected as many ends as starts") }
      let axes = try integers(2, "axes") ?? Array(starts.indices)
      let steps = try integers(3, "steps") ?? [Int](repeating: 1, count: starts.count)
      guard axes.count == starts.count, steps.count == starts.count, !steps.contains(0) else {
        throw node.failure("expected an axis and a step ≠ 0 for each start")
      }
      var result: TensorView?
      try reserve(size)
      for (k, a) in axes.enumerated() {
        let full = try node.axis(a, rank: rank)
        if full < skipped {
          guard steps[k] == 1, starts[k] == 0 || starts[k] <= -shape[full],
            ends[k] >= shape[full]
          else { throw node.failure("slices the batch, axis 0") }
          continue
        }
        let positions = positions(starts[k], ends[k], steps[k], extent: shape[full])
        result = (result ?? view()).gathered(axis: full - skipped, positions)
      }
      return [.view(result ?? view())]
    case "Split":
      let axis = try sampleAxis(try node.integer("axis") ?? 0)
      let extent = shape[axis + skipped]
      let parts = node.outputs.count
      guard parts > 0 else { throw node.failure("has no outputs") }
      let piece = (extent + parts - 1) / parts
      let sizes =
        try integers(0, "split")
        ?? (0..<parts).map { max(0, min(piece, extent - $0 * piece)) }
      guard sizes.count == parts, sizes.allSatisfy({ $0 >= 0 && $0 <= extent }),
        sizes.reduce(0, +) == extent
      else { throw node.failure("splits an axis of \(extent) into \(sizes) for \(parts) outputs") }
      var start = 0
      var result: [Rearrangement] = []
      try reserve(size)
      let whole = view()
      for size in sizes {
        result.append(.view(whole.gathered(axis: axis, Array(start..<start + size))))
        start += size
      }
      return result
    case "Expand":
      guard let target = try integers(0, "shape"), let full = broadcastShape(shape, target),
        elementCount(full, limit: .max) != nil, batch == nil || full.count == rank,
        batch == nil || full[0] == batch,
        elementCount(Array(full.dropFirst(skipped)), limit: ONNXTensorReader.elementLimit) != nil
      else {
        throw node.failure(
          "expands \(describe(shape, batch)) to \(parameters.first??.integers ?? [])")
      }
      try reserve(full.dropFirst(skipped).reduce(1, *))
      return [.view(view().expanded(to: Array(full.dropFirst(skipped))))]
    case "Pad":
      let fill = parameters.count > 1 ? parameters[1]?.reals.first ?? 0 : 0
      guard fill.isFinite else { throw node.failure("pads with \(fill), expected a finite number") }
      return [.view(try pad(node, shape, skipped, integers, reserve, view), fill: fill)]
    default: throw node.failure("is not an operator that rearranges")
    }
  }

  /// What happens to a tensor: another shape for the same elements, or a choice of them, with a value
  /// for those that are none of its own.
  enum Rearrangement {
    case reshape([Int])
    case view(TensorView, fill: Double = 0)
  }

  private static func pad(
    _ node: ONNXNode, _ shape: [Int], _ skipped: Int,
    _ integers: (Int, String) throws(ArrayFileError) -> [Int]?,
    _ reserve: (Int) throws(ArrayFileError) -> Void, _ view: () -> TensorView
  ) throws(ArrayFileError) -> TensorView {
    let rank = shape.count
    guard let pads = try integers(0, "pads") else { throw node.failure("expected constant pads") }
    var axes = Array(0..<rank)
    if let given = try integers(2, "axes") {
      axes = []
      for a in given { axes.append(try node.axis(a, rank: rank)) }
    }
    guard pads.count == 2 * axes.count else {
      throw node.failure("\(pads.count) pads, expected \(2 * axes.count)")
    }
    let mode = try node.text("mode") ?? "constant"
    var result = view()
    for (k, axis) in axes.enumerated() {
      let (n, before, after) = (shape[axis], pads[k], pads[k + axes.count])
      if before == 0 && after == 0 { continue }
      guard axis >= skipped else { throw node.failure("pads the batch, axis 0") }
      guard abs(before) <= 1 << 20, abs(after) <= 1 << 20, n + before + after >= 0 else {
        throw node.failure("pads \(n) by \(before) and \(after)")
      }
      var positions: [Int] = []
      for p in -before..<n + after {
        switch mode {
        case "constant": positions.append((0..<n).contains(p) ? p : -1)
        case "edge" where n > 0: positions.append(min(max(p, 0), n - 1))
        case "reflect" where n > 1 && before < n && after < n:
          positions.append(p < 0 ? -p : p >= n ? 2 * (n - 1) - p : p)
        default:
          throw node.failure(
            "mode \"\(mode)\" on an axis of \(n), expected constant, edge or reflect")
        }
      }
      try check(result.shape, axis - skipped, positions.count, nil, node)
      try reserve(result.indices.count / max(n, 1) * positions.count)
      result = result.gathered(axis: axis - skipped, positions)
    }
    return result
  }

  /// NumPy's slice as a list of positions.
  private static func positions(_ start: Int, _ end: Int, _ step: Int, extent n: Int) -> [Int] {
    func place(_ p: Int) -> Int { p < 0 ? max(p, -n - 1) + n : min(p, n) }
    let (a, b) = (place(start), place(end))
    if step > 0 { return Array(stride(from: max(a, 0), to: max(b, 0), by: min(step, n + 1))) }
    let first = min(a, n - 1)
    let last = end < -n ? -1 : b
    return first < 0 ? [] : Array(stride(from: first, to: last, by: max(step, -n - 1)))
  }

  private static func check(
    _ shape: [Int], _ axis: Int, _ extent: Int, _ batch: Int?, _ node: ONNXNode
  ) throws(ArrayFileError) {
    var extents = shape
    extents[axis] = extent
    if batch != nil { extents[0] = 1 }
    guard elementCount(extents, limit: ONNXTensorReader.elementLimit) != nil else {
      throw node.failure("makes a tensor of shape \(extents), expected at most 2^28 elements")
    }
  }

  /// A shape for messages, with the batch as a word.
  static func describe(_ shape: [Int], _ batch: Int?) -> String {
    let extents = shape.map { n in
      guard let batch, batch > 1, n > 0, n % batch == 0 else { return "\(n)" }
      return n == batch ? "batch" : "\(n / batch)·batch"
    }
    return "[\(extents.joined(separator: ", "))]"
  }
}

import ArrayFiles

/// Some of the elements, or some of them several times.
extension ONNXRearrangement {
  func gather() throws(ArrayFileError) -> ONNXShapes.Result {
    let given = try node.axis(try node.integer("axis") ?? 0, rank: rank)
    let axis = try sampleAxis(given)
    guard let indices = parameters.first ?? nil, let list = try integers(0, "indices") else {
      throw node.failure("expected constant whole numbers as indices")
    }
    let extent = layout.sample[axis]
    guard list.allSatisfy({ (-extent..<extent).contains($0) }) else {
      throw node.failure("indices outside an axis of \(extent)")
    }
    let all = try gathered(view(), axis: axis, list.map { $0 < 0 ? $0 + extent : $0 })
    var shape = all.shape
    shape.replaceSubrange(axis...axis, with: indices.shape)
    var result = chosen(all.reshaped(shape))
    if let k = layout.batchAxis, given < k {
      result.layout.batchAxis = k + indices.shape.count - 1
    }
    return result
  }

  /// Elements at places along one axis that differ from one to another along the others.
  func gatherElements() throws(ArrayFileError) -> ONNXShapes.Result {
    let axis = try sampleAxis(try node.integer("axis") ?? 0)
    guard var indices = parameters.first ?? nil, try integers(0, "indices") != nil else {
      throw node.failure("expected constant whole numbers as indices")
    }
    if let k = layout.batchAxis, indices.batchAxis == nil, !layout.isMerged,
      indices.shape.count == rank, indices.shape[k] == batch,
      let row = indices.withoutRepetition(along: k)
    {
      indices = row
      indices.batchAxis = k
    }
    guard indices.batchAxis == layout.batchAxis, !layout.isMerged else {
      throw node.failure(
        "works on \(ONNXShapes.describe(layout, batch)) at indices of shape \(indices.shape), "
          + "expected the same indices for every sample")
    }
    try check(indices.shape)
    let whole = view()
    let places = try ONNXShapes.places(indices, along: axis, of: layout.sample, node)
    return chosen(TensorView(shape: indices.shape, indices: places.map { whole.indices[$0] }))
  }

  /// The slices at lists of places on the first axes, in front of the batch.
  func gatherPlaces() throws(ArrayFileError) -> ONNXShapes.Result {
    guard try node.integer("batch_dims") ?? 0 == 0 else {
      throw node.failure("has batch_dims, which are not supported")
    }
    guard let indices = parameters.first ?? nil, let list = try integers(0, "indices"),
      let depth = indices.shape.last, (1...rank).contains(depth), indices.batchAxis == nil
    else { throw node.failure("expected constant lists of places as indices") }
    guard layout.batchAxis.map({ $0 >= depth }) ?? true else {
      throw node.failure("works on the batch, axis \(layout.batchAxis!)")
    }
    let sample = layout.sample
    let count = sample[..<depth].reduce(1, *)
    var positions: [Int] = []
    for start in stride(from: 0, to: list.count, by: depth) {
      var position = 0
      for axis in 0..<depth {
        let (i, n) = (list[start + axis], sample[axis])
        guard (-n..<n).contains(i) else { throw node.failure("indices outside an axis of \(n)") }
        position = position * n + (i < 0 ? i + n : i)
      }
      positions.append(position)
    }
    let rest = Array(sample[depth...])
    let all = try gathered(view().reshaped([count] + rest), axis: 0, positions)
    var result = chosen(all.reshaped(indices.shape.dropLast() + rest))
    result.layout.batchAxis = layout.batchAxis.map { $0 - depth + indices.shape.count - 1 }
    return result
  }

  func slice() throws(ArrayFileError) -> ONNXShapes.Result {
    guard let starts = try integers(0, "starts", mayCountSamples: true),
      let ends = try integers(1, "ends", mayCountSamples: true), starts.count == ends.count
    else { throw node.failure("expected as many ends as starts") }
    let countSamples = parameters.prefix(2).contains { $0?.alternative != nil }
    let axes = try integers(2, "axes") ?? Array(starts.indices)
    let steps = try integers(3, "steps") ?? [Int](repeating: 1, count: starts.count)
    guard axes.count == starts.count, steps.count == starts.count, !steps.contains(0) else {
      throw node.failure("expected an axis and a step ≠ 0 for each start")
    }
    var result: TensorView?
    for (k, a) in axes.enumerated() {
      let axis = try node.axis(a, rank: rank)
      let extent = extents[axis]
      if axis == layout.batchAxis {
        guard steps[k] == 1, starts[k] == 0 || starts[k] <= -extent, ends[k] >= extent else {
          throw node.failure("slices the batch, axis \(axis)")
        }
        continue
      }
      let positions = positions(starts[k], ends[k], steps[k], extent: extent)
      if positions == Array(0..<extent) { continue }
      guard !countSamples else {
        throw node.failure("slices up to the number of samples, which mixes them")
      }
      result = (result ?? view()).gathered(axis: try sampleAxis(axis), positions)
    }
    return result.map { chosen($0) } ?? ONNXShapes.Result(layout: layout)
  }

  /// NumPy's slice as a list of positions.
  private func positions(_ start: Int, _ end: Int, _ step: Int, extent n: Int) -> [Int] {
    func place(_ p: Int) -> Int { p < 0 ? max(p, -n - 1) + n : min(p, n) }
    let (a, b) = (place(start), place(end))
    if step > 0 { return Array(stride(from: max(a, 0), to: max(b, 0), by: min(step, n + 1))) }
    let first = min(a, n - 1)
    let last = end < -n ? -1 : b
    return first < 0 ? [] : Array(stride(from: first, to: last, by: max(step, -n - 1)))
  }

  /// Consecutive pieces of the given sizes. Without sizes they are equal; since operator set 18,
  /// where their number is given, the last may be smaller.
  func split() throws(ArrayFileError) -> [ONNXShapes.Result] {
    let axis = try sampleAxis(try node.integer("axis") ?? 0)
    let extent = layout.sample[axis]
    let parts = node.outputs.count
    guard parts > 0 else { throw node.failure("has no outputs") }
    let mayDiffer = node.operatorSet >= 18
    if mayDiffer, let number = try node.integer("num_outputs"), number != parts {
      throw node.failure("num_outputs \(number) with \(parts) outputs")
    }
    let piece = (extent + parts - 1) / parts
    let sizes =
      try integers(0, "split") ?? (0..<parts).map { max(0, min(piece, extent - $0 * piece)) }
    guard sizes.count == parts, sizes.allSatisfy({ $0 >= 0 && $0 <= extent }),
      sizes.reduce(0, +) == extent
    else { throw node.failure("splits an axis of \(extent) into \(sizes) for \(parts) outputs") }
    let isGiven = try node.integers("split") != nil || parameters.first ?? nil != nil
    guard mayDiffer || isGiven || Set(sizes).count == 1 else {
      throw node.failure("splits an axis of \(extent) into \(parts) equal parts")
    }
    var start = 0
    var result: [ONNXShapes.Result] = []
    let whole = view()
    for size in sizes {
      result.append(chosen(whole.gathered(axis: axis, Array(start..<start + size))))
      start += size
    }
    return result
  }

  /// Pieces of an axis, each as long as a number says, or of the given sizes, or of extent 1; these
  /// may lose the axis.
  func splitToSequence() throws(ArrayFileError) -> [ONNXShapes.Result] {
    let given = try node.axis(try node.integer("axis") ?? 0, rank: rank)
    let axis = try sampleAxis(given)
    let extent = layout.sample[axis]
    var (sizes, losesAxis) = ([Int](repeating: 1, count: extent), false)
    if let list = try integers(0, "split") {
      sizes = list
      if parameters[0]?.shape.isEmpty == true {
        guard let size = list.first, size > 0 else { throw node.failure("expected a split of ≥ 1") }
        sizes = stride(from: 0, to: extent, by: size).map { min(size, extent - $0) }
      }
    } else {
      losesAxis = try node.integer("keepdims") ?? 1 == 0
    }
    guard sizes.allSatisfy({ (0...extent).contains($0) }), sizes.reduce(0, +) == extent else {
      throw node.failure("splits an axis of \(extent) into \(sizes)")
    }
    guard !losesAxis || !layout.isMerged else {
      throw node.failure("works on an axis that the batch is part of")
    }
    let whole = view()
    var start = 0
    return sizes.map { size in
      var result = chosen(whole.gathered(axis: axis, Array(start..<start + size)))
      start += size
      if losesAxis {
        result.layout.sample.remove(at: axis)
        result.view?.shape.remove(at: axis)
        result.layout.batchAxis = layout.batchAxis.map { given < $0 ? $0 - 1 : $0 }
      }
      return result
    }
  }

  func expand() throws(ArrayFileError) -> ONNXShapes.Result {
    guard let target = try integers(0, "shape", mayCountSamples: true) else {
      throw node.failure("lacks the shape")
    }
    guard let full = broadcastShape(extents, target), elementCount(full, limit: .max) != nil else {
      throw node.failure("expands \(ONNXShapes.describe(layout, batch)) to \(target)")
    }
    // Of a computed tensor no axis but the batch is as long as that.
    if !isConstant, case .integer(let other)? = parameters.first??.alternative {
      for axis in target.indices where target[axis] != other[axis] {
        guard axis + full.count - target.count == layout.batchAxis.map({ $0 + full.count - rank })
        else { throw node.failure("repeats axis \(axis) once for each sample, which mixes them") }
      }
    }
    return try expanded(to: full)
  }

  /// Repeated along axes of extent 1, and along new ones in front, up to extents that the tensor
  /// broadcasts to.
  private func expanded(to full: [Int]) throws(ArrayFileError) -> ONNXShapes.Result {
    let added = full.count - rank
    var result = layout
    if let k = layout.batchAxis {
      result.batchAxis = k + added
      guard full[k + added] == extents[k] else {
        throw node.failure("repeats the batch, axis \(k)")
      }
    } else if isConstant && ONNXImporter.isOpen(batch) {
      result.batchAxis = full.firstIndex(of: batch)
    }
    var source = [Int](repeating: 1, count: added) + layout.sample
    var target = full
    if let k = result.batchAxis {
      if layout.isMerged {
        target[k] = layout.sample[k - added]
      } else {
        target.remove(at: k)
        if layout.batchAxis == nil { source.remove(at: k) }
      }
    }
    try check(target)
    let view = view().reshaped(source).expanded(to: target)
    result.sample = target
    return ONNXShapes.Result(layout: result, view: view)
  }

  func tile() throws(ArrayFileError) -> ONNXShapes.Result {
    guard let repeats = try integers(0, "repeats", mayCountSamples: true),
      repeats.count == rank, repeats.allSatisfy({ $0 >= 0 })
    else { throw node.failure("expected a number of repeats for each of \(rank) axes") }
    let countsSamples = parameters.first??.alternative != nil
    if countsSamples {
      // A row for each sample.
      guard isConstant, layout.batchAxis == nil,
        zip(extents, repeats).allSatisfy({ $0 == 1 || $1 == 1 })
      else { throw node.failure("repeats depends on the number of samples, which mixes them") }
      return try expanded(to: zip(extents, repeats).map { $0 * $1 })
    }
    var result = view()
    for (axis, n) in repeats.enumerated() where n != 1 {
      let sampleAxis = try sampleAxis(axis)
      guard n <= limit else { throw node.failure("repeats axis \(axis) \(n) times") }
      let (places, extent) = (Array(0..<layout.sample[sampleAxis]), result.shape[sampleAxis])
      var shape = result.shape
      shape[sampleAxis] = extent.multipliedReportingOverflow(by: n).overflow ? .max : extent * n
      try check(shape)
      result = result.gathered(
        axis: sampleAxis, (0..<n).flatMap { _ in places })
    }
    return chosen(result)
  }

  /// The upper or lower triangles of matrices, zeros elsewhere.
  func triangle() throws(ArrayFileError) -> ONNXShapes.Result {
    guard rank >= 2 else { throw node.failure("expected matrices, found \(rank) axes") }
    let (rows, columns) = (try sampleAxis(-2), try sampleAxis(-1))
    let isUpper = try node.integer("upper") ?? 1 != 0
    let diagonal = try integers(0, "k")?.first ?? 0
    var result = view()
    let (m, n) = (result.shape[rows], result.shape[columns])
    for i in result.indices.indices {
      let (row, column) = (i / n % m, i % n)
      let isInside = isUpper ? column - row >= diagonal : column - row <= diagonal
      if !isInside { result.indices[i] = -1 }
    }
    return chosen(result)
  }
}

import ArrayFiles

/// Other shapes for the same elements.
extension ONNXRearrangement {
  private func reshaped(_ target: [Int]) throws(ArrayFileError) -> ONNXShapes.Result {
    guard let result = layout.reshaped(target, batch: batch) else {
      throw node.failure(
        "reshapes \(ONNXShapes.describe(layout, batch)) to \(target.map(extent)), which mixes the "
          + "batch with other axes")
    }
    return ONNXShapes.Result(layout: result)
  }

  /// An extent for messages: a multiple of the batch as such.
  private func extent(_ n: Int) -> ExtentName {
    ExtentName(
      description: batch > 1 && n > 0 && n % batch == 0
        ? n == batch ? "batch" : "\(n / batch)·batch" : "\(n)")
  }

  private struct ExtentName: CustomStringConvertible {
    let description: String
  }

  func reshape() throws(ArrayFileError) -> ONNXShapes.Result {
    guard var target = try integers(0, "shape", mayCountSamples: true) else {
      throw node.failure("lacks the shape")
    }
    let copiesZero = try node.integer("allowzero") ?? 0 == 0
    for (k, n) in target.enumerated() where n == 0 && copiesZero {
      guard k < rank else { throw node.failure("copies axis \(k) of \(rank)") }
      target[k] = extents[k]
    }
    let found = "reshapes \(ONNXShapes.describe(layout, batch)), \(size) coordinates,"
    let total = extents.reduce(1, *)
    if target.count(where: { $0 == -1 }) == 1, let k = target.firstIndex(of: -1) {
      target[k] = 1
      guard let rest = elementCount(target, limit: .max), rest > 0, total % rest == 0 else {
        throw node.failure("\(found) to \(target.map(extent))")
      }
      target[k] = total / rest
    }
    guard elementCount(target, limit: .max) == total else {
      throw node.failure("\(found) to \(target.map(extent))")
    }
    return try reshaped(target)
  }

  func flatten() throws(ArrayFileError) -> ONNXShapes.Result {
    var axis = try node.integer("axis") ?? 1
    guard (-rank...rank).contains(axis) else { throw node.failure("axis \(axis) of \(rank)") }
    if axis < 0 { axis += rank }
    return try reshaped([extents[..<axis].reduce(1, *), extents[axis...].reduce(1, *)])
  }

  func squeeze() throws(ArrayFileError) -> ONNXShapes.Result {
    var axes: [Int] = []
    if let given = try integers(0, "axes") {
      for a in given { axes.append(try node.axis(a, rank: rank)) }
    } else {
      axes = extents.indices.filter { extents[$0] == 1 }
    }
    guard axes.allSatisfy({ extents[$0] == 1 }) else {
      throw node.failure("squeezes axes \(axes) of \(ONNXShapes.describe(layout, batch))")
    }
    return try reshaped(extents.indices.filter { !axes.contains($0) }.map { extents[$0] })
  }

  func unsqueeze() throws(ArrayFileError) -> ONNXShapes.Result {
    guard let given = try integers(0, "axes"), given.count <= 16 else {
      throw node.failure("expected at most 16 axes")
    }
    var axes: [Int] = []
    for a in given { axes.append(try node.axis(a, rank: rank + given.count)) }
    guard Set(axes).count == axes.count else { throw node.failure("repeats an axis") }
    var rest = extents[...]
    return try reshaped(
      (0..<rank + axes.count).map { axes.contains($0) ? 1 : rest.removeFirst() })
  }
}

/// Elements in another order.
extension ONNXRearrangement {
  func transpose() throws(ArrayFileError) -> ONNXShapes.Result {
    let permutation = try node.integers("perm") ?? Array((0..<rank).reversed())
    guard permutation.sorted() == Array(0..<rank) else {
      throw node.failure("perm \(permutation), expected a permutation of \(rank) axes")
    }
    guard let k = layout.batchAxis else { return chosen(view().transposed(permutation)) }
    // A merged axis is one of the sample's too.
    let order = permutation.compactMap { layout.sampleAxis($0) ?? (layout.isMerged ? k : nil) }
    var result = chosen(view().transposed(order))
    result.layout.batchAxis = permutation.firstIndex(of: k)
    return result
  }

  /// Blocks of channels of an image become its pixels: (b², C) in mode DCR, (C, b²) in mode CRD.
  func depthToSpace() throws(ArrayFileError) -> ONNXShapes.Result {
    let (b, image, first) = try blocks()
    let (channels, height, width) = (image[0], image[1], image[2])
    guard channels % (b * b) == 0 else {
      throw node.failure("\(channels) channels in blocks of \(b)×\(b)")
    }
    let c = channels / (b * b)
    let mode = try node.text("mode") ?? "DCR"
    guard mode == "DCR" || mode == "CRD" else {
      throw node.failure("mode \"\(mode.printable)\", expected DCR or CRD")
    }
    let parts = view().reshaped(
      mode == "DCR" ? [b, b, c, height, width] : [c, b, b, height, width])
    let order = mode == "DCR" ? [2, 3, 0, 4, 1] : [0, 3, 1, 4, 2]
    return pixels(parts.transposed(order), [c, height * b, width * b], first)
  }

  /// Blocks of pixels of an image become channels.
  func spaceToDepth() throws(ArrayFileError) -> ONNXShapes.Result {
    let (b, image, first) = try blocks()
    let (channels, height, width) = (image[0], image[1], image[2])
    guard height % b == 0, width % b == 0 else {
      throw node.failure("an image \(height)×\(width) in blocks of \(b)×\(b)")
    }
    let parts = view().reshaped([channels, height / b, b, width / b, b])
    return pixels(
      parts.transposed([2, 4, 0, 1, 3]), [channels * b * b, height / b, width / b], first)
  }

  private func blocks() throws(ArrayFileError) -> (Int, image: [Int], first: TensorShape) {
    guard let first = layout.batchFirst(batch: batch), first.sample.count == 3, !isConstant else {
      throw node.failure(
        "works on \(ONNXShapes.describe(layout, batch)), expected a batch of images")
    }
    guard let b = try node.integer("blocksize"), (1...1 << 15).contains(b) else {
      throw node.failure("expected a blocksize of at least 1")
    }
    return (b, first.sample, first)
  }

  private func pixels(
    _ view: TensorView, _ shape: [Int], _ first: TensorShape
  ) -> ONNXShapes.Result {
    var result = first
    result.sample = shape
    return ONNXShapes.Result(layout: result, view: view.reshaped(shape))
  }
}

import ArrayFiles
import LinearAlgebra
import NeuralSheaves

/// Windows: pooling, reductions, concatenation.
extension ONNXImporter {
  /// The window of a node over images of one or two dimensions.
  func window(
    _ node: ONNXNode, _ q: ONNXQuantity, kernel: [Int]
  ) throws(ArrayFileError) -> SlidingWindow {
    let n = kernel.count
    let image = Array(q.shape.dropFirst())
    func list(_ name: String, default value: Int, count: Int, least: Int)
      throws(ArrayFileError) -> [Int]
    {
      let list = try node.integers(name) ?? [Int](repeating: value, count: count)
      guard list.count == count, list.allSatisfy({ ($0 >= least) && $0 <= 1 << 20 }) else {
        throw node.failure("\(name) \(list), expected \(count) numbers of at least \(least)")
      }
      return list
    }
    guard kernel.allSatisfy({ $0 >= 1 && $0 <= 1 << 20 }) else {
      throw node.failure("kernel \(kernel), expected extents of at least 1")
    }
    let strides = try list("strides", default: 1, count: n, least: 1)
    let dilations = try list("dilations", default: 1, count: n, least: 1)
    var pads = try list("pads", default: 0, count: 2 * n, least: 0)
    switch try node.text("auto_pad") ?? "NOTSET" {
    case "NOTSET", "": break
    case "VALID": pads = [Int](repeating: 0, count: 2 * n)
    case let mode where mode == "SAME_UPPER" || mode == "SAME_LOWER":
      for k in 0..<n {
        let outputs = (image[k] + strides[k] - 1) / strides[k]
        let span = (outputs - 1) * strides[k] + dilations[k] * (kernel[k] - 1) + 1
        let total = max(0, span - image[k])
        pads[k] = mode == "SAME_UPPER" ? total / 2 : total - total / 2
        pads[k + n] = total - pads[k]
      }
    case let mode:
      throw node.failure("auto_pad \"\(mode)\", expected NOTSET, VALID, SAME_UPPER or SAME_LOWER")
    }
    func pair(_ list: [Int], default value: Int) -> Extent {
      list.count == 2 ? Extent(list[0], list[1]) : Extent(value, list[0])
    }
    let window = SlidingWindow(
      channels: q.shape[0], image: pair(image, default: 1), kernel: pair(kernel, default: 1),
      stride: pair(strides, default: 1), dilation: pair(dilations, default: 1),
      paddingBefore: pair(Array(pads[..<n]), default: 0),
      paddingAfter: pair(Array(pads[n...]), default: 0),
      roundsUp: try node.integer("ceil_mode") ?? 0 != 0)
    guard window.outputSize > 0 else {
      throw node.failure(
        "a kernel \(kernel) with dilations \(dilations) does not fit into "
          + "\(ONNXShapes.describe([batch] + q.shape, batch)) with pads \(pads)")
    }
    guard
      elementCount(
        [window.channels, window.output.height, window.output.width], limit: Self.sizeLimit)
        != nil
    else { throw node.failure("makes more than 2^26 coordinates") }
    return window
  }

  /// The extents of the windows in each dimension of the image.
  func extents(_ window: SlidingWindow, _ dimensions: Int) -> [Int] {
    dimensions == 2 ? [window.output.height, window.output.width] : [window.output.width]
  }

  mutating func pool(_ node: ONNXNode, _ x: ONNXInputs) throws(ArrayFileError) -> [ONNXValue] {
    let q = try x.quantity(0)
    guard (2...3).contains(q.shape.count) else {
      throw node.failure(
        "pools \(ONNXShapes.describe([batch] + q.shape, batch)), expected images of one or two "
          + "dimensions")
    }
    guard let kernel = try node.integers("kernel_shape"), kernel.count == q.shape.count - 1 else {
      throw node.failure("expected a kernel_shape of \(q.shape.count - 1) extents")
    }
    let window = try window(node, q, kernel: kernel)
    let includesPadding = try node.integer("count_include_pad") ?? 0 != 0
    return [.quantity(try pooled(q, window, node, includesPadding: includesPadding))]
  }

  private mutating func pooled(
    _ q: ONNXQuantity, _ window: SlidingWindow, _ node: ONNXNode, includesPadding: Bool = false
  ) throws(ArrayFileError) -> ONNXQuantity {
    guard
      let places = elementCount(
        [window.channels, window.outputSize, window.kernel.height, window.kernel.width],
        limit: Self.sizeLimit)
    else { throw node.failure("has more than 2^26 window places") }
    try reserve(places, for: node)
    let isMaximum = node.type.hasSuffix("MaxPool") || node.type == "ReduceMax"
    if isMaximum {
      let sizes = window.windows.map(\.count)
      guard sizes.allSatisfy({ (1...Int(UInt16.max)).contains($0) }) else {
        throw node.failure(
          sizes.contains(0)
            ? "has a window without a place in the image"
            : "has a window of more than 65535 places")
      }
    }
    return try append(
      isMaximum
        ? MaximumPooling(window) : AveragePooling(window, includesPadding: includesPadding),
      to: q, shape: [window.channels] + extents(window, q.shape.count - 1), for: node)
  }

  mutating func globalPool(_ node: ONNXNode, _ x: ONNXInputs) throws(ArrayFileError) -> [ONNXValue]
  {
    let q = try x.quantity(0)
    guard q.shape.count >= 2 else {
      throw node.failure("pools \(ONNXShapes.describe([batch] + q.shape, batch)), expected images")
    }
    var flat = q
    if q.shape.count > 3 { flat.shape = [q.shape[0], q.size / q.shape[0]] }
    let image =
      flat.shape.count == 3 ? Extent(flat.shape[1], flat.shape[2]) : Extent(1, flat.shape[1])
    var result = try pooled(
      flat, SlidingWindow(channels: flat.shape[0], image: image, kernel: image), node)
    result.shape = [q.shape[0]] + [Int](repeating: 1, count: q.shape.count - 1)
    return [.quantity(result)]
  }

  /// Mean, maximum or sum over axes: pooling over all of the image that they make.
  mutating func reduction(
    _ node: ONNXNode, _ x: ONNXInputs
  ) throws(ArrayFileError) -> [ONNXValue] {
    let q = try x.quantity(0)
    let rank = q.shape.count + 1
    var given = try node.integers("axes")
    if let c = try x.constant(1) { given = c.integers }
    if given?.isEmpty ?? true {
      if try node.integer("noop_with_empty_axes") ?? 0 != 0 { return [x.values[0]!] }
      given = Array(0..<rank)
    }
    var axes: Set<Int> = []
    for a in given! { axes.insert(try node.axis(a, rank: rank)) }
    guard !axes.contains(0) else { throw node.failure("reduces the batch, axis 0") }
    let (kept, reduced) = (
      q.shape.indices.filter { !axes.contains($0 + 1) },
      q.shape.indices.filter { axes.contains($0 + 1) }
    )
    let keepsAxes = try node.integer("keepdims") ?? 1 != 0
    let shape =
      keepsAxes
      ? q.shape.indices.map { axes.contains($0 + 1) ? 1 : q.shape[$0] } : kept.map { q.shape[$0] }
    let (channels, places) = (
      kept.reduce(1) { $0 * q.shape[$1] }, reduced.reduce(1) { $0 * q.shape[$1] }
    )
    var result: ONNXQuantity
    if node.type == "ReduceSum" {
      let blocks = viewed(q, as: q.view.transposed(reduced + kept))
      result = try append(
        Sum(terms: places, dimension: channels), to: blocks,
        shape: shape, for: node)
    } else {
      var image = viewed(q, as: q.view.transposed(kept + reduced))
      image.shape = [channels, places]
      let isPlane = reduced.count == 2
      let extent =
        isPlane ? Extent(q.shape[reduced[0]], q.shape[reduced[1]]) : Extent(1, places)
      result = try pooled(
        image, SlidingWindow(channels: channels, image: extent, kernel: extent), node)
      result.shape = shape
    }
    return [.quantity(result)]
  }

  mutating func concatenation(
    _ node: ONNXNode, _ x: ONNXInputs
  ) throws(ArrayFileError) -> [ONNXValue] {
    var parts: [ONNXQuantity] = []
    for i in x.values.indices { parts.append(try x.quantity(i)) }
    guard let first = parts.first, let given = try node.integer("axis") else {
      throw node.failure("expected inputs and an axis")
    }
    if parts.count == 1 { return [.quantity(first)] }
    let axis = try node.axis(given, rank: first.shape.count + 1) - 1
    guard axis >= 0 else { throw node.failure("joins along the batch, axis 0") }
    guard let shape = joinedShape(parts.map(\.shape), axis: axis) else {
      throw node.failure(
        "joins shapes \(parts.prefix(8).map(\.shape)) of a sample along axis \(axis + 1)")
    }
    let junction = try appendJunction(of: parts, for: node)
    // The junction holds one part after the other: along the first axis that is the order already.
    let whole = ONNXQuantity(vertex: junction, shape: shape)
    let outer = shape[..<axis].reduce(1, *)
    guard outer > 1 else { return [.quantity(whole)] }
    try reserve(whole.size, for: node)
    var order: [Int32] = []
    order.reserveCapacity(whole.size)
    for o in 0..<outer {
      var start = 0
      for q in parts {
        let size = q.size / outer
        order.append(contentsOf: (start + o * size..<start + (o + 1) * size).map { Int32($0) })
        start += q.size
      }
    }
    return [.quantity(viewed(whole, as: TensorView(shape: shape, indices: order)))]
  }
}

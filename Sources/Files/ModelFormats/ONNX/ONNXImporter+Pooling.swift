import ArrayFiles
import LinearAlgebra
import NetworkKernels
import NeuralSheaves

/// Windows: pooling.
extension ONNXImporter {
  /// The window of a node over images of one to three dimensions.
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
      guard !node.type.hasSuffix("Pool") || dilations.allSatisfy({ $0 == 1 }) else {
        throw node.failure(
          "auto_pad \(mode) with dilations \(dilations), on which the specification and runtimes "
            + "differ; expected explicit pads")
      }
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
    let window = SlidingWindow(
      channels: q.shape[0], image: Extent(image, missing: 1), kernel: Extent(kernel, missing: 1),
      stride: Extent(strides, missing: 1), dilation: Extent(dilations, missing: 1),
      paddingBefore: Extent(Array(pads[..<n]), missing: 0),
      paddingAfter: Extent(Array(pads[n...]), missing: 0),
      roundsUp: try node.integer("ceil_mode") ?? 0 != 0)
    guard window.outputSize > 0 else {
      throw node.failure(
        "a kernel \(kernel) with dilations \(dilations) does not fit into "
          + "\(ONNXShapes.describe(q.layout, batch)) with pads \(pads)")
    }
    guard
      elementCount([window.channels] + window.output.lengths, limit: Self.sizeLimit) != nil
    else { throw node.failure("makes more than 2^26 coordinates") }
    return window
  }

  mutating func pool(_ node: ONNXNode, _ x: ONNXInputs) throws(ArrayFileError) -> [ONNXValue] {
    let q = try x.quantity(0)
    guard (2...4).contains(q.shape.count) else {
      throw node.failure(
        "pools \(ONNXShapes.describe(q.layout, batch)), expected images of one to three "
          + "dimensions")
    }
    guard let kernel = try node.integers("kernel_shape"), kernel.count == q.shape.count - 1 else {
      throw node.failure("expected a kernel_shape of \(q.shape.count - 1) extents")
    }
    let window = try window(node, q, kernel: kernel)
    let includesPadding = try node.integer("count_include_pad") ?? 0 != 0
    return [.quantity(try pooled(q, window, node, includesPadding: includesPadding))]
  }

  mutating func pooled(
    _ q: ONNXQuantity, _ window: SlidingWindow, _ node: ONNXNode, includesPadding: Bool = false
  ) throws(ArrayFileError) -> ONNXQuantity {
    guard
      let places = elementCount(
        [window.channels] + window.output.lengths + window.kernel.lengths, limit: Self.sizeLimit)
    else { throw node.failure("has more than 2^26 window places") }
    try reserve(places, for: node)
    let isMinimum = node.type == "ReduceMin"
    let isExtreme = isMinimum || node.type.hasSuffix("MaxPool") || node.type == "ReduceMax"
    if isExtreme {
      let sizes = window.windows.map(\.count)
      guard sizes.allSatisfy({ (1...Int(UInt16.max)).contains($0) }) else {
        throw node.failure(
          sizes.contains(0)
            ? "has a window without a place in the image"
            : "has a window of more than 65535 places")
      }
    }
    return try append(
      isExtreme
        ? MaximumPooling(window, isMinimum: isMinimum)
        : AveragePooling(window, includesPadding: includesPadding),
      to: q, shape: [window.channels] + extents(of: window.output, q.shape.count - 1), for: node)
  }

  mutating func globalPool(_ node: ONNXNode, _ x: ONNXInputs) throws(ArrayFileError) -> [ONNXValue]
  {
    let q = try x.quantity(0)
    guard q.shape.count >= 2 else {
      throw node.failure("pools \(ONNXShapes.describe(q.layout, batch)), expected images")
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
}

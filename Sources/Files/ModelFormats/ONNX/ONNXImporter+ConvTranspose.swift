import ArrayFiles
import LinearAlgebra
import NetworkKernels
import NeuralSheaves

/// Transposed convolutions.
extension ONNXImporter {
  mutating func transposedConvolution(
    _ node: ONNXNode, _ x: ONNXInputs
  ) throws(ArrayFileError) -> [ONNXValue] {
    let q = try x.quantity(0)
    let w = try x.weights(1, "weight")
    let n = q.shape.count - 1
    guard (1...3).contains(n), w.shape.count == n + 2 else {
      throw node.failure(
        "shapes \(ONNXShapes.describe(q.layout, batch)) and \(w.shape), expected images of one to "
          + "three dimensions and a weight with as many")
    }
    let kernel = Array(w.shape.dropFirst(2))
    if let given = try node.integers("kernel_shape"), given != kernel {
      throw node.failure("kernel_shape \(given) with a weight of shape \(w.shape)")
    }
    let groups = try node.integer("group") ?? 1
    guard groups > 0, q.shape[0] % groups == 0, w.shape[0] == q.shape[0] else {
      throw node.failure(
        "a weight of shape \(w.shape) in \(groups) groups for \(q.shape[0]) channels, expected "
          + "\(q.shape[0]) along axis 0")
    }
    let channels = w.shape[1] * groups
    let window = try transposedWindow(node, q, kernel: kernel, channels: channels)
    let convolution = Convolution(window: window, filters: q.shape[0], groups: groups)
    var bias = [Double](repeating: 0, count: channels)
    if x.values.count > 2, x.values[2] != nil {
      bias = try x.weights(2, "bias").reals
      guard bias.count == channels else {
        throw node.failure("\(bias.count) biases for \(channels) channels")
      }
    }
    try reserve(window.image.size + window.outputSize * window.kernel.size, for: node)
    return [
      .quantity(
        try append(
          TransposedConvolutional(
            convolution,
            weight: Matrix(
              rows: convolution.filterSize, columns: q.shape[0], columnMajor: w.reals), bias: bias),
          to: q, shape: [channels] + extents(of: window.image, n), for: node))
    ]
  }

  /// The window over the result whose convolution is transposed: it has as many places as the source.
  private func transposedWindow(
    _ node: ONNXNode, _ q: ONNXQuantity, kernel: [Int], channels: Int
  ) throws(ArrayFileError) -> SlidingWindow {
    let n = kernel.count
    let image = Array(q.shape.dropFirst())
    func list(_ name: String, default value: Int, count: Int, least: Int)
      throws(ArrayFileError) -> [Int]
    {
      let list = try node.integers(name) ?? [Int](repeating: value, count: count)
      guard list.count == count, list.allSatisfy({ (least...1 << 20).contains($0) }) else {
        throw node.failure("\(name) \(list), expected \(count) numbers of at least \(least)")
      }
      return list
    }
    guard kernel.allSatisfy({ (1...1 << 20).contains($0) }) else {
      throw node.failure("kernel \(kernel), expected extents of at least 1")
    }
    let strides = try list("strides", default: 1, count: n, least: 1)
    let dilations = try list("dilations", default: 1, count: n, least: 1)
    let extra = try list("output_padding", default: 0, count: n, least: 0)
    var pads = try list("pads", default: 0, count: 2 * n, least: 0)
    // What windows reach over, without padding.
    let reach = (0..<n).map { k -> Int in
      let span: Int = dilations[k] * (kernel[k] - 1) + 1
      return (image[k] - 1) * strides[k] + span
    }
    let mode = try node.text("auto_pad") ?? "NOTSET"
    let target = try node.integers("output_shape").map { Array($0.suffix(n)) }
    switch mode {
    case "NOTSET", "", "SAME_UPPER", "SAME_LOWER": break
    case "VALID": pads = [Int](repeating: 0, count: 2 * n)
    default:
      throw node.failure("auto_pad \"\(mode)\", expected NOTSET, VALID, SAME_UPPER or SAME_LOWER")
    }
    guard target?.count ?? n == n else {
      throw node.failure("output_shape \(target ?? []), expected \(n) extents")
    }
    // Padding that leaves so much, if there is more.
    if let wanted = target ?? (mode.hasPrefix("SAME") ? zip(image, strides).map(*) : nil) {
      for k in 0..<n {
        let total = max(0, reach[k] + extra[k] - wanted[k])
        pads[k] = mode == "SAME_UPPER" ? total / 2 : total - total / 2
        pads[k + n] = total - pads[k]
      }
    }
    let free = (0..<n).map { k -> Int in reach[k] + extra[k] - pads[k] - pads[k + n] }
    let result = target ?? free
    guard result.allSatisfy({ $0 > 0 }),
      elementCount([channels] + result, limit: Self.sizeLimit) != nil
    else {
      throw node.failure(
        "makes images of \(result), expected extents of at least 1 and at most 2^26 coordinates")
    }
    let after = (0..<n).map { k -> Int in max(0, reach[k] - pads[k] - result[k]) }
    return SlidingWindow(
      channels: channels, image: Extent(result, missing: 1), kernel: Extent(kernel, missing: 1),
      stride: Extent(strides, missing: 1), dilation: Extent(dilations, missing: 1),
      paddingBefore: Extent(Array(pads[..<n]), missing: 0),
      paddingAfter: Extent(after, missing: 0), output: Extent(image, missing: 1))
  }

  /// The lengths of an extent in a tensor of so many dimensions.
  func extents(of extent: Extent, _ dimensions: Int) -> [Int] {
    Array(extent.lengths.suffix(dimensions))
  }
}

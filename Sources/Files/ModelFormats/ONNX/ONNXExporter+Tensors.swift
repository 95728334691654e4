import ArrayFiles
import LinearAlgebra
import NetworkKernels

/// Tensors in the shapes that operations want, constants, nodes and their attributes.
extension ONNXExporter {
  /// The tensor of a vertex in a shape.
  mutating func tensor(_ v: Int, as shape: [Int]) -> String {
    var all = tensors[v]
    let name = reshaped(&all, shape)
    tensors[v] = all
    return name
  }

  /// A tensor in a shape, by a new node if it has none of it yet.
  mutating func reshaped(
    _ source: inout [(name: String, shape: [Int])], _ shape: [Int]
  ) -> String {
    if let found = source.first(where: { $0.shape == shape }) { return found.name }
    let base = source[0].name
    let name = "\(base).\(shape.map(String.init).joined(separator: "x"))"
    // Two readers of one vertex share a reshaped tensor.
    if !written.contains(name) {
      if shape.count == 1 {
        emit("Flatten", [base], name, [Self.attribute("axis", 1)])
      } else {
        emit("Reshape", [base, integers("\(name).shape", [-1] + shape)], name)
      }
    }
    source.append((name, shape))
    return name
  }

  func imageShape(_ w: SlidingWindow) -> [Int] {
    [w.channels] + w.image.lengths
  }

  /// The shape in which channels are axis 1: the natural one if it has them there.
  func channelShape(
    _ channels: Int, _ extent: Int, _ natural: (name: String, shape: [Int])
  ) -> [Int] {
    if natural.shape.first == channels { return natural.shape }
    return extent == 1 ? [channels] : [channels, extent]
  }

  mutating func constant(_ name: String, _ shape: [Int], _ values: [Double]) -> String {
    var tensor = ONNXTensorProto()
    tensor.name = name
    tensor.dims = shape.map { Int64($0) }
    tensor.dataType = precision == .float32 ? 1 : 11
    tensor.rawData = precision.bytes(of: values)
    graph.initializer.append(tensor)
    return name
  }

  mutating func integers(_ name: String, _ values: [Int], isScalar: Bool = false) -> String {
    integers(name, values, shape: isScalar ? [] : [values.count])
  }

  mutating func integers(_ name: String, _ values: [Int], shape: [Int]) -> String {
    var tensor = ONNXTensorProto()
    tensor.name = name
    tensor.dims = shape.map { Int64($0) }
    tensor.dataType = 7
    tensor.int64Data = values.map { Int64($0) }
    graph.initializer.append(tensor)
    return name
  }

  mutating func emit(
    _ type: String, _ inputs: [String], _ output: String, _ attributes: [ONNXAttributeProto] = []
  ) {
    var node = ONNXNodeProto()
    node.opType = type
    node.input = inputs
    node.output = [output]
    node.name = output
    node.attribute = attributes
    graph.node.append(node)
    written.insert(output)
  }

  func windowAttributes(_ w: SlidingWindow) -> [ONNXAttributeProto] {
    [
      Self.attribute("kernel_shape", w.kernel.lengths),
      Self.attribute("strides", w.stride.lengths),
      Self.attribute("dilations", w.dilation.lengths),
      Self.attribute("pads", w.paddingBefore.lengths + w.paddingAfter.lengths),
    ]
  }

  func poolAttributes(
    _ w: SlidingWindow, _ name: String
  ) throws(ArrayFileError) -> [ONNXAttributeProto] {
    func rounded(up: Bool) -> Extent {
      SlidingWindow(
        channels: w.channels, image: w.image, kernel: w.kernel, stride: w.stride,
        dilation: w.dilation, paddingBefore: w.paddingBefore, paddingAfter: w.paddingAfter,
        roundsUp: up
      ).output
    }
    let isDown = rounded(up: false) == w.output
    guard isDown || rounded(up: true) == w.output else { throw tooFew(w, name) }
    return windowAttributes(w) + [Self.attribute("ceil_mode", isDown ? 0 : 1)]
  }

  /// A window of a convolution, none of which hangs over the padding.
  func fitted(_ w: SlidingWindow, _ name: String) throws(ArrayFileError) -> SlidingWindow {
    let result = w.withoutOverhang
    guard result.output == w.output else { throw tooFew(w, name) }
    return result
  }

  private func tooFew(_ w: SlidingWindow, _ name: String) -> ArrayFileError {
    ArrayFileError(
      file: file,
      problem: "\(name) has \(w.output) windows over \(w.image), fewer than ONNX's operators make")
  }

  /// Of the transposed convolution from a window's places to its image, which is what is left of what the
  /// windows reach over, or that and a little more.
  func transposedAttributes(_ w: SlidingWindow) -> [ONNXAttributeProto] {
    let rest = w.image.lengths.indices.map { i -> Int in
      let span: Int = w.dilation.lengths[i] * (w.kernel.lengths[i] - 1) + 1
      let reach: Int = (w.output.lengths[i] - 1) * w.stride.lengths[i] + span
      return reach - w.paddingBefore.lengths[i] - w.image.lengths[i]
    }
    return [
      Self.attribute("kernel_shape", w.kernel.lengths),
      Self.attribute("strides", w.stride.lengths),
      Self.attribute("dilations", w.dilation.lengths),
      Self.attribute("pads", w.paddingBefore.lengths + rest.map { max(0, $0) }),
      Self.attribute("output_padding", rest.map { max(0, -$0) }),
    ]
  }

  /// The inputs of a convolution or its transpose: the source as images of the given shape, weight, bias.
  mutating func filterInputs(
    _ parameters: [Matrix], _ c: Convolution, _ source: inout [(name: String, shape: [Int])],
    _ shape: [Int], _ name: String
  ) -> [String] {
    let weight = constant(
      "\(name).weight", [c.filters, c.window.channels / c.groups] + c.window.kernel.lengths,
      parameters[0].elements)
    let bias = constant("\(name).bias", [parameters[1].count], parameters[1].elements)
    return [reshaped(&source, shape), weight, bias]
  }

  static func attribute(_ name: String, _ value: Int) -> ONNXAttributeProto {
    var a = ONNXAttributeProto()
    (a.name, a.i, a.type) = (name, Int64(value), 2)
    return a
  }

  static func attribute(_ name: String, _ value: Float) -> ONNXAttributeProto {
    var a = ONNXAttributeProto()
    (a.name, a.f, a.type) = (name, value, 1)
    return a
  }

  static func attribute(_ name: String, _ values: [Int]) -> ONNXAttributeProto {
    var a = ONNXAttributeProto()
    (a.name, a.ints, a.type) = (name, values.map { Int64($0) }, 7)
    return a
  }
}

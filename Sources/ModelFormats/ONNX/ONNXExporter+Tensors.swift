import LinearAlgebra

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
    [w.channels, w.image.height, w.image.width]
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
    var tensor = ONNXTensorProto()
    tensor.name = name
    tensor.dims = isScalar ? [] : [Int64(values.count)]
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
      Self.attribute("kernel_shape", [w.kernel.height, w.kernel.width]),
      Self.attribute("strides", [w.stride.height, w.stride.width]),
      Self.attribute(
        "pads",
        [
          w.paddingBefore.height, w.paddingBefore.width, w.paddingAfter.height,
          w.paddingAfter.width,
        ]),
    ]
  }

  func poolAttributes(_ w: SlidingWindow) -> [ONNXAttributeProto] {
    let down = SlidingWindow(
      channels: w.channels, image: w.image, kernel: w.kernel, stride: w.stride,
      dilation: w.dilation, paddingBefore: w.paddingBefore, paddingAfter: w.paddingAfter)
    return windowAttributes(w) + [
      Self.attribute("dilations", [w.dilation.height, w.dilation.width]),
      Self.attribute("ceil_mode", down.output == w.output ? 0 : 1),
    ]
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

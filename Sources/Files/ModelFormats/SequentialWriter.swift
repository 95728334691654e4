import ArrayFiles
import LinearAlgebra
import NetworkKernels
import NeuralSheaves

/// Writes a chain of operations as the modules of a `Sequential`.
struct SequentialWriter {
  let file: String
  private(set) var modules: [SequentialModule] = []
  private(set) var arrays: [String: NumericArray] = [:]
  /// The shape of a sample after the modules so far.
  private var shape: [Int] = []

  init(file: String) { self.file = file }

  mutating func write(_ network: Network) throws(ArrayFileError) {
    shape = [network.inputDimension]
    for (e, edge) in network.edges.enumerated() {
      guard edge.source == e, edge.target == e + 1 else {
        throw refusal(network.edgeName(e), "makes the network more than a chain")
      }
      guard !(edge.operation is Relabelled) else {
        throw refusal(
          network.edgeName(e),
          "reads \(network.vertices[e].name) in another order (a transposition, slice or the like), which no "
            + "module does")
      }
      try write(edge.operation, named: network.edgeName(e))
    }
  }

  private mutating func write(
    _ operation: any NetworkOperation, named name: String
  ) throws(ArrayFileError) {
    switch operation {
    case let op as Dense:
      reshape([op.sourceDimension])
      put("Linear", ["weight": NumericArray(op.weight), "bias": vector(op.bias)])
      shape = [op.targetDimension]
    case let op as Convolutional where op.convolution.window.image.depth == nil:
      let (w, c) = (op.convolution.window.withoutOverhang, op.convolution)
      reshape([w.channels, w.image.height, w.image.width])
      let weight = NumericArray(
        shape: [c.filters, w.channels / c.groups, w.kernel.height, w.kernel.width],
        elements: op.parameters[0].elements)
      // Conv2d pads alike on both sides.
      if w.paddingBefore != w.paddingAfter {
        put(
          "ZeroPad2d", [:],
          [
            "padding": [
              w.paddingBefore.width, w.paddingAfter.width, w.paddingBefore.height,
              w.paddingAfter.height,
            ]
          ])
        shape = [
          w.channels, w.image.height + w.paddingBefore.height + w.paddingAfter.height,
          w.image.width + w.paddingBefore.width + w.paddingAfter.width,
        ]
      }
      let padding = w.paddingBefore == w.paddingAfter ? w.paddingBefore : Extent(0, 0)
      put(
        "Conv2d", ["weight": weight, "bias": vector(op.parameters[1])],
        [
          "stride": [w.stride.height, w.stride.width],
          "padding": [padding.height, padding.width],
          "dilation": [w.dilation.height, w.dilation.width], "groups": [c.groups],
        ])
      shape = [c.filters, w.output.height, w.output.width]
    case let op as MaximumPooling where !op.isMinimum && op.window.image.depth == nil:
      try pool("MaxPool2d", op.window, name)
    case let op as AveragePooling where op.window.image.depth == nil:
      try pool("AvgPool2d", op.window, name, ["count_include_pad": [op.includesPadding ? 1 : 0]])
    case let op as ChannelAffine: writeNormalization(op)
    case let op as ParametricRectifier:
      if shape[0] != op.parameters[0].count && op.parameters[0].count > 1 {
        reshape([op.parameters[0].count, op.extent])
      }
      put("PReLU", ["weight": vector(op.parameters[0])])
    case let op as Elementwise: modules.append(SequentialModule(op.function, input: shape))
    case is Inclusion: put("Identity", [:])
    default:
      throw refusal("\(name), \(operation.summary),", "is no module")
    }
  }

  private func refusal(_ name: String, _ problem: String) -> ArrayFileError {
    ArrayFileError(
      file: file,
      problem:
        "\(name) \(problem); a .safetensors file holds a Sequential, an .onnx file any network")
  }

  /// Batch normalisation with mean 0, variance 1 and ε = 0, as scale and shift stand.
  private mutating func writeNormalization(_ op: ChannelAffine) {
    let (scale, shift) = (op.coefficients[0], op.coefficients[1])
    if shape[0] != scale.count || op.extent != shape.dropFirst().reduce(1, *) {
      reshape(op.extent == 1 ? [scale.count] : [scale.count, op.extent])
    }
    put(
      shape.count == 3 ? "BatchNorm2d" : "BatchNorm1d",
      [
        "weight": vector(scale), "bias": vector(shift),
        "running_mean": NumericArray(
          shape: [scale.count], elements: [Double](repeating: 0, count: scale.count)),
        "running_var": NumericArray(
          shape: [scale.count], elements: [Double](repeating: 1, count: scale.count)),
      ], ["eps": [0], "trained": [op.isTrained ? 1 : 0]])
  }

  private mutating func pool(
    _ module: String, _ w: SlidingWindow, _ name: String, _ more: [String: [Int]] = [:]
  ) throws(ArrayFileError) {
    reshape([w.channels, w.image.height, w.image.width])
    let floor = SlidingWindow(
      channels: w.channels, image: w.image, kernel: w.kernel, stride: w.stride,
      dilation: w.dilation, paddingBefore: w.paddingBefore, paddingAfter: w.paddingAfter)
    guard w.paddingBefore == w.paddingAfter,
      module == "MaxPool2d" || w.dilation == Extent(1, 1)
    else {
      throw refusal(
        "\(name), \(module) with padding \(w.paddingBefore) and \(w.paddingAfter), dilation \(w.dilation),",
        "is no module")
    }
    var settings = [
      "kernel_size": [w.kernel.height, w.kernel.width],
      "stride": [w.stride.height, w.stride.width],
      "padding": [w.paddingBefore.height, w.paddingBefore.width],
      "ceil_mode": [floor.output == w.output ? 0 : 1],
    ]
    if module == "MaxPool2d" { settings["dilation"] = [w.dilation.height, w.dilation.width] }
    put(module, [:], settings.merging(more) { $1 })
    shape = [w.channels, w.output.height, w.output.width]
  }

  /// A module that changes the shape of a sample, where it is not the one wanted.
  private mutating func reshape(_ wanted: [Int]) {
    guard shape != wanted else { return }
    if shape.count > 1 {
      put("Flatten", [:])
      shape = [shape.reduce(1, *)]
    }
    if wanted.count > 1 {
      put("Unflatten", [:], ["dim": [1], "unflattened_size": wanted])
      shape = wanted
    }
  }

  private mutating func put(
    _ module: String, _ parameters: [String: NumericArray], _ settings: [String: [Int]] = [:]
  ) {
    for (key, array) in parameters { arrays["\(modules.count).\(key)"] = array }
    modules.append(
      SequentialModule(
        module: module, input: shape,
        settings: settings.mapValues { $0.map(Double.init) }))
  }

  private func vector(_ m: Matrix) -> NumericArray {
    NumericArray(shape: [m.count], elements: m.elements)
  }
}

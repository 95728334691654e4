import ArrayFiles
import LinearAlgebra
import NeuralSheaves

/// The nodes of each operation.
extension ONNXExporter {
  /// Writes the node of an operation whose source has the given tensors.
  mutating func write(
    _ operation: any NetworkOperation, reading source: [(name: String, shape: [Int])], to v: Int
  ) throws(ArrayFileError) {
    let name = network.vertices[v].name
    var source = source
    let natural = source[0]
    func put(_ shape: [Int]) { tensors[v] = [(name, shape)] }
    switch operation {
    case let op as Dense:
      let weight = constant(
        "\(name).weight", [op.weight.rows, op.weight.columns], op.weight.rowMajor)
      let bias = constant("\(name).bias", [op.weight.rows], op.bias.elements)
      let x = reshaped(&source, [op.sourceDimension])
      emit("Gemm", [x, weight, bias], name, [Self.attribute("transB", 1)])
      put([op.targetDimension])
    case let op as Convolutional:
      let (w, c) = (op.convolution.window, op.convolution)
      let shape = [c.filters, w.channels / c.groups, w.kernel.height, w.kernel.width]
      let weight = constant("\(name).weight", shape, op.parameters[0].elements)
      let bias = constant("\(name).bias", [c.filters], op.parameters[1].elements)
      let x = reshaped(&source, [w.channels, w.image.height, w.image.width])
      emit(
        "Conv", [x, weight, bias], name,
        windowAttributes(w.withoutOverhang) + [
          Self.attribute("dilations", [w.dilation.height, w.dilation.width]),
          Self.attribute("group", c.groups),
        ])
      put([c.filters, w.output.height, w.output.width])
    case let op as MaximumPooling:
      let x = reshaped(&source, imageShape(op.window))
      emit("MaxPool", [x], name, poolAttributes(op.window))
      put([op.window.channels, op.window.output.height, op.window.output.width])
    case let op as AveragePooling:
      let x = reshaped(&source, imageShape(op.window))
      emit(
        "AveragePool", [x], name,
        poolAttributes(op.window) + [
          Self.attribute("count_include_pad", op.includesPadding ? 1 : 0)
        ])
      put([op.window.channels, op.window.output.height, op.window.output.width])
    case let op as Elementwise:
      try write(op.function, reading: natural, to: name)
      put(natural.shape)
    case let op as ParametricRectifier:
      let slopes = op.parameters[0].elements
      let shape = slopes.count == 1 ? natural.shape : channelShape(slopes.count, op.extent, natural)
      let slope = constant(
        "\(name).slope",
        slopes.count == 1 ? [1] : [slopes.count] + [Int](repeating: 1, count: shape.count - 1),
        slopes)
      emit("PRelu", [reshaped(&source, shape), slope], name)
      put(shape)
    case let op as ChannelAffine: put(write(op, reading: &source, to: name))
    case let op as Sum:
      // The blocks of something that is no junction of them.
      if op.coefficients.count == 1 {
        emit("Identity", [natural.name], name)
        marks.copies.insert(name)
        return put(natural.shape)
      }
      let x = reshaped(&source, [op.coefficients.count, op.dimension])
      if op.coefficients.contains(-1) {
        emit(
          "Gather", [x, integers("\(name).0", [0], isScalar: true)], "\(name).first",
          [Self.attribute("axis", 1)])
        emit(
          "Gather", [x, integers("\(name).1", [1], isScalar: true)], "\(name).second",
          [Self.attribute("axis", 1)])
        emit("Sub", ["\(name).first", "\(name).second"], name)
      } else {
        emit(
          "ReduceSum", [x, integers("\(name).axes", [1])], name, [Self.attribute("keepdims", 0)])
      }
      put([op.dimension])
    case is Inclusion:
      emit("Identity", [natural.name], name)
      marks.identities.insert(name)
      put(natural.shape)
    default:
      throw ArrayFileError(
        file: file, problem: "\(name), \(operation.summary), has no operator in ONNX")
    }
  }

  mutating func write(
    _ function: PiecewiseAffine, reading source: (name: String, shape: [Int]), to name: String
  ) throws(ArrayFileError) {
    let (kinks, slopes, offsets) = (function.kinks, function.slopes, function.offsets)
    // Attributes are floats; ours are read back from their decimals.
    func isExact(_ x: Double) -> Bool { Double("\(Float(x))") == x }
    if function == .rectifier { return emit("Relu", [source.name], name) }
    if function == .absolute { return emit("Abs", [source.name], name) }
    if function == .leakyRectifier(slope: slopes[0]), isExact(slopes[0]) {
      return emit("LeakyRelu", [source.name], name, [Self.attribute("alpha", Float(slopes[0]))])
    }
    for (lower, upper) in [
      (kinks[0], kinks.last!), (kinks[0], .infinity), (-.infinity, kinks[0]),
    ] where lower < upper && function == .clip(lower: lower, upper: upper) {
      let minimum = lower.isFinite ? constant("\(name).min", [], [lower]) : ""
      let maximum = upper.isFinite ? constant("\(name).max", [], [upper]) : ""
      return emit("Clip", [source.name, minimum] + (maximum.isEmpty ? [] : [maximum]), name)
    }
    if slopes.count == 3, slopes[1] > 0,
      function == .hardSigmoid(slope: slopes[1], offset: offsets[1]), isExact(slopes[1]),
      isExact(offsets[1])
    {
      return emit(
        "HardSigmoid", [source.name], name,
        [
          Self.attribute("alpha", Float(slopes[1])), Self.attribute("beta", Float(offsets[1])),
        ])
    }
    throw ArrayFileError(
      file: file, problem: "\(name), \(function.description), has no exact operator in ONNX")
  }

  mutating func write(
    _ op: ChannelAffine, reading source: inout [(name: String, shape: [Int])], to name: String
  ) -> [Int] {
    let (scale, shift) = (op.coefficients[0].elements, op.coefficients[1].elements)
    let isScalar = scale.count == 1
    let shape = isScalar ? source[0].shape : channelShape(scale.count, op.extent, source[0])
    let constantShape = isScalar ? [1] : [scale.count] + [Int](repeating: 1, count: shape.count - 1)
    let x = reshaped(&source, shape)
    if !op.isTrained && shift.allSatisfy({ $0 == 0 }) {
      emit("Mul", [x, constant("\(name).scale", constantShape, scale)], name)
      return shape
    }
    if !op.isTrained && scale.allSatisfy({ $0 == 1 }) {
      emit("Add", [x, constant("\(name).shift", constantShape, shift)], name)
      return shape
    }
    // Batch normalisation of mean 0 and variance 1, over channels × extent.
    let channels = [scale.count, op.extent]
    emit(
      "BatchNormalization",
      [
        op.extent == 1 ? reshaped(&source, [scale.count]) : reshaped(&source, channels),
        constant("\(name).scale", [scale.count], scale),
        constant("\(name).shift", [scale.count], shift),
        constant("\(name).mean", [scale.count], scale.map { _ in 0 }),
        constant("\(name).variance", [scale.count], scale.map { _ in 1 }),
      ], name, [Self.attribute("epsilon", Float(0))])
    if !op.isTrained { marks.constants.insert(name) }
    return op.extent == 1 ? [scale.count] : channels
  }
}

import ArrayFiles
import LinearAlgebra
import NetworkKernels
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
      let c = op.convolution
      emit(
        "Conv",
        filterInputs(op.parameters, c, &source, [c.window.channels] + c.window.image.lengths, name),
        name, windowAttributes(try fitted(c.window, name)) + [Self.attribute("group", c.groups)])
      put([c.filters] + c.window.output.lengths)
    case let op as TransposedConvolutional:
      let c = op.convolution
      emit(
        "ConvTranspose",
        filterInputs(op.parameters, c, &source, [c.filters] + c.window.output.lengths, name), name,
        transposedAttributes(c.window) + [Self.attribute("group", c.groups)])
      put([c.window.channels] + c.window.image.lengths)
    case let op as MaximumPooling where op.isMinimum:
      writeMinimum(op, reading: &source, to: name)
      put([op.targetDimension])
    case let op as MaximumPooling:
      let x = reshaped(&source, imageShape(op.window))
      emit("MaxPool", [x], name, try poolAttributes(op.window, name))
      put([op.window.channels] + op.window.output.lengths)
    case let op as AveragePooling:
      let x = reshaped(&source, imageShape(op.window))
      emit(
        "AveragePool", [x], name,
        try poolAttributes(op.window, name) + [
          Self.attribute("count_include_pad", op.includesPadding ? 1 : 0)
        ])
      put([op.window.channels] + op.window.output.lengths)
    case let op as Elementwise:
      write(op.function, reading: natural, to: name)
      put(natural.shape)
    case let op as ElementwiseSplines:
      let s = op.splines
      writePieces(
        kinks: columns(s.kinks), slopes: columns(s.slopes), offsets: columns(s.offsets),
        reading: reshaped(&source, [s.count]), to: name)
      put([s.count])
    case let op as SparseLinear:
      write(op, reading: &source, to: name)
      put([op.targetDimension])
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

  /// The operator of a function of every coordinate, and its pieces where there is none.
  mutating func write(
    _ function: PiecewiseAffine, reading source: (name: String, shape: [Int]), to name: String
  ) {
    switch Self.ownOperator(function) {
    case .clip(let lower, let upper)?:
      let minimum = lower.isFinite ? constant("\(name).min", [], [lower]) : ""
      let maximum = upper.isFinite ? constant("\(name).max", [], [upper]) : ""
      emit("Clip", [source.name, minimum] + (maximum.isEmpty ? [] : [maximum]), name)
    case .attributes(let type, let attributes)?:
      emit(type, [source.name], name, attributes.map { Self.attribute($0, Float($1)) })
    case nil:
      writePieces(
        kinks: function.kinks.map { [$0] }, slopes: function.slopes.map { [$0] },
        offsets: function.offsets.map { [$0] }, reading: source.name, to: name)
    }
  }

  enum FunctionOperator {
    case attributes(String, [(String, Double)])
    case clip(lower: Double, upper: Double)
  }

  /// The operator that is exactly a function; nil if there is none.
  static func ownOperator(_ function: PiecewiseAffine) -> FunctionOperator? {
    let (kinks, slopes, offsets) = (function.kinks, function.slopes, function.offsets)
    // Attributes are floats; ours are read back from their decimals.
    func isExact(_ x: Double) -> Bool { Double("\(Float(x))") == x }
    if function == .rectifier { return .attributes("Relu", []) }
    if function == .absolute { return .attributes("Abs", []) }
    if function == .leakyRectifier(slope: slopes[0]), isExact(slopes[0]) {
      return .attributes("LeakyRelu", [("alpha", slopes[0])])
    }
    for (lower, upper) in [
      (kinks[0], kinks.last!), (kinks[0], .infinity), (-.infinity, kinks[0]),
    ] where lower < upper && function == .clip(lower: lower, upper: upper) {
      return .clip(lower: lower, upper: upper)
    }
    if slopes.count == 3, slopes[1] > 0,
      function == .hardSigmoid(slope: slopes[1], offset: offsets[1]), isExact(slopes[1]),
      isExact(offsets[1])
    {
      return .attributes("HardSigmoid", [("alpha", slopes[1]), ("beta", offsets[1])])
    }
    return nil
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

import ArrayFiles
import Foundation
import LinearAlgebra
import NeuralSheaves

extension ONNXFile {
  /// The operator set of files that are written: the first whose average pooling has dilations.
  static let writtenOperatorSet: Int64 = 19

  /// The bytes of an ONNX file of a network: input (batch, n₀), output (batch, n_{k+1}), vertices
  /// under their names. Read again it gives the same parameters and outputs, bit for bit.
  ///
  /// - Parameter precision: of weights and of all computation; nil for float where every number
  ///   is one, else double. Runtimes know few operators on doubles: ONNX Runtime no convolution.
  /// - Throws: `ArrayFileError` for an operation that ONNX has no exact operator for.
  public static func encode(
    _ network: Network, precision: ElementPrecision? = nil, file: String = "network.onnx"
  ) throws(ArrayFileError) -> Data {
    var exporter = ONNXExporter(network, precision: precision, file: file)
    try exporter.checkPrecision()
    let model = try exporter.model()
    do {
      return try model.serializedData()
    } catch {
      throw ArrayFileError(file: file, problem: "cannot be written: \(error)")
    }
  }
}

/// Writes the operations of a network as nodes.
///
/// A vertex has a tensor of its natural shape, as the operation that makes it leaves it; where an
/// operation wants another shape of the same coordinates, a reshaping node comes in between.
struct ONNXExporter {
  private let network: Network
  private let file: String
  private let precision: ElementPrecision
  private var graph = ONNXGraphProto()
  /// Name and shape, without the batch, of the tensors of each vertex, the natural one first.
  private var tensors: [[(name: String, shape: [Int])]]
  private var marks = ONNXMarks()
  /// The edges into and out of each vertex.
  private var incoming, outgoing: [[Int]]
  /// The names of the nodes so far.
  private var written: Set<String> = []

  init(_ network: Network, precision: ElementPrecision?, file: String) {
    self.network = network
    self.file = file
    self.precision = precision ?? (Self.isSingle(network) ? .float32 : .float64)
    tensors = [[(name: String, shape: [Int])]](repeating: [], count: network.vertices.count)
    incoming = [[Int]](repeating: [], count: network.vertices.count)
    outgoing = incoming
    for (e, edge) in network.edges.enumerated() {
      incoming[edge.target].append(e)
      outgoing[edge.source].append(e)
    }
  }

  /// Refuses numbers that floats cannot hold.
  fileprivate func checkPrecision() throws(ArrayFileError) {
    guard precision == .float32 else { return }
    for (e, edge) in network.edges.enumerated() {
      let numbers = Self.numbers(edge.operation)
      guard numbers.allSatisfy({ Float($0).isFinite }) else {
        throw ArrayFileError(
          file: file,
          problem: "\(network.edgeName(e)) has numbers beyond the range of float32; write float64")
      }
      if let op = edge.operation as? Elementwise, op.function.kinks.count == 2,
        Float(op.function.kinks[0]) >= Float(op.function.kinks[1])
      {
        throw ArrayFileError(
          file: file,
          problem: "\(network.edgeName(e)) has kinks that are one in float32; write float64")
      }
    }
  }

  /// Whether every number is a float.
  private static func isSingle(_ network: Network) -> Bool {
    return network.edges.allSatisfy { edge in
      numbers(edge.operation).allSatisfy { Double(Float($0)) == $0 }
    }
  }

  /// The numbers that a file holds of an operation.
  private static func numbers(_ operation: any NetworkOperation) -> [Double] {
    switch operation {
    case let op as Relabelled: numbers(op.base)
    case let op as ChannelAffine: op.coefficients.flatMap(\.elements)
    case let op as Elementwise: op.function.kinks
    default: operation.parameters.flatMap(\.elements)
    }
  }

  mutating func model() throws(ArrayFileError) -> ONNXModelProto {
    tensors[0] = [("x", [network.inputDimension])]
    for v in network.vertices.indices.dropFirst() {
      let edges = incoming[v]
      if edges.count == 1
        && network.edges[edges[0]].operation.targetRows.count
          == network.vertices[v].dimension
      {
        try write(network.edges[edges[0]].operation, from: network.edges[edges[0]].source, to: v)
      } else if !isSummed(v) {
        writeJunction(edges, to: v)
      }
    }
    let last = network.lastVertex
    let flat = tensor(last, as: [network.outputDimension])
    var node = ONNXNodeProto()
    node.input = [flat]
    node.output = ["output"]
    node.name = "output"
    node.opType =
      switch network.outputActivation {
      case .identity: "Identity"
      case .sigmoid: "Sigmoid"
      case .softmax: "Softmax"
      }
    if network.outputActivation == .softmax { node.attribute = [Self.attribute("axis", -1)] }
    graph.node.append(node)
    graph.name = "network"
    graph.input = [valueInfo("x", network.inputDimension)]
    graph.output = [valueInfo("output", network.outputDimension)]
    var model = ONNXModelProto()
    model.irVersion = 9
    model.producerName = "swift-sheaf"
    var set = ONNXOperatorSetIdProto()
    set.version = ONNXFile.writtenOperatorSet
    model.opsetImport = [set]
    model.metadataProps = marks.entries
    model.graph = graph
    return model
  }

  private func valueInfo(_ name: String, _ dimension: Int) -> ONNXValueInfoProto {
    var batch = ONNXTensorShapeProto.Dimension()
    batch.dimParam = "batch"
    var rest = ONNXTensorShapeProto.Dimension()
    rest.dimValue = Int64(dimension)
    var info = ONNXValueInfoProto()
    info.name = name
    info.type.tensorType.elemType = precision == .float32 ? 1 : 11
    info.type.tensorType.shape.dim = [batch, rest]
    return info
  }

  /// Whether a junction stands for the inputs of one sum or maximum, which ONNX writes without it.
  private func isSummed(_ v: Int) -> Bool {
    let readers = outgoing[v]
    guard readers.count == 1, let sum = network.edges[readers[0]].operation as? Sum,
      sum.coefficients.count > 1
    else { return false }
    let blocks = incoming[v].map { network.edges[$0] }
    return blocks.count == sum.coefficients.count
      && blocks.allSatisfy { $0.operation.targetRows.count == sum.dimension }
  }

  // MARK: Nodes

  private mutating func write(
    _ operation: any NetworkOperation, from source: Int, to v: Int
  ) throws(ArrayFileError) {
    let name = network.vertices[v].name
    switch operation {
    case let op as Relabelled:
      let dimension = network.vertices[source].dimension
      let chosen = choose(op.order, of: tensor(source, as: [dimension]), dimension, for: name)
      try write(op.base, reading: [(chosen, [op.order.count])], to: v)
    case let op as Sum where isSummed(source):
      var parts: [String] = []
      for e in incoming[source] {
        let edge = network.edges[e]
        parts.append(blockTensor(edge, shape: [op.dimension], for: "\(name).\(parts.count)"))
      }
      let type = op.coefficients.contains(-1) ? "Sub" : parts.count == 2 ? "Add" : "Sum"
      emit(type, parts, name)
      tensors[v] = [(name, [op.dimension])]
    default: try write(operation, reading: tensors[source], to: v)
    }
  }

  /// Writes the node of an operation whose source has the given tensors.
  private mutating func write(
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

  private mutating func write(
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

  private mutating func write(
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

  private mutating func writeJunction(_ edges: [Int], to v: Int) {
    let name = network.vertices[v].name
    let sources = edges.map { network.edges[$0] }
    let shapes = sources.map { tensors[$0.source][0].shape }
    // Images of one size are joined by channels, all else flat.
    let areImages =
      sources.allSatisfy { $0.operation is Inclusion }
      && shapes.allSatisfy { $0.count == 3 && $0.dropFirst() == shapes[0].dropFirst() }
    var parts: [String] = []
    for edge in sources {
      let rows = edge.operation.targetRows.count
      parts.append(
        blockTensor(
          edge, shape: areImages ? tensors[edge.source][0].shape : [rows],
          for: "\(name).\(parts.count)"))
    }
    emit("Concat", parts, name, [Self.attribute("axis", 1)])
    tensors[v] = [
      (
        name,
        areImages
          ? [shapes.reduce(0) { $0 + $1[0] }] + shapes[0].dropFirst()
          : [network.vertices[v].dimension]
      )
    ]
  }

  /// The tensor that an edge puts into its block of a junction.
  private mutating func blockTensor(
    _ edge: Network.Edge, shape: [Int], for name: String
  ) -> String {
    guard let relabelled = edge.operation as? Relabelled else {
      return tensor(edge.source, as: shape)
    }
    let dimension = network.vertices[edge.source].dimension
    return choose(
      relabelled.order, of: tensor(edge.source, as: [dimension]), dimension, for: name)
  }

  /// The chosen coordinates of a flat tensor; those that are negative are an added zero.
  private mutating func choose(
    _ order: [Int32], of flat: String, _ dimension: Int, for name: String
  ) -> String {
    var (source, indices) = (flat, order.map { Int($0) })
    if indices.contains(where: { $0 < 0 }) {
      emit("Pad", [flat, integers("\(name).pads", [0, 0, 0, 1])], "\(name).padded")
      source = "\(name).padded"
      indices = indices.map { $0 < 0 ? dimension : $0 }
    }
    emit(
      "Gather", [source, integers("\(name).order", indices)], "\(name).relabelled",
      [Self.attribute("axis", 1)])
    return "\(name).relabelled"
  }

  // MARK: Tensors

  /// The tensor of a vertex in a shape.
  private mutating func tensor(_ v: Int, as shape: [Int]) -> String {
    var all = tensors[v]
    let name = reshaped(&all, shape)
    tensors[v] = all
    return name
  }

  /// A tensor in a shape, by a new node if it has none of it yet.
  private mutating func reshaped(
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

  private func imageShape(_ w: SlidingWindow) -> [Int] {
    [w.channels, w.image.height, w.image.width]
  }

  /// The shape in which channels are axis 1: the natural one if it has them there.
  private func channelShape(
    _ channels: Int, _ extent: Int, _ natural: (name: String, shape: [Int])
  ) -> [Int] {
    if natural.shape.first == channels { return natural.shape }
    return extent == 1 ? [channels] : [channels, extent]
  }

  private mutating func constant(_ name: String, _ shape: [Int], _ values: [Double]) -> String {
    var tensor = ONNXTensorProto()
    tensor.name = name
    tensor.dims = shape.map { Int64($0) }
    tensor.dataType = precision == .float32 ? 1 : 11
    tensor.rawData = precision.bytes(of: values)
    graph.initializer.append(tensor)
    return name
  }

  private mutating func integers(_ name: String, _ values: [Int], isScalar: Bool = false) -> String
  {
    var tensor = ONNXTensorProto()
    tensor.name = name
    tensor.dims = isScalar ? [] : [Int64(values.count)]
    tensor.dataType = 7
    tensor.int64Data = values.map { Int64($0) }
    graph.initializer.append(tensor)
    return name
  }

  private mutating func emit(
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

  private func windowAttributes(_ w: SlidingWindow) -> [ONNXAttributeProto] {
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

  private func poolAttributes(_ w: SlidingWindow) -> [ONNXAttributeProto] {
    let down = SlidingWindow(
      channels: w.channels, image: w.image, kernel: w.kernel, stride: w.stride,
      dilation: w.dilation, paddingBefore: w.paddingBefore, paddingAfter: w.paddingAfter)
    return windowAttributes(w) + [
      Self.attribute("dilations", [w.dilation.height, w.dilation.width]),
      Self.attribute("ceil_mode", down.output == w.output ? 0 : 1),
    ]
  }

  private static func attribute(_ name: String, _ value: Int) -> ONNXAttributeProto {
    var a = ONNXAttributeProto()
    (a.name, a.i, a.type) = (name, Int64(value), 2)
    return a
  }

  private static func attribute(_ name: String, _ value: Float) -> ONNXAttributeProto {
    var a = ONNXAttributeProto()
    (a.name, a.f, a.type) = (name, value, 1)
    return a
  }

  private static func attribute(_ name: String, _ values: [Int]) -> ONNXAttributeProto {
    var a = ONNXAttributeProto()
    (a.name, a.ints, a.type) = (name, values.map { Int64($0) }, 7)
    return a
  }
}

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
  let network: Network
  let file: String
  let precision: ElementPrecision
  var graph = ONNXGraphProto()
  /// Name and shape, without the batch, of the tensors of each vertex, the natural one first.
  var tensors: [[(name: String, shape: [Int])]]
  var marks = ONNXMarks()
  /// The edges into and out of each vertex.
  var incoming, outgoing: [[Int]]
  /// The names of the nodes so far.
  var written: Set<String> = []

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
      if Self.kinks(edge.operation).contains(where: { kinks in
        zip(kinks, kinks.dropFirst()).contains { $0 < $1 && Float($0) >= Float($1) }
      }) {
        throw ArrayFileError(
          file: file,
          problem: "\(network.edgeName(e)) has kinks that are one in float32; write float64")
      }
    }
  }

  /// Whether every number is a float.
  private static func isSingle(_ network: Network) -> Bool {
    network.edges.allSatisfy { edge in
      numbers(edge.operation).allSatisfy { Double(Float($0)) == $0 }
    }
  }

  /// The kinks of each function of an elementwise operation.
  private static func kinks(_ operation: any NetworkOperation) -> [[Double]] {
    switch operation {
    case let op as Relabelled: kinks(op.base)
    case let op as Elementwise: [op.function.kinks]
    case let op as ElementwiseSplines:
      (0..<op.splines.count).map { op.splines.kinks.rows($0..<$0 + 1).elements }
    default: []
    }
  }

  /// The numbers that a file holds of an operation.
  private static func numbers(_ operation: any NetworkOperation) -> [Double] {
    switch operation {
    case let op as Relabelled: numbers(op.base)
    case let op as ChannelAffine: op.coefficients.flatMap(\.elements)
    case let op as Elementwise:
      op.function.kinks
        + (ownOperator(op.function) == nil ? op.function.slopes + op.function.offsets : [])
    case let op as ElementwiseSplines:
      op.splines.kinks.elements.filter { $0 < .infinity } + op.splines.slopes.elements
        + op.splines.offsets.elements
    case let op as SparseLinear: op.matrix.values
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
    if !network.classNames.isEmpty {
      var entry = ONNXStringStringEntryProto()
      entry.key = SafetensorsNetwork.classesKey
      entry.value = network.classNamesJSON
      model.metadataProps.append(entry)
    }
    model.graph = graph
    return model
  }

  func valueInfo(_ name: String, _ dimension: Int) -> ONNXValueInfoProto {
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
  func isSummed(_ v: Int) -> Bool {
    let readers = outgoing[v]
    guard readers.count == 1, let sum = network.edges[readers[0]].operation as? Sum,
      sum.coefficients.count > 1
    else { return false }
    let blocks = incoming[v].map { network.edges[$0] }
    return blocks.count == sum.coefficients.count
      && blocks.allSatisfy { $0.operation.targetRows.count == sum.dimension }
  }

  mutating func write(
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

  mutating func writeJunction(_ edges: [Int], to v: Int) {
    let name = network.vertices[v].name
    let sources = edges.map { network.edges[$0] }
    let shapes = sources.map { tensors[$0.source][0].shape }
    // Images of one size are joined by channels, all else flat.
    let areImages =
      sources.allSatisfy { $0.operation is Inclusion }
      && shapes.allSatisfy { $0.count >= 3 && $0.dropFirst() == shapes[0].dropFirst() }
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
  mutating func blockTensor(
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
  mutating func choose(
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
}

import ArrayFiles
import Foundation
import NeuralSheaves
import SwiftProtobuf

/// Networks in the Open Neural Network Exchange format, operator sets 7 to 24.
public enum ONNXFile {
  /// The operator sets that are read.
  public static let operatorSets = 7...24

  /// Reads a feedforward network of piecewise linear operations.
  ///
  /// One input, whose axis 0 is the batch, whatever number stands there; an input with one axis is
  /// a sample. Weights as float or double in the file or beside it. Reshaping, transposition and
  /// slicing relabel coordinates; computations of shapes are worked out. Names of tensors become
  /// aliases of vertices.
  ///
  /// - Parameter outputTensor: the tensor that is the output, one of several or one inside the
  ///   graph, which is cut there; nil for the only output.
  /// - Throws: `ArrayFileError`; for operators that cannot become a sheaf one error that names them
  ///   all with their nodes.
  public static func read(
    _ path: String, outputTensor: String? = nil
  ) throws(ArrayFileError) -> Network {
    // The bytes are gone before the network is built.
    try network(outputTensor: outputTensor, file: path) { () throws(ArrayFileError) in
      try model(try ArrayFile.bytes(path), file: path)
    }
  }

  /// Reads a network from the bytes of a file; `file` is its path, for messages and external data.
  public static func decode(
    _ data: Data, file: String, outputTensor: String? = nil
  ) throws(ArrayFileError) -> Network {
    try network(outputTensor: outputTensor, file: file) { () throws(ArrayFileError) in
      try model(data, file: file)
    }
  }

  /// A network whose input has a fixed axis 0 that cannot be the batch, since the file mixes what
  /// lies along it, has that axis in its sample.
  private static func network(
    outputTensor: String?, file: String, load: () throws(ArrayFileError) -> ONNXModelProto
  ) throws(ArrayFileError) -> Network {
    do {
      return try network(of: try load(), outputTensor, isWhole: false, file: file)
    } catch {
      guard let whole = try? network(of: try load(), outputTensor, isWhole: true, file: file) else {
        throw error
      }
      return whole
    }
  }

  private static func model(_ data: Data, file: String) throws(ArrayFileError) -> ONNXModelProto {
    let model: ONNXModelProto
    do {
      model = try ONNXModelProto(serializedBytes: data)
    } catch {
      throw ArrayFileError(
        file: file,
        problem: "not an ONNX file: its \(data.count) bytes are no protocol buffer of a model")
    }
    guard model.hasGraph, !model.graph.output.isEmpty else {
      throw ArrayFileError(
        file: file, problem: "not an ONNX file, or one without a graph and an output")
    }
    return model
  }

  /// The network of a model.
  ///
  /// - Parameter isWhole: whether all of a fixed input is one sample.
  private static func network(
    of loaded: consuming ONNXModelProto, _ outputTensor: String?, isWhole: Bool, file: String
  ) throws(ArrayFileError) -> Network {
    var model = consume loaded
    let operatorSet = try operatorSet(of: model, file: file)
    let constants = try initializers(of: &model.graph, file: file)
    var inlining = ONNXInlining(model, constants: constants.keys, file: file)
    let nodes = try inlining.nodes(model.graph.node, operatorSet: operatorSet)
    model.graph.node = []
    model.functions = []
    let output = try output(of: model.graph, nodes, outputTensor, file: file)
    let inputs = model.graph.input.filter { constants[$0.name] == nil }
    let graph = try ONNXGraph(
      nodes, inputs: inputs.map(\.name), output: output, constants: Set(constants.keys), file: file)
    // Inputs that the output does not depend on do not count.
    let used = inputs.filter { graph.readers[$0.name] != nil }
    guard let input = used.first, used.count == 1 else {
      let problem =
        used.isEmpty && !inputs.isEmpty
        ? "the output \"\(output.printable)\" does not depend on the input"
        : "\(used.count) inputs\(used.isEmpty ? "" : " (\(quoted(used.map(\.name))))"), expected one"
      throw ArrayFileError(file: file, problem: problem)
    }
    try checkOperators(graph, output: output, file: file)
    var (layout, batch) = try inputShape(input, file: file)
    if isWhole {
      guard batch > 1, !ONNXImporter.isOpen(batch) else {
        throw ArrayFileError(file: file, problem: "an open batch")
      }
      (layout, batch) = (TensorShape(sample: layout.extents(batch: batch), batchAxis: nil), 1)
    }
    var importer = try ONNXImporter(
      file: file, graph: graph, inlining: inlining, constants: consume constants,
      marks: ONNXMarks(model),
      input: (input.name, layout, batch), output: output)
    let classes = model.metadataProps.first { $0.key == SafetensorsNetwork.classesKey }?.value
    var network = try importer.run()
    // Names of another output are none of this one's.
    if let classes, outputTensor == nil { try network.setClassNames(json: classes, file: file) }
    return network
  }

  private static func operatorSet(
    of model: ONNXModelProto, file: String
  ) throws(ArrayFileError) -> Int {
    var found: Int?
    for set in model.opsetImport where set.domain.isEmpty || set.domain == "ai.onnx" {
      guard operatorSets.contains(Int(set.version)) else {
        throw ArrayFileError(
          file: file,
          problem: "operator set \(set.version), expected \(operatorSets.lowerBound) to "
            + "\(operatorSets.upperBound) (export again with opset_version=20)")
      }
      guard found == nil || found == Int(set.version) else {
        throw ArrayFileError(
          file: file, problem: "operator sets \(found!) and \(set.version), expected one")
      }
      found = Int(set.version)
    }
    guard let found else {
      throw ArrayFileError(file: file, problem: "no operator set of ONNX's own operators")
    }
    return found
  }

  /// The tensor that is the output: the one that is asked for, else the only one.
  private static func output(
    of graph: ONNXGraphProto, _ nodes: [ONNXNode], _ tensor: String?, file: String
  ) throws(ArrayFileError) -> String {
    let outputs = graph.output.map(\.name)
    guard let tensor else {
      guard outputs.count == 1 else {
        throw ArrayFileError(
          file: file,
          problem:
            "\(outputs.count) outputs (\(quoted(outputs))); choose one by --output-tensor NAME")
      }
      return outputs[0]
    }
    let computed = nodes.flatMap(\.outputs).filter { !$0.isEmpty }
    if outputs.contains(tensor) || computed.contains(tensor) { return tensor }
    let near = tensor.nearest(among: outputs + computed).map {
      "; the nearest is \"\($0.printable)\""
    }
    throw ArrayFileError(
      file: file,
      problem: "--output-tensor: no node computes \"\(tensor.printable)\", expected an output "
        + "(\(quoted(outputs))) or another tensor of the graph\(near ?? "")")
  }

  private static func quoted(_ names: [String]) -> String {
    names.map { "\"\($0.printable)\"" }.joined(separator: ", ")
  }
}

import ArrayFiles
import LinearAlgebra
import NeuralSheaves
import SheafLaws
import Testing

@testable import ModelFormats

/// Operators beyond layers: volumes, transposed convolutions, interpolation, extremes, gates.
struct ONNXOperatorTests {
  private static func files() throws -> [(name: String, network: Network, x: Matrix, y: Matrix)] {
    let folder = Reference.folder.appendingPathComponent("onnx")
    let expected = try NPZ.read(folder.appendingPathComponent("operators.npz").path)
    return try expected.keys.filter { $0.hasSuffix(".output") }.map { String($0.dropLast(7)) }
      .sorted().map { name in
        (
          name, try ONNXFile.read(folder.appendingPathComponent(name + ".onnx").path),
          expected[name + ".input"]!.samples, expected[name + ".output"]!.samples
        )
      }
  }

  @Test func outputsAreONNXRuntimes() throws {
    let files = try Self.files()
    #expect(files.count == 25)
    for (name, network, x, y) in files {
      #expect(relativeError(network(x), y) < 1e-5, "\(name)")
    }
  }

  /// What is read keeps the laws, and is the same when it is written and read again.
  @Test func readNetworksAreLawful() throws {
    for (name, network, x, _) in try Self.files() {
      for edge in network.edges {
        let report = checkOperation(edge.operation, seed: 3)
        #expect(report.violations.isEmpty, "\(name)")
      }
      let again = try ONNXFile.decode(
        try ONNXFile.encode(network, precision: .float64), file: "again.onnx")
      #expect(again(x) == network(x), "\(name)")
      #expect(again.freeDimension == network.freeDimension, "\(name)")
    }
  }

  /// A gate is one edge, not one for each of its nodes.
  @Test func gatesAreOneEdge() throws {
    let kinds = Dictionary(
      uniqueKeysWithValues: try Self.files().map {
        ($0.name, $0.network.edges.map(\.operation.summary))
      })
    #expect(kinds["op_where_leaky"] == ["leaky ReLU \(Double(Float(0.1)))"])
    #expect(kinds["op_gated"] == ["ReLU"])
    #expect(kinds["op_sign_times"] == ["absolute value"])
    #expect(kinds["op_where_vector"] == ["splines with up to 1 kinks"])
    #expect(kinds["op_reduce_min"]?.count == 1)
    #expect(kinds["op_reduce_min"]?.first?.hasPrefix("minimum") == true)
    #expect(kinds["op_resize_linear_half_pixel"]?.first == "sparse 24→72")
  }

  /// Pieces that do not meet are refused, with the place and both values.
  @Test func jumpsAreRefused() throws {
    func network(_ nodes: [ONNXNodeProto], _ constants: [(String, Float?)]) -> ONNXModelProto {
      var graph = ONNXGraphProto()
      graph.node = nodes
      for (name, value) in constants {
        var tensor = ONNXTensorProto()
        (tensor.name, tensor.dataType) = (name, 1)
        // A matrix instead of a number.
        tensor.dims = value == nil ? [3, 3] : []
        tensor.floatData = value.map { [$0] } ?? [0, 1, 0, 0, 0, 1, 1, 0, 0]
        graph.initializer.append(tensor)
      }
      func info(_ name: String) -> ONNXValueInfoProto {
        var info = ONNXValueInfoProto()
        info.name = name
        info.type.tensorType.elemType = 1
        for extent in [2, 3] {
          var dimension = ONNXTensorShapeProto.Dimension()
          dimension.dimValue = Int64(extent)
          info.type.tensorType.shape.dim.append(dimension)
        }
        return info
      }
      (graph.input, graph.output) = ([info("x")], [info("y")])
      var model = ONNXModelProto()
      var set = ONNXOperatorSetIdProto()
      set.version = 17
      (model.opsetImport, model.graph) = ([set], graph)
      return model
    }
    func node(_ type: String, _ inputs: [String], _ output: String) -> ONNXNodeProto {
      var node = ONNXNodeProto()
      (node.opType, node.input, node.output, node.name) = (type, inputs, [output], output)
      return node
    }
    let step = [
      node("Greater", ["x", "c"], "g"), node("Where", ["g", "x", "d"], "y"),
    ]
    let cases: [([ONNXNodeProto], [(String, Float?)], String)] = [
      (step, [("c", 0.5), ("d", 0)], "jumps at 0.5, from 0.0 to 0.5"),
      ([node("ThresholdedRelu", ["x"], "y")], [], "jumps at 1.0, from 0.0 to 1.0"),
      ([node("Sign", ["x"], "y")], [], "jumps at 0.0"),
      ([node("HardSwish", ["x"], "y")], [], "not piecewise linear"),
      (
        [
          node("MatMul", ["x", "m"], "v"), node("Greater", ["x", "v"], "g"),
          node("Where", ["g", "x", "v"], "y"),
        ], [("m", nil)], "compares computed tensors"
      ),
    ]
    for (nodes, constants, message) in cases {
      let data = try network(nodes, constants).serializedData()
      do {
        _ = try ONNXFile.decode(data, file: "jump.onnx")
        Issue.record("\(nodes.map(\.opType)) was read")
      } catch {
        #expect("\(error)".contains(message), "\(error)")
      }
    }
    // The same pieces, where they meet.
    let data = try network(step, [("c", 0), ("d", 0)]).serializedData()
    let rectifier = try ONNXFile.decode(data, file: "meet.onnx")
    #expect(rectifier.edges.map(\.operation.summary) == ["ReLU"])
  }
}

import ArrayFiles
import Foundation
import LinearAlgebra
import SheafTraining
import Testing

@testable import ModelFormats
@testable import NeuralSheaves

/// Operator sets, batches that stand anywhere, products of all ranks, outputs by name, shared
/// weights.
struct ONNXStructureTests {
  static let folder = Reference.folder.appendingPathComponent("onnx-structure")

  /// Small files of each operator set's own semantics and of each structure.
  @Test func structuresAreTheReferences() throws {
    let expected = try NPZ.read(Self.folder.appendingPathComponent("expected.npz").path)
    let names = expected.keys.filter { $0.hasSuffix(".output") }.map { String($0.dropLast(7)) }
    #expect(names.count > 90)
    for name in names.sorted() {
      let network = try ONNXFile.read(Self.folder.appendingPathComponent(name + ".onnx").path)
      let x = expected[name + ".input"]!.samples
      let output = network(x)
      #expect(relativeError(output, expected[name + ".output"]!.samples) < 1e-5, "\(name)")
      let sheaf = NeuralSheaf(network)
      #expect(sheaf.discords(sheaf.forwardPass(x)).total < 1e-20, "\(name)")
    }
  }

  /// What changes nothing makes no vertex, so a chain is a chain.
  @Test func whatChangesNothingIsNoVertex() throws {
    let network = try ONNXFile.read(
      Self.folder.appendingPathComponent("unchanged-13.onnx").path)
    #expect(network.vertices.map(\.name) == ["x", "z1", "a1", "z2"])
    for (name, vertex) in [("p", 0), ("q", 0), ("h", 1), ("g", 1), ("c", 2), ("y", 3)] {
      #expect(try network.vertex(named: name) == vertex, "\(name)")
    }
    #expect(
      try NPZNetwork.arrays(of: network, file: "chain.npz").arrays.keys.sorted()
        == ["W1", "W2", "b1", "b2"])
  }

  // MARK: Graphs of a few nodes

  private typealias Node = (type: String, inputs: [String], output: String, axis: Int64?)

  private func model(
    _ shape: [Int64], _ nodes: [Node], constants: [(String, [Int64], [Float])] = [],
    integers: [(String, [Int64])] = [], outputs: [String]? = nil
  ) throws -> Data {
    var m = ONNXModelProto()
    m.opsetImport = [ONNXOperatorSetIdProto()]
    m.opsetImport[0].version = 13
    m.graph.node = nodes.map { node in
      var n = ONNXNodeProto()
      (n.opType, n.input, n.output, n.name) = (
        node.type, node.inputs, [node.output], "node-\(node.output)"
      )
      if let axis = node.axis {
        var a = ONNXAttributeProto()
        (a.name, a.i, a.type) = (node.type == "Cast" ? "to" : "axis", axis, 2)
        if node.type.hasPrefix("Reduce") { (a.name, a.ints, a.type) = ("axes", [axis], 7) }
        n.attribute = [a]
      }
      return n
    }
    m.graph.initializer =
      constants.map { name, dims, numbers in
        var t = ONNXTensorProto()
        (t.name, t.dims, t.dataType, t.floatData) = (name, dims, 1, numbers)
        return t
      }
      + integers.map { name, numbers in
        var t = ONNXTensorProto()
        (t.name, t.dims, t.dataType, t.int64Data) = (name, [Int64(numbers.count)], 7, numbers)
        return t
      }
    func info(_ name: String, _ dims: [Int64]) -> ONNXValueInfoProto {
      var i = ONNXValueInfoProto()
      i.name = name
      i.type.tensorType.elemType = 1
      i.type.tensorType.shape.dim = dims.map { n in
        var d = ONNXTensorShapeProto.Dimension()
        if n > 0 { d.dimValue = n } else { d.dimParam = "n" }
        return d
      }
      return i
    }
    m.graph.input = [info("x", shape)]
    m.graph.output = (outputs ?? [nodes.last!.output]).map { info($0, [0, 0]) }
    return try m.serializedData()
  }

  private func message(_ data: Data, outputTensor: String? = nil) throws -> String {
    do {
      _ = try ONNXFile.decode(data, file: "bad.onnx", outputTensor: outputTensor)
      Issue.record("nothing was thrown")
      return ""
    } catch { return "\(error)" }
  }

  /// No sample may see another, nor how many there are.
  @Test func whatMixesSamplesIsRefused() throws {
    let square: (String, [Int64], [Float]) = ("w", [4, 4], (0..<16).map { Float($0) / 8 - 1 })
    let count: [Node] = [("Shape", ["x"], "s", nil), ("Gather", ["s", "zero"], "n", 0)]
    let cases: [(String, [Node])] = [
      ("reduces the batch, axis 0", [("ReduceMean", ["x"], "y", 0)]),
      ("multiplies along the batch, axis 0", [("MatMul", ["w", "x"], "y", nil)]),
      (
        "multiplies along the batch, axis 1",
        [("Transpose", ["x"], "t", nil), ("MatMul", ["t", "w"], "y", nil)]
      ),
      ("joins along the batch, axis 0", [("Concat", ["x", "x"], "y", 0)]),
      (
        "once for each sample",
        [
          ("Shape", ["x"], "s", nil), ("Gather", ["s", "zero"], "n", 0),
          ("Concat", ["n", "n"], "e", 0), ("ReduceMean", ["x"], "m", 1),
          ("Expand", ["m", "e"], "y", nil),
        ]
      ),
      ("works on the batch, axis 0", [("Gather", ["x", "zero"], "y", 0)]),
      ("slices the batch, axis 0", [("Slice", ["x", "zero", "one", "zero"], "y", nil)]),
      ("squeezes axes [0] of [batch, 4]", [("Squeeze", ["x", "zero"], "y", nil)]),
      ("to [4, batch], which mixes the batch", [("Reshape", ["x", "turned"], "y", nil)]),
      (
        "batches that meet",
        [("Transpose", ["x"], "t", nil), ("Add", ["x", "t"], "y", nil)]
      ),
      (
        "depends on the number of samples",
        count + [("Cast", ["n"], "f", 1), ("Mul", ["x", "f"], "y", nil)]
      ),
      (
        "slices up to the number of samples",
        count + [
          ("Sub", ["n", "million"], "e", nil), ("Slice", ["x", "zero", "e", "one"], "y", nil),
        ]
      ),
      ("works along axis 0", [("Softmax", ["x"], "y", 0)]),
    ]
    for (expected, nodes) in cases {
      let found = try message(
        try model(
          [0, 4], nodes, constants: [square],
          integers: [
            ("zero", [0]), ("one", [1]), ("turned", [4, -1]), ("million", [1_000_000]),
          ]))
      #expect(found.contains(expected), "\(found)")
    }
  }

  /// A sample of a fixed batch may have an axis 0 of its own, if the file mixes what lies along it.
  @Test func mixedFixedBatchIsOneSample() throws {
    let mixed = try ONNXFile.decode(
      try model([3, 4], [("ReduceMean", ["x"], "y", 0)]), file: "mixed.onnx")
    #expect(mixed.inputDimension == 12 && mixed.outputDimension == 4)
    let batch = try ONNXFile.decode(
      try model([3, 4], [("ReduceMean", ["x"], "y", 1)]), file: "batch.onnx")
    #expect(batch.inputDimension == 4 && batch.outputDimension == 1)
  }

  private func chain(_ last: String, outputs: [String]? = nil) throws -> Data {
    try model(
      [0, 2], [("MatMul", ["x", "w"], "z", nil), (last, ["z"], "y", 1)],
      constants: [("w", [2, 2], [1, 2, 3, 5])], outputs: outputs)
  }

  @Test func outputsAreChosenByName() throws {
    let two = try chain("Softmax", outputs: ["y", "z"])
    #expect(
      try message(two) == "bad.onnx: 2 outputs (\"y\", \"z\"); choose one by --output-tensor NAME")
    let x = Matrix(column: [1, 1])
    let logits = try ONNXFile.decode(two, file: "a.onnx", outputTensor: "z")
    #expect(logits.outputActivation == .identity && logits(x).elements == [4, 7])
    let classes = try ONNXFile.decode(two, file: "a.onnx", outputTensor: "y")
    #expect(classes.outputActivation == .softmax)
    #expect(try message(two, outputTensor: "logits").contains("no node computes \"logits\""))
    #expect(try message(two, outputTensor: "x").contains("expected an output (\"y\", \"z\")"))
  }

  /// Tails that are no output of a sheaf are cut on request alone.
  @Test(arguments: ["LogSoftmax", "ArgMax"]) func tailsAreCutOnRequest(tail: String) throws {
    let data = try chain(tail)
    #expect(try message(data).contains("by --output-tensor NAME"))
    let network = try ONNXFile.decode(data, file: "a.onnx", outputTensor: "z")
    #expect(network(Matrix(column: [1, 1])).elements == [4, 7])
  }

  /// A weight that two layers share is known as such, and not trained.
  @Test func sharedParametersAreNotTrained() throws {
    func network(_ weights: [String]) throws -> Network {
      try ONNXFile.decode(
        try model(
          [0, 2],
          [
            ("MatMul", ["x", weights[0]], "z", nil), ("Relu", ["z"], "a", nil),
            ("Transpose", [weights[1]], "t", nil), ("MatMul", ["a", "t"], "y", nil),
          ],
          constants: [("w", [2, 2], [1, 2, 3, 5]), ("v", [2, 2], [1, 2, 3, 5])]),
        file: "shared.onnx")
    }
    func train(_ network: Network) throws -> GradientTraining {
      let x = Matrix(column: [1, 2])
      return try GradientTraining(
        network, data: try TrainingData(input: x, target: x, for: network),
        rule: Backpropagation(), settings: GradientTraining.Settings())
    }
    let shared = try network(["w", "w"])
    #expect(shared.sharedParameters.map(\.name) == ["w"])
    #expect(shared.sharedParameters.map(\.edges) == [[0, 2]])
    #expect(throws: TrainingError.sharedParameter(name: "w", edges: ["z1", "z2"])) {
      try train(shared)
    }
    // Behind a standardisation they are still shared.
    let scaled = shared.preceded(
      by: ChannelAffine(
        scale: [Double](repeating: 2, count: shared.inputDimension),
        shift: [Double](repeating: 0, count: shared.inputDimension), extent: 1, isTrained: false))
    #expect(scaled.sharedParameters.map(\.edges) == [[1, 3]])
    #expect(throws: TrainingError.self) { try train(scaled) }
    let apart = try network(["w", "v"])
    #expect(apart.sharedParameters.isEmpty)
    _ = try train(apart)
    // Written out, each operation has its own.
    let again = try ONNXFile.decode(try ONNXFile.encode(shared), file: "again.onnx")
    #expect(again.sharedParameters.isEmpty)
  }
}

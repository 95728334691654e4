import ArrayFiles
import Foundation
import NeuralSheaves
import Testing

@testable import ModelFormats

/// ONNX files that cannot become a sheaf get one error that says why.
struct ONNXRefusalTests {
  /// A small graph to spoil: x (batch, 4) → Gemm → Relu → Gemm → output.
  private func model(_ spoil: (inout ONNXModelProto) -> Void = { _ in }) throws -> Data {
    func tensor(_ name: String, _ dims: [Int64], _ count: Int) -> ONNXTensorProto {
      var t = ONNXTensorProto()
      (t.name, t.dims, t.dataType) = (name, dims, 1)
      t.floatData = (0..<count).map { Float($0) / 8 - 1 }
      return t
    }
    var m = ONNXModelProto()
    m.irVersion = 8
    m.opsetImport = [ONNXOperatorSetIdProto()]
    m.opsetImport[0].version = 17
    m.graph.initializer = [
      tensor("w1", [4, 3], 12), tensor("b1", [3], 3), tensor("w2", [3, 2], 6),
    ]
    m.graph.node = [
      node("Gemm", ["x", "w1", "b1"], "h"), node("Relu", ["h"], "a"),
      node("Gemm", ["a", "w2"], "y"),
    ]
    m.graph.input = [info("x", [0, 4])]
    m.graph.output = [info("y", [0, 2])]
    spoil(&m)
    return try m.serializedData()
  }

  private func node(_ type: String, _ inputs: [String], _ output: String) -> ONNXNodeProto {
    var n = ONNXNodeProto()
    (n.opType, n.input, n.output, n.name) = (type, inputs, [output], "node-\(output)")
    return n
  }

  private func info(_ name: String, _ dims: [Int64]) -> ONNXValueInfoProto {
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

  private func message(_ spoil: (inout ONNXModelProto) -> Void) throws -> String {
    do {
      _ = try ONNXFile.decode(try model(spoil), file: "spoiled.onnx")
      Issue.record("nothing was thrown")
      return ""
    } catch { return "\(error)" }
  }

  @Test func unspoiledIsRead() throws {
    let network = try ONNXFile.decode(try model(), file: "good.onnx")
    #expect(network.vertices.map(\.name) == ["x", "z1", "a1", "z2"])
    #expect(try network.vertex(named: "h") == 1)
    #expect(try network.vertex(named: "y") == 3)
  }

  @Test func ambiguousNamesAreRefused() throws {
    // The file calls the first activation z1, as we do the quantity before it.
    let network = try ONNXFile.decode(
      try model { m in
        m.graph.node[1].output = ["z1"]
        m.graph.node[2].input[0] = "z1"
      }, file: "names.onnx")
    #expect(try network.vertex(named: "a1") == 2)
    #expect(try network.vertex(named: "tensor:z1") == 2)
    #expect(throws: NetworkError.ambiguousVertex(name: "z1", other: "a1")) {
      try network.vertex(named: "z1")
    }
  }

  /// All operators that do not fit are named at once, each with its reason.
  @Test func unsupportedOperatorsAreListed() throws {
    let found = try message { m in
      m.graph.node[1] = node("Tanh", ["h"], "t")
      m.graph.node.insert(node("LSTM", ["t"], "l"), at: 2)
      m.graph.node.insert(node("Sigmoid", ["l"], "s"), at: 3)
      m.graph.node.insert(node("Frobnicate", ["s"], "a"), at: 4)
    }
    for expected in [
      "Tanh (not piecewise linear; hidden operations must be) at \"node-t\"",
      "LSTM (not feedforward) at \"node-l\"",
      "Sigmoid (a hidden operation must be piecewise linear; this may only come last) at \"node-s\"",
      "Frobnicate at \"node-a\"", "Docs/FeedforwardNetworks.md",
    ] { #expect(found.contains(expected), "\(found)") }
  }

  /// A branch is taken by a constant condition alone; what is hidden is not cut off.
  @Test func conditionsAndHiddenChoicesAreRefused() throws {
    let branch = try message { $0.graph.node[1] = node("If", ["h"], "a") }
    #expect(branch.contains("If (its condition depends on the input) at \"node-a\""), "\(branch)")
    let choice = try message { $0.graph.node[1] = node("TopK", ["h"], "a") }
    #expect(choice.contains("TopK (hidden, and its places jump) at \"node-a\""), "\(choice)")
  }

  /// Runtimes wrap an axis before or after they crop it.
  @Test func wrappingPadsOfBothSignsAreRefused() throws {
    var mode = ONNXAttributeProto()
    (mode.name, mode.s, mode.type) = ("mode", Data("wrap".utf8), 3)
    var pads = ONNXAttributeProto()
    (pads.name, pads.ints, pads.type) = ("pads", [0, 2, 0, -2], 7)
    var pad = node("Pad", ["h"], "a")
    pad.attribute = [mode, pads]
    let found = try message { $0.graph.node[1] = pad }
    #expect(found.contains("Pad \"node-a\": mode wrap by 2 and -2 on one axis"), "\(found)")
  }

  @Test func structureIsChecked() throws {
    let cases: [(String, (inout ONNXModelProto) -> Void)] = [
      ("cycle through \"node-a\", \"node-h\"", { $0.graph.node[0].input[0] = "a" }),
      ("reads \"w1\", which is neither", { $0.graph.initializer.removeFirst() }),
      ("computed by no node", { $0.graph.node.removeAll() }),
      (
        "2 inputs (\"x\", \"u\")",
        {
          $0.graph.input.append(self.info("u", [0, 3]))
          $0.graph.node[1] = self.node("Add", ["h", "u"], "a")
        }
      ),
      ("2 outputs", { $0.graph.output.append(self.info("a", [0, 3])) }),
      ("axis 1 is \"n\", expected a fixed number", { $0.graph.input = [self.info("x", [0, 0])] }),
      ("shapes [4] and [4, 3], expected two axes", { $0.graph.input = [self.info("x", [4])] }),
      (
        "a weight of shape [4, 3] for 5 coordinates", { $0.graph.input = [self.info("x", [0, 5])] }
      ),
      (
        "combines shapes [batch, 3] and [2]",
        {
          $0.graph.initializer[1].dims = [2]; $0.graph.initializer[1].floatData = [1, 2]
        }
      ),
      ("3 numbers for shape [9], expected 9", { $0.graph.initializer[1].dims = [9] }),
      ("is not finite", { $0.graph.initializer[0].floatData[5] = .nan }),
      ("operator set 6, expected 7 to 24", { $0.opsetImport[0].version = 6 }),
      ("data type 8", { $0.graph.initializer[0].dataType = 8 }),
      ("two initializers", { $0.graph.initializer.append($0.graph.initializer[0]) }),
      ("without a graph", { $0.clearGraph() }),
      ("lacks its first input", { $0.graph.node[1].input = [""] }),
      (
        "multiplies along the batch, axis 0 of [batch, 4], which mixes samples",
        {
          var a = ONNXAttributeProto()
          (a.name, a.i, a.type) = ("transA", 1, 2)
          $0.graph.node[0].attribute = [a]
        }
      ),
      ("expected a constant as input 1", { $0.graph.node[2].input[1] = "h" }),
      (
        "the network has more than 2^26",
        {
          $0.graph.input = [self.info("x", [0, 4])]
          for k in 0..<40 {
            let last = k == 0 ? "x" : "c\(k - 1)"
            var n = self.node("Concat", [last, last], "c\(k)")
            var a = ONNXAttributeProto()
            (a.name, a.i, a.type) = ("axis", 1, 2)
            n.attribute = [a]
            $0.graph.node.insert(n, at: k)
          }
          $0.graph.node[40].input[0] = "c39"
        }
      ),
    ]
    for (expected, spoil) in cases {
      let found = try message(spoil)
      #expect(found.contains(expected), "\(found)")
      #expect(found.hasPrefix("spoiled.onnx: ") && !found.contains("\n"))
    }
  }

  @Test func externalDataStaysInTheFolder() throws {
    let folder = NSTemporaryDirectory() + "sheaf-external-\(UInt64.random(in: 0...UInt64.max))/"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func read(_ location: String, offset: String = "0", length: String? = nil) throws -> Network {
      let data = try model { m in
        m.graph.initializer[0].floatData = []
        m.graph.initializer[0].dataLocation = 1
        m.graph.initializer[0].externalData = [("location", location), ("offset", offset)].map {
          var e = ONNXStringStringEntryProto()
          (e.key, e.value) = $0
          return e
        }
      }
      try data.write(to: URL(fileURLWithPath: folder + "a.onnx"))
      return try ONNXFile.read(folder + "a.onnx")
    }
    let weights = (0..<12).flatMap { k in
      withUnsafeBytes(of: Float(k).bitPattern.littleEndian) { Array($0) }
    }
    try Data([0, 0, 0, 0] + weights).write(to: URL(fileURLWithPath: folder + "w.bin"))
    let network = try read("w.bin", offset: "4")
    #expect(network.edges[0].operation.parameters[0].elements == (0..<12).map(Double.init))
    for (location, offset, expected) in [
      ("../w.bin", "0", "expected a file in the folder"), ("/etc/passwd", "0", "in the folder"),
      ("none.bin", "0", "no such file"), ("w.bin", "8", "which has 52 bytes"),
      ("w.bin", "-4", "expected a number ≥ 0"), ("w.bin", "99999999999999999999", "≥ 0"),
      ("", "0", "without a location"),
    ] {
      do {
        _ = try read(location, offset: offset)
        Issue.record("nothing was thrown for \(location) at \(offset)")
      } catch { #expect("\(error)".contains(expected), "\(error)") }
    }
  }
}

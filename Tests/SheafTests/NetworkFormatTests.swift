import Foundation
import LinearAlgebra
import NetworkKernels
import NeuralSheaves
import Testing

@testable import ArrayFiles
@testable import ModelFormats

/// A network is the same in every format that can hold it, and other formats refuse it.
struct NetworkFormatTests {
  private static let folder: String = {
    let path = NSTemporaryDirectory() + "sheaf-formats-\(getpid())/"
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }()

  /// A random chain of dense layers with any activation, or none, behind each. ONNX has slopes as decimals of floats.
  private func chain(_ g: inout RandomGenerator) -> Network {
    var network = Network(
      inputDimension: g.integer(1...4),
      outputActivation: g.element([.identity, .sigmoid, .softmax]))
    for _ in 0..<g.integer(1...5) {
      let n = g.integer(1...5)
      network.append(dense(network.outputDimension, n, &g), to: network.lastVertex)
      let functions: [PiecewiseAffine] = [
        .rectifier, .rectifier, .absolute, .leakyRectifier(slope: Double("\(Float(g.normal()))")!),
        .clip(lower: g.normal() - 9, upper: 0.1), .clip(lower: g.normal(), upper: .infinity),
        .clip(lower: -.infinity, upper: g.normal()),
        .hardSigmoid(slope: 0.25, offset: 0.5), .clip(lower: 0, upper: 6),
      ]
      switch g.integer(0...5) {
      case 0: break
      case 1: network.append(Inclusion.identity(dimension: n), to: network.lastVertex)
      default:
        network.append(Elementwise(g.element(functions), dimension: n), to: network.lastVertex)
      }
    }
    if g.uniform() < 0.5 {
      network.classNames = (0..<network.outputDimension).map {
        g.element(["cat", "dog \"é\"", "", "0", "🙂"]) + "\($0)"
      }
    }
    return network
  }

  private func isSame(_ a: Network, _ b: Network) -> Bool {
    a.vertices == b.vertices && a.outputActivation == b.outputActivation
      && a.classNames == b.classNames && a.edges.count == b.edges.count
      && zip(a.edges, b.edges).allSatisfy { e, f in
        e.source == f.source && type(of: e.operation) == type(of: f.operation)
          && (e.operation as? Elementwise)?.function == (f.operation as? Elementwise)?.function
          && e.operation.parameters.flatMap(\.elements).map(\.bitPattern)
            == f.operation.parameters.flatMap(\.elements).map(\.bitPattern)
      }
  }

  /// Around all formats and back: φ, names of classes, functions and parameters, bit by bit.
  @Test func roundTripsKeepEverything() throws {
    var compared = 0
    for seed in UInt64(0)..<300 {
      var g = RandomGenerator(seed: seed)
      let network = chain(&g)
      var current = network
      for kind in ["npz", "safetensors", "onnx", "npz"] {
        let path = Self.folder + "\(seed)." + kind
        try NetworkFile.write(current, to: path)
        current = try NetworkFile.read(path)
        #expect(isSame(current, network), "seed \(seed), \(kind)")
        try FileManager.default.removeItem(atPath: path)
        compared += 1
      }
    }
    #expect(compared == 1200)
  }

  /// On graphs of all operations a format holds the whole or refuses.
  @Test func formatsHoldTheWholeOrRefuse() throws {
    var (held, refused) = ([String: Int](), [String: Int]())
    for seed in UInt64(0)..<400 {
      var (network, g) = try randomNetwork(seed: seed)
      network.outputActivation = g.element([.identity, .softmax])
      for kind in ["npz", "safetensors"] {
        let path = Self.folder + "graph\(seed)." + kind
        do { try NetworkFile.write(network, to: path) } catch {
          let message = "\(error)"
          #expect(message.hasPrefix(path) && message.contains("an .onnx file"), "\(message)")
          refused[kind, default: 0] += 1
          continue
        }
        let again = try NetworkFile.read(path)
        #expect(isSame(again, network), "seed \(seed), \(kind)")
        held[kind, default: 0] += 1
        try FileManager.default.removeItem(atPath: path)
      }
    }
    for kind in ["npz", "safetensors"] { #expect(held[kind]! >= 40 && refused[kind]! >= 100) }
  }

  @Test func namesOfActivationsAreExact() throws {
    var g = RandomGenerator(seed: 5)
    var functions: [PiecewiseAffine] = [
      .rectifier, .absolute, .leakyRectifier(slope: 1), .leakyRectifier(slope: -0.0),
      .leakyRectifier(slope: 0), .clip(lower: -0.0, upper: .infinity), .clip(lower: 0, upper: 6),
      PiecewiseAffine(kinks: [-0.0], slopes: [0, 1], offsets: [0, 0]),
      PiecewiseAffine(kinks: [1, 1], slopes: [0, 5, 1], offsets: [1, -4, 0]),
    ]
    for _ in 0..<200 {
      let (k, s, t) = (g.normals(2).sorted(), g.normals(3), g.normal())
      let middle = s[0] * k[0] + t - s[1] * k[0]
      functions.append(
        PiecewiseAffine(
          kinks: k, slopes: s, offsets: [t, middle, (s[1] - s[2]) * k[1] + middle]))
      functions.append(.clip(lower: k[0], upper: k[1]))
    }
    for function in functions {
      guard
        case .function(let again) = try LayerActivation(LayerActivation.function(function).name)
      else {
        Issue.record("\(function)")
        continue
      }
      for (a, b) in [
        (again.kinks, function.kinks), (again.slopes, function.slopes),
        (again.offsets, function.offsets),
      ] { #expect(a.map(\.bitPattern) == b.map(\.bitPattern), "\(function)") }
    }
    for (name, word) in [
      ("tanh", "piecewise linear"), ("softmax", "--output-activation"), ("leaky", "leaky:0.01"),
      ("clip:1:0", "LO < HI"), ("clip:1", "clip:LO:HI"), ("relu:1", "without numbers"),
      ("piecewise:0/0:1/0:1", "piecewise:"), ("nonsense", "relu, leaky:SLOPE"), ("", "relu"),
      ("leaky:nan", "leaky:SLOPE"), ("leaky:inf", "finite"),
    ] {
      let found = message { _ = try LayerActivation(name) }
      #expect(found.contains("\"\(name)\"") && found.contains(word), "\(found)")
    }
  }

  @Test func arraysOfANPZThatAreLeftOverAreRefused() throws {
    let path = Self.folder + "a.npz"
    func array(_ shape: [Int], _ value: Double = 1) -> NumericArray {
      NumericArray(shape: shape, elements: [Double](repeating: value, count: shape.reduce(1, *)))
    }
    func read(
      _ arrays: [String: NumericArray], _ texts: [String: [String]] = [:],
      _ reading: NetworkReading = NetworkReading()
    ) throws -> Network {
      try NPZ.write(arrays, texts: texts, to: path)
      return try NPZNetwork.read(path, reading)
    }
    let two = ["W1": array([4, 3]), "b1": array([4]), "W2": array([2, 4]), "b2": array([2, 1])]
    let zero = ["W0": two["W1"]!, "b0": two["b1"]!, "W1": two["W2"]!, "b1": two["b2"]!]
    let expected = ["dense 3→4", "ReLU", "dense 4→2"]
    // Other arrays are no mistake: data and runs stand beside their networks.
    for arrays in [
      two, zero, ["W1": two["W1"]!, "W2": two["W2"]!],
      two.merging(["x": array([9]), "W": array([2]), "init_W1": array([1]), "W01": array([1])]) {
        $1
      },
    ] { #expect(try read(arrays).edges.map(\.operation.summary) == expected) }
    let dict = ["fc1.weight": two["W1"]!, "fc2.weight": two["W2"]!]
    let said = NetworkReading(activations: [.function(.rectifier)])
    #expect(try read(dict, [:], said).edges.map(\.operation.summary) == expected)
    let leaky = try read(two, ["activations": ["leaky:0.5"], "output_activation": ["softmax"]])
    #expect(leaky.edges[1].operation.summary == "leaky ReLU 0.5")
    #expect(leaky.outputActivation == .softmax)

    typealias Case = ([String: NumericArray], [String: [String]], NetworkReading, [String])
    let none = NetworkReading()
    let cases: [Case] = [
      (["W1": two["W1"]!, "W3": two["W2"]!], [:], none, ["W3 stands without W2"]),
      (["W2": two["W1"]!], [:], none, ["W2 stands without W1"]),
      (["W1": two["W1"]!, "b2": array([2])], [:], none, ["b2 stands without W2"]),
      (
        ["W0": two["W1"]!, "W1": two["W2"]!, "b2": array([2])], [:], none, ["b2 stands without W2"]
      ),
      (two, [:], .init(prefix: "k_"), ["\"k_W1\"", "W1"]),
      (
        two.merging(["W1": array([3, 4])]) { $1 }, [:], none,
        ["W1 has shape [3, 4]", "(n_out, n_in)", "W1.T"]
      ),
      (two.merging(["W2": array([2, 5])]) { $1 }, [:], none, ["W2 has shape [2, 5]", "(2, 4)"]),
      (two.merging(["W2": array([2, 4], .nan)]) { $1 }, [:], none, ["W2[0, 0] is not finite"]),
      (two.merging(["b1": array([4], .infinity)]) { $1 }, [:], none, ["b1[0] is not finite"]),
      (two.merging(["b1": array([2, 2])]) { $1 }, [:], none, ["b1 has shape [2, 2]"]),
      (two.merging(["W1": array([12])]) { $1 }, [:], none, ["W1 has shape [12]"]),
      (two, ["activations": ["relu", "relu", "relu"]], none, ["3 activations for 2 layers"]),
      (two, ["activations": ["tanh"]], none, ["activations: ", "tanh"]),
      (two, ["activations": ["relu"]], said, ["--activation", "activations says"]),
      (two, ["output_activation": ["tanh"]], none, ["output_activation", "tanh", "softmax"]),
      (two, ["classes": ["a"]], none, ["1 names of classes for 2 outputs"]),
      (two, [:], .init(layerOrder: ["a"]), ["--layer-order"]),
      (dict, [:], none, ["--activation"]),
    ]
    for (arrays, texts, reading, words) in cases {
      let found = message { _ = try read(arrays, texts, reading) }
      #expect(found.hasPrefix(path), "\(found)")
      for word in words { #expect(found.contains(word), "\(found)") }
    }
  }

  /// Files under the wrong name are called what they are.
  @Test func filesAreKnownByTheirFirstBytes() throws {
    let network = try Network(weights: [Matrix([[1, 2]])], biases: [[3]])
    var files: [(String, Data, String)] = [
      ("onnx", try ONNXFile.encode(network), "an ONNX file"),
      ("safetensors", try SafetensorsNetwork.encode(network), "a safetensors file"),
      ("npy", NPY.encode(NumericArray(shape: [1], elements: [1])), "a NumPy array"),
      ("pkl", Data([0x80, 4, 0x95]) + Data(count: 40), "a Python pickle"),
      ("h5", Data([0x89]) + Data("HDF\r\n\u{1a}\n".utf8) + Data(count: 40), "HDF5"),
      ("csv", Data("1,2,3\n4,5,6\n7,8,9\n".utf8), "is text"),
    ]
    let archive = Self.folder + "torch.zip"
    try ZipArchive.write([("net/data.pkl", Data([0x80, 2]))], to: archive, deflated: false)
    files.append(("pt", try ArrayFile.bytes(archive), "zip archive"))
    var count = 0
    for (kind, data, name) in files {
      for ending in ["onnx", "safetensors", "npz", "pt"] where ending != kind {
        let path = Self.folder + "wrong-\(kind)." + ending
        try ArrayFile.write(data, to: path)
        let found = message { _ = try NetworkFile.read(path) }
        let isTorch = kind == "pt" && ending == "npz"
        #expect(
          found.hasPrefix(path) && found.contains(isTorch ? "torch.save wrote" : name), "\(found)")
        count += 1
      }
    }
    #expect(count == 25)
    for ending in ["onnx", "safetensors", "npz", "txt"] {
      let path = Self.folder + "folder." + ending
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      #expect(message { _ = try NetworkFile.read(path) }.contains("a directory"))
      let missing = Self.folder + "none." + ending
      #expect(
        message { _ = try NetworkFile.read(missing) }.contains("no such file"))
    }
  }

  /// Texts come back from both of NumPy's kinds and orders.
  @Test func textsOfNPY() throws {
    let texts = ["", "relu", "dog \"é\"", "🙂🙂"]
    guard
      case .texts(let again) = try NPY.read(
        NPY.encode(texts: texts), file: "a", byteLimit: 1000)
    else {
      Issue.record("numbers")
      return
    }
    #expect(again == texts)
    func bytes(_ descr: String, _ order: String, _ body: [UInt8]) -> Data {
      let header = "{'descr': '\(descr)', 'fortran_order': \(order), 'shape': (2, 2), }"
      return Data([0x93]) + Data("NUMPY".utf8) + Data([1, 0, UInt8(header.utf8.count), 0])
        + Data(header.utf8) + Data(body)
    }
    for (order, expected) in [("False", ["a", "bc", "", "d"]), ("True", ["a", "", "bc", "d"])] {
      guard
        case .texts(let found) = try NPY.read(
          bytes("|S2", order, [97, 0, 98, 99, 0, 0, 100, 0]), file: "a", byteLimit: 1000)
      else {
        Issue.record("numbers")
        return
      }
      #expect(found == expected)
    }
    #expect(
      message {
        _ = try NPY.read(NPY.encode(texts: texts), file: "a", byteLimit: 48)
      }.contains("4 texts"))
  }
}

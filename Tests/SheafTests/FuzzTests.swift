import Foundation
import LinearAlgebra
import Testing

@testable import ArrayFiles
@testable import ModelFormats

/// Any bytes give a value or an error: no crash, no long wait, no exhausted memory.
@Suite(.serialized) struct FuzzTests {
  private static let arrays: [String: NumericArray] = [
    "W1": NumericArray(shape: [2, 3], elements: [1, 2, 3, 4, 5, 6]),
    "b": NumericArray(shape: [40], elements: (0..<40).map { 1 / Double($0 + 1) }),
    "none": NumericArray(shape: [0, 4], elements: []),
    "s": NumericArray(shape: [], elements: [-1]),
  ]

  /// NPY files of several types, orders and versions.
  private static let npy: [Data] = {
    func file(_ header: String, _ version: UInt8, bytes: Int) -> Data {
      var data = Data([0x93]) + Data("NUMPY".utf8) + Data([version, 0])
      data.append(littleEndian: [UInt16(header.utf8.count)])
      if version > 1 { data += Data([0, 0]) }
      return data + Data(header.utf8) + Data((0..<bytes).map { UInt8($0) })
    }
    return Self.arrays.sorted { $0.key < $1.key }.map { NPY.encode($0.value) } + [
      file("{'descr': '<i2', 'fortran_order': True, 'shape': (3, 4, 2), }", 1, bytes: 48),
      file("{'descr': '|b1', 'fortran_order': False, 'shape': (7,), }", 2, bytes: 7),
      file("{'descr': '<f2', 'fortran_order': True, 'shape': (2, 5), }", 3, bytes: 20),
    ]
  }()

  private static let safetensors: [Data] = ElementPrecision.allCases.map {
    Safetensors(arrays: arrays, metadata: ["format": "pt", "é\"\n": "\\u"]).encoded($0)
  }

  private static let folder: String = {
    let path = NSTemporaryDirectory() + "sheaf-fuzz-\(getpid())/"
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }()

  /// Zip archives of files, stored and deflated.
  private static func archives(of files: [Data]) throws -> [Data] {
    try [false, true].map { deflated in
      let entries = files.indices.map { (name: "a\($0).npy", data: files[$0]) }
      try ZipArchive.write(entries, to: folder + "seed.npz", deflated: deflated)
      return try ArrayFile.bytes(folder + "seed.npz")
    }
  }

  @Test func safetensorsFiles() throws {
    let model = try ArrayFile.bytes(
      Reference.folder.appendingPathComponent("models/digits-mlp.safetensors").path)
    try fuzz(name: "safetensors", seeds: Self.safetensors + [model]) {
      _ = try Safetensors($0, file: "a")
    }
  }

  /// The header's length and the bytes after it are right, so that the header itself is read.
  @Test func safetensorsHeaders() throws {
    let start = 8 + Int(Self.safetensors[0].integer(at: 0, as: UInt64.self))
    let buffer = Self.safetensors[0].dropFirst(start)
    try fuzz(name: "safetensors-header", seeds: [Self.safetensors[0][8..<start]]) {
      var data = Data()
      data.append(littleEndian: [UInt64($0.count)])
      _ = try Safetensors(data + $0 + buffer, file: "a")
    }
  }

  @Test func npyFiles() throws {
    try fuzz(name: "npy", seeds: Self.npy) { _ = try NPY.decode($0, file: "a") }
  }

  @Test func npzFiles() throws {
    let path = Self.folder + "a.npz"
    try fuzz(name: "npz", seeds: try Self.archives(of: Self.npy)) {
      try $0.write(to: URL(fileURLWithPath: path))
      _ = try NPZ.read(path)
    }
  }

  /// The archive is sound, what it holds is not.
  @Test func npzEntries() throws {
    let path = Self.folder + "b.npz"
    var deflated = false
    try fuzz(name: "npz-entry", seeds: Self.npy) {
      deflated.toggle()
      try ZipArchive.write(
        [(name: "a.npy", data: $0), (name: "b.npy", data: Self.npy[0])], to: path,
        deflated: deflated)
      _ = try NPZ.read(path)
    }
  }

  /// Tables of every dialect, as numbers and as words.
  @Test func tables() throws {
    let seeds = [
      "a,b,c\n1,2,3\n4,5,6\n", "\u{FEFF}1.5,-2e300\r\n0x1p3,nan\r\n\r\n", "\"x\"\n1\n",
      "\"a, \"\"left\"\"\";b;c\r\n0,5;\"1,5\";x\r\n-1e3;NA;\"y\ny\"\r\n",
      "\t0\t1\n0\t1.5\tcat\n1\t2\tdog\n", "0,1,2,3\n.5,1.,1e-400,-0\n",
      "sepal,species\n5.1,setosa\n4.9,virginica\n5.1,setosa\n",
    ]
    var words = 0
    try fuzz(name: "table", seeds: seeds.map { Data($0.utf8) }) { data in
      for hasHeader in [nil, true, false] {
        guard let table = try? TableFile(data, file: "a", hasHeader: hasHeader) else { continue }
        let all = try table.columns("")
        #expect(all.count == table.columnCount && table.rowCount > 0)
        for c in all { words += ((try? table.words(column: c)) ?? []).count }
        _ = try? table.columns("0:2,\"b\",1:")
        _ = table.reading
        _ = table.line(ofRow: table.rowCount - 1)
        if hasHeader == nil { _ = try? table.numbers(columns: all) }
      }
      _ = try TableFile(data, file: "a")
    }
    #expect(words > fuzzCount)
  }

  /// IDX files of every type.
  @Test func idxFiles() throws {
    let sizes: [(code: UInt8, size: UInt8)] = [(8, 1), (9, 1), (11, 2), (12, 4), (13, 4), (14, 8)]
    let seeds = sizes.map {
      Data([0, 0, $0.code, 2, 0, 0, 0, 3, 0, 0, 0, 5]) + Data(0..<15 * $0.size)
    }
    try fuzz(name: "idx", seeds: seeds + [Data([0, 0, 8, 1, 0, 0, 0, 2, 7, 9])]) {
      let array = try IDX.decode($0, file: "a")
      #expect(array.elements.count <= $0.count)
    }
  }

  @Test func gzipFiles() throws {
    try fuzz(name: "gzip", seeds: ArrayReferenceTests.gzipped) {
      let data = try Gzip.unpack($0, file: "a")
      _ = try? TableFile(data, file: "a")
      _ = try? IDX.decode(data, file: "a")
    }
  }

  /// The four trained models are large; small networks of all operators bring damage to the
  /// structure.
  @Test func onnxFiles() throws {
    var seeds = try ["digits-conv", "digits-residual"].map {
      try ArrayFile.bytes(ONNXTests.path($0))
    }
    for seed in UInt64(84)..<124 {
      seeds.append(try ONNXFile.encode(try randomNetwork(seed: seed).0))
    }
    try fuzz(name: "onnx", seeds: seeds) { _ = try ONNXFile.decode($0, file: "a.onnx") }
  }

  /// Our own files of chains, whose metadata say what the arrays are.
  @Test func sequentialFiles() throws {
    let conv = try ONNXFile.read(ONNXTests.path("digits-conv"))
    let plain = try ArrayFile.bytes(
      Reference.folder.appendingPathComponent("models/digits-mlp.safetensors").path)
    try fuzz(name: "sequential", seeds: [try SafetensorsNetwork.encode(conv)]) {
      _ = try SafetensorsNetwork.decode($0, file: "a.safetensors")
    }
    let reading = NetworkReading(activations: [.function(.rectifier)])
    try fuzz(name: "state-dict", seeds: [plain]) {
      _ = try SafetensorsNetwork.decode($0, file: "a.safetensors", reading)
    }
  }

  /// Names and shapes of a state dict, damaged: its order and its gaps are found from them alone.
  @Test func stateDictHeaders() throws {
    let seeds = try StateDictTests.Style.allCases.filter { $0 != .blocks }.map { style in
      let header = try StateDictTests.sample(style, seed: 1).encoded(.float32)
      return header[8..<8 + Int(header.integer(at: 0, as: UInt64.self))]
    }
    let reading = NetworkReading(activations: [.none])
    try fuzz(name: "state-dict-header", seeds: seeds.map { Data($0) }) { header in
      var data = Data()
      data.append(littleEndian: [UInt64(header.count)])
      data += header
      data += Data(count: 4 * StateDictTests.count)
      _ = try SafetensorsNetwork.decode(data, file: "a", reading)
    }
  }

  /// The archive is sound, the texts and the weights in it are not.
  @Test func npzNetworks() throws {
    let path = Self.folder + "network.npz"
    let texts = ["leaky:0.1", "clip:-1:inf", "piecewise:0:1/0:1:2/0:0:-1", "copy", "softmax", "é"]
    let sound = [
      "W1": NPY.encode(NumericArray(shape: [2, 1], elements: [1, 2])),
      "b1": NPY.encode(NumericArray(shape: [2], elements: [1, 2])),
      "W2": NPY.encode(NumericArray(shape: [1, 2], elements: [1, 2])),
    ]
    let seeds = texts.map { NPY.encode(texts: [$0]) } + Array(sound.values)
    let keys = ["activations", "output_activation", "classes", "W1", "b1", "W2", "b2"]
    var k = 0
    try fuzz(name: "npz-network", seeds: seeds) { data in
      k += 1
      var entries = sound
      entries[keys[k % keys.count]] = data
      try ZipArchive.write(
        entries.map { (name: $0.key + ".npy", data: $0.value) }, to: path, deflated: false)
      // A sound file in the wrong place is refused.
      if k > seeds.count { _ = try NPZNetwork.read(path) } else { _ = try? NPZNetwork.read(path) }
    }
  }
}

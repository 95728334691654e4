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

  @Test func tables() throws {
    let seeds = ["a,b,c\n1,2,3\n4,5,6\n", "\u{FEFF}1.5,-2e300\r\n0x1p3,nan\r\n\r\n", "\"x\"\n1\n"]
    try fuzz(name: "csv", seeds: seeds.map { Data($0.utf8) }) {
      let table = try CSV(String(decoding: $0, as: UTF8.self), file: "a")
      _ = try table.columns("")
      _ = try? table.columns("0:2,b,1:")
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
    try fuzz(name: "sequential", seeds: [try SafetensorsNetwork.encode(conv), plain]) {
      _ = try SafetensorsNetwork.decode($0, file: "a.safetensors")
    }
  }
}

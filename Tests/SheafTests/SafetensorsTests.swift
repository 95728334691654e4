import Foundation
import LinearAlgebra
import Testing

@testable import ArrayFiles

/// Safetensors files hold what was put in, and anything else is refused with its reason.
struct SafetensorsTests {
  /// A file of a header, its length first, and bytes.
  func file(_ header: String, bytes: [UInt8] = []) -> Data {
    var data = Data()
    data.append(littleEndian: [UInt64(header.utf8.count)])
    return data + Data(header.utf8) + Data(bytes)
  }

  /// A file of one array "a".
  func file(_ type: String, _ shape: String, _ offsets: String, bytes: [UInt8]) -> Data {
    file(
      "{\"a\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}}",
      bytes: bytes)
  }

  func elements(_ type: String, _ bytes: [UInt8], count: Int) throws -> [Double] {
    try Safetensors(
      file(type, "[\(count)]", "[0,\(bytes.count)]", bytes: bytes), file: "f"
    ).arrays["a"]!.elements
  }

  /// The message with which a file is refused.
  func refusal(_ data: Data) -> String {
    do {
      _ = try Safetensors(data, file: "f")
      Issue.record("nothing was thrown")
      return ""
    } catch { return "\(error)" }
  }

  @Test func float64KeepsEveryBit() throws {
    var g = RandomGenerator(seed: 3)
    let bits = (0..<60).map { _ in g.next() }
    let special: [Double] = [0, -0.0, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, 1 / 3]
    let saved = Safetensors(
      arrays: [
        "0.weight": .init(shape: [3, 4, 5], elements: bits.map(Double.init(bitPattern:))),
        "special": .init(shape: [7], elements: special),
        "scalar": .init(shape: [], elements: [.pi]),
        "empty": .init(shape: [0, 3], elements: []),
        "ключ \"\\\n\u{1}/😀": .init(shape: [1], elements: [2]),
        "": .init(shape: [1, 1], elements: [3]),
      ],
      metadata: ["format": "pt", "": "", "quote\"": "tab\t, é, 😀, \u{0}"])
    let data = saved.encoded(.float64)
    #expect((8 + data.integer(at: 0, as: Int.self)) % 8 == 0)
    let read = try Safetensors(data, file: "f")
    #expect(read.metadata == saved.metadata)
    #expect(read.arrays.count == saved.arrays.count)
    for (name, array) in saved.arrays {
      let other = try #require(read.arrays[name])
      #expect(other.shape == array.shape)
      #expect(other.elements.map(\.bitPattern) == array.elements.map(\.bitPattern), "\(name)")
    }
    // Data that does not start at index 0, at an odd place.
    #expect(try Safetensors((Data([7]) + data).dropFirst(), file: "f").arrays.count == 6)
    #expect(try Safetensors(Safetensors().encoded(.float32), file: "f").arrays.isEmpty)
  }

  @Test func float32RoundsToTheNearest() throws {
    let array = NumericArray(shape: [4], elements: [1 / 3, -0.5, 1e300, 16_777_217])
    let read = try Safetensors(Safetensors(arrays: ["a": array]).encoded(.float32), file: "f")
    #expect(read.arrays["a"]!.elements == [Double(Float(1.0 / 3)), -0.5, .infinity, 16_777_216])
  }

  /// The official package wrote this file; written again it has the same bytes.
  @Test func theModelOfPyTorchIsReproducedByteForByte() throws {
    let path = Reference.folder.appendingPathComponent("models/digits-mlp.safetensors").path
    let model = try Safetensors(contentsOf: path)
    let shapes = model.arrays.mapValues(\.shape)
    #expect(
      shapes == [
        "0.weight": [128, 64], "0.bias": [128], "2.weight": [64, 128], "2.bias": [64],
        "4.weight": [10, 64], "4.bias": [10],
      ])
    #expect(try model.encoded(.float32) == ArrayFile.bytes(path))
    #expect(try ArrayFile.read(path + "#2.bias") == model.arrays["2.bias"])
    let text = message { _ = try ArrayFile.read(path + "#W1") }
    #expect(text.contains("\"W1\"") && text.contains("0.bias, 0.weight"))
  }

  @Test func elementsOfEveryType() throws {
    #expect(
      try elements(
        "F16", [0, 0x3c, 0, 0xc0, 0xff, 0x7b, 1, 0, 0, 0x7c, 0, 0x80, 0, 0x04], count: 7)
        == [1, -2, 65504, 0x1p-24, .infinity, 0, 0x1p-14])
    #expect(try elements("F16", [1, 0x7e], count: 1)[0].isNaN)
    #expect(
      try elements("BF16", [0x80, 0x3f, 0, 0xc0, 0x49, 0x40, 0x80, 0x7f, 1, 0], count: 5)
        == [1, -2, 3.140625, .infinity, 0x1p-133])
    #expect(try elements("F32", [0, 0, 0x80, 0x3e], count: 1) == [0.25])
    let ones = [UInt8](repeating: 0xff, count: 8)
    for type in ["I64", "I32", "I16", "I8"] {
      let size = Int(type.dropFirst())! / 8
      #expect(try elements(type, Array(ones.prefix(size)), count: 1) == [-1])
    }
    #expect(try elements("U64", ones, count: 1) == [0x1p64])
    #expect(try elements("U32", Array(ones.prefix(4)), count: 1) == [0x1p32 - 1])
    #expect(try elements("U16", [2, 1], count: 1) == [258])
    #expect(try elements("U8", [200, 3], count: 2) == [200, 3])
    #expect(try elements("BOOL", [0, 1], count: 2) == [0, 1])
    for type in ["F8_E4M3", "F8_E5M2", "C64", "f32"] {
      #expect(refusal(file(type, "[1]", "[0,1]", bytes: [0])).contains("\"\(type)\" is not read"))
    }
  }

  @Test func headersOfTheWrongLength() {
    let good = file("U8", "[2]", "[0,2]", bytes: [1, 2])
    #expect(refusal(Data()).contains("0 bytes"))
    #expect(refusal(good.prefix(7)).contains("7 bytes"))
    #expect(refusal(good.prefix(20)).contains("the file has 20"))
    var long = good
    long.replaceSubrange(0..<8, with: [1, 0xe1, 0xf5, 5, 0, 0, 0, 0])
    #expect(refusal(long).contains("100000001 bytes"))
    long.replaceSubrange(0..<8, with: [UInt8](repeating: 0xff, count: 8))
    #expect(refusal(long).contains("18446744073709551615 bytes"))
  }

  @Test func headersThatAreNoObject() {
    for (header, problem) in [
      ("", "found the end at byte 0"), ("[]", "found \"[\" at byte 0"), ("{", "the end at byte 1"),
      ("{\"a\"}", "expected JSON's \":\""), ("{} x", "found \"x\" at byte 3"),
      ("{'a':1}", "expected a string in quotes"), ("{\"a\\x\":1}", "expected an escape"),
      ("{\"\\ud800\":1}", "surrogate"), ("{\"\\u12g4\":1}", "hexadecimal"),
      ("{\"a\n\":1}", "control character"), ("{\"a\":{},}", "\"a\": dtype is missing"),
      ("{\"__metadata__\":{},}", "expected a string in quotes"),
    ] { #expect(refusal(file(header)).contains(problem), "\(header)") }
    var data = file("{\"?\":1}")
    data[10] = 0xff
    #expect(refusal(data).contains("not UTF-8"))
    let nested = String(repeating: "[", count: 1_000_000)
    #expect(refusal(file("{\"a\":\(nested)")).contains("JSON's \"{\""))
  }

  @Test func fieldsThatAreMissingOrIllTyped() {
    for (entry, problem) in [
      ("3", "\"a\": found \"3\""), ("{}", "\"a\": dtype is missing"),
      ("{\"dtype\":\"U8\"}", "shape is missing"),
      ("{\"dtype\":\"U8\",\"shape\":[1]}", "data_offsets are missing"),
      ("{\"dtype\":8}", "\"a\", \"dtype\": found \"8\""),
      ("{\"shape\":2}", "\"a\", \"shape\": found \"2\""),
      ("{\"shape\":[-1]}", "\"a\", \"shape\": -1, expected a whole number"),
      ("{\"shape\":[1.5]}", "1.5, expected a whole number"), ("{\"shape\":[1e2]}", "1e2, expected"),
      ("{\"shape\":[01]}", "01, expected"), ("{\"shape\":[null]}", "expected a number"),
      ("{\"shape\":[9223372036854775808]}", "9223372036854775808, expected"),
      ("{\"shape\":[1,]}", "expected a number"), ("{\"data_offsets\":[true,1]}", "a number"),
      ("{\"data_offsets\":[0,\"1\"]}", "a number"), ("{\"strides\":[1]}", "\"a\", \"strides\""),
      ("{\"shape\":[1],\"shape\":[1]}", "\"a\", \"shape\": stands twice"),
    ] { #expect(refusal(file("{\"a\":\(entry)}", bytes: [0])).contains(problem), "\(entry)") }
    for offsets in ["[]", "[0]", "[0,1,1]"] {
      #expect(refusal(file("U8", "[1]", offsets, bytes: [0])).contains("expected 2"))
    }
  }

  @Test func shapesAndOffsetsThatDoNotFit() {
    let four: [UInt8] = [0, 0, 0, 0]
    for (shape, offsets, problem) in [
      ("[4294967296,4294967296]", "[0,4]", "too large"),
      ("[4611686018427387904,4,0]", "[0,0]", "too large"),
      ("[2305843009213693952]", "[0,4]", "too large"), ("[1]", "[4,0]", "reversed"),
      ("[2]", "[0,8]", "beyond the 4 bytes"), ("[1]", "[4,8]", "beyond the 4 bytes"),
      ("[2]", "[0,4]", "4 bytes, but 8 in shape [2]"), ("[]", "[0,2]", "2 bytes, but 4"),
      ("[0]", "[0,0]", "bytes 0..<4 after the header"),
      ("[0]", "[4,4]", "bytes 0..<4 before it"),
    ] { #expect(refusal(file("F32", shape, offsets, bytes: four)).contains(problem), "\(shape)") }
    func pair(_ a: String, _ b: String, names: [String] = ["a", "b"]) -> String {
      let entries = zip(names, [a, b]).map {
        "\"\($0)\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[\($1)]}"
      }
      return refusal(file("{\(entries.joined(separator: ","))}", bytes: four))
    }
    #expect(pair("0,2", "1,3").contains("\"b\", data_offsets [1, 3]: overlaps"))
    #expect(pair("0,2", "0,2").contains("overlaps"))
    #expect(pair("2,4", "1,3").contains("bytes 0..<1 before it"))
    #expect(pair("0,2", "2,4", names: ["a", "a"]).contains("\"a\" stands twice"))
  }

  @Test func metadataThatIsNoTableOfStrings() {
    for (metadata, problem) in [
      ("null", "\"__metadata__\": found \"n\""), ("[\"a\"]", "JSON's \"{\""),
      ("{\"a\":1}", "a string in quotes"), ("{\"a\":{}}", "a string in quotes"),
      ("{\"a\":\"\",\"a\":\"\"}", "\"a\" stands twice"), ("{},\"__metadata__\":{}", "stands twice"),
    ] {
      #expect(refusal(file("{\"__metadata__\":\(metadata)}")).contains(problem), "\(metadata)")
    }
  }

  /// What a file holds does not break the line that a message is.
  @Test func messagesAreOneLine() {
    let name = "\\u001b[2J\\n" + String(repeating: "x", count: 1000)
    let text = refusal(file("{\"\(name)\":3}"))
    #expect(text.count < 200 && text.contains("\\u{1B}[2J\\nxxx"))
    #expect(!text.contains("\n") && !text.contains("\u{1b}"))
  }
}

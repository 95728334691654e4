import Foundation
import Testing

@testable import ArrayFiles

/// Archives that are not what they say are refused, before they take time or memory.
struct NPZTests {
  let path = NSTemporaryDirectory() + "sheaf-\(UInt64.random(in: 0...UInt64.max)).npz"
  let array = NPY.encode(NumericArray(shape: [2], elements: [1, 2]))

  /// An archive of `entries`, its central directory altered: bytes by their place in the first
  /// record.
  func archive(
    _ entries: [(name: String, data: Data)], deflated: Bool = false,
    altered: [(place: Int, bytes: [UInt8])] = []
  ) throws {
    try ZipArchive.write(entries, to: path, deflated: deflated)
    var bytes = try ArrayFile.bytes(path)
    let record = try #require(bytes.range(of: Data("PK\u{1}\u{2}".utf8))).lowerBound
    for (place, new) in altered {
      bytes.replaceSubrange(record + place..<record + place + new.count, with: new)
    }
    try ArrayFile.write(bytes, to: path)
  }

  /// The message with which the archive is refused.
  func refusal(byteLimit: Int? = nil) -> String {
    message { _ = try NPZ.read(path, byteLimit: byteLimit) }
  }

  /// An NPY file of `count` bytes 0 in that many elements.
  func zeros(_ count: Int, type: String = "|u1", order: String = "False") -> Data {
    let header = "{'descr': '\(type)', 'fortran_order': \(order), 'shape': (\(count),), }"
    return file(header) + Data(count: count)
  }

  func file(_ header: String) -> Data {
    var data = Data([0x93]) + Data("NUMPY".utf8) + Data([1, 0])
    data.append(littleEndian: [UInt16(header.utf8.count)])
    return data + Data(header.utf8)
  }

  @Test func arraysThatUnpackToMoreThanTheLimit() throws {
    try archive([("a.npy", zeros(1 << 20))], deflated: true)
    #expect(try ArrayFile.bytes(path).count < 2000)
    #expect(try NPZ.read(path)["a"]!.elements.count == 1 << 20)
    #expect(refusal(byteLimit: 1 << 20).contains("more than 1048576 bytes"))
    // The bytes fit, the elements as doubles do not.
    #expect(refusal(byteLimit: 2 << 20).contains("1048576 elements of 8 bytes"))
    // Entries count together, empty ones by their headers.
    let empty = (0..<100).map { (name: "\($0).npy", data: zeros(0)) }
    try archive(empty)
    #expect(try NPZ.read(path).count == 100)
    #expect(refusal(byteLimit: 5000).contains("more than 5000 bytes"))
    #expect(NPZ.defaultByteLimit(fileSize: 1000) == 1 << 28)
    #expect(NPZ.defaultByteLimit(fileSize: 1 << 30) == 1 << 36)
  }

  @Test func sizesThatAreNotTrue() throws {
    for deflated in [false, true] {
      for size in [0, 10, array.count - 1, array.count + 1] {
        try archive(
          [("a.npy", array)], deflated: deflated,
          altered: [(24, [UInt8(size), 0, 0, 0])])
        #expect(refusal().contains("entry a.npy"), "\(size)")
      }
      try archive(
        [("a.npy", array)], deflated: deflated, altered: [(24, [0xf0, 0xff, 0xff, 0xff])])
      #expect(refusal().contains("more than 268435456 bytes"))
    }
  }

  @Test func entriesThatNumPyDoesNotWrite() throws {
    try archive([("a.npy", array), ("b.npy", array)], altered: [(46, Array("b".utf8))])
    #expect(refusal().contains("#b: there are several arrays of this name"))
    try archive([("a.npy", array)], altered: [(8, [1, 0])])
    #expect(refusal().contains("entry a.npy is encrypted"))
    try archive([("a.npy", array)], altered: [(10, [12, 0])])
    #expect(refusal().contains("entry a.npy has compression method 12, expected 0"))
    // Whatever else an archive holds is left alone.
    try archive([("x.npz", Data(count: 1 << 20)), ("a.npy", array)], altered: [(8, [1, 0])])
    #expect(try NPZ.read(path, byteLimit: 200)["a"]!.elements == [1, 2])
  }

  @Test func headersThatNumPyDoesNotWrite() throws {
    func refusal(_ data: Data) -> String {
      message { _ = try NPY.decode(data, file: "a") }
    }
    func header(_ shape: String, type: String = "<f8", order: String = "False") -> Data {
      file("{'descr': '\(type)', 'fortran_order': \(order), 'shape': \(shape), }")
    }
    #expect(refusal(file(String(repeating: " ", count: 10_001))).contains("10001 bytes"))
    let ones = String(repeating: "1,", count: 65)
    #expect(refusal(header("(\(ones))") + Data(count: 8)).contains("65 axes"))
    #expect(refusal(header("(2305843009213693952,)")).contains("too large"))
    #expect(refusal(header("(4611686018427387904, 4, 0)")).contains("too large"))
    #expect(refusal(header("(1000000000000,)")).contains("needs 8000000000000 bytes"))
    #expect(refusal(header("(-1,)")).contains("(-1,) is malformed"))
    #expect(refusal(header("(1.5,)")).contains("(1.5,) is malformed"))
    #expect(refusal(header("(1,)", order: "Perhaps")).contains("\"Perha\", expected True or False"))
    #expect(refusal(header("(1,)", type: "?f8")).contains("dtype \"?f8\""))
    #expect(refusal(header("(1,)", type: "<f\u{1b}")).contains("\\u{1B}"))
  }

  @Test func fortranOrderOfThreeAxes() throws {
    let header = file("{'descr': '|i1', 'fortran_order': True, 'shape': (2, 3, 2), }")
    let array = try NPY.decode(header + Data(0..<12), file: "a")
    #expect(array.elements == [0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11])
    #expect(try NPY.decode(zeros(3, type: "|b1", order: "True"), file: "a").elements == [0, 0, 0])
  }
}

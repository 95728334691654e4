import Foundation
import LinearAlgebra
import Testing

@testable import ArrayFiles

/// Paths, rows and parts; kinds of files; gzip and IDX.
struct ArrayReferenceTests {
  private let folder: String

  init() throws { folder = try BadInputTests().folder() }

  private func write(_ data: Data, _ name: String) throws -> String {
    try ArrayFile.write(data, to: folder + name)
    return folder + name
  }

  private func problem(_ reference: String) -> String {
    message { _ = try ArrayFile.read(reference) }
  }

  /// Rows and parts of every kind of file.
  @Test func rowsOfEveryKind() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let array = NumericArray(shape: [6, 2], elements: (0..<12).map { Double($0) })
    let table = "x,y\n" + (0..<6).map { "\(2 * $0),\(2 * $0 + 1)\n" }.joined()
    let idx = Data([0, 0, 8, 2, 0, 0, 0, 6, 0, 0, 0, 2]) + Data(0..<12)
    let npz = folder + "a.npz"
    try NPZ.write(["k": array, "other": array], to: npz)
    let files: [(String, String)] = [
      (try write(NPY.encode(array), "a.npy"), ""), (npz, "#k"),
      (try write(Data(table.utf8), "a.csv"), "#0:2"),
      (try write(Data(table.utf8), "a.tsv"), "#x,y"),
      (try write(idx, "a.idx"), ""), (try write(idx, "a-idx2-ubyte"), ""),
      (
        try write(
          Safetensors(arrays: ["w": array]).encoded(.float64), "a.safetensors"), "#w"
      ),
    ]
    var compared = 0
    for (path, part) in files {
      let parts: [(String, Range<Int>)] = [
        ("", 0..<6), ("@0:6", 0..<6), ("@2:4", 2..<4), ("@:1", 0..<1), ("@5:", 5..<6),
      ]
      for (rows, range) in parts {
        let read = try ArrayFile.read(path + rows + part)
        #expect(read.shape == [range.count, 2], "\(path)\(rows)\(part)")
        let expected = Array(array.elements[2 * range.lowerBound..<2 * range.upperBound])
        #expect(read.elements == expected)
        compared += 1
      }
      for rows in ["@4:2", "@0:7", "@6:", "@3:3"] {
        let text = problem(path + rows + part)
        #expect(text.contains("no rows") && text.contains("0:6"), "\(text)")
      }
    }
    #expect(compared == 35)
    let line = try write(NPY.encode(NumericArray(shape: [4], elements: [1, 2, 3, 4])), "b.npy")
    #expect(try ArrayFile.read(line + "@1:3").elements == [2, 3])
    let scalar = try write(NPY.encode(NumericArray(shape: [], elements: [1])), "c.npy")
    #expect(problem(scalar + "@0:1").contains("single number"))
    #expect(problem(line + "#k").contains("nothing after #"))
  }

  /// Names of files may have # and @; what is no range is part of a name.
  @Test func pathsWithMarks() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let table = Data("a,b#c,d@1:2\n1,2,3\n4,5,6\n".utf8)
    for name in ["a#b.csv", "a@0:1.csv", "a@0:1#b.csv", "a.csv"] {
      let path = try write(table, name)
      #expect(try ArrayFile.read(path).elements == [1, 2, 3, 4, 5, 6], "\(name)")
      #expect(try ArrayFile.read(path + "#a").elements == [1, 4], "\(name)")
      #expect(try ArrayFile.read(path + "@1:2#0").elements == [4], "\(name)")
      #expect(try ArrayFile.read(path + "#b#c").elements == [2, 5], "\(name)")
      #expect(try ArrayFile.read(path + "@0:1#d@1:2").elements == [3], "\(name)")
    }
    _ = try write(Data("7\n".utf8), "a.csv#0.csv")
    #expect(try ArrayFile.read(folder + "a.csv#0.csv").elements == [7])
    #expect(problem(folder + "none.csv@0:3#a").hasPrefix(folder + "none.csv: "))
    #expect(problem(folder + "none@x.csv#a").hasPrefix(folder + "none@x.csv: "))
    #expect(problem(folder + "a.csv@x#a").contains("a.csv@x"))
  }

  /// IDX of all types, big-endian, against their values.
  @Test func idxTypes() throws {
    func file(_ code: UInt8, _ bytes: [UInt8]) -> Data {
      Data([0, 0, code, 1, 0, 0, 0, 2] + bytes)
    }
    let types: [(UInt8, [UInt8], [Double])] = [
      (8, [0, 255], [0, 255]), (9, [0x7f, 0x80], [127, -128]),
      (11, [1, 2, 0xff, 0xfe], [258, -2]),
      (12, [0, 1, 0, 0, 0xff, 0xff, 0xff, 0xff], [65536, -1]),
      (13, [0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0], [1.5, -2]),
      (14, [0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0], [1.5, -2]),
    ]
    for (code, bytes, values) in types {
      #expect(try IDX.decode(file(code, bytes), file: "a").elements == values)
      for wrong in [Array(bytes.dropLast()), bytes + [0]] {
        let text = message { _ = try IDX.decode(file(code, wrong), file: "a.idx") }
        #expect(text.contains("needs \(bytes.count) bytes, the file has \(wrong.count)"))
      }
    }
    let wrong: [([UInt8], String)] = [
      ([1, 0, 8, 1], "not an IDX"), ([0, 0, 7, 1], "type 7"), ([0, 0, 8, 0], "no axes"),
      ([0, 0, 8, 3, 0, 0, 0, 1], "truncated"), ([0, 0], "not an IDX"),
      ([0, 0, 14, 3] + [UInt8](repeating: 0xff, count: 12), "too large"),
      ([0, 0, 8, 2, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0xff], "truncated"),
    ]
    for (bytes, word) in wrong {
      let text = message { _ = try IDX.decode(Data(bytes), file: "a.idx") }
      #expect(text.hasPrefix("a.idx: ") && text.contains(word), "\(text)")
    }
  }

  /// By Python's gzip: a table of 40 rows; two members and zeros behind; IDX of shape (5, 4, 3).
  static let gzipped = [
    """
    H4sIAAAAAAACAyWQQRLDIAwD78zwkx6wDQSmr2n//4hq1ZMSR9Za+by/vY3Xeo/eQhK9pWT2VpLb22S4e1vSXL1taen9wa\
    XvR7plv9Kj7SAsBnHOS2ZExpQrynHaCwdfJYWjyY5tCDPi8+ADUMnuNZoLYUwYCWNOZj77yJcwVmo3YaxHeQljw0gY2zMY\
    j30wHu+6BnkF48IoGBduucfgmHKRwYXlJsHZtVwZTm0/UrAARdG6zv9PkAAqFv/nB2ANxoGFAQAA
    """,
    "H4sIAAAAAAACA0vUSeIy1DHiAgB7B5cKCAAAAB+LCAAAAAAABAMBBAD7/zMsNAo+LXKpBAAAAAAAAAAAAAAA",
    """
    H4sIAAAAAAACA2Ng4GBmYGBgBWIWIGZmYGRiZmFlY+fg5OLm4eXjFxAUEhYRFROXkJSSlpGVk1dQVFJWUVVT19DU0tbR1d\
    M3MDQyNjE1M7ewtLIGAOSxxx9MAAAA
    """,
  ].map { Data(base64Encoded: $0)! }

  @Test func gzip() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let table = try ArrayFile.read(write(Self.gzipped[0], "a.csv.gz"))
    #expect(table.shape == [40, 2])
    var expected: [Double] = []
    for i in 0..<40 { expected += [Double(i) + 0.5, Double(i * i)] }
    #expect(table.elements == expected)
    #expect(try ArrayFile.read(write(Self.gzipped[1], "b.csv.gz")).elements == [1, 2, 3, 4])
    for name in ["c.idx.gz", "c-idx3-ubyte.gz", "c-ubyte"] {
      let images = try ArrayFile.read(write(Self.gzipped[2], name) + "@1:3")
      let expected = (12..<36).map { Double($0) }
      #expect(images.shape == [2, 4, 3])
      #expect(images.elements == expected)
    }
    let whole = Self.gzipped[0]
    for n in [2, 10, 12, whole.count / 2, whole.count - 1] {
      let text = problem(try write(whole.prefix(n), "d.csv.gz"))
      #expect(text.contains("d.csv.gz") && text.contains("truncated"), "\(n) bytes: \(text)")
    }
    var damaged = whole
    damaged[whole.count - 6] ^= 1
    #expect(problem(try write(damaged, "e.csv.gz")).contains("damaged"))
    #expect(problem(try write(whole + Data([1]), "f.csv.gz")).contains("no gzip at byte"))
    #expect(problem(try write(Data("1,2\n".utf8), "g.csv.gz")).contains("not gzip"))
    let bomb = message {
      _ = try Gzip.unpack(Self.gzipped[0], file: "h.gz", byteLimit: 100)
    }
    #expect(bomb.contains("more than 100 bytes"))
    #expect(try Gzip.unpack(Self.gzipped[0], file: "h.gz", byteLimit: 389).count == 389)
  }
}

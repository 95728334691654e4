import Foundation
import LinearAlgebra
import Testing

@testable import ArrayFiles
@testable import WebPages

/// Images, read back from what they are written as.
struct PixelImageTests {
  /// The CRC of 32 bits, bit by bit (PNG, annex D).
  private static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    ~bytes.reduce(UInt32.max) { sum, byte in
      (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in
        sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1
      }
    }
  }

  private static func number(_ bytes: some Sequence<UInt8>) -> UInt32 {
    bytes.reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// The same in gzip's order.
  private static func reversed(_ number: UInt32) -> [UInt8] {
    [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: number >> $0) }
  }

  @Test(arguments: UInt64(0)..<30) func pixelsComeBack(seed: UInt64) throws {
    var g = RandomGenerator(case: seed)
    let (width, height, channels) = (g.integer(1...70), g.integer(1...70), seed % 2 == 0 ? 1 : 3)
    let pixels = (0..<width * height * channels).map { k in
      seed % 3 == 0 ? UInt8(k % 7) : UInt8(g.integer(0...255))
    }
    let image = PixelImage(width: width, height: height, channels: channels, pixels: pixels)
    var rest = Array(image.png)[...]
    #expect(rest.prefix(8) == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
    rest = rest.dropFirst(8)
    var chunks: [String: [UInt8]] = [:]
    while rest.count >= 12 {
      let count = Int(Self.number(rest.prefix(4)))
      let body = rest.dropFirst(4).prefix(4 + count)
      #expect(Self.number(rest.dropFirst(8 + count).prefix(4)) == Self.checksum(body))
      chunks[String(decoding: body.prefix(4), as: UTF8.self)] = Array(body.dropFirst(4))
      rest = rest.dropFirst(12 + count)
    }
    #expect(rest.isEmpty && chunks["IEND"] == [], "seed \(seed)")
    let head = try #require(chunks["IHDR"])
    #expect(Self.number(head[0..<4]) == UInt32(width) && Self.number(head[4..<8]) == UInt32(height))
    #expect(Array(head[8...]) == [8, channels == 1 ? 0 : 2, 0, 0, 0])
    // zlib's header and checksum exchanged for gzip's, whose reader checks the whole.
    let stream = try #require(chunks["IDAT"])
    let length = width * channels
    let rows: [UInt8] = (0..<height).flatMap { [0] + pixels[$0 * length..<($0 + 1) * length] }
    var gzip: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
    gzip += stream.dropFirst(2).dropLast(4)
    gzip += Self.reversed(Self.checksum(rows)) + Self.reversed(UInt32(rows.count))
    #expect(try Array(Gzip.unpack(Data(gzip), file: "IDAT")) == rows, "seed \(seed)")
    // Adler's checksum (RFC 1950).
    let (a, b) = rows.reduce((UInt32(1), UInt32(0))) { sums, byte in
      let a = (sums.0 + UInt32(byte)) % 65521
      return (a, (sums.1 + a) % 65521)
    }
    #expect(Self.number(stream.suffix(4)) == b << 16 | a, "seed \(seed)")
  }

  @Test func valuesFillTheRangeOfGreys() {
    let image = PixelImage(values: [-1, 0, 1, .nan, .infinity, -.infinity], width: 3, height: 2)
    #expect(image?.pixels == [0, 128, 255, 0, 255, 0])
    #expect(PixelImage(values: [3, 3], width: 2, height: 1)?.pixels == [0, 0])
    #expect(
      PixelImage(values: [-5, 8, 16], width: 1, height: 1, channels: 3, range: 0...16)?.pixels
        == [0, 128, 255])
    let greatest = Double.greatestFiniteMagnitude
    #expect(
      PixelImage(values: [-greatest, 0, greatest], width: 3, height: 1)?.pixels == [0, 128, 255])
    #expect(PixelImage(values: [.nan], width: 1, height: 1)?.pixels == [0])
    #expect(PixelImage(values: [1], width: 2, height: 1) == nil)
    #expect(PixelImage(values: [1, 2], width: 1, height: 1, channels: 2) == nil)
    #expect(PixelImage(values: [], width: .max, height: .max) == nil)
  }
}

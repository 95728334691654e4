import Foundation

extension PixelImage {
  /// The image as PNG (W3C, Portable Network Graphics, 2nd ed.): 8 bits, grey or RGB, compressed, no filter.
  public var png: Data {
    var rows: [UInt8] = []
    rows.reserveCapacity(pixels.count + height)
    let stride = width * channels
    for y in 0..<height {
      // The row's filter: none.
      rows.append(0)
      rows += pixels[y * stride..<(y + 1) * stride]
    }
    var data = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
    let colour: UInt8 = channels == 1 ? 0 : 2
    Self.append(
      "IHDR", Self.bytes(UInt32(width)) + Self.bytes(UInt32(height)) + [8, colour, 0, 0, 0],
      to: &data)
    Self.append("IDAT", Zlib.compressed(rows), to: &data)
    Self.append("IEND", [], to: &data)
    return data
  }

  /// Length, type, content and the checksum of the last two (section 5.3).
  private static func append(_ type: String, _ content: [UInt8], to data: inout Data) {
    let body = Array(type.utf8) + content
    data += bytes(UInt32(content.count)) + body + bytes(Zlib.checksum(body))
  }

  /// The most significant first.
  private static func bytes(_ number: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
  }
}

import Foundation

/// The IDX format of the MNIST database: a type, the extents and the elements, big-endian.
///
/// Two zero bytes, a byte for the type (08 unsigned byte, 09 signed byte, 0B short, 0C int, 0D
/// float, 0E double), a byte for the number of axes, an unsigned 32-bit extent for each, and the
/// elements in C order.
///
/// Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database", section "File formats".
public enum IDX {
  private static let types: [UInt8: ElementType] = [
    0x08: .uint8, 0x09: .int8, 0x0b: .int16, 0x0c: .int32, 0x0d: .float32, 0x0e: .float64,
  ]

  /// Whether bytes begin as an IDX file does.
  static func isIDX(_ data: Data) -> Bool {
    data.count >= 4 && data[data.startIndex] == 0 && data[data.startIndex + 1] == 0
      && types[data[data.startIndex + 2]] != nil && data[data.startIndex + 3] > 0
  }

  /// Whether a name is that of an IDX file: `a.idx`, `t10k-images-idx3-ubyte`.
  static func isName(_ path: String) -> Bool {
    path.hasSuffix(".idx") || path.hasSuffix("-ubyte")
  }

  /// Reads the bytes of a file; values are as they stand, pixels from 0 to 255.
  ///
  /// - Parameter file: the name for messages.
  /// - Throws: for a file that is longer or shorter than its extents say.
  public static func decode(_ data: Data, file: String) throws(ArrayFileError) -> NumericArray {
    func fail(_ problem: String) -> ArrayFileError { ArrayFileError(file: file, problem: problem) }
    guard data.count >= 4, data.starts(with: [0, 0]) else {
      throw fail("not an IDX file: the first bytes are not \\x00\\x00")
    }
    let (code, axes) = (data[data.startIndex + 2], Int(data[data.startIndex + 3]))
    guard let type = types[code] else {
      throw fail(
        "IDX type \(code), expected 8 (unsigned byte), 9, 11, 12, 13 (float) or 14 (double)")
    }
    guard axes > 0 else { throw fail("an IDX file of no axes, expected at least 1") }
    let start = 4 + 4 * axes
    guard data.count >= start else {
      throw fail("truncated: the extents need \(start) bytes, the file has \(data.count)")
    }
    let shape = (0..<axes).map {
      Int(UInt32(bigEndian: UInt32(littleEndian: data.integer(at: 4 + 4 * $0, as: UInt32.self))))
    }
    guard let byteCount = type.byteCount(shape: shape) else {
      throw fail("shape \(shape) is too large")
    }
    let payload = data.count - start
    guard payload == byteCount else {
      throw fail(
        "\(payload < byteCount ? "truncated: " : "")shape \(shape) of \(type.size)-byte elements "
          + "needs \(byteCount) bytes, the file has \(payload)")
    }
    return NumericArray(
      shape: shape,
      elements: type.decode(data, from: start, count: byteCount / type.size, isBigEndian: true))
  }
}

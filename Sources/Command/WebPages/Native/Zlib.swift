import CZlib

/// Compression and checksum by zlib.
enum Zlib {
  /// The bytes in zlib's format (RFC 1950), compressed as far as it goes.
  static func compressed(_ bytes: [UInt8]) -> [UInt8] {
    var count = compressBound(UInt(bytes.count))
    var result = [UInt8](repeating: 0, count: Int(count))
    let code = compress2(&result, &count, bytes, UInt(bytes.count), Z_BEST_COMPRESSION)
    precondition(code == Z_OK, "zlib ended with \(code) on \(bytes.count) bytes")
    return Array(result[..<Int(count)])
  }

  /// The CRC of 32 bits of ISO 3309.
  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    bytes.withUnsafeBufferPointer {
      UInt32(truncatingIfNeeded: crc32(0, $0.baseAddress, UInt32($0.count)))
    }
  }
}

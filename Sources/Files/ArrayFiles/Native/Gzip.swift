import CZlib
import Foundation

/// The gzip format, read by zlib: one or several members, each with its checksum (RFC 1952).
package enum Gzip {
  /// Whether bytes begin as gzip does.
  package static func isGzip(_ data: Data) -> Bool { data.starts(with: [0x1f, 0x8b]) }

  /// As for archives: a guard against files that unpack to far more than they weigh.
  static func defaultByteLimit(fileSize: Int) -> Int { NPZ.defaultByteLimit(fileSize: fileSize) }

  /// What the members hold, one after the other; zeros may follow them, as on tapes.
  ///
  /// - Parameter byteLimit: the most that is unpacked.
  package static func unpack(
    _ data: Data, file: String, byteLimit: Int? = nil
  ) throws(ArrayFileError) -> Data {
    func fail(_ problem: String) -> ArrayFileError { ArrayFileError(file: file, problem: problem) }
    guard isGzip(data) else { throw fail("not gzip: the first bytes are not \\x1f\\x8b") }
    let limit = byteLimit ?? defaultByteLimit(fileSize: data.count)
    var stream = z_stream()
    // 16 asks for gzip's header and checksum around the largest window.
    guard
      inflateInit2_(&stream, 16 + MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        == Z_OK
    else { throw fail("cannot be unpacked: no memory") }
    defer { inflateEnd(&stream) }
    var result = Data()
    var piece = [UInt8](repeating: 0, count: 1 << 18)
    // zlib counts in 32 bits.
    let chunk = 1 << 30
    var place = 0
    let problem: String? = data.withUnsafeBytes { bytes in
      let start = UnsafeMutablePointer(mutating: bytes.bindMemory(to: UInt8.self).baseAddress!)
      while true {
        let given = min(bytes.count - place, chunk)
        stream.next_in = start + place
        stream.avail_in = UInt32(given)
        let (code, count) = piece.withUnsafeMutableBufferPointer { out in
          stream.next_out = out.baseAddress
          stream.avail_out = UInt32(out.count)
          let code = inflate(&stream, Z_NO_FLUSH)
          return (code, out.count - Int(stream.avail_out))
        }
        place += given - Int(stream.avail_in)
        guard result.count + count <= limit else {
          return "unpacks to more than \(limit) bytes (unpack it with gunzip)"
        }
        result.append(contentsOf: piece[0..<count])
        switch code {
        case Z_STREAM_END:
          if bytes[place...].allSatisfy({ $0 == 0 }) { return nil }
          guard bytes.count - place >= 2, bytes[place] == 0x1f, bytes[place + 1] == 0x8b else {
            return "is damaged: no gzip at byte \(place)"
          }
          inflateReset(&stream)
        case Z_OK: continue
        // No progress: there is room, so the input is at its end.
        case Z_BUF_ERROR: return "is truncated: gzip goes on after its \(bytes.count) bytes"
        case Z_MEM_ERROR: return "cannot be unpacked: no memory"
        default:
          let why = stream.msg.map { String(cString: $0) } ?? "code \(code)"
          return "is damaged near byte \(place): gzip says \(why)"
        }
      }
    }
    if let problem { throw fail(problem) }
    return result
  }
}

import CZip
import Foundation

/// Zip archives by libzip.
enum ZipArchive {
  /// Every file of an archive, in its order.
  static func read(
    _ path: String, byteLimit: Int
  ) throws(ArrayFileError) -> [(name: String, data: Data)] {
    func fail(_ problem: String) -> ArrayFileError { ArrayFileError(file: path, problem: problem) }
    var code: Int32 = 0
    guard let archive = zip_open(path, Int32(ZIP_RDONLY), &code) else {
      throw fail(openProblem(code))
    }
    defer { zip_discard(archive) }
    var entries: [(String, Data)] = []
    var total = 0
    for index in 0..<zip_uint64_t(max(zip_get_num_entries(archive, 0), 0)) {
      var stat = zip_stat_t()
      guard zip_stat_index(archive, index, 0, &stat) == 0, let rawName = stat.name,
        let file = zip_fopen_index(archive, index, 0)
      else { throw fail("entry \(index) cannot be read: \(message(archive))") }
      defer { zip_fclose(file) }
      let name = String(cString: rawName)
      // Read in pieces: the size in the directory need not be true.
      var data = Data()
      var piece = [UInt8](repeating: 0, count: 1 << 16)
      while true {
        let n = zip_fread(file, &piece, zip_uint64_t(piece.count))
        guard n >= 0 else { throw fail("entry \(name) is damaged") }
        if n == 0 { break }
        total += Int(n)
        guard total <= byteLimit else { throw fail("unpacks to more than \(byteLimit) bytes") }
        data.append(contentsOf: piece[0..<Int(n)])
      }
      guard data.count == Int(stat.size) else {
        throw fail("entry \(name) is truncated: \(data.count) of \(stat.size) bytes")
      }
      entries.append((name, data))
    }
    return entries
  }

  /// Writes an archive under a temporary name, then renames it.
  static func write(
    _ entries: [(name: String, data: Data)], to path: String, deflated: Bool
  ) throws(ArrayFileError) {
    let temporary = path + ".\(UInt32.random(in: 0...UInt32.max)).tmp"
    func fail(_ problem: String) -> ArrayFileError { ArrayFileError(file: path, problem: problem) }
    var code: Int32 = 0
    guard let archive = zip_open(temporary, Int32(ZIP_CREATE | ZIP_EXCL), &code) else {
      throw fail("cannot be written: \(openProblem(code))")
    }
    for (name, data) in entries {
      // libzip frees its copy of the bytes when the archive is closed.
      let copy = malloc(max(data.count, 1))!
      data.copyBytes(to: copy.assumingMemoryBound(to: UInt8.self), count: data.count)
      guard let source = zip_source_buffer(archive, copy, zip_uint64_t(data.count), 1) else {
        free(copy)
        zip_discard(archive)
        throw fail("entry \(name) cannot be written")
      }
      let index = zip_file_add(archive, name, source, zip_flags_t(ZIP_FL_ENC_UTF_8))
      guard index >= 0 else {
        zip_source_free(source)
        zip_discard(archive)
        throw fail("entry \(name) cannot be written: \(message(archive))")
      }
      let method = deflated ? ZIP_CM_DEFLATE : ZIP_CM_STORE
      zip_set_file_compression(archive, zip_uint64_t(index), zip_int32_t(method), 0)
      // A fixed time stamp, so that equal arrays give equal files.
      zip_file_set_mtime(archive, zip_uint64_t(index), 315_532_800, 0)
    }
    guard zip_close(archive) == 0 else {
      let problem = message(archive)
      zip_discard(archive)
      throw fail("cannot be written: \(problem)")
    }
    guard rename(temporary, path) == 0 else {
      let problem = String(cString: strerror(errno))
      unlink(temporary)
      throw fail("cannot be written: \(problem)")
    }
  }

  private static func openProblem(_ code: Int32) -> String {
    var error = zip_error_t()
    zip_error_init_with_code(&error, code)
    defer { zip_error_fini(&error) }
    return String(cString: zip_error_strerror(&error))
  }

  private static func message(_ archive: OpaquePointer) -> String {
    String(cString: zip_strerror(archive))
  }
}

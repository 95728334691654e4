import CZip
import Foundation

/// Writing zip archives by libzip.
enum ZipArchive {
  /// Writes an archive under a temporary name, then renames it.
  static func write(
    _ entries: [(name: String, data: Data)], to path: String, deflated: Bool
  ) throws(ArrayFileError) {
    try ArrayFile.replace(path) { try write(entries, of: path, under: $0, deflated: deflated) }
  }

  private static func write(
    _ entries: [(name: String, data: Data)], of path: String, under temporary: String,
    deflated: Bool
  ) throws(ArrayFileError) {
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
  }

  static func openProblem(_ code: Int32) -> String {
    var error = zip_error_t()
    zip_error_init_with_code(&error, code)
    defer { zip_error_fini(&error) }
    return String(cString: zip_error_strerror(&error))
  }

  static func message(_ archive: OpaquePointer) -> String {
    String(cString: zip_strerror(archive))
  }
}

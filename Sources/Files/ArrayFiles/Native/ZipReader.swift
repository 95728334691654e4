import CZip
import Foundation

/// A zip archive open for reading, by libzip.
final class ZipReader {
  /// One file of the archive.
  struct Entry {
    let name: String
    /// The size unpacked, as the directory has it.
    let size: UInt64
    fileprivate let index: zip_uint64_t
  }

  /// The files, in their order.
  let entries: [Entry]
  /// The size of the archive itself.
  let fileSize: Int
  private let path: String
  private let archive: OpaquePointer
  private var piece = [UInt8](repeating: 0, count: 1 << 16)

  /// Opens an archive and reads its directory.
  init(_ path: String) throws(ArrayFileError) {
    var code: Int32 = 0
    guard let archive = zip_open(path, Int32(ZIP_RDONLY), &code) else {
      // What is no archive at all is said by its first bytes; a directory or no file by reading it.
      let bytes = try ArrayFile.firstBytes(path)
      if let found = FileSignature(bytes), found != .zip {
        throw ArrayFileError(file: path, problem: "is \(found.summary), not an .npz file")
      }
      throw ArrayFileError(file: path, problem: ZipArchive.openProblem(code))
    }
    var entries: [Entry] = []
    for index in 0..<zip_uint64_t(max(zip_get_num_entries(archive, 0), 0)) {
      var stat = zip_stat_t()
      guard zip_stat_index(archive, index, 0, &stat) == 0, let name = stat.name else {
        let problem = "entry \(index) cannot be read: \(ZipArchive.message(archive))"
        zip_discard(archive)
        throw ArrayFileError(file: path, problem: problem)
      }
      entries.append(Entry(name: String(cString: name), size: stat.size, index: index))
    }
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    self.fileSize = (attributes?[.size] as? NSNumber)?.intValue ?? 0
    self.entries = entries
    self.path = path
    self.archive = archive
  }

  deinit { zip_discard(archive) }

  /// The bytes of an entry; never more than its `size`, whatever the archive holds.
  func unpack(_ entry: Entry) throws(ArrayFileError) -> Data {
    func fail(_ problem: String) -> ArrayFileError {
      ArrayFileError(file: path, problem: "entry \(entry.name.printable) \(problem)")
    }
    var stat = zip_stat_t()
    guard zip_stat_index(archive, entry.index, 0, &stat) == 0 else {
      throw fail("cannot be read: \(ZipArchive.message(archive))")
    }
    guard stat.encryption_method == ZIP_EM_NONE else { throw fail("is encrypted") }
    // Other methods reach any ratio, and NumPy writes none.
    guard [ZIP_CM_STORE, ZIP_CM_DEFLATE].contains(Int32(stat.comp_method)) else {
      throw fail("has compression method \(stat.comp_method), expected 0 (stored) or 8 (deflated)")
    }
    guard let file = zip_fopen_index(archive, entry.index, 0) else {
      throw fail("cannot be read: \(ZipArchive.message(archive))")
    }
    defer { zip_fclose(file) }
    var data = Data()
    while true {
      let n = zip_fread(file, &piece, zip_uint64_t(piece.count))
      guard n >= 0 else { throw fail("is damaged") }
      if n == 0 { break }
      guard UInt64(data.count) + UInt64(n) <= entry.size else {
        throw fail("holds more than the \(entry.size) bytes announced")
      }
      data.append(contentsOf: piece[0..<Int(n)])
    }
    guard data.count == entry.size else {
      throw fail("is truncated: \(data.count) of \(entry.size) bytes")
    }
    return data
  }
}

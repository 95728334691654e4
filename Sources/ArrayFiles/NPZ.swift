import Foundation

/// NumPy's NPZ format: a zip archive of NPY files, stored or deflated.
public enum NPZ {
  /// Reads every array of an archive, by name without `.npy`; other entries are left alone.
  ///
  /// - Parameter byteLimit: the most that the arrays may take, each the larger of its bytes
  ///   unpacked and 8 bytes an element; by default 64 times the size of the file and at least
  ///   256 MiB. It is checked before an entry is unpacked, as a guard against archives that unpack
  ///   to far more than they weigh (deflation reaches 1:1032, entries may share their bytes).
  public static func read(
    _ path: String, byteLimit: Int? = nil
  ) throws(ArrayFileError) -> [String: NumericArray] {
    let archive = try ZipReader(path)
    let limit = byteLimit ?? defaultByteLimit(fileSize: archive.fileSize)
    var remaining = limit
    var arrays: [String: NumericArray] = [:]
    for entry in archive.entries where entry.name.hasSuffix(".npy") {
      let key = String(entry.name.dropLast(4))
      let file = "\(path)#\(key.printable)"
      guard arrays[key] == nil else {
        throw ArrayFileError(file: file, problem: "there are several arrays of this name")
      }
      guard entry.size <= remaining else {
        throw ArrayFileError(
          file: file,
          problem: "the archive unpacks to more than \(limit) bytes (save it uncompressed)")
      }
      let data = try archive.unpack(entry)
      let array = try NPY.decode(data, file: file, byteLimit: remaining)
      remaining -= max(data.count, 8 * array.elements.count)
      arrays[key] = array
    }
    return arrays
  }

  static func defaultByteLimit(fileSize: Int) -> Int { max(256 << 20, 64 * fileSize) }

  /// Writes arrays as float64, replacing the file only once it is complete.
  public static func write(
    _ arrays: [String: NumericArray], to path: String, deflated: Bool = false
  ) throws(ArrayFileError) {
    let entries = arrays.sorted { $0.key < $1.key }.map { ($0.key + ".npy", NPY.encode($0.value)) }
    try ZipArchive.write(entries, to: path, deflated: deflated)
  }
}

import Foundation

/// NumPy's NPZ format: a zip archive of NPY files, stored or deflated.
public enum NPZ {
  /// Reads every array of an archive, by name without `.npy`.
  ///
  /// - Parameter byteLimit: the most that the arrays may take uncompressed; a guard against
  ///   archives that unpack to far more than they weigh.
  public static func read(
    _ path: String, byteLimit: Int = 4 << 30
  ) throws(ArrayFileError) -> [String: NumericArray] {
    var arrays: [String: NumericArray] = [:]
    for (name, data) in try ZipArchive.read(path, byteLimit: byteLimit) {
      guard name.hasSuffix(".npy") else { continue }
      let key = String(name.dropLast(4))
      arrays[key] = try NPY.decode(data, file: "\(path)#\(key)")
    }
    return arrays
  }

  /// Writes arrays as float64, replacing the file only once it is complete.
  public static func write(
    _ arrays: [String: NumericArray], to path: String, deflated: Bool = false
  ) throws(ArrayFileError) {
    let entries = arrays.sorted { $0.key < $1.key }.map { ($0.key + ".npy", NPY.encode($0.value)) }
    try ZipArchive.write(entries, to: path, deflated: deflated)
  }
}

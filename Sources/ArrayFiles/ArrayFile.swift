import Foundation

/// Reading `file.npy`, `file.npz#key`, `file.safetensors#name` and `file.csv#columns`, and writing
/// files whole or not at all.
public enum ArrayFile {
  /// Reads the array that a reference names.
  public static func read(_ reference: String) throws(ArrayFileError) -> NumericArray {
    let (path, part) = split(reference)
    switch URL(fileURLWithPath: path).pathExtension.lowercased() {
    case "npy": return try NPY.decode(try bytes(path), file: path)
    case "npz": return try choose(part, of: try NPZ.read(path), in: path)
    case "safetensors":
      return try choose(part, of: try Safetensors(contentsOf: path).arrays, in: path)
    case "csv": return try readCSV(path).columns(part ?? "")
    default:
      throw ArrayFileError(
        file: path,
        problem: "unknown kind of file, expected .npy, .npz#key, .safetensors#name or .csv#columns")
    }
  }

  private static func choose(
    _ name: String?, of arrays: [String: NumericArray], in path: String
  ) throws(ArrayFileError) -> NumericArray {
    guard !arrays.isEmpty else { throw ArrayFileError(file: path, problem: "holds no arrays") }
    guard let name else {
      if arrays.count == 1 { return arrays.first!.value }
      throw ArrayFileError(
        file: path, problem: "holds several arrays; name one after #, of \(list(arrays.keys))")
    }
    guard let array = arrays[name] else {
      throw ArrayFileError(
        file: path, problem: "no array \"\(name.printable)\"; it has \(list(arrays.keys))")
    }
    return array
  }

  /// Reads a table.
  public static func readCSV(_ path: String) throws(ArrayFileError) -> CSV {
    try CSV(String(decoding: try bytes(path), as: UTF8.self), file: path)
  }

  /// The bytes of a file.
  public static func bytes(_ path: String) throws(ArrayFileError) -> Data {
    do {
      return try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      throw ArrayFileError(file: path, problem: "cannot be read: \(reason(path, "no such file"))")
    }
  }

  /// Writes bytes under a temporary name and renames: the old file stays until the new is whole.
  public static func write(_ data: Data, to path: String) throws(ArrayFileError) {
    do {
      try data.write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw ArrayFileError(
        file: path, problem: "cannot be written: \((error as NSError).localizedDescription)")
    }
  }

  private static func reason(_ path: String, _ missing: String) -> String {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      return missing
    }
    return isDirectory.boolValue ? "it is a directory" : "no permission"
  }

  private static func split(_ reference: String) -> (path: String, part: String?) {
    guard let hash = reference.lastIndex(of: "#") else { return (reference, nil) }
    return (String(reference[..<hash]), String(reference[reference.index(after: hash)...]))
  }
}

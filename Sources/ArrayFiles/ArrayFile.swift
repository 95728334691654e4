import Foundation

/// Reading arrays by their references, and writing files whole or not at all.
public enum ArrayFile {
  /// Reads the array that a reference names (`ArrayReference`), of any kind that `ArraySource` knows.
  public static func read(_ reference: String) throws(ArrayFileError) -> NumericArray {
    try ArraySource(ArrayReference(reference)).numbers()
  }

  /// Reads a table.
  public static func readTable(_ path: String) throws(ArrayFileError) -> TableFile {
    try TableFile(try bytes(path), file: path)
  }

  /// Standard input, which can be read but once.
  private static let standardInput = Result { try FileHandle.standardInput.readToEnd() ?? Data() }

  /// The bytes of a file, or of standard input for `-`.
  public static func bytes(_ path: String) throws(ArrayFileError) -> Data {
    if path == "-" {
      guard case .success(let data) = standardInput else {
        throw ArrayFileError(file: "standard input", problem: "cannot be read")
      }
      return data
    }
    do {
      return try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      throw ArrayFileError(file: path, problem: "cannot be read: \(reason(path, "no such file"))")
    }
  }

  /// The first bytes of a file, enough to tell what it is.
  public static func firstBytes(_ path: String) throws(ArrayFileError) -> Data {
    do {
      let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
      defer { try? file.close() }
      return try file.read(upToCount: 64) ?? Data()
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
}

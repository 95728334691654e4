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
      let url = URL(fileURLWithPath: path)
      let type =
        try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
      guard let type, type != .typeRegular else { return try Data(contentsOf: url) }
      // A pipe, of no size.
      let file = try FileHandle(forReadingFrom: url)
      defer { try? file.close() }
      return try file.readToEnd() ?? Data()
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
  ///
  /// Links stay links, to a file that is replaced with the permissions that it had; what is no regular
  /// file, such as a pipe, is written to as it is.
  public static func write(_ data: Data, to path: String) throws(ArrayFileError) {
    try replace(path) { temporary in try data.write(to: URL(fileURLWithPath: temporary)) }
  }

  /// Has a file written under a temporary name, and puts it in place of the one at `path`.
  static func replace(
    _ path: String, by write: (_ temporary: String) throws -> Void
  ) throws(ArrayFileError) {
    let target = followed(path)
    let attributes = try? FileManager.default.attributesOfItem(atPath: target)
    let isRegular = (attributes?[.type] as? FileAttributeType ?? .typeRegular) == .typeRegular
    let stem = isRegular ? target : NSTemporaryDirectory() + "sheaf"
    let temporary = "\(stem).\(UInt32.random(in: 0...UInt32.max)).tmp"
    defer { unlink(temporary) }
    func fail(_ problem: String) -> ArrayFileError {
      ArrayFileError(file: path, problem: "cannot be written: \(problem)")
    }
    do {
      try write(temporary)
      guard isRegular else {
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: target))
        defer { try? file.close() }
        return try file.write(contentsOf: Data(contentsOf: URL(fileURLWithPath: temporary)))
      }
    } catch let error as ArrayFileError {
      throw error
    } catch {
      throw fail((error as NSError).localizedDescription)
    }
    if let mode = attributes?[.posixPermissions] as? NSNumber {
      chmod(temporary, mode_t(truncating: mode))
    }
    guard rename(temporary, target) == 0 else { throw fail(String(cString: strerror(errno))) }
  }

  /// The path that a chain of links ends at, also where there is nothing.
  package static func followed(_ path: String) -> String {
    var path = path
    for _ in 0..<40 {
      guard let next = try? FileManager.default.destinationOfSymbolicLink(atPath: path) else {
        break
      }
      path =
        next.hasPrefix("/")
        ? next : URL(fileURLWithPath: path).deletingLastPathComponent().path + "/" + next
    }
    return path
  }

  private static func reason(_ path: String, _ missing: String) -> String {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      return missing
    }
    return isDirectory.boolValue ? "it is a directory" : "no permission"
  }
}

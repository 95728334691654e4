import ArrayFiles
import Foundation

/// What makes two paths one file: the same inode or, where there is no file yet, the same name in the same
/// folder. Links are followed, hard links are one file.
enum FileIdentity: Hashable {
  case file(device: UInt64, inode: UInt64)
  case name(String, device: UInt64, inode: UInt64)

  /// The identity of what a path leads to; nil where not even its folder exists.
  init?(_ path: String) {
    if let (device, inode) = Self.inode(of: path) {
      self = .file(device: device, inode: inode)
      return
    }
    let end = ArrayFile.followed(path)
    let folder = URL(fileURLWithPath: end).deletingLastPathComponent().path
    guard let (device, inode) = Self.inode(of: folder) else { return nil }
    self = .name(URL(fileURLWithPath: end).lastPathComponent, device: device, inode: inode)
  }

  private static func inode(of path: String) -> (UInt64, UInt64)? {
    var info = stat()
    guard stat(path, &info) == 0 else { return nil }
    return (UInt64(info.st_dev), UInt64(info.st_ino))
  }

  /// Why a file of this name cannot be written; nil if it can.
  static func obstacle(toWriting path: String) -> String? {
    var info = stat()
    if stat(path, &info) == 0 {
      if info.st_mode & S_IFMT == S_IFDIR { return "it is a folder, expected a file" }
      if access(path, W_OK) != 0 { return String(cString: strerror(errno)) }
      if info.st_mode & S_IFMT != S_IFREG { return nil }
    }
    // Regular files are replaced by renaming, which is writing to the folder.
    let folder = URL(fileURLWithPath: ArrayFile.followed(path)).deletingLastPathComponent().path
    guard stat(folder, &info) == 0 else { return "no folder \(folder)" }
    guard info.st_mode & S_IFMT == S_IFDIR else { return "\(folder) is no folder" }
    return access(folder, W_OK) == 0
      ? nil : "\(String(cString: strerror(errno))) for the folder \(folder)"
  }

  /// Whether a path leads to a folder.
  static func isFolder(_ path: String) -> Bool {
    var info = stat()
    return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
  }
}

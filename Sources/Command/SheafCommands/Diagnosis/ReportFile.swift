import ArrayFiles
import Foundation
import WebPages

/// Where a report goes.
enum ReportFile {
  /// Refuses a file that is there and is no report of ours.
  static func check(_ path: String) throws {
    guard FileManager.default.fileExists(atPath: path) else { return }
    guard let data = FileManager.default.contents(atPath: path), Page.isOwn(data) else {
      throw ArrayFileError(
        file: path,
        problem: "is there and is no report of sheaf diagnose, expected a new file for --report")
    }
  }
}

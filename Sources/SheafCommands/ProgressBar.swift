import Foundation

/// A progress bar on standard error, only where that is a terminal.
struct ProgressBar {
  private let total: Int
  private let isVisible = isatty(FileHandle.standardError.fileDescriptor) != 0

  init(total: Int) { self.total = max(total, 1) }

  func show(_ done: Int, _ note: String) {
    guard isVisible else { return }
    let filled = 30 * done / total
    let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 30 - filled)
    // Carriage return and erase: the line rewrites itself, and goes at the end.
    let text = done >= total ? "\r\u{1B}[K" : "\r\u{1B}[K[\(bar)] \(done)/\(total)  \(note)"
    FileHandle.standardError.write(Data(text.utf8))
  }
}

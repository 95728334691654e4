import Synchronization

/// A progress bar on standard error, only where that is a terminal; ten times a second at most.
final class ProgressBar: Sendable {
  private let isVisible = StandardStreams.errorIsTerminal
  private let shown = Mutex<(part: Double, next: ContinuousClock.Instant)>((0, .now))

  /// Shows the part that is done, 0 to 1, and a note. A part that is smaller than before leaves the bar where
  /// it is.
  func show(_ part: Double, _ note: @autoclosure () -> String) {
    guard isVisible else { return }
    let done: Double? = shown.withLock { shown in
      guard ContinuousClock.now >= shown.next else { return nil }
      shown.part = max(shown.part, part.isNaN ? 0 : min(part, 1))
      shown.next = .now + .milliseconds(100)
      return shown.part
    }
    guard let done else { return }
    let filled = Int(30 * done)
    let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 30 - filled)
    // Carriage return and erase: the line rewrites itself.
    StandardStreams.note("\r\u{1B}[K[\(bar)] \(note())")
  }

  /// Shows how many are done of all.
  func show(_ done: Int, of all: Int, _ note: @autoclosure () -> String) {
    show(Double(done) / Double(max(all, 1)), "\(done)/\(all)  \(note())")
  }

  /// Counts what is done of all, from any thread, and shows it; now as well.
  func counter(of all: Int, _ note: String) -> @Sendable (Int) -> Void {
    let counter = Counter()
    show(0, of: all, note)
    return { [self] more in
      let done = counter.count.withLock { count in
        count += more
        return count
      }
      show(done, of: all, note)
    }
  }

  private final class Counter: Sendable { let count = Mutex(0) }

  /// Takes the bar away.
  func end() {
    if isVisible { StandardStreams.note("\r\u{1B}[K") }
  }
}

import Synchronization

/// What a call takes for granted, said on standard error: one line each, and each once.
enum Note {
  private static let said = Mutex<Set<String>>([])

  static func say(_ text: String) {
    guard said.withLock({ $0.insert(text).inserted }) else { return }
    StandardStreams.note("note: \(text)\n")
  }
}

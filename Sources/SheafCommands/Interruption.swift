@preconcurrency import Dispatch
import Foundation

/// Ctrl-C as a question: while one is kept, SIGINT does not end the process but is noted.
///
/// A second SIGINT ends it at once.
final class Interruption: Sendable {
  private let source: any DispatchSourceSignal
  private let flag = Flag()

  init() {
    signal(SIGINT, SIG_IGN)
    source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
    source.setEventHandler { [flag] in
      if flag.raise() { _exit(130) }
    }
    source.resume()
  }

  deinit {
    source.cancel()
    signal(SIGINT, SIG_DFL)
  }

  /// Whether there was one.
  var isRaised: Bool { flag.isRaised }

  private final class Flag: @unchecked Sendable {
    private let lock = NSLock()
    private var value = false

    /// Notes a signal; whether it is not the first.
    func raise() -> Bool {
      lock.withLock {
        defer { value = true }
        return value
      }
    }

    var isRaised: Bool { lock.withLock { value } }
  }
}

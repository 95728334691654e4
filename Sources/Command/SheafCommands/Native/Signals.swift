import Foundation
import LinearAlgebra
import NeuralSheaves
import Synchronization

/// SIGINT and SIGTERM as a question.
///
/// A call that has nothing to lose yet ends at once, with one line. From `hold` on a signal is noted: the
/// work in hand comes to an end and its results are written. A second signal ends the call there and then.
enum Signals {
  private static let isHeld = Atomic(false)
  private static let isRaised = Atomic(false)
  private static let line: StaticString = "error: interrupted\n"

  /// Takes the signals over; a pipe that is closed becomes an error of what writes to it.
  static func install() {
    // What the handler reads exists before it is called.
    _ = (isHeld.load(ordering: .relaxed), isRaised.load(ordering: .relaxed), line.utf8Start)
    signal(SIGPIPE, SIG_IGN)
    var set = sigset_t()
    sigemptyset(&set)
    for number in [SIGINT, SIGTERM] {
      signal(number) { _ in Signals.receive() }
      sigaddset(&set, number)
    }
    // A caller may have blocked them in its own thread, and a mask is inherited.
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
  }

  private static func receive() {
    let isSecond = isRaised.exchange(true, ordering: .relaxed)
    guard isSecond || !isHeld.load(ordering: .relaxed) else { return }
    _ = write(STDERR_FILENO, line.utf8Start, line.utf8CodeUnitCount)
    _exit(1)
  }

  /// From here on there is something to save: signals are noted.
  static func hold() { isHeld.store(true, ordering: .relaxed) }

  /// Whether one was noted.
  static var areRaised: Bool { isRaised.load(ordering: .relaxed) }
}

extension Halt {
  /// Work that signals interrupt, and that ends after some seconds from now.
  static func onSignals(timeLimit seconds: Double? = nil) -> Halt {
    Signals.hold()
    let end = seconds.map { ContinuousClock.now + .seconds($0) }
    return Halt {
      if Signals.areRaised { return .interrupted }
      if let end, ContinuousClock.now >= end { return .timeLimit }
      return nil
    }
  }
}

import LinearAlgebra
import Synchronization

/// Cochains to work with, kept from one application to the next.
final class Scratch: Sendable {
  private let cochains = Mutex<[[Matrix]]>([])

  /// One of those that are there, holding whatever it does, or a new one.
  func take(_ make: () -> [Matrix]) -> [Matrix] { cochains.withLock { $0.popLast() } ?? make() }
  /// Takes one back.
  func give(_ cochain: [Matrix]) { cochains.withLock { $0.append(cochain) } }
}

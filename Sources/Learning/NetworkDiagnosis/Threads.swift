import Foundation

/// How many threads this module works with.
enum Threads {
  static var count: Int { ProcessInfo.processInfo.activeProcessorCount }
}

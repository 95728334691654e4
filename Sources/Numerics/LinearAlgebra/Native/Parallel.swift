import Dispatch

/// Runs `body` on every element on at most `threads` threads and returns when all are done.
///
/// Elements must not share mutable storage; each is visited by exactly one thread. With one
/// element or one thread the loop runs on the caller.
public func forEachInParallel<Element: Sendable>(
  _ elements: inout [Element], threads: Int, _ body: @Sendable (inout Element) -> Void
) {
  let count = elements.count
  guard count > 1 && threads > 1 else {
    for i in elements.indices { body(&elements[i]) }
    return
  }
  elements.withUnsafeMutableBufferPointer { buffer in
    nonisolated(unsafe) let base = buffer.baseAddress!
    DispatchQueue.concurrentPerform(iterations: min(threads, count)) { thread in
      for i in stride(from: thread, to: count, by: threads) { body(&base[i]) }
    }
  }
}

import CKernels

/// A fixed set of elements that the same work is done on again and again, by several threads.
///
/// A pass allocates nothing, unlike `forEachInParallel`, and finds its threads awake when passes
/// follow each other within some ten microseconds.
public final class ParallelLoop<Element: Sendable> {
  private let storage: Storage<Element>

  /// A loop over `elements` on at most `threads` threads, the caller's among them.
  ///
  /// - Parameter body: the work on one element; elements must not share mutable storage.
  public init(
    _ elements: [Element], threads: Int, body: @escaping @Sendable (inout Element) -> Void
  ) {
    storage = Storage(elements, threads: max(1, min(threads, elements.count)), body)
  }

  /// Runs the work once on every element; returns when all are done.
  public func run() {
    ck_team_run(
      Int32(storage.threads),
      { context, share in
        Unmanaged<Shares>.fromOpaque(context!).takeUnretainedValue().run(Int(share))
      }, Unmanaged<Shares>.passUnretained(storage).toOpaque())
  }

  /// The number of elements.
  public var count: Int { storage.count }

  /// How many threads a pass uses.
  public var threads: Int { storage.threads }

  /// Calls `body` with element `i`, between two passes. In place: nothing is copied or allocated.
  public func with<Result>(_ i: Int, _ body: (inout Element) -> Result) -> Result {
    precondition(i >= 0 && i < count, "element \(i) of \(count)")
    return body(&storage.base[i])
  }

  /// Copies of all elements, between two passes.
  public var elements: [Element] { (0..<count).map { with($0) { $0 } } }
}

/// What the team sees of a loop.
private class Shares {
  func run(_ share: Int) {}
}

/// The elements; each is touched by one thread in a pass, and by the caller between passes.
private final class Storage<Element: Sendable>: Shares {
  let count: Int
  let threads: Int
  let base: UnsafeMutablePointer<Element>
  private let body: @Sendable (inout Element) -> Void

  init(_ elements: [Element], threads: Int, _ body: @escaping @Sendable (inout Element) -> Void) {
    (count, self.threads, self.body) = (elements.count, threads, body)
    base = .allocate(capacity: max(elements.count, 1))
    base.initialize(from: elements, count: elements.count)
  }

  deinit {
    base.deinitialize(count: count)
    base.deallocate()
  }

  override func run(_ share: Int) {
    for k in stride(from: share, to: count, by: threads) { body(&base[k]) }
  }
}

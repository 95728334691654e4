/// For each target coordinate a window: the source coordinates that it looks at.
public struct IndexWindows: Sendable, Equatable {
  /// The number of source coordinates.
  public let sourceCount: Int
  /// Window i holds `sources[starts[i]..<starts[i + 1]]`.
  public let starts: [Int32]
  /// The source coordinates of all windows, one window after the other.
  public let sources: [Int32]

  /// Windows from lists of coordinates below `sourceCount`.
  public init(_ windows: [[Int32]], sourceCount: Int) {
    var starts: [Int32] = [0]
    starts.reserveCapacity(windows.count + 1)
    for window in windows { starts.append(starts.last! + Int32(window.count)) }
    self.init(starts: starts, sources: windows.flatMap { $0 }, sourceCount: sourceCount)
  }

  /// Windows of one coordinate each, or none where it is negative.
  public init(order: [Int32], sourceCount: Int) {
    var starts: [Int32] = [0]
    starts.reserveCapacity(order.count + 1)
    for i in order { starts.append(starts.last! + (i < 0 ? 0 : 1)) }
    self.init(starts: starts, sources: order.filter { $0 >= 0 }, sourceCount: sourceCount)
  }

  private init(starts: [Int32], sources: [Int32], sourceCount: Int) {
    precondition(
      sources.allSatisfy { $0 >= 0 && $0 < sourceCount }, "a source beyond \(sourceCount)")
    (self.starts, self.sources, self.sourceCount) = (starts, sources, sourceCount)
  }

  /// The number of windows.
  public var count: Int { starts.count - 1 }

  /// The size of window `i`.
  public func size(of i: Int) -> Int { Int(starts[i + 1] - starts[i]) }

  /// Element `k` of window `i`.
  public func source(_ k: Int, of i: Int) -> Int { Int(sources[Int(starts[i]) + k]) }
}

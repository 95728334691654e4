/// What lies between two layers of a state dict that follow each other, as far as names tell.
struct LayerGap {
  /// Whether a module without arrays has a place there.
  enum Room {
    /// Numbers follow each other: nothing in a Sequential, what forward() says in a ModuleList.
    case none
    /// Numbers are left out.
    case some
    /// Names do not tell.
    case unknown
  }

  /// The layers on both sides, Linear or BatchNorm.
  let before, after: StateDictModule
  /// The PReLU between them.
  let slopes: [StateDictModule]
  let room: Room

  /// The layers of a chain, the gaps between them, and the PReLU behind the last.
  static func gaps(
    of chain: [StateDictModule]
  ) -> (layers: [StateDictModule], gaps: [LayerGap], end: [StateDictModule]) {
    var layers: [StateDictModule] = []
    var gaps: [LayerGap] = []
    var slopes: [StateDictModule] = []
    for module in chain {
      guard module.kind != .slopes else {
        slopes.append(module)
        continue
      }
      if let before = layers.last {
        let line = [before] + slopes + [module]
        let rooms = zip(line, line.dropFirst()).map { Self.room(between: $0.path, and: $1.path) }
        let room: Room =
          rooms.contains(.some) ? .some : rooms.contains(.unknown) ? .unknown : .none
        gaps.append(LayerGap(before: before, after: module, slopes: slopes, room: room))
      }
      layers.append(module)
      slopes = []
    }
    return (layers, gaps, slopes)
  }

  private static func room(between a: [String], and b: [String]) -> Room {
    let shared = zip(a, b).prefix { $0 == $1 }.count
    guard shared < a.count, shared < b.count, let n = Int(a[shared]), let m = Int(b[shared]) else {
      return .unknown
    }
    if m > n + 1 { return .some }
    // What a group begins with is in its numbers, what it ends in is not.
    let inner = b.dropFirst(shared + 1).map { Int($0) }
    if inner.contains(where: { $0 ?? 0 > 0 }) { return .some }
    return a.count == shared + 1 && !inner.contains(nil) ? .none : .unknown
  }

  /// Whether nothing is left to be said: a PReLU of one slope stands there and nothing else.
  var isKnown: Bool { slopes.count == 1 && slopes[0].inputs == nil && room == .none }
}

/// A question that long iterations ask between steps: whether to end now, and as what.
public struct Halt: Sendable {
  private let ask: @Sendable () -> SolutionStatus?

  /// - Parameter ask: `.timeLimit` or `.interrupted` once the iteration is to end, nil before; called
  ///   from any thread, often.
  public init(_ ask: @escaping @Sendable () -> SolutionStatus?) { self.ask = ask }

  /// Goes on for ever.
  public static let never = Halt { nil }

  /// The status to end with, nil to go on.
  public var reason: SolutionStatus? { ask() }
}

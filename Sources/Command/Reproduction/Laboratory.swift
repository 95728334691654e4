import Foundation
import LinearAlgebra

/// Where exhibits are worked out: how thoroughly, and the training runs that several of them look at.
public final class Laboratory {
  /// Whether runs are shortened and sweeps thinned out, to see what there is to be seen in less than a minute.
  public let isQuick: Bool
  /// Asked between steps whether to end.
  let halt: Halt
  /// Told what is being done.
  private let note: (String) -> Void
  private var known: [String: any Sendable] = [:]

  /// A laboratory.
  public init(isQuick: Bool, halt: Halt = .never, note: @escaping (String) -> Void = { _ in }) {
    (self.isQuick, self.halt, self.note) = (isQuick, halt, note)
  }

  /// Works an exhibit out.
  ///
  /// - Throws: `Interrupted` once `halt` has a reason.
  public func findings(of exhibit: Exhibit) throws -> Findings {
    note(exhibit.name)
    return try exhibit.make(self)
  }

  /// Why there is no result.
  public struct Interrupted: Error, CustomStringConvertible {
    let reason: SolutionStatus
    /// The reason.
    public var description: String { reason.rawValue }
  }

  /// - Throws: `Interrupted` once there is a reason to end.
  func check() throws {
    if let reason = halt.reason { throw Interrupted(reason: reason) }
  }

  /// A number of steps, a tenth of it if quick.
  func steps(_ n: Int) -> Int { isQuick ? max(n / 10, 1) : n }

  /// The paper's training run of a task, with what is measured on its way.
  func training(_ task: PaperTask) throws -> PaperTraining {
    try once("training of \(task.name)") { try PaperTraining(task, self) }
  }

  /// What several exhibits look at, made for the first of them.
  func once<Value: Sendable>(_ name: String, _ make: () throws -> Value) rethrows -> Value {
    if let value = known[name] as? Value { return value }
    note(name)
    let value = try make()
    known[name] = value
    return value
  }
}

import Foundation

/// A setting that changes in the course of a training run, such as a rate or the coupling κ.
///
/// With t from 0 (the first step) to 1 (the end of the run) its value is
///
/// | shape | value |
/// |---|---|
/// | constant | start |
/// | linear | start + (end − start) t |
/// | geometric | start (end / start)ᵗ |
/// | cosine | end + (start − end)(1 + cos πt)/2 (Loshchilov, Hutter 2017) |
/// | anneal | start (1 − t)²: for κ the limit of backpropagation |
public struct Schedule: Sendable, Equatable {
  /// How the value goes from start to end.
  public enum Shape: String, Sendable, CaseIterable, Codable {
    /// No change.
    case constant
    /// In equal steps.
    case linear
    /// In equal ratios.
    case geometric
    /// Flat at both ends.
    case cosine
    /// To 0, as a square.
    case anneal
  }

  /// The shape.
  public let shape: Shape
  /// The value of the first step.
  public let start: Double
  /// The value at the end of the run; start for `constant`, 0 for `anneal`.
  public let end: Double

  /// A schedule.
  ///
  /// - Parameters:
  ///   - name: what errors call it.
  ///   - start: positive.
  ///   - end: 0 or more, for `geometric` positive; nil for start/100.
  /// - Throws: `TrainingError.setting` for a value out of its range.
  public init(
    _ shape: Shape, named name: String, from start: Double, to end: Double? = nil
  ) throws(TrainingError) {
    guard start > 0 && start.isFinite else {
      throw .setting(name: name, found: "\(start)", expected: "a positive finite number")
    }
    let last: Double =
      switch shape {
      case .constant: start
      case .anneal: 0
      default: end ?? start / 100
      }
    guard last.isFinite && (shape == .geometric ? last > 0 : last >= 0) else {
      throw .setting(
        name: "\(name)-end", found: "\(last)",
        expected: shape == .geometric ? "a positive finite number" : "0 or a positive finite number"
      )
    }
    (self.shape, self.start, self.end) = (shape, start, last)
  }

  private init(_ start: Double) { (shape, self.start, end) = (.constant, start, start) }

  /// The same value all the time.
  public static func constant(_ value: Double) -> Schedule {
    precondition(value > 0 && value.isFinite, "a schedule of \(value), expected a positive number")
    return Schedule(value)
  }

  /// The value at t in [0, 1].
  public func value(at t: Double) -> Double {
    switch shape {
    case .constant: start
    case .linear: start + (end - start) * t
    case .geometric: start * pow(end / start, t)
    case .cosine: end + (start - end) * (1 + cos(.pi * t)) / 2
    case .anneal: start * (1 - t) * (1 - t)
    }
  }
}

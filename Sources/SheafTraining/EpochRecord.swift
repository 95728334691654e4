import Foundation

/// The state of a training run at the end of an epoch; epoch 0 is the start.
public struct EpochRecord: Sendable {
  /// The epoch.
  public let epoch: Int
  /// The number of weight steps so far.
  public let step: Int
  /// On the training data.
  public let train: Evaluation
  /// On the test data, if there are any.
  public let test: Evaluation?
  /// Training time so far in seconds, evaluation not counted.
  public let seconds: Double
  /// The relaxations of this epoch.
  public let relaxation: RelaxationReport

  /// The columns of `csv`.
  public static let csvHeader =
    "epoch,step,trainLoss,testLoss,trainAccuracy,testAccuracy,seconds,unsettledFraction,"
    + "medianResidual"

  /// One line of a table; a column without a value is empty.
  public var csv: String {
    func text(_ x: Double?) -> String { x.map { "\($0)" } ?? "" }
    return [
      "\(epoch)", "\(step)", text(train.loss), text(test?.loss), text(train.accuracy),
      text(test?.accuracy), text(seconds), text(relaxation.unsettledFraction),
      text(relaxation.medianResidual),
    ].joined(separator: ",")
  }
}

/// How a training run ended.
public enum TrainingStatus: String, Sendable {
  /// All epochs were run.
  case completed
  /// A loss was not finite; the parameters are those at that moment.
  case diverged
}

/// A run that cannot start.
public enum TrainingError: Error, Equatable, CustomStringConvertible {
  /// A setting out of its range.
  case setting(name: String, found: String, expected: String)

  /// What was found and what was expected, in a sentence.
  public var description: String {
    switch self {
    case .setting(let name, let found, let expected):
      "\(name) is \(found), expected \(expected)"
    }
  }
}

import ArgumentParser
import Foundation
import SheafTraining

/// Training methods × tasks × seeds, with what came of each run.
struct Comparison {
  /// A run of one method on one task from one seed.
  struct Run {
    let task, method: String
    let seed: UInt64
    let status: TrainingStatus
    let steps: Int
    let seconds: Double
    let train: Evaluation
    /// On the test samples, or on validation samples where there are no others.
    let test: Evaluation?
    /// Whether `test` and `course` are of validation samples.
    let isValidation: Bool
    /// The loss or accuracy to reach, nil where there is none.
    var target: Target?
    /// Training time until the test samples first reached the target; nil where they never did.
    var secondsToTarget: Double?
    /// The test loss and accuracy by training time.
    let course: [(seconds: Double, test: Evaluation)]

    mutating func set(_ target: Target?) {
      self.target = target
      secondsToTarget = target.flatMap { goal in
        course.first { goal.isReached(by: $0.test) }?.seconds
      }
    }
  }

  /// What a run is to reach on the test samples.
  enum Target: Equatable {
    case loss(Double)
    case accuracy(Double)

    func isReached(by test: Evaluation) -> Bool {
      switch self {
      case .loss(let x): test.loss <= x
      case .accuracy(let x): (test.accuracy ?? -1) >= x
      }
    }

    var text: String {
      switch self {
      case .loss(let x): "loss ≤ \(TextOutput.number(x))"
      case .accuracy(let x): "accuracy ≥ \(TextOutput.number(x))"
      }
    }
  }

  /// In the order in which they were run.
  var runs: [Run] = []

  /// The tasks in order.
  var tasks: [String] { runs.map(\.task).uniqued }
  /// The methods in order; the first is what others are compared with.
  var methods: [String] { runs.map(\.method).uniqued }

  func runs(_ task: String, _ method: String) -> [Run] {
    runs.filter { $0.task == task && $0.method == method }
  }

  /// The rows of the table.
  var summaries: [Summary] {
    tasks.flatMap { task in
      methods.compactMap { method in
        let these = runs(task, method)
        guard !these.isEmpty else { return nil }
        let first = runs(task, methods[0])
        return Summary(these, beside: method == methods[0] ? nil : first)
      }
    }
  }

  /// One method on one task over the seeds.
  struct Summary {
    let task, method: String
    let runs: [Run]
    let loss, accuracy, seconds: Statistics
    /// Of the runs that reached the target.
    let secondsToTarget: Statistics
    /// This method less the first, seed by seed.
    let lossDifference, accuracyDifference: Statistics?
    /// The time to the target over that of the first, seed by seed where both reached it.
    let timeRatio: Statistics?

    init(_ runs: [Run], beside first: [Run]?) {
      (task, method, self.runs) = (runs[0].task, runs[0].method, runs)
      loss = Statistics(runs.compactMap { $0.test?.loss })
      accuracy = Statistics(runs.compactMap { $0.test?.accuracy })
      seconds = Statistics(runs.map(\.seconds))
      secondsToTarget = Statistics(runs.compactMap(\.secondsToTarget))
      func paired(_ value: (Run, Run) -> Double?) -> Statistics? {
        first.map { first in
          Statistics(
            runs.compactMap { run in
              first.first { $0.seed == run.seed }.flatMap { value(run, $0) }
            })
        }
      }
      lossDifference = paired { a, b in zip(a.test?.loss, b.test?.loss).map { $0 - $1 } }
      accuracyDifference = paired { a, b in
        zip(a.test?.accuracy, b.test?.accuracy).map { $0 - $1 }
      }
      timeRatio = paired { a, b in
        zip(a.secondsToTarget, b.secondsToTarget).flatMap { $1 > 0 ? $0 / $1 : nil }
      }
    }

    /// How many runs ended without a finite loss.
    var diverged: Int { runs.count { $0.status == .diverged } }
    /// How many reached the target.
    var reached: Int { runs.count { $0.secondsToTarget != nil } }
    /// The target, if it is the same for all seeds.
    var target: Target? {
      runs.allSatisfy { $0.target == runs[0].target } ? runs[0].target : nil
    }
  }
}

extension [String] {
  /// Each once, in the order of their first places.
  var uniqued: [String] {
    var seen = Set<String>()
    return filter { seen.insert($0).inserted }
  }
}

private func zip(_ a: Double?, _ b: Double?) -> (Double, Double)? {
  a.flatMap { a in b.map { (a, $0) } }
}

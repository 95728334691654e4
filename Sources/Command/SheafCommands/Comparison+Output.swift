import Figures
import Foundation
import SheafTraining

/// The comparison as a table, as CSV and as JSON.
extension Comparison {
  /// One line for each method on each task.
  var table: String {
    let isPaired = methods.count > 1
    let hasTargets = runs.contains { $0.target != nil }
    let hasAccuracy = runs.contains { $0.test?.accuracy != nil }
    var rows = [
      ["task", "method", "seeds", "median loss", "mean loss"]
        + (hasAccuracy ? ["accuracy %"] : []) + ["seconds"]
        + (hasTargets ? ["target", "reached", "seconds to it"] : [])
        + (isPaired ? ["loss − first"] + (hasTargets ? ["time / first"] : []) : [])
    ]
    for s in summaries {
      var row = [
        s.task, s.method, "\(s.runs.count)",
        s.loss.median.map { String(format: "%.4g", $0) } ?? "-",
        s.loss.text(),
      ]
      if hasAccuracy { row.append(s.accuracy.text(4, times: 100)) }
      row.append(s.seconds.text())
      if hasTargets {
        row += [
          s.target?.text ?? (s.runs[0].target == nil ? "-" : "by seed"),
          "\(s.reached)/\(s.runs.count)", s.secondsToTarget.text(),
        ]
      }
      if isPaired {
        row.append(s.lossDifference?.text(2) ?? "")
        if hasTargets { row.append(s.timeRatio.map { $0.text(2) } ?? "") }
      }
      rows.append(row)
    }
    var text = TextOutput.table(rows)
    for s in summaries where s.diverged > 0 {
      text += "\n\(s.method) on \(s.task): \(s.diverged) of \(s.runs.count) runs diverged"
    }
    return text
  }

  /// One line for each method on each task, all numbers in full.
  var csv: [String] {
    let names = ["loss", "accuracy", "seconds", "secondsToTarget"]
    let paired = ["lossDifference", "accuracyDifference", "timeRatio"]
    var lines = [
      (["task", "method", "seeds", "diverged", "reached"]
        + (names + paired).flatMap { [$0 + "Median", $0 + "Mean", $0 + "StandardError"] })
        .joined(separator: ",")
    ]
    for s in summaries {
      let columns: [Statistics?] = [
        s.loss, s.accuracy, s.seconds, s.secondsToTarget, s.lossDifference, s.accuracyDifference,
        s.timeRatio,
      ]
      lines.append(
        ([s.task.csvField, s.method.csvField, "\(s.runs.count)", "\(s.diverged)", "\(s.reached)"]
          + columns.flatMap { s in
            [s?.median, s?.mean, s?.standardError].map { x in x.map { "\($0)" } ?? "" }
          }).joined(separator: ","))
    }
    return lines
  }

  /// One line for each run.
  var runsCSV: [String] {
    var lines = [
      "task,method,seed,status,steps,seconds,trainLoss,testLoss,trainAccuracy,testAccuracy,"
        + "target,secondsToTarget"
    ]
    for run in runs {
      let numbers: [Double?] = [
        run.seconds, run.train.loss, run.test?.loss, run.train.accuracy, run.test?.accuracy,
      ]
      lines.append(
        ([
          run.task.csvField, run.method.csvField, "\(run.seed)", run.status.rawValue,
          "\(run.steps)",
        ]
          + numbers.map { x in x.map { "\($0)" } ?? "" }
          + [(run.target?.text ?? "").csvField, run.secondsToTarget.map { "\($0)" } ?? ""])
          .joined(separator: ","))
    }
    return lines
  }

  var json: [String: Any] {
    [
      "baseline": methods.first ?? NSNull(),
      "comparison": summaries.map { s -> [String: Any] in
        [
          "task": s.task, "method": s.method, "diverged": s.diverged, "reached": s.reached,
          "loss": s.loss.json, "accuracy": s.accuracy.json, "seconds": s.seconds.json,
          "secondsToTarget": s.secondsToTarget.json,
          "lossDifference": s.lossDifference?.json ?? NSNull(),
          "accuracyDifference": s.accuracyDifference?.json ?? NSNull(),
          "timeRatio": s.timeRatio?.json ?? NSNull(),
          "runs": s.runs.map { run -> [String: Any] in
            [
              "samples": run.isValidation ? "validation" : "test",
              "seed": run.seed, "status": run.status.rawValue, "steps": run.steps,
              "seconds": run.seconds, "trainLoss": JSONOutput.number(run.train.loss),
              "testLoss": JSONOutput.number(run.test?.loss),
              "testAccuracy": JSONOutput.number(run.test?.accuracy),
              "target": run.target?.text ?? NSNull(),
              "secondsToTarget": JSONOutput.number(run.secondsToTarget),
            ]
          },
        ]
      },
    ]
  }
}

extension Comparison {
  /// The losses of a task's runs on the samples compared, by training time: a mark for each seed, a letter for each
  /// method.
  func panel(of task: String) -> Panel {
    Panel(
      "\(task): loss by seconds of training", x: Axis("s"), y: Axis(scale: .logarithmic),
      legend: .topRight,
      layers: methods.map { method in
        let courses = runs.filter { $0.task == task && $0.method == method }.flatMap(\.course)
        return .points(
          x: courses.map(\.seconds), y: courses.map(\.test.loss), label: method)
      })
  }
}

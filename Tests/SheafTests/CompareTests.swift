import Foundation
import Testing

/// `sheaf compare`: what it reports follows from the runs that it lists.
struct CompareTests {
  private let command = CommandTests()

  /// A table of named columns; no field here has a comma.
  private struct Table {
    let header: [String]
    let rows: [[String]]

    init(_ path: String) throws {
      let text = try String(contentsOfFile: path, encoding: .utf8)
      #expect(text.hasSuffix("\n"))
      let lines = text.split(separator: "\n").map {
        $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      }
      (header, rows) = (lines[0], Array(lines.dropFirst()))
      for row in rows { #expect(row.count == header.count, "\(row)") }
    }

    func text(_ row: [String], _ name: String) -> String { row[header.firstIndex(of: name)!] }
    func number(_ row: [String], _ name: String) -> Double? { Double(text(row, name)) }
  }

  private static let tasks = [
    "--task", "small: --data paraboloid --layers 2,6,1 --epochs 4",
    "--task", "classes: --data blobs --layers 2,6,4 --epochs 4",
  ]
  private static let methods = [
    "--method", "backpropagation", "--method", "local: --method equilibrium --optimizer local",
  ]

  private func mean(_ x: [Double]) -> Double { x.reduce(0, +) / Double(x.count) }
  private func standardError(_ x: [Double]) -> Double {
    let m = mean(x)
    return (x.reduce(0) { $0 + ($1 - m) * ($1 - m) } / Double((x.count - 1) * x.count)).squareRoot()
  }

  @Test func statisticsFollowFromTheRuns() throws {
    let f = NSTemporaryDirectory() + "sheaf-\(UInt64.random(in: 0...UInt64.max))"
    defer {
      for name in [".csv", "-runs.csv"] { try? FileManager.default.removeItem(atPath: f + name) }
    }
    let run = try command.run(
      ["compare"] + Self.tasks + Self.methods + [
        "--seeds", "2", "--target-loss", "first", "--csv", f + ".csv", "--runs", f + "-runs.csv",
        "--json",
      ])
    #expect(run.status == 0, "\(run.error)")
    let (table, runs) = (try Table(f + ".csv"), try Table(f + "-runs.csv"))
    #expect(table.rows.count == 4 && runs.rows.count == 8)
    #expect(
      table.rows.map { [$0[0], $0[1]] } == [
        ["small", "backpropagation"], ["small", "local"], ["classes", "backpropagation"],
        ["classes", "local"],
      ])
    #expect(run.json["baseline"] as? String == "backpropagation")
    let json = try #require(run.json["comparison"] as? [[String: Any]])
    #expect(json.count == 4)

    for (row, object) in zip(table.rows, json) {
      let (task, method) = (table.text(row, "task"), table.text(row, "method"))
      #expect(object["task"] as? String == task && object["method"] as? String == method)
      for key in [
        "diverged", "reached", "loss", "accuracy", "seconds", "secondsToTarget", "lossDifference",
        "accuracyDifference", "timeRatio", "runs",
      ] { #expect(object[key] != nil, "\(key)") }
      func these(_ method: String) -> [[String]] {
        runs.rows.filter { runs.text($0, "task") == task && runs.text($0, "method") == method }
      }
      let (own, first) = (these(method), these("backpropagation"))
      #expect(own.map { runs.text($0, "seed") } == ["0", "1"])
      #expect((object["runs"] as? [[String: Any]])?.count == 2)

      /// A statistic in the table and in the JSON against the numbers that it is of.
      func check(_ name: String, _ values: [Double]) {
        let median = values.isEmpty ? nil : mean(values)  // of two, or of one
        let deviation = values.count == 2 ? standardError(values) : nil
        let part = object[name] as? [String: Any]
        for (suffix, key, expected) in [
          ("Median", "median", median), ("Mean", "mean", median),
          ("StandardError", "standardError", deviation),
        ] {
          for found in [table.number(row, name + suffix), part?[key] as? Double] {
            #expect((found == nil) == (expected == nil), "\(task), \(method), \(name)\(suffix)")
            if let found, let expected {
              #expect(
                abs(found - expected) <= 1e-12 * max(abs(expected), 1e-3),
                "\(task), \(method), \(name)\(suffix): \(found), \(expected)")
            }
          }
        }
      }
      let losses = own.compactMap { runs.number($0, "testLoss") }
      #expect(losses.count == 2)
      check("loss", losses)
      check("accuracy", own.compactMap { runs.number($0, "testAccuracy") })
      check("seconds", own.compactMap { runs.number($0, "seconds") })
      check("secondsToTarget", own.compactMap { runs.number($0, "secondsToTarget") })
      let isFirst = method == "backpropagation"
      check(
        "lossDifference",
        isFirst
          ? []
          : zip(own, first).map { runs.number($0, "testLoss")! - runs.number($1, "testLoss")! })
      check(
        "timeRatio",
        isFirst
          ? []
          : zip(own, first).compactMap { a, b in
            runs.number(a, "secondsToTarget").map { $0 / runs.number(b, "secondsToTarget")! }
          })
      // The first method reaches the loss that it ends with, at its end or before.
      for (a, b) in zip(own, first) {
        let (goal, loss) = (runs.number(b, "testLoss")!, runs.number(a, "testLoss")!)
        #expect(runs.text(a, "target").hasPrefix("loss ≤ "))
        if loss <= goal { #expect(runs.number(a, "secondsToTarget") != nil) }
        if let seconds = runs.number(a, "secondsToTarget") {
          #expect(seconds <= runs.number(a, "seconds")!)
        }
      }
      #expect(
        table.number(row, "reached")
          == Double(own.count { !runs.text($0, "secondsToTarget").isEmpty }))
    }
  }

  /// A run is the one that `sheaf train` makes with these options.
  @Test func runsAreThoseOfTrain() throws {
    let compared = try command.run(
      ["compare"] + Self.tasks + Self.methods + [
        "--seeds", "2", "--target-accuracy", "0.5", "--json",
      ])
    let rows = try #require(compared.json["comparison"] as? [[String: Any]])
    let runs = try #require(rows[3]["runs"] as? [[String: Any]])
    let single = try command.run([
      "train", "--data", "blobs", "--layers", "2,6,4", "--epochs", "4", "--optimizer", "local",
      "--seed", "1", "--json",
    ])
    #expect(runs[1]["testLoss"] as? Double == single.json["testLoss"] as? Double)
    #expect(runs[1]["trainLoss"] as? Double == single.json["trainLoss"] as? Double)
    // Accuracy is a target only where there are classes.
    #expect(rows[0]["reached"] as? Int == 0)
    let history = try #require(single.json["history"] as? [String: Any])
    let accuracies = try #require(history["testAccuracy"] as? [Double])
    #expect((runs[1]["secondsToTarget"] is Double) == accuracies.contains { $0 >= 0.5 })
    let text = try command.run(["compare"] + Self.tasks + Self.methods + ["--seeds", "1"])
    #expect(text.status == 0 && text.output.contains("local") && text.error.isEmpty)
  }

  @Test(arguments: [
    (["--task", "nothing"], "nothing"), (["--method", "magic"], "magic"),
    (["--task", ": --data blobs"], "name before the colon"),
    (["--method", "a: --rate 0"], "--rate is 0"), (["--method", "a: --nonsense 3"], "nonsense"),
    (["--method", "a: --method flow --coupling 1"], "--coupling"),
    (["--task", "a: --data blobs"], "--layers"), (["--task", "a: --layers 2,3,1"], "--data"),
    (["--task", "a: --data blobs --layers 2,3,4 --epochs 0"], "--epochs is 0"),
    (["--method", "backpropagation"], "stands twice"), (["--task", "saddle"], "stands twice"),
    (["--seeds", "0"], "--seeds is 0"), (["--seeds=-1"], "--seeds is -1"),
    (["--target-loss", "1", "--target-accuracy", "0.5"], "not both"),
    (["--target-loss", "low"], "--target-loss low"),
    (["--csv", "a.txt"], "a.txt"), (["--runs", "a.json"], "a.json"),
  ])
  func mistakesAreOneLine(options: [String], word: String) throws {
    let run = try command.run(
      ["compare", "--task", "saddle", "--method", "backpropagation"] + options)
    #expect(run.status == 64, "\(options): \(run.error)")
    #expect(run.output.isEmpty && run.error.hasPrefix("error: "), "\(run.error)")
    #expect(run.error.split(separator: "\n").count == 1, "\(run.error)")
    #expect(run.error.contains(word), "\(options): \(run.error)")
  }

  @Test func tasksAndMethodsAreNeeded() throws {
    for some in [[], ["--task", "saddle"], ["--method", "flow"]] {
      let run = try command.run(["compare"] + some)
      #expect(run.status == 64 && run.error.contains("at least one --task and one --method"))
    }
  }
}

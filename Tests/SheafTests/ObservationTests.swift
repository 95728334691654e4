import Foundation
import Testing

/// `sheaf train --observe`, and plots in the terminal.
struct ObservationTests {
  private let command = CommandTests()

  private func path(_ ending: String) -> String {
    NSTemporaryDirectory() + "sheaf-observation-\(UInt64.random(in: 0...UInt64.max))" + ending
  }

  private func table(_ path: String) throws -> [[String]] {
    try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
  }

  /// A row every so many steps; what they say of the start is what `sheaf spectrum` and `sheaf equilibrate` would; a run
  /// that goes on keeps the rows of its first part.
  @Test func trainingIsObserved() throws {
    let (csv, whole, checkpoint) = (path(".csv"), path(".csv"), path(".safetensors"))
    defer {
      for file in [csv, whole, checkpoint] { try? FileManager.default.removeItem(atPath: file) }
    }
    let call = [
      "train", "--layers", "2,8,6,1", "--data", "saddle", "--method", "backpropagation", "--batch",
      "30", "--observe", "every:25", "--observed-samples", "7",
    ]
    let run = try command.run(call + ["--epochs", "12", "--observations", whole])
    #expect(run.status == 0, "\(run.error)")
    let rows = try table(whole)
    #expect(rows[0].prefix(4) == ["epoch", "step", "unsettled", "gapLow"])
    #expect(
      rows[0].suffix(6)
        == ["discord:z1", "discord:a1", "discord:z2", "discord:a2", "discord:z3", "discord:output"])
    // 10 steps an epoch: the first epochs with 25, 50, … steps.
    #expect(rows.dropFirst().map { $0[1] } == ["0", "30", "50", "80", "100"])
    for row in rows.dropFirst() {
      let v = row.compactMap(Double.init)
      #expect(v.count == rows[0].count && v[2] == 0 && v[3] <= v[4] && v[4] <= v[5] && v[6] <= v[7])
      #expect(v[3] > 0 && v[10] >= 1 && v.suffix(6).allSatisfy { $0 >= 0 })
    }
    let first = try command.run(
      call + ["--epochs", "6", "--observations", csv, "--checkpoint", checkpoint])
    #expect(first.status == 0, "\(first.error)")
    let second = try command.run([
      "train", "--resume", checkpoint, "--epochs", "12", "--observe", "every:25",
      "--observed-samples", "7", "--observations", csv,
    ])
    #expect(second.status == 0, "\(second.error)")
    #expect(try table(csv) == rows)
  }

  @Test func badObservationsAreRefused() throws {
    let call = ["train", "--layers", "2,3,1", "--data", "saddle", "--epochs", "1"]
    for (options, message) in [
      (["--observe", "every:0", "--observations", "o.csv"], "every:N"),
      (["--observe", "10", "--observations", "o.csv"], "every:N"),
      (["--observe", "every:10"], "--observations"),
      (["--observations", "o.csv"], "--observe"),
      (["--observe", "every:9", "--observations", "o.txt"], ".csv"),
      (["--plot", "--json"], "--plot"),
    ] {
      let run = try command.run(call + options)
      #expect(run.status == 64 && run.error.contains(message), "\(options): \(run.error)")
    }
  }

  /// Twenty lines of braille below the report.
  @Test func terminalsGetPlots() throws {
    let run = try command.run([
      "train", "--layers", "2,5,1", "--data", "saddle", "--epochs", "20", "--plot",
    ])
    let plain = try command.run([
      "train", "--layers", "2,5,1", "--data", "saddle", "--epochs", "20",
    ])
    func braille(_ text: String) -> Int {
      text.unicodeScalars.count { (0x2801...0x28ff).contains($0.value) }
    }
    #expect(run.status == 0 && braille(run.output) > 30, "\(run.output)")
    #expect(run.output.contains("training") && braille(plain.output) == 0)
  }
}

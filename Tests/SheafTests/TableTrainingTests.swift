import ArrayFiles
import Foundation
import LinearAlgebra
import ModelFormats
import NeuralSheaves
import SheafTraining
import Testing

/// `sheaf train` and `compare` on people's tables.
struct TableTrainingTests {
  private let command = CommandTests()
  private let folder: String

  init() throws { folder = try BadInputTests().folder() }

  /// Three classes in four columns of very different scales.
  private func writeFlowers(_ name: String = "flowers.csv") throws -> String {
    var g = RandomGenerator(seed: 4)
    var lines = ["length;\"width, in m\";weight;constant;species"]
    for j in 0..<90 {
      let c = j % 3
      let fields = [
        100 * (Double(c) + 0.3 * g.normal()), 0.01 * (Double(c * c) + 0.3 * g.normal()),
        3 + 0.1 * g.normal(), 7,
      ]
      lines.append(
        fields.map { "\($0)".replacingOccurrences(of: ".", with: ",") }.joined(separator: ";")
          + ";" + ["virginica", "setosa", "versicolor"][c])
    }
    try (lines.joined(separator: "\r\n") + "\r\n").write(
      toFile: folder + name, atomically: true, encoding: .utf8)
    return folder + name
  }

  private func arguments(_ table: String) -> [String] {
    [
      "train", "--layers", "4,12,3", "--input", table + "#0:4", "--labels", table + "#species",
      "--test-share", "0.2", "--standardize", "--validation", "0.2", "--epochs", "30", "--rate",
      "0.02", "--seed", "5",
    ]
  }

  @Test func aTableOfWordsAndScales() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let table = try writeFlowers()
    let out = folder + "n.onnx"
    let run = try command.run(arguments(table) + ["--out", out, "--json"])
    #expect(run.status == 0, "\(run.error)")
    #expect((run.json["testAccuracy"] as? Double ?? 0) > 0.9)
    #expect(run.json["classes"] as? [String] == ["setosa", "versicolor", "virginica"])
    let notes = run.error.split(separator: "\n").map(String.init)
    #expect(notes.count == 3 && notes.allSatisfy { $0.hasPrefix("note: ") }, "\(notes)")
    #expect(notes[0].contains("90 rows × 5 columns, separator semicolon, decimal commas"))
    #expect(notes[1].contains("classes setosa, versicolor, virginica"))
    #expect(notes[2].contains("72 samples for training, 18 for testing"))
    // The export takes the table as it is.
    let network = try NetworkFile.read(out)
    let x = try ArrayFile.read(table + "#0:4").samples
    let y = network(x)
    let right = (0..<90).count { j in
      let largest = (0..<3).max { y[$0, j] < y[$1, j] }
      return largest == [2, 0, 1][j % 3]
    }
    #expect(right > 80)
    // Without a scaling it is said that one is missing.
    let raw = try command.run(arguments(table).filter { $0 != "--standardize" })
    #expect(raw.error.contains("inputs differ in scale by a factor of"), "\(raw.error)")
    #expect(raw.error.contains("column length (#0) to column width, in m (#1)"))
    let twice = try command.run(
      ["train", "--network", out] + arguments(table).dropFirst(3))
    #expect(twice.status != 0 && twice.error.contains("scales its input already"), "\(twice.error)")
  }

  /// A run with all of it goes on bit by bit, also where its table has moved.
  @Test func standardizedRunsGoOn() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let table = try writeFlowers()
    let (c, w, whole) = (folder + "c.safetensors", folder + "w.onnx", folder + "whole.onnx")
    #expect(try command.run(arguments(table) + ["--out", whole]).status == 0)
    let some = arguments(table).map { $0 == "30" ? "11" : $0 }
    #expect(try command.run(some + ["--checkpoint", c]).status == 0)
    let moved = try writeFlowers("moved.csv")
    try FileManager.default.removeItem(atPath: table)
    let lost = try command.run(["train", "--resume", c, "--epochs", "30"])
    #expect(lost.status == 1 && lost.error.contains("no such file"))
    let there = ["--input", moved + "#0:4", "--labels", moved + "#4"]
    let on = try command.run(
      ["train", "--resume", c, "--epochs", "30", "--out", w, "--header", "yes"] + there)
    #expect(on.status == 0, "\(on.error)")
    #expect(try ArrayFile.bytes(w) == ArrayFile.bytes(whole))
    let other = try command.run(
      ["train", "--resume", c, "--input", moved + "@1:90#0:4", "--labels", moved + "@1:90#4"])
    #expect(other.status == 1 && other.error.contains("the samples differ"), "\(other.error)")
  }

  /// Parts of a split have no sample in common, and all samples are in one.
  @Test func splitsAreDisjoint() throws {
    var g = RandomGenerator(seed: 1)
    let network = try Network(widths: [1, 1], using: &g)
    let x = Matrix(rows: 1, columns: 50, columnMajor: (0..<50).map { Double($0) })
    let data = try TrainingData(input: x, target: x, for: network)
    for share in [0.1, 0.5, 0.9] {
      let (train, test) = try data.split(holdingOut: share, using: &g)
      #expect(test.count == Int(50 * share))
      #expect((train.input.elements + test.input.elements).sorted() == x.elements)
      #expect(train.input == train.target && test.input == test.target)
    }
  }

  @Test func labelsOfTestSamples() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let table = try writeFlowers()
    let base = [
      "train", "--layers", "4,6,3", "--input", table + "@0:60#0:4", "--labels",
      table + "@0:60#species", "--epochs", "2", "--json",
    ]
    // One class alone is still the training labels' third.
    var (only, expected) = ("", "")
    for (j, line) in try String(contentsOfFile: table, encoding: .utf8)
      .components(separatedBy: "\r\n").enumerated() where j == 0 || line.contains("virginica")
    {
      only += line + "\n"
      if j > 0 { expected += "2\n" }
    }
    try only.write(toFile: folder + "v.csv", atomically: true, encoding: .utf8)
    try expected.write(toFile: folder + "two.csv", atomically: true, encoding: .utf8)
    let words = try command.run(
      base + ["--test-input", folder + "v.csv#0:4", "--test-labels", folder + "v.csv#species"])
    let numbers = try command.run(
      base + ["--test-input", folder + "v.csv#0:4", "--test-labels", folder + "two.csv"])
    #expect(words.status == 0 && numbers.status == 0, "\(words.error) \(numbers.error)")
    let loss = try #require(words.json["testLoss"] as? Double)
    #expect(numbers.json["testLoss"] as? Double == loss)
    let narrow = try command.run(
      base + ["--test-input", folder + "v.csv#0:3", "--test-labels", folder + "v.csv#species"])
    #expect(narrow.status == 1 && narrow.error.contains("--test-input"), "\(narrow.error)")
    for wrong in [["--test-share", "0"], ["--test-share", "1"], ["--test-share", "nan"]] {
      let run = try command.run(base + wrong)
      #expect(run.status == 64 && run.error.contains("--test-share is"), "\(run.error)")
    }
    let both = try command.run(
      base + ["--test-share", "0.5", "--test-input", table + "#0:4", "--test-labels", table + "#4"])
    #expect(both.status == 64 && both.error.contains("test samples of its own"))
  }

  /// Validation samples stand in for test samples; nothing to compare on is a failure, as is nothing
  /// compared.
  @Test func comparisonsWithoutTestSamples() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let table = try writeFlowers()
    let task =
      "flowers: --layers 4,6,3 --input \(table)#0:4 --labels \(table)#4 --standardize --epochs 2"
    let methods = ["--method", "backpropagation", "--seeds", "1"]
    let none = try command.run(["compare", "--task", task] + methods)
    #expect(none.status == 1 && none.error.contains("flowers has no samples to compare on"))
    let held = try command.run(
      ["compare", "--task", task + " --validation 0.3", "--json"] + methods)
    #expect(held.status == 0, "\(held.error)")
    #expect(held.error.contains("those of its validation samples"))
    let rows = try #require(held.json["comparison"] as? [[String: Any]])
    let loss = try #require(rows[0]["loss"] as? [String: Any])
    #expect(loss["mean"] is Double)
    let shared = try command.run(["compare", "--task", task + " --test-share 0.3"] + methods)
    #expect(shared.status == 0 && !shared.error.contains("validation"))
    let diverged = try command.run([
      "compare", "--task", task + " --test-share 0.3", "--seeds", "1", "--method",
      "wild: --method backpropagation --optimizer gradient --rate 1e300",
    ])
    #expect(diverged.status == 1 && diverged.error.contains("nothing was compared"))
  }
}

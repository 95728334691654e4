import ArrayFiles
import Foundation
import Testing

@testable import SheafCommands

/// `sheaf diagnose` and `sheaf train --statistics` on files.
@Suite struct DiagnoseCommandTests {
  private let files: DiagnosisFiles
  private var folder: String { files.folder }

  init() throws { files = try DiagnosisFiles() }

  private func run(_ call: String) throws -> CommandTests.Outcome { try files.run(call) }
  private func clean() { files.clean() }

  private func train(_ more: String = "") throws {
    let outcome = try files.train(more)
    #expect(outcome.status == 0, "\(outcome.error)")
  }

  private let call =
    "diagnose %n.npz --output-activation softmax --input %d.npz#x --labels %d.npz#y"

  @Test func everyPartIsThereOrSaidToBeMissing() throws {
    defer { clean() }
    try train("--statistics %s.npz")
    let outcome = try run(
      call + " --statistics %s.npz --compare %n.npz --json --report %r.html")
    #expect(outcome.status == 0, "\(outcome.error)")
    let json = outcome.json
    for key in [
      "fit", "edges", "suspectLabels", "labelNoise", "unfamiliar", "findings", "spectra",
      "robustness", "skipped", "summary", "compared", "stalks",
    ] { #expect(json[key] != nil, "\(key)") }
    let skipped = try #require(json["skipped"] as? [[String: String]])
    #expect(skipped == [["part": "changed", "why": "needs --reference"]])
    let fit = try #require(json["fit"] as? [String: Any])
    #expect((fit["accuracy"] as? Double ?? 0) > 0.9)
    let worst = try #require((fit["worst"] as? [[String: Any]])?.first)
    #expect(worst["flipEnergy"] is Double && worst["clampedEnergy"] is Double)
    let edges = try #require(json["edges"] as? [[String: Any]])
    #expect(edges.map { $0["edge"] as! String } == ["z1", "a1", "z2", "output"])
    // The report stands alone and shows the inputs.
    let page = try String(contentsOfFile: folder + "r.html", encoding: .utf8)
    #expect(page.contains("data:image/png") && !page.contains("src=\"http"))
    #expect(page.contains("Suspect labels") && page.contains("id=\"samples\""))
    // A report of ours may be written anew; another file may not.
    #expect(try run(call + " --parts neurons --report %r.html").status == 0)
    try "<html></html>".write(toFile: folder + "mine.html", atomically: true, encoding: .utf8)
    let refused = try run(call + " --report %mine.html")
    #expect(refused.status == 1 && refused.complaint.contains("no report of sheaf diagnose"))
    #expect(try String(contentsOfFile: folder + "mine.html", encoding: .utf8) == "<html></html>")
  }

  @Test func badCallsAreRefusedInOneLine() throws {
    defer { clean() }
    try train()
    #expect(
      try run(
        "train --layers 64,9,3 --input %d.npz#x --labels %d.npz#y --output-activation softmax --epochs 1 --statistics %s.npz"
      ).status == 0)
    for (more, status, words) in [
      ("--target %d.npz#y", 64, "both --target and --labels"),
      ("--parts fit,neuron", 64, "did you mean neurons?"),
      ("--image 7x7", 1, "--image"), ("--image 7by9", 64, "--image is 7by9"),
      ("--train-input %d.npz#x --statistics %s.npz", 64, "expected one"),
      ("--false-discovery-rate 1", 64, "between 0 and 1"),
      ("--report %r.txt", 64, ".html"), ("--report %d.npz", 64, ".html"),
      ("--train-input %d.npz#few", 1, "expected"), ("--parts changed", 1, "needs --reference"),
      ("--reference %d.npz#x", 1, "expected (120 samples, 3)"),
      ("--reference %none.npy", 1, "none.npy"),
      ("--compare %none.npz", 1, "none.npz"),
    ] as [(String, Int32, String)] {
      let outcome = try run(call + " " + more)
      #expect(outcome.status == status, "\(more): \(outcome.error)")
      #expect(outcome.complaint.contains(words), "\(more): \(outcome.complaint)")
      #expect(outcome.complaint.split(separator: "\n").count == 1, "\(outcome.complaint)")
    }
    // Labels that are no outputs, or too few.
    for labels in ["big", "few"] {
      let outcome = try run(
        "diagnose %n.npz --output-activation softmax --input %d.npz#x --labels %d.npz#\(labels)")
      #expect(outcome.status == (labels == "big" ? 0 : 1), "\(labels): \(outcome.error)")
    }
    let other = try run(
      "diagnose %n.npz --output-activation softmax --input %d.npz#x --statistics %s.npz")
    #expect(other.status == 1)
    #expect(other.complaint.contains("dimensions [64, 9, 9, 3]"), "\(other.complaint)")
  }

  /// Without labels, and with one class only, the other parts are done and what lacks is said.
  @Test func partsThatLackSomethingAreNamed() throws {
    defer { clean() }
    try train()
    let bare = try run("diagnose %n.npz --output-activation softmax --input %d.npz#x")
    #expect(bare.status == 0, "\(bare.error)")
    for words in [
      "fit: needs --labels or --target", "unfamiliar: needs --train-input or --statistics",
    ] {
      #expect(bare.output.contains(words), "\(bare.output)")
    }
    let one = try run(
      "diagnose %n.npz --output-activation softmax --input %d.npz#x --labels %d.npz#one --json")
    let skipped = try #require(one.json["skipped"] as? [[String: String]])
    #expect(skipped.contains { $0["why"]?.contains("all 120 labels are one class") ?? false })
    let limited = try run(call + " --time-limit 1e-9")
    #expect(limited.status == 1 && limited.complaint.contains("--time-limit reached"))
  }

  /// A run that is taken up again leaves the statistics of a run that was not interrupted.
  @Test func statisticsGoOnWithARun() throws {
    defer { clean() }
    let start =
      "train --layers 64,8,3 --input %d.npz#x --labels %d.npz#y --output-activation softmax --batch 30 --seed 3 "
    #expect(try run(start + "--epochs 8 --statistics %a.npz").status == 0)
    #expect(
      try run(start + "--epochs 4 --statistics %b.npz --checkpoint %c.safetensors").status == 0)
    let second = try run("train --resume %c.safetensors --epochs 8 --statistics %b.npz")
    #expect(second.status == 0, "\(second.error)")
    let (a, b) = (try NPZ.read(folder + "a.npz"), try NPZ.read(folder + "b.npz"))
    #expect(a.keys.sorted() == b.keys.sorted())
    #expect(a["flipEpochs"]?.elements == [1, 2, 3, 4, 5, 6, 7, 8])
    for key in a.keys { #expect(a[key] == b[key], "\(key)") }
  }
}

import Foundation
import LinearAlgebra
import NeuralSheaves
import Testing

@testable import SheafCommands
@testable import SheafTraining

/// Docs/Reference.md is what the command has: its options, the keys that it prints, the columns that it writes.
struct ReferencePageTests {
  private let page: String

  init() throws {
    page = try String(
      contentsOf: PageTests.root.appendingPathComponent("Docs/Reference.md"), encoding: .utf8)
  }

  @Test func optionsAreTheDeclared() throws {
    let shown = page.components(separatedBy: "<!-- options -->")[1]
      .components(separatedBy: "<!-- end of options -->")[0]
      .trimmingCharacters(in: .whitespacesAndNewlines)
    let declared = OptionReference.text(try .ofSheaf())
    #expect(declared.count > 5000)
    let (a, b) = (shown.split(separator: "\n"), declared.split(separator: "\n"))
    let first = zip(a, b).first { $0 != $1 }
    let isCurrent = shown == declared
    #expect(
      isCurrent, "run make reference; first: \(first.map { "\($0)" } ?? "a line too many")")
  }

  /// The first column of the table below a heading, with the spans of code in it.
  private func names(below heading: String) -> Set<String> {
    let section = page.components(separatedBy: "\n\(heading)\n").dropFirst().first ?? ""
    var names: Set<String> = []
    for line in section.split(separator: "\n").prefix(while: { !$0.hasPrefix("#") })
    where line.hasPrefix("| `") {
      let cell = line.dropFirst().prefix { $0 != "|" }
      names.formUnion(
        cell.split(separator: "`", omittingEmptySubsequences: false).enumerated()
          .filter { $0.offset % 2 == 1 }.map { String($0.element) })
    }
    return names
  }

  /// The keys of an object: `a`, `a.b` for objects within, `a[].b` for those within lists. Keys that are
  /// names of stalks or statuses stand for all of their kind; what is said elsewhere is not entered.
  private func keys(_ value: Any, _ prefix: String, into all: inout Set<String>) {
    if let object = value as? [String: Any] {
      if Set(object.keys) == ["count", "mean", "median", "standardError"] { return }
      if prefix == "history" {
        all.insert("history.*")
        return
      }
      for (key, value) in object {
        let name =
          switch prefix {
          case "pinForces": "STALK"
          case "statuses": "STATUS"
          case "fiedlerEnergy", "topEnergy": "BLOCK"
          case "extension", "basis[]", "nearest", "moved", "representatives[][]", "fused",
            "covariance", "weights", "units", "means", "rivals[].values", "smoothed", "opinions",
            "limit", "bars[].representative", "denoised":
            "CELL"
          case "numbers": "NUMBER"
          default: key
          }
        let path = prefix.isEmpty ? name : "\(prefix).\(name)"
        all.insert(path)
        keys(value, path, into: &all)
      }
    } else if let list = value as? [Any] {
      for value in list { keys(value, prefix + "[]", into: &all) }
    }
  }

  @Test func keysAreThePrinted() throws {
    let b1 = Reference.folder.appendingPathComponent("b1_241_identity.npz").path
    let x = ["--input", b1 + "#X", "--samples", "columns", "--json"]
    let many = Reference.folder.appendingPathComponent("s_short_paraboloid_sgd.npz").path
    let paraboloid = [
      many, "--prefix", "at1_", "--input", many + "#X", "--samples", "columns", "--json",
    ]
    let sheaves = Reference.folder.appendingPathComponent("sheaves").path
    let data = Reference.folder.appendingPathComponent("inference").path
    let sensors = ["\(data)/sensors.json", "--assignment", "\(data)/readings.json", "--json"]
    let ship = ["\(data)/ship.json", "--assignment", "\(data)/ranges.json", "--json"]
    let values = ["\(data)/sensors.json", "--assignment", "\(data)/values.json", "--json"]
    let table = "--layers 2,3,1 --data paraboloid --epochs 2 --json"
    let files = try DiagnosisFiles()
    defer { files.clean() }
    _ = try files.train("--statistics %s.npz")
    try files.plant()
    let diagnose =
      ["diagnose"]
      + "%p.onnx --input %d.npz#odd --json".replacingOccurrences(of: "%", with: files.folder)
      .split(separator: " ").map(String.init)
    func file(_ name: String) -> String { files.folder + name }
    let runs: [(String, [[String]])] = [
      (
        "diagnose",
        [
          diagnose + [
            "--labels", file("d.npz#wrong"), "--train-input", file("d.npz#x"), "--reference",
            file("z.npy"), "--compare", file("n.npz"), "--false-discovery-rate", "0.5",
          ],
          diagnose + ["--labels", file("d.npz#wrong"), "--statistics", file("s.npz")],
          diagnose + [
            "--target", file("z.npy"), "--output-activation", "identity", "--parts",
            "fit,discord",
          ],
        ]
      ),
      ("inspect", [["inspect", b1, "--json"]]),
      ("forward", [["forward", b1] + x, ["forward", b1, "--uncertainty"] + x]),
      ("stiffness", [["stiffness"] + paraboloid + ["--target", many + "#Y", "--draws", "9"]]),
      (
        "locate",
        [
          ["locate"] + paraboloid + ["--reference", many + "#Y", "--draws", "9"],
          ["locate"] + paraboloid + ["--reference", many + "#Y", "--draws", "9", "--fine-tune"],
        ]
      ),
      (
        "flow",
        [
          ["flow", b1] + x, ["flow", b1, "--method", "exact", "--pin", "z1[0]=1"] + x,
          ["flow", b1, "--pin", "output=1", "--pin", "z1=0.1", "--steps", "3"] + x,
        ]
      ),
      (
        "equilibrate",
        [
          ["equilibrate", b1, "--pin", "output=1"] + x,
          ["equilibrate", b1, "--pin", "output=1", "--free", "x"] + x,
        ]
      ),
      ("spectrum", [["spectrum", b1, "--full", "--density", "3", "--pairs", "2"] + x]),
      (
        "check",
        [
          ["check", "\(sheaves)/ring.json", "--json"],
          ["check", "\(sheaves)/poset.json", "--json"],
          ["check", "\(data)/ship.json", "--json"],
        ]
      ),
      (
        "cohomology",
        [
          ["cohomology", "\(sheaves)/ring.json", "--holonomy", "--representatives", "--json"],
          ["cohomology", "\(sheaves)/rp2.json", "--field", "integer", "--json"],
          ["cohomology", "\(sheaves)/rp2.json", "--dimension", "1", "--json"],
        ]
      ),
      ("laplacian", [["laplacian", "\(sheaves)/ring.json", "--eigenvalues", "2", "--json"]]),
      (
        "harmonic",
        [["harmonic", "\(sheaves)/ring.json", "--boundary", "\(sheaves)/one.json", "--json"]]
      ),
      (
        "sections",
        [["sections", "\(sheaves)/ring.json", "--nearest", "\(sheaves)/readings.json", "--json"]]
      ),
      (
        "consistency",
        [
          ["consistency"] + sensors + ["--filtration", "--repair", "0.2", "--localize"],
          ["consistency"] + ship,
        ]
      ),
      (
        "fuse",
        [
          ["fuse"] + sensors + ["--robust"], ["fuse"] + ship, ["fuse"] + sensors + ["--minimax"],
          ["fuse", "\(data)/ship.json", "--assignment", "\(data)/two-ranges.json", "--json"],
          ["fuse"] + sensors + ["--constraints", "\(data)/limit.json"],
        ]
      ),
      (
        "smooth",
        [["smooth"] + values + ["--ridge", "1"], ["smooth"] + values + ["--choose", "gcv"]]
      ),
      ("anomalies", [["anomalies"] + sensors, ["anomalies"] + ship]),
      (
        "diffuse",
        [["diffuse", "\(data)/sensors.json", "--initial", "\(data)/values.json", "--json"]]
      ),
      (
        "learn",
        [
          [
            "learn", "--signals", "\(data)/signals.csv", "--graph", "\(data)/sensors.json",
            "--json",
          ]
        ]
      ),
      (
        "persistence",
        [
          [
            "persistence", "\(data)/sensors.json", "--diameter", "--field", "real",
            "--representatives", "--json",
          ], ["persistence", "\(data)/sensors.json", "--diameter", "--laplacian", "1,2", "--json"],
        ]
      ),
      (
        "coarsen",
        [
          [
            "coarsen", "\(sheaves)/ring.json", "--keep", "a", "--values", "\(sheaves)/one.json",
            "--out", file("coarse.json"), "--json",
          ]
        ]
      ),
      ("wavelets", [["wavelets"] + values + ["--denoise", "bayes", "--noise", "0.1"]]),
      (
        "train",
        [
          ["train"] + table.split(separator: " ").map(String.init),
          ["train"] + table.split(separator: " ").map(String.init) + ["--validation", "0.2"],
          ["train", "--layers", "64,10", "--data", "digits", "--epochs", "1", "--json"],
        ]
      ),
      (
        "compare",
        [
          [
            "compare", "--task", "t: --layers 2,3,1 --data saddle --epochs 1", "--method",
            "backpropagation", "--method", "equilibrium", "--seeds", "2", "--target-loss", "first",
            "--json",
          ]
        ]
      ),
    ]
    for (name, calls) in runs {
      var printed: Set<String> = []
      for call in calls {
        let outcome = try CommandTests().run(call)
        #expect(!outcome.json.isEmpty, "\(call): \(outcome.error)")
        keys(outcome.json, "", into: &printed)
      }
      let documented = names(below: "### Keys of sheaf \(name)")
      #expect(printed.count > 0)
      #expect(printed.subtracting(documented).sorted() == [], "\(name): not in the reference")
      #expect(documented.subtracting(printed).sorted() == [], "\(name): not printed")
    }
  }

  @Test func columnsOfAHistoryAreTheWritten() throws {
    var generator = RandomGenerator(seed: 1)
    let network = try Network(widths: [2, 3, 1], using: &generator)
    let written = Set(
      EpochRecord.csvHeader(network).split(separator: ",").map { name in
        let parts = name.split(separator: ":")
        return parts[0] == "weightNorm" ? "weightNorm:STALK" : String(name)
      })
    let documented = names(below: "### Columns of a history")
    #expect(written.count > 15)
    #expect(written.symmetricDifference(documented).sorted() == [])
  }
}

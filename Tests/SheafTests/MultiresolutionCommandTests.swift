import Foundation
import Testing

/// `sheaf persistence`, `sheaf coarsen` and `sheaf wavelets` on files.
@Suite struct MultiresolutionCommandTests {
  private let command = CommandTests()
  private let folder: String
  private let ring = Reference.folder.appendingPathComponent("sheaves/ring.json").path

  init() throws {
    folder = NSTemporaryDirectory() + "sheaf-\(UInt64.random(in: 0...UInt64.max))/"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  private func file(_ name: String, _ text: String) throws -> String {
    try text.write(toFile: folder + name, atomically: true, encoding: .utf8)
    return folder + name
  }

  /// A triangle's boundary whose edges appear at 1, 2 and 3, and a vertex apart.
  @Test func barsAreThoseOfTheRing() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let values = try file(
      "v.json", #"{"a": 0, "b": 0, "c": 0, "d": 4, "ab": 1, "bc": 2, "ca": 3}"#)
    for field in ["prime:2", "rational", "real"] {
      let found = try command.sheaf(
        "persistence", ring, "--values", values, "--field", field, "--representatives", "--json")
      #expect(found.status == 0, "\(found.error)")
      let bars = found.json["bars"] as? [[String: Any]] ?? []
      let seen = bars.map {
        "\($0["degree"] ?? "") \($0["birth"] ?? "") \(($0["death"] as? Double).map { "\(Int($0))" } ?? "-")"
      }
      #expect(seen == ["0 0 1", "0 0 2", "0 0 -", "0 4 -", "1 3 -"], "\(field): \(seen)")
      let loop = bars.last?["representative"] as? [String: [Double]]
      #expect(loop?.keys.sorted() == ["ca"])
    }
    let spectrum = try command.sheaf(
      "persistence", ring, "--values", values, "--laplacian", "1,2", "--json")
    // The vertices a, b and c are there at 1, and at 2 they are joined to a path: 0, 1, 3.
    let eigenvalues = spectrum.json["eigenvalues"] as? [Double] ?? []
    #expect(zip(eigenvalues, [0, 1, 3]).allSatisfy { abs($0 - $1) < 1e-12 }, "\(eigenvalues)")
    #expect(spectrum.json["betti"] as? Int == 1)
    let star = try command.sheaf(
      "persistence", ring, "--lower-star", try file("l.json", #"{"a": 0, "b": 1, "c": 2, "d": 0}"#))
    #expect(star.status == 0 && star.output.contains("bars over prime:2"), "\(star.error)")
    let drawn = try command.sheaf(
      "persistence", ring, "--discord",
      Reference.folder.appendingPathComponent("sheaves/readings.json").path,
      "--figure", folder + "bars.svg")
    #expect(drawn.status == 0, "\(drawn.error)")
    #expect(FileManager.default.fileExists(atPath: folder + "bars.svg"))
  }

  @Test func reducedSheavesAreRead() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let out = folder + "small.json"
    let found = try command.sheaf("coarsen", ring, "--keep", "a,b", "--out", out, "--json")
    #expect(found.status == 0, "\(found.error)")
    // Two edges in series beside one: conductance 3/2.
    let s = found.json["laplacian"] as? [[Double]] ?? []
    #expect(s.count == 2 && abs(s[0][0] - 1.5) < 1e-15 && abs(s[0][1] + 1.5) < 1e-15)
    let again = try command.sheaf("laplacian", out, "--eigenvalues", "all", "--json")
    let values = again.json["eigenvalues"] as? [Double] ?? []
    #expect(values.count == 2 && abs(values[1] - 3) < 1e-12, "\(again.error)")
    let extended = try command.sheaf(
      "coarsen", ring, "--keep", "a,b", "--values", try file("e.json", #"{"a": 1, "b": 0}"#),
      "--json")
    let everywhere = extended.json["extension"] as? [String: [Double]] ?? [:]
    #expect(abs((everywhere["c"]?[0] ?? 0) - 0.5) < 1e-15)
    #expect(abs((extended.json["energy"] as? Double ?? 0) - 0.75) < 1e-15)
    #expect(extended.json["uniqueUpTo"] as? Int == 1)
  }

  @Test func waveletsKeepTheNorm() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let readings = Reference.folder.appendingPathComponent("sheaves/readings.json").path
    let parts = try file("h.json", #"{"a": [0, 0], "b": [0, 0], "c": [1, 0], "d": [2, 1]}"#)
    for hierarchy in ["spectral", "independent-sets", parts] {
      let found = try command.sheaf(
        "wavelets", ring, "--assignment", readings, "--hierarchy", hierarchy, "--denoise",
        "universal",
        "--noise", "0", "--json")
      #expect(found.status == 0, "\(found.error)")
      let list = found.json["coefficients"] as? [[String: Any]] ?? []
      let sum = list.reduce(0) { $0 + pow($1["value"] as? Double ?? 0, 2) }
      #expect(abs(sum - 21) < 1e-12, "\(hierarchy): \(sum)")
      // Nothing is shrunk without noise.
      let same = found.json["denoised"] as? [String: [Double]] ?? [:]
      #expect(abs((same["c"]?[0] ?? 0) - 4) < 1e-12)
    }
  }

  @Test(arguments: [
    (["persistence", "RING"], "expected one of --values", 64),
    (
      ["persistence", "RING", "--values", "LATE"],
      #"face "b" has the value 5.0 and its coface "ab""#, 1
    ),
    (["persistence", "RING", "--values", "FEW"], #"cell "d" has no value"#, 1),
    (["persistence", "RING", "--values", "MORE"], #"a value for "e""#, 1),
    (["persistence", "RING", "--values", "LISTS"], "expected one number", 1),
    (["persistence", "RING", "--lower-star", "LATE"], #"one for "ab""#, 1),
    (["persistence", "RING", "--values", "LATE", "--field", "integer"], "expected a field", 64),
    (["persistence", "RING", "--values", "GOOD", "--field", "prime:4"], "4 is not a prime", 1),
    (["persistence", "RING", "--values", "LATE", "--laplacian", "2,1"], "--laplacian", 64),
    (["persistence", "RING", "--diameter"], "has no position", 1),
    (["persistence", "RING", "--discord", "FEWER"], #"has no value of cell "c""#, 1),
    (["coarsen", "RING", "--keep", "a,x"], #""x" is no cell"#, 64),
    (["coarsen", "RING", "--keep", "a,ab"], "expected cells of dimension 0", 1),
    (["coarsen", "RING", "--keep", "a,a"], "twice", 1),
    (["coarsen", "RING", "--keep", ""], "keep", 64),
    (
      ["coarsen", "RING", "--keep", "a", "--values", "FEWER"], "expected those of the kept cells", 1
    ),
    (["wavelets", "RING", "--assignment", "FEWER"], #"has no value of cell "c""#, 1),
    (["wavelets", "RING", "--assignment", "ALL", "--hierarchy", "FEWER"], "has no parts", 1),
    (
      ["wavelets", "RING", "--assignment", "ALL", "--hierarchy", "CROSSED"],
      #""a" and "b" are in part 0"#, 1
    ),
    (["wavelets", "RING", "--assignment", "ALL", "--noise", "1"], "--noise is for --denoise", 64),
  ])
  func badInputIsOneLine(_ words: [String], _ expected: String, _ status: Int32) throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let files = [
      "LATE": #"{"a": 0, "b": 5, "c": 0, "d": 0, "ab": 1, "bc": 5, "ca": 3}"#,
      "GOOD": #"{"a": 0, "b": 0, "c": 0, "d": 0, "ab": 1, "bc": 2, "ca": 3}"#,
      "FEW": #"{"a": 0, "b": 0, "c": 0, "ab": 1, "bc": 2, "ca": 3}"#,
      "MORE": #"{"a": 0, "b": 0, "c": 0, "d": 0, "e": 0, "ab": 1, "bc": 2, "ca": 3}"#,
      "LISTS": #"{"a": [0, 1], "b": 0, "c": 0, "d": 0, "ab": 1, "bc": 2, "ca": 3}"#,
      "FEWER": #"{"a": 1, "b": 0}"#, "ALL": #"{"a": 1, "b": 0, "c": 0, "d": 2}"#,
      "CROSSED": #"{"a": [0, 0], "b": [0, 1], "c": [1, 1], "d": [1, 1]}"#,
    ]
    let arguments = try words.map { word -> String in
      if word == "RING" { return ring }
      return try files[word].map { try file(word + ".json", $0) } ?? word
    }
    let found = try command.run(arguments)
    #expect(found.status == status, "\(words): \(found.error)")
    #expect(found.error.contains(expected), "\(words): \(found.error)")
    #expect(found.error.split(separator: "\n").count == 1 && found.output.isEmpty, "\(words)")
  }
}

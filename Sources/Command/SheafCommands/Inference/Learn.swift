import ArgumentParser
import ArrayFiles
import CellComplexes
import CellularSheaves
import Foundation
import LinearAlgebra
import SheafFiles
import SheafInference

extension MapFamily: ExpressibleByArgument {
  /// The family of a word such as `orthogonal` or `canonical:2`; nil for another.
  public init?(argument: String) {
    let parts = argument.split(separator: ":").map(String.init)
    let rank = parts.count == 2 ? Int(parts[1]) : nil
    switch (parts.first, parts.count, rank) {
    case ("identity", 1, _): self = .identity
    case ("scalar", 1, _): self = .scalar()
    case ("diagonal", 1, _): self = .diagonal()
    case ("orthogonal", 1, _): self = .orthogonal()
    case ("canonical", 2, let r?) where r > 0: self = .canonical(rank: r)
    case ("joint", 2, let r?) where r > 0: self = .joint(rank: r)
    default: return nil
    }
  }

  /// As the option calls it.
  var name: String {
    switch self {
    case .identity: "identity"
    case .scalar: "scalar"
    case .diagonal: "diagonal"
    case .orthogonal: "orthogonal"
    case .canonical(let rank, _): "canonical:\(rank)"
    case .joint(let rank): "joint:\(rank)"
    }
  }
}

struct Learn: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Learn restriction maps from signals, beside the identity sheaf, and say which to use.",
    discussion: """
      The signals' columns are the coordinates of the vertices' stalks, in the order of the graph's file. Every family of \
      maps is judged by recovering each vertex from the others on samples that it has not seen; a learned sheaf is \
      recommended only if it is better than the identity maps by more than two standard errors.

      Examples:
      sheaf learn --signals readings.csv --graph sensors.json
      sheaf learn --signals readings.npy --graph sensors.json --maps orthogonal --maps canonical:2 --out learned.json
      """)

  @Option(help: "An ARRAY, (samples, sum of the vertices' dimensions).") var signals: String
  @Option(help: "A sheaf file: its vertices with their stalks, and its edges.") var graph: String
  @Option(
    help: """
      A family of maps: scalar, diagonal, orthogonal, canonical:RANK, joint:RANK; again for more; default those that go \
      with the stalks.
      """)
  var maps: [MapFamily] = []
  @Option(help: "Keep so many edges, those of least discrepancy.") var edges: Int?
  @Option(help: "Parts of the samples that are held out in turn.") var folds = 5
  @Option(help: "Of the parts.") var seed: UInt64 = 0
  @OptionGroup var arrays: ArrayOptions
  @Option(help: "Write the sheaf that is recommended to a file.") var out: String?
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    guard folds > 1 else { throw ValidationError("--folds \(folds), expected 2 or more") }
    if let edges, edges < 0 { throw ValidationError("--edges \(edges), expected 0 or more") }
  }

  func run() throws {
    var files = CallFiles()
    files.reads("--signals", signals)
    files.reads("--graph", graph)
    try files.writes("--out", out, extensions: ["json"])
    files.prints("--json", json)
    try files.check()
    let source = try vertexSignals()
    let least = source.stalks.min() ?? 1
    let families =
      !maps.isEmpty
      ? maps.filter { $0 != .identity }
      : source.haveEqualStalks
        ? [.scalar(), .diagonal(), .orthogonal(), .canonical(rank: max(least, 1))]
        : [.canonical(rank: max(least, 1))]
    var options = MapLearning(.identity)
    if let edges { options.selection = .least(edges) }
    let found = try refusing {
      try MapLearning.compare(
        families, on: source, .folds(folds, seed: seed), options: options)
    }
    var delivery = Delivery()
    if let out {
      delivery.put {
        guard let learned = found.sheaf else {
          throw WorkFailure(description: "no sheaf is recommended: \(out) is not written")
        }
        try ArrayFile.write(learned.sheaf.json, to: out)
      }
    }
    let choice = found.choice?.name ?? (found.identity == nil ? "means" : "identity")
    if json {
      func object(_ name: String, _ validation: MapValidation) -> [String: Any] {
        [
          "maps": name, "rmse": JSONOutput.number(validation.rootMeanSquare),
          "rmseError": JSONOutput.number(validation.rootMeanSquareError),
          "explained": JSONOutput.number(validation.explained),
          "explainedError": JSONOutput.number(validation.explainedError),
          "discrepancy": JSONOutput.number(Self.mean(validation.discrepancies)),
        ]
      }
      delivery.put {
        try JSONOutput.print([
          "use": choice, "samples": source.count,
          "means": Dictionary(
            uniqueKeysWithValues: zip(
              source.graph.cells(ofDimension: 0), source.means
            ).map { (source.graph.name($0), $1.column(0).map { JSONOutput.number($0) }) }),
          "families": (found.identity.map { [object("identity", $0)] } ?? [])
            + found.candidates.map { candidate in
              object(candidate.family.name, candidate.validation).merging([
                "difference": JSONOutput.number(candidate.difference),
                "standardError": JSONOutput.number(candidate.standardError),
                "isBetter": candidate.isBetter,
              ]) { $1 }
            },
          "edges": found.sheaf.map { learned in
            zip(learned.keptFits, learned.weights).map { fit, weight -> [String: Any] in
              [
                "id": source.graph.name(fit.edge),
                "discrepancy": JSONOutput.number(fit.discrepancy),
                "weight": JSONOutput.number(weight),
              ]
            }
          } ?? [],
        ])
      }
    } else {
      delivery.print(text(found, source, choice))
    }
    try delivery.end()
  }

  private func text(_ found: MapComparison, _ source: VertexSignals, _ choice: String) -> String {
    func row(_ name: String, _ v: MapValidation, _ last: String) -> [String] {
      [
        name,
        "\(TextOutput.number(v.rootMeanSquare)) ± \(TextOutput.number(v.rootMeanSquareError))",
        TextOutput.number(v.explained), TextOutput.number(Self.mean(v.discrepancies)), last,
      ]
    }
    var rows = [["maps", "RMSE of a hidden vertex", "R²", "discrepancy", "difference of squares"]]
    if let identity = found.identity { rows.append(row("identity", identity, "")) }
    for candidate in found.candidates {
      rows.append(
        row(
          candidate.family.name, candidate.validation,
          "\(TextOutput.number(candidate.difference)) ± \(TextOutput.number(candidate.standardError))"
        ))
    }
    let beside = found.identity == nil ? "the means" : "the identity maps"
    return TextOutput.table(rows)
      + "\n\n\(counted(source.count, "sample")), each held out once in \(folds) parts\n"
      + (found.choice == nil
        ? "use \(choice): no learned maps are better than \(beside) by two standard errors"
        : "use \(choice): better than \(beside) by more than two standard errors")
      + "\nthe sheaf is for signals minus the means of their columns, which --json prints"
  }

  private static func mean(_ list: [Double?]) -> Double? {
    let known = list.compactMap { $0 }
    return known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
  }

  /// The graph of the file, and the columns of the signals by its vertices.
  private func vertexSignals() throws -> VertexSignals {
    let loaded = try SheafFile(contentsOf: graph)
    guard case .cellular(let sheaf) = loaded.content else {
      throw ArrayFileError(file: graph, problem: "a sheaf on a poset, expected one on a graph")
    }
    let whole =
      sheaf.complex.dimension > 1
      ? sheaf.restricted(to: sheaf.complex.skeleton(1)).sheaf : sheaf
    let table = try arrays.read(signals)
    guard table.rows == whole.cochainDimension(0) else {
      throw ArrayFileError(
        file: signals,
        problem:
          "\(table.columns) samples of \(table.rows) columns, expected \(whole.cochainDimension(0)), "
          + "the dimensions of the vertices of \(graph) altogether")
    }
    return try refusing {
      try VertexSignals(
        whole.complex,
        whole.complex.cells(ofDimension: 0).map { table.rows(whole.range(of: $0)) })
    }
  }

  private func refusing<Result>(_ work: () throws -> Result) throws -> Result {
    do { return try work() } catch let error as LearningError {
      if case .graph = error { throw ArrayFileError(file: graph, problem: "\(error)") }
      throw ArrayFileError(file: signals, problem: "\(error)")
    }
  }
}

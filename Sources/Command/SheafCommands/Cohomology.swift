import ArgumentParser
import ArrayFiles
import BigInt
import CellComplexes
import CellularSheaves
import ExactAlgebra
import Foundation
import LinearAlgebra
import SheafCohomology
import SheafFiles

struct Cohomology: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Cohomology of a sheaf: Betti numbers, torsion, representatives, holonomy.",
    discussion: """
      Over the real numbers by ranks of sparse QR factorisations, with what they dropped; over prime:P, rational and \
      integer exactly. Half-open edges count as cells. A sheaf on a poset has the cohomology of its order complex.

      Examples:
      sheaf cohomology complex.json
      sheaf cohomology complex.json --field integer --representatives
      sheaf cohomology graph.json --relative a,b --holonomy
      """)

  /// The ring of coefficients.
  enum Field: ExpressibleByArgument {
    case real
    case exact(ExactCohomology.Coefficients)

    init?(argument: String) {
      switch argument {
      case "real": self = .real
      case "rational": self = .exact(.rational)
      case "integer": self = .exact(.integer)
      default:
        guard argument.hasPrefix("prime:"), let p = Int(argument.dropFirst(6)) else { return nil }
        self = .exact(.prime(p))
      }
    }
  }

  @OptionGroup var file: SheafArgument
  @Option(help: "Only this degree.") var dimension: Int?
  @Option(
    help: """
      Cells with commas between them: the cohomology relative to their closure. An id that has commas itself stands in \
      double quotes.
      """)
  var relative: String?
  @Flag(
    help: """
      With compact supports, cells with missing faces being open. The complex of all cells computes it, which is that \
      without the option as well; --ordinary leaves open cells out.
      """) var compact = false
  @Flag(
    help:
      "Without the cells that have missing faces: the ordinary cohomology of half-open edges and the like."
  )
  var ordinary = false
  @Option(help: "real, prime:P, rational or integer.") var field = Field.real
  @Option(help: "Over the real numbers: norms of columns up to this count as 0.") var tolerance:
    Double?
  @Flag(help: "Cocycles in the classes of a basis: harmonic ones over the real numbers.")
  var representatives = false
  @Flag(help: "Real representatives that live on few cells, in place of harmonic ones.")
  var localized = false
  @Flag(help: "The transports around a basis of cycles of the graph, where maps are invertible.")
  var holonomy = false
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    if let dimension, dimension < 0 {
      throw ValidationError("--dimension is \(dimension), expected 0 or more")
    }
    if let tolerance, !(tolerance >= 0 && tolerance.isFinite) {
      throw ValidationError("--tolerance is \(tolerance), expected a number from 0 on")
    }
    guard !(compact && ordinary) else {
      throw ValidationError("--compact and --ordinary both found, expected one of them")
    }
    guard !localized || representatives else {
      throw ValidationError("--localized is about --representatives, expected it as well")
    }
    if case .exact = field, localized || tolerance != nil {
      throw ValidationError(
        "--localized and --tolerance are for --field real, found another field")
    }
  }

  /// What was found.
  private struct Findings {
    var betti: [Int]
    var ranks: [Int]
    var real: RealCohomology?
    var torsion: [[BigInt]] = []
    /// For each degree, by cell.
    var representatives: [[[String: Any]]]?
  }

  func run() throws {
    var files = CallFiles()
    file.declare(in: &files)
    files.prints("--json", json)
    try files.check()
    var (sheaf, _) = try file.loadChecked(degree: dimension)
    let holonomy = try self.holonomy ? file.refusing { try Holonomy(sheaf) } : nil
    // What is open is left out before cells relative to which are: these open others.
    if ordinary { sheaf = sheaf.withoutOpenCells() }
    if let relative {
      let cells = try CellList.cells(relative, in: sheaf.complex, option: "--relative")
      let closed = sheaf.complex.closure(cells)
      sheaf = try file.refusing { try sheaf.relative(to: closed).sheaf }
    }
    if let k = dimension {
      sheaf =
        sheaf.restricted(
          to: Set((max(k - 1, 0)...k + 1).flatMap { sheaf.complex.cells(ofDimension: $0) })
        ).sheaf
    }
    let findings = try file.refusing { try self.findings(sheaf) }
    var delivery = Delivery()
    if json {
      delivery.put { try JSONOutput.print(object(sheaf, findings, holonomy)) }
    } else {
      delivery.print(text(sheaf, findings, holonomy))
    }
    try delivery.end()
  }

  private func findings(_ sheaf: CellularSheaf) throws -> Findings {
    let top = max(sheaf.complex.dimension, dimension ?? 0)
    switch field {
    case .real:
      let real = try RealCohomology(sheaf, tolerance: tolerance)
      var findings = Findings(
        betti: real.betti, ranks: real.ranks.dropLast().map(\.value), real: real)
      findings.betti += [Int](repeating: 0, count: top + 1 - findings.betti.count)
      if representatives {
        findings.representatives = try (0...top).map { k in
          guard dimension.map({ $0 == k }) ?? true else { return [] }
          try file.checkBasis(of: findings.betti[k], sheaf.cochainDimension(k), degree: k)
          let basis = try HarmonicBasis(sheaf, degree: k, tolerance: tolerance)
          return CochainOutput(sheaf: sheaf, degree: k).objects(
            localized ? try basis.localized() : basis.cochains)
        }
      }
      return findings
    case .exact(let coefficients):
      let exact = try sheaf.exactCohomology(
        over: coefficients, findingRepresentatives: representatives)
      var findings = Findings(betti: exact.betti, ranks: exact.ranks, torsion: exact.torsion)
      let missing = top + 1 - findings.betti.count
      findings.betti += [Int](repeating: 0, count: missing)
      findings.torsion += [[BigInt]](repeating: [], count: missing)
      if representatives {
        findings.representatives = exact.representatives.enumerated().map { k, list in
          list.map { Self.object($0, sheaf, degree: k) }
        }
      }
      return findings
    }
  }

  /// Coefficients by cell, of the cells that have some.
  static func object(
    _ cocycle: SparseCocycle, _ sheaf: CellularSheaf, degree k: Int
  ) -> [String: Any] {
    let values = Dictionary(uniqueKeysWithValues: zip(cocycle.coordinates, cocycle.values))
    var object: [String: Any] = [:]
    for cell in sheaf.complex.cells(ofDimension: k) {
      let range = sheaf.range(of: cell)
      guard range.contains(where: { values[$0] != nil }) else { continue }
      object[sheaf.complex.name(cell)] = range.map { number(values[$0] ?? 0) }
    }
    return object
  }

  /// A number, or its digits where JSON's readers would round it.
  private static func number(_ n: BigInt) -> Any {
    abs(n) < BigInt(1) << 53 ? Int(n) as Any : "\(n)" as Any
  }

  private var fieldName: String {
    switch field {
    case .real: "real"
    case .exact(.rational): "rational"
    case .exact(.integer): "integer"
    case .exact(.prime(let p)): "prime:\(p)"
    }
  }

  /// The degrees that are shown.
  private func degrees(_ findings: Findings) -> [Int] {
    dimension.map { [$0] } ?? Array(findings.betti.indices)
  }

  private func object(
    _ sheaf: CellularSheaf, _ findings: Findings, _ holonomy: Holonomy?
  ) -> [String: Any] {
    let shown = degrees(findings)
    var object: [String: Any] = [
      "field": fieldName, "betti": shown.map { findings.betti[$0] }, "ranks": findings.ranks,
      "cochains": shown.map { sheaf.cochainDimension($0) },
    ]
    if let dimension {
      object["dimension"] = dimension
    } else {
      object["eulerCharacteristic"] = sheaf.eulerCharacteristic
    }
    if case .exact(.integer) = field {
      object["torsion"] = shown.map { findings.torsion[$0].map(Self.number) }
    }
    if let real = findings.real {
      object["isNarrow"] = real.isNarrow
      object["rankDecisions"] = real.ranks.dropLast().map {
        [
          "rank": $0.value, "tolerance": JSONOutput.number($0.tolerance),
          "smallestKept": JSONOutput.number($0.smallestKept), "isRaised": $0.isRaised,
          "largestDropped": JSONOutput.number($0.largestDropped), "isNarrow": $0.isNarrow,
        ] as [String: Any]
      }
    }
    if let list = findings.representatives {
      object["representatives"] = shown.map { list.indices.contains($0) ? list[$0] : [] }
    }
    if let holonomy { object["holonomy"] = self.object(holonomy) }
    return object
  }

  private func object(_ holonomy: Holonomy) -> [String: Any] {
    let complex = holonomy.sheaf.complex
    var object: [String: Any] = [
      "cycles": holonomy.cycles.map { cycle in
        [
          "root": complex.name(cycle.root),
          "edges": holonomy.path(of: cycle).map {
            ($0.isForward ? "" : "-") + complex.name($0.edge)
          },
          "transport": (0..<cycle.transport.rows).map { i in
            (0..<cycle.transport.columns).map { JSONOutput.number(cycle.transport[i, $0]) }
          },
        ] as [String: Any]
      }
    ]
    object["invariants"] = (try? holonomy.invariantDimension()) as Any? ?? NSNull()
    return object
  }

  private func text(
    _ sheaf: CellularSheaf, _ findings: Findings, _ holonomy: Holonomy?
  ) -> String {
    let isInteger = if case .exact(.integer) = field { true } else { false }
    var rows = [["degree", "cochains", "betti"] + (isInteger ? ["torsion"] : [])]
    for k in degrees(findings) {
      rows.append(
        ["\(k)", "\(sheaf.cochainDimension(k))", "\(findings.betti[k])"]
          + (isInteger
            ? [
              findings.torsion[k].isEmpty
                ? "-" : findings.torsion[k].map { "Z/\($0)" }.joined(separator: " + ")
            ] : []))
    }
    var parts = [TextOutput.table(rows)]
    if let real = findings.real, real.ranks.contains(where: { $0.value > 0 }) {
      let kept = real.ranks.dropLast().map(\.smallestKept).min() ?? .infinity
      let dropped = real.ranks.dropLast().map { max($0.largestDropped, $0.tolerance) }.max() ?? 0
      parts.append(
        real.isNarrow
          ? "a rank is in doubt: the smallest pivot kept is \(TextOutput.number(kept)), what counts as 0 "
            + "\(TextOutput.number(dropped)); --tolerance, or an exact --field, decides"
          : real.isRaised
            ? "ranks with a gap that a larger tolerance leaves: the smallest pivot kept is "
              + "\(TextOutput.number(kept)), what counts as 0 \(TextOutput.number(dropped)); an exact --field is sure"
            : "ranks with a gap: the smallest pivot kept is \(TextOutput.number(kept)), what counts as 0 "
              + TextOutput.number(dropped))
    }
    for (k, list) in (findings.representatives ?? []).enumerated()
    where degrees(findings).contains(k) {
      for (i, cocycle) in list.enumerated() {
        let cells = cocycle.keys.sorted { ($0.count, $0) < ($1.count, $1) }
        parts.append(
          "class \(i + 1) of degree \(k), on \(counted(cells.count, "cell")): "
            + cells.prefix(12).map { "\($0.printable) \(Self.words(cocycle[$0]!))" }.joined(
              separator: "; ")
            + (cells.count > 12 ? "; …" : ""))
      }
    }
    if let holonomy {
      let complex = holonomy.sheaf.complex
      for cycle in holonomy.cycles.prefix(20) {
        parts.append(
          "around "
            + holonomy.path(of: cycle).map {
              ($0.isForward ? "" : "-") + complex.name($0.edge).printable
            }
            .joined(separator: " ") + ":\n"
            + (0..<cycle.transport.rows).map { i in
              "  "
                + (0..<cycle.transport.columns).map { TextOutput.number(cycle.transport[i, $0]) }
                .joined(separator: " ")
            }.joined(separator: "\n"))
      }
      if let invariants = try? holonomy.invariantDimension() {
        parts.append(
          "the transports leave \(counted(invariants, "dimension")) as they are")
      }
    }
    return parts.joined(separator: "\n\n")
  }

  private static func words(_ values: Any) -> String {
    (values as? [Any] ?? []).map { value in
      (value as? Double).map { TextOutput.number($0) } ?? "\(value)"
    }.joined(separator: " ")
  }
}

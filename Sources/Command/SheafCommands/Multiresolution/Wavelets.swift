import ArgumentParser
import ArrayFiles
import CellularSheaves
import Foundation
import LinearAlgebra
import SheafCoarsening
import SheafFiles

struct Wavelets: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Take an assignment of a sheaf's vertices apart by scales, and take noise off.",
    discussion: """
      An orthonormal basis of wavelets on a hierarchy of the vertices: level 1 has the smallest parts. Shown is how much \
      of the assignment's square norm belongs to each level; --denoise shrinks the coefficients.

      Examples:
      sheaf wavelets graph.json --assignment values.json
      sheaf wavelets graph.json --assignment values.json --hierarchy parts.json --denoise universal --json
      """)

  enum Rule: String, ExpressibleByArgument, CaseIterable {
    case bayes
    case universal
    case hard
  }

  @OptionGroup var file: SheafArgument
  @Option(help: "An ASSIGNMENT of all vertices, without variances.") var assignment: String
  @Option(
    help: """
      independent-sets, spectral, or a JSON file {"a": [0, 0], "b": [0, 1], …} with the part of each vertex at each level, \
      finest first.
      """) var hierarchy = "spectral"
  @Option(help: "The dimension of the scaling spaces; that of the largest stalk if not given.")
  var scaling: Int?
  @Option(
    help: "bayes or universal: soft thresholds by level, or one for all; hard: that one, hard.")
  var denoise: Rule?
  @Option(help: "The deviation of the noise; from the wavelets of level 1 if not given.")
  var noise: Double?
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    if let scaling, scaling < 0 {
      throw ValidationError("--scaling is \(scaling), expected 0 or more")
    }
    if let noise {
      guard denoise != nil else {
        throw ValidationError("--noise is for --denoise, expected it as well")
      }
      guard noise >= 0 && noise.isFinite else {
        throw ValidationError("--noise is \(noise), expected 0 or a positive number")
      }
    }
  }

  private var partsFile: String? {
    ["independent-sets", "spectral"].contains(hierarchy) ? nil : hierarchy
  }

  func run() throws {
    var files = CallFiles()
    file.declare(in: &files)
    files.reads("--assignment", assignment)
    files.reads("--hierarchy", partsFile)
    files.prints("--json", json)
    try files.check()
    let (sheaf, _) = try file.loadChecked()
    let y = try AssignmentFile(contentsOf: assignment).vertexCochain(in: sheaf, file: assignment)
    guard y.maximumMagnitude < 1e150 else {
      throw ArrayFileError(
        file: assignment,
        problem: "has a value of 1e150 or more, expected values whose squares add up")
    }
    let parts = try levels(sheaf)
    let wavelets = try file.refusing {
      try SheafWavelets(sheaf, parts, scalingDimension: scaling)
    }
    let coefficients = wavelets.analyse(y)
    let powers = wavelets.powers(coefficients).map { $0[0] }
    let estimate = noise == nil && denoise != nil ? wavelets.noise(of: y) : nil
    let cleaned = try denoise.map { rule -> Matrix in
      do throws(CoarseningError) {
        return try wavelets.denoise(
          y, noise: noise,
          by: rule == .bayes ? .bayes : .universal(isSoft: rule == .universal))
      } catch {
        throw ArrayFileError(file: file.name, problem: "\(error), by --noise")
      }
    }
    let output = CochainOutput(sheaf: sheaf, degree: 0)
    var delivery = Delivery()
    if json {
      var object: [String: Any] = [
        "levels": (1..<parts.levels).map { level in
          [
            "level": level, "parts": parts.counts[level],
            "members": parts.members(level).map { $0.map { sheaf.complex.name($0) } },
            "power": JSONOutput.number(powers[level - 1]),
          ] as [String: Any]
        },
        "scaling": JSONOutput.number(powers.last),
        "coefficients": wavelets.elements.enumerated().map { i, element in
          [
            "level": element.level, "part": element.part,
            "frequency": JSONOutput.number(element.frequency), "isScaling": element.isScaling,
            "value": JSONOutput.number(coefficients[i, 0]),
          ] as [String: Any]
        },
      ]
      if let cleaned {
        object["denoised"] = output.object(cleaned.column(0))
        object["noise"] = JSONOutput.number(noise ?? estimate?.deviation)
      }
      delivery.put { try JSONOutput.print(object) }
    } else {
      let largest = max(powers.max() ?? 0, .leastNormalMagnitude)
      let total = powers.reduce(0) { $0 + $1 / largest }
      var rows = [["level", "parts", "power", "share"]]
      for level in 1..<max(parts.levels, 1) {
        rows.append([
          "\(level)", "\(parts.counts[level])", TextOutput.number(powers[level - 1]),
          TextOutput.number(powers[level - 1] / largest / total),
        ])
      }
      rows.append([
        "scaling", "", TextOutput.number(powers.last!),
        TextOutput.number(powers.last! / largest / total),
      ])
      delivery.print(
        TextOutput.table(rows)
          + (cleaned.map {
            "\n\n" + output.table([("given", y.column(0)), ("denoised", $0.column(0))])
              + (estimate.map {
                "\n\nnoise of deviation \(TextOutput.number($0.deviation)), from the "
                  + "\(counted($0.coefficients, "wavelet")) of level \($0.level)"
              } ?? "")
          } ?? ""))
    }
    try delivery.end()
  }

  private func levels(_ sheaf: CellularSheaf) throws -> VertexHierarchy {
    guard let path = partsFile else {
      let couplings = VertexCouplings(sheaf)
      return hierarchy == "spectral"
        ? try file.refusing { try .spectralBisection(couplings) } : .independentSets(couplings)
    }
    let entries = try AssignmentFile(contentsOf: path).entries
    let names = sheaf.complex.cells(ofDimension: 0).map(sheaf.complex.name)
    func failure(_ problem: String) -> ArrayFileError {
      ArrayFileError(file: path, problem: problem)
    }
    let known = Set(names)
    if let other = entries.keys.filter({ !known.contains($0) }).min() {
      throw failure(
        "\"\(other.printable)\" is no vertex of the sheaf, expected ids of its vertices")
    }
    var labels: [[Int]] = []
    for name in names {
      guard let parts = entries[name]?.values else {
        throw failure("vertex \"\(name.printable)\" has no parts, expected those of every vertex")
      }
      if labels.isEmpty { labels = parts.map { _ in [] } }
      guard parts.count == labels.count else {
        throw failure(
          "vertex \"\(name.printable)\" has parts at \(counted(parts.count, "level")), others at \(labels.count)"
        )
      }
      for (level, part) in parts.enumerated() {
        guard let number = Int(exactly: part) else {
          throw failure(
            "vertex \"\(name.printable)\" has the part \(part), expected whole numbers")
        }
        labels[level].append(number)
      }
    }
    for level in 1..<max(labels.count, 1) {
      var first: [Int: Int] = [:]
      for v in names.indices {
        let u = first[labels[level - 1][v]] ?? v
        first[labels[level - 1][v]] = u
        guard labels[level][u] == labels[level][v] else {
          throw failure(
            "\"\(names[u].printable)\" and \"\(names[v].printable)\" are in part \(labels[level - 1][v]) of "
              + "entry \(level) and in parts \(labels[level][u]) and \(labels[level][v]) of entry \(level + 1), "
              + "expected parts that lie in one part each")
        }
      }
    }
    do throws(CoarseningError) {
      return try VertexHierarchy(vertices: names.count, labels: labels)
    } catch {
      throw failure("\(error)")
    }
  }
}

import ArgumentParser
import ArrayFiles
import CellularSheaves
import Foundation
import LinearAlgebra
import SheafCohomology
import SheafFiles

struct Sections: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Global sections of a sheaf: a basis, and the section nearest to an assignment.",
    discussion: """
      A global section gives every vertex a value such that the ends of every edge agree on it. The basis is orthonormal; \
      --localized prefers one whose sections live on few cells.

      Examples:
      sheaf sections sensors.json
      sheaf sections sensors.json --nearest readings.json --json
      """)

  @OptionGroup var file: SheafArgument
  @Option(help: "An ASSIGNMENT of all vertices: the section nearest to it.") var nearest: String?
  @Flag(help: "A basis of sections that live on few cells, in place of an orthonormal one.")
  var localized = false
  @Flag(help: "Print one JSON object.") var json = false

  func run() throws {
    var files = CallFiles()
    file.declare(in: &files)
    files.reads("--nearest", nearest)
    files.prints("--json", json)
    try files.check()
    let (sheaf, _) = try file.loadChecked(degree: 0)
    let target = try nearest.map {
      try AssignmentFile(contentsOf: $0).vertexCochain(in: sheaf, file: $0)
    }
    if sheaf.cochainDimension(0) > 20_000 {
      // A basis has as many numbers as sections times coordinates: counted before it is made.
      let zero = sheaf.restricted(to: sheaf.complex.skeleton(1)).sheaf
      let betti = try file.refusing { try RealCohomology(zero) }.betti[0]
      try file.checkBasis(of: betti, sheaf.cochainDimension(0), degree: 0)
    }
    let harmonic = try file.refusing { try HarmonicBasis(sheaf, degree: 0) }
    let basis = localized ? try file.refusing { try harmonic.localized() } : harmonic.cochains
    let found = try target.map { c in
      try file.refusing { try NearestCocycle(to: c, in: sheaf) }
    }
    let output = CochainOutput(sheaf: sheaf, degree: 0)
    var delivery = Delivery()
    if json {
      var object: [String: Any] = [
        "dimension": basis.columns, "basis": output.objects(basis), "isNarrow": harmonic.isNarrow,
      ]
      if let found {
        object["nearest"] = output.object(found.cocycles.column(0))
        object["distance"] = JSONOutput.number(found.distances[0])
        object["moved"] = Dictionary(
          uniqueKeysWithValues: moves(sheaf, target!, found).map {
            ($0.cell, JSONOutput.number($0.norm))
          })
        object["residual"] = JSONOutput.number(found.residual)
      }
      delivery.put { try JSONOutput.print(object) }
    } else {
      let columns = (0..<min(basis.columns, 6)).map { ("section \($0 + 1)", basis.column($0)) }
      let first = found.map { [("nearest", $0.cocycles.column(0))] } ?? []
      delivery.print(
        (first.isEmpty && columns.isEmpty ? "" : output.table(first + columns) + "\n\n")
          + "\(counted(basis.columns, "dimension")) of global sections"
          + (columns.count < basis.columns ? ", the first \(columns.count) are shown" : "")
          + (found.map { "; the nearest one is at distance \(TextOutput.number($0.distances[0]))" }
            ?? "")
          + (found.map { found in
            let worst = moves(sheaf, target!, found).sorted { $0.norm > $1.norm }.prefix(3)
            return ", and farthest from it "
              + worst.map { "\($0.cell.printable) by \(TextOutput.number($0.norm))" }.joined(
                separator: ", ")
          } ?? "")
          + (harmonic.isNarrow
            ? "\nthe numbers leave the dimension open: see sheaf cohomology" : ""))
    }
    try delivery.end()
  }

  /// How far the value of each vertex is from the section's, in the norm of its weight.
  private func moves(
    _ sheaf: CellularSheaf, _ target: Matrix, _ found: NearestCocycle
  ) -> [(cell: String, norm: Double)] {
    var difference = target
    difference.add(found.cocycles, scale: -1)
    let coordinates = sheaf.orthonormal(difference, degree: 0)
    return sheaf.complex.cells(ofDimension: 0).map { cell in
      (sheaf.complex.name(cell), coordinates.sumOfSquares(rows: sheaf.range(of: cell)).squareRoot())
    }
  }
}

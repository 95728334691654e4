import ArgumentParser
import ArrayFiles
import CellularSheaves
import Foundation
import LinearAlgebra
import SheafCoarsening
import SheafFiles

struct Coarsen: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Reduce a sheaf to some of its cells: the energy that is left when all others follow.",
    discussion: """
      The Kron reduction S of δ*δ to the kept cells, a Schur complement: ½⟨x, S x⟩ is the least energy ½‖δc‖² of all that \
      extends x. --out writes a sheaf on the kept vertices with this energy. With --values the assignment of the kept \
      cells is extended to all.

      Examples:
      sheaf coarsen graph.json --keep a,b,c
      sheaf coarsen graph.json --keep a,b --values ends.json --json
      sheaf coarsen graph.json --keep a,b,c --out small.json
      """)

  @OptionGroup var file: SheafArgument
  @Option(
    help: """
      Cells of one dimension with commas between them. An id that has commas itself stands in double quotes.
      """) var keep: String
  @Option(help: "An ASSIGNMENT of the kept cells, to be extended.") var values: String?
  @Option(help: "Write the reduced sheaf, for kept vertices, into a .json file.") var out: String?
  @Flag(help: "Print one JSON object.") var json = false

  func run() throws {
    var files = CallFiles()
    file.declare(in: &files)
    files.reads("--values", values)
    try files.writes("--out", out, extensions: ["json"])
    files.prints("--json", json)
    try files.check()
    let (sheaf, _) = try file.loadChecked()
    let kept = try CellList.cells(keep, in: sheaf.complex, option: "--keep")
    guard let first = kept.first else {
      throw ValidationError("--keep is empty, expected ids of cells with commas between them")
    }
    let degree = sheaf.complex.dimension(of: first)
    if out != nil, degree != 0 {
      throw ValidationError(
        "--out writes a sheaf on kept vertices, found \"\(sheaf.complex.name(first).printable)\" of dimension "
          + "\(degree) in --keep")
    }
    let reduction = try refusing { try KronReduction(sheaf, keeping: kept, degree: degree) }
    guard !json || reduction.coordinates.count <= 5000 else {
      throw ArrayFileError(
        file: file.name,
        problem:
          "a matrix of \(reduction.coordinates.count) rows, expected at most 5,000 for --json")
    }
    let reduced = try out.map { _ in try refusing { try reduction.reduced() } }
    let extended = try values.map { try self.extended(by: $0, reduction) }
    var delivery = Delivery()
    if let out, let reduced { delivery.put { try ArrayFile.write(reduced.sheaf.json, to: out) } }
    if json {
      delivery.put { try JSONOutput.print(object(reduction, reduced, extended)) }
    } else {
      delivery.print(text(reduction, reduced, extended))
    }
    try delivery.end()
  }

  /// The extension of an assignment, and its energy.
  private func extended(
    by path: String, _ reduction: KronReduction
  ) throws -> (values: [Double], energy: Double) {
    let sheaf = reduction.sheaf
    let found = try AssignmentFile(contentsOf: path).coordinates(in: sheaf, file: path)
    guard found.degree == reduction.degree,
      Set(found.coordinates) == Set(reduction.coordinates)
    else {
      throw ArrayFileError(
        file: path,
        problem:
          "has values of \(counted(found.coordinates.count, "coordinate")) of cells of dimension "
          + "\(found.degree), expected those of the kept cells, \(reduction.coordinates.count) of dimension "
          + "\(reduction.degree)")
    }
    let x = Matrix(column: found.values).spread(
      to: found.coordinates, of: sheaf.cochainDimension(reduction.degree)
    ).gathered(reduction.coordinates)
    return try refusing { (try reduction.prolong(x).column(0), reduction.energies(x)[0]) }
  }

  private func object(
    _ reduction: KronReduction, _ reduced: KronReduction.Reduced?,
    _ extended: (values: [Double], energy: Double)?
  ) -> [String: Any] {
    let sheaf = reduction.sheaf
    let s = reduction.complement.matrix
    var object: [String: Any] = [
      "kept": reduction.kept.map { sheaf.complex.name($0) }, "degree": reduction.degree,
      "stalks": reduction.kept.map { sheaf.stalk(of: $0) },
      "laplacian": (0..<s.rows).map { i in
        (0..<s.columns).map { JSONOutput.number(s[i, $0]) }
      },
      "uniqueUpTo": reduction.complement.freedom, "isNarrow": reduction.complement.isNarrow,
    ]
    if let reduced {
      object["isGraph"] = reduced.isGraph
      object["edges"] = reduced.sheaf.complex.cells(ofDimension: 1).count
    }
    if let extended {
      object["extension"] = CochainOutput(sheaf: sheaf, degree: reduction.degree).object(
        extended.values)
      object["energy"] = JSONOutput.number(extended.energy)
    }
    return object
  }

  private func text(
    _ reduction: KronReduction, _ reduced: KronReduction.Reduced?,
    _ extended: (values: [Double], energy: Double)?
  ) -> String {
    let sheaf = reduction.sheaf
    let freedom = reduction.complement.freedom
    var parts: [String] = []
    if reduction.coordinates.count <= 12 {
      let s = reduction.complement.matrix
      let names = reduction.kept.flatMap { cell in
        sheaf.range(of: cell).map { _ in sheaf.complex.name(cell).printable }
      }
      parts.append(
        TextOutput.table(
          [["cell"] + names]
            + (0..<s.rows).map { i in
              [names[i]] + (0..<s.columns).map { TextOutput.number(s[i, $0]) }
            }))
    }
    parts.append(
      "\(counted(reduction.kept.count, "cell")) kept with \(counted(reduction.coordinates.count, "coordinate")), "
        + "\(reduction.complement.eliminated.count) eliminated; the extension is "
        + (freedom == 0 ? "unique" : "unique up to \(counted(freedom, "dimension"))")
        + (reduction.complement.isNarrow ? ", which is in doubt" : "")
        + (reduced.map { reduced in
          "\nthe reduced sheaf has "
            + counted(reduced.sheaf.complex.cells(ofDimension: 1).count, "cell")
            + " of dimension 1"
            + (reduced.isGraph ? "" : ", not all with one or two ends")
        } ?? ""))
    if let extended {
      parts.append(
        CochainOutput(sheaf: sheaf, degree: reduction.degree).table([
          ("extension", extended.values)
        ]) + "\n\nenergy \(TextOutput.number(extended.energy))")
    }
    return parts.joined(separator: "\n\n")
  }

  private func refusing<Result>(_ work: () throws -> Result) throws -> Result {
    do { return try file.refusing(work) } catch let error as CoarseningError {
      throw ArrayFileError(file: file.name, problem: "\(error)")
    }
  }
}

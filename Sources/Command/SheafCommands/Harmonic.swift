import ArgumentParser
import ArrayFiles
import CellularSheaves
import Figures
import Foundation
import LinearAlgebra
import SheafCohomology
import SheafFiles

struct Harmonic: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Extend values on some cells harmonically to the others: the least energy ½‖δc‖².",
    discussion: """
      Where the values do not determine the rest, the extension of least norm is given with the dimension of the freedom \
      and a basis of it.

      Example: sheaf harmonic graph.json --boundary values.json
      """)

  @OptionGroup var file: SheafArgument
  @Option(
    help: "An ASSIGNMENT: a JSON file {\"a\": [1, 2], …} with values of cells of one dimension.")
  var boundary: String
  @Option(
    help:
      "Draw the extension into an .svg, .pdf or .png file, where cells have a position in the plane."
  )
  var figure: String?
  @Flag(help: "Print one JSON object.") var json = false

  func run() throws {
    var files = CallFiles()
    file.declare(in: &files)
    files.reads("--boundary", boundary)
    try files.writes("--figure", figure, extensions: DrawingFormat.allCases.map(\.rawValue))
    files.prints("--json", json)
    try files.check()
    let (sheaf, loaded) = try file.loadChecked()
    let (degree, fixed, values) = try AssignmentFile(contentsOf: boundary).coordinates(
      in: sheaf, file: boundary)
    let extended = try file.refusing {
      try HarmonicExtension(of: Matrix(column: values), on: fixed, in: sheaf, degree: degree)
    }
    let output = CochainOutput(sheaf: sheaf, degree: degree)
    let column = extended.cochains.column(0)
    var delivery = Delivery()
    if let figure {
      delivery.draw(
        try CochainDrawing(
          sheaf, degree: degree, values: column, positions: loaded.positions, file: file.name
        ).figure, to: figure)
    }
    if json {
      delivery.put {
        try JSONOutput.print([
          "extension": output.object(column), "degree": degree,
          "uniqueUpTo": extended.freedom as Any? ?? NSNull(),
          "basis": output.objects(extended.basis),
          "energy": JSONOutput.number(extended.energies[0]),
          "residual": JSONOutput.number(extended.residual),
          "condition": JSONOutput.number(extended.condition), "method": extended.method.rawValue,
          "status": extended.status.rawValue,
        ])
      }
    } else {
      let shown = (0..<min(extended.basis.columns, 4)).map {
        ("freedom \($0 + 1)", extended.basis.part(columns: [$0]).dense.column(0))
      }
      let freedom =
        extended.freedom.map {
          $0 == 0
            ? "the extension is unique"
            : "the extension is unique up to \(counted($0, "dimension"))"
        } ?? "the freedom is not known"
      delivery.print(
        output.table([("extension", column)] + shown) + "\n\n"
          + "energy \(TextOutput.number(extended.energies[0])), \(freedom), residual "
          + "\(TextOutput.number(extended.residual)), condition "
          + "\(TextOutput.number(extended.condition)), by \(extended.method.rawValue)")
    }
    try delivery.end(
      extended.status == .converged
        ? nil
        : WorkFailure(
          description: "the conjugate gradients did not converge: \(extended.status.rawValue)"))
  }
}

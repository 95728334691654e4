import ArgumentParser
import ArrayFiles
import CellularSheaves
import Figures
import Foundation
import LinearAlgebra
import SheafCohomology
import SheafFiles

struct Laplacian: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The Laplacian of a sheaf on cochains: the matrix and its eigenvalues.",
    discussion: """
      L = δ*δ + δδ* in orthonormal coordinates of the stalks, symmetric. Its kernel has the dimension of the cohomology. \
      The smallest eigenvalues are confirmed by the inertia of L − μ: none below the last is missing. How often the last \
      itself occurs is not said; for 0 see sheaf cohomology.

      Examples:
      sheaf laplacian graph.json --dimension 0 --eigenvalues 5
      sheaf laplacian complex.json --dimension 1 --eigenvalues all --out laplacian.npz
      """)

  enum Count: ExpressibleByArgument {
    case all
    case smallest(Int)

    init?(argument: String) {
      if argument == "all" {
        self = .all
      } else if let n = Int(argument), n > 0 {
        self = .smallest(n)
      } else {
        return nil
      }
    }
  }

  @OptionGroup var file: SheafArgument
  @Option(help: "The degree of the cochains.") var dimension = 0
  @Option(help: "up (δ*δ), down (δδ*) or hodge, their sum.") var part = SheafLaplacian.Part.hodge
  @Flag(help: "Scale by the inverse roots of the diagonal blocks of the cells.") var normalized =
    false
  @Option(help: "How many of the smallest eigenvalues, or all.") var eigenvalues: Count?
  @Option(
    help: "Write the matrix for scipy.sparse.load_npz (compressed columns).")
  var out: String?
  @Option(help: "Draw the eigenvalues into an .svg, .pdf or .png file.") var figure: String?
  @OptionGroup var plot: PlotOption
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    guard dimension >= 0 else {
      throw ValidationError("--dimension is \(dimension), expected 0 or more")
    }
    guard eigenvalues != nil || figure == nil && !plot.plot else {
      throw ValidationError("--figure and --plot show eigenvalues, expected --eigenvalues as well")
    }
    try plot.check(json: json)
  }

  func run() throws {
    var files = CallFiles()
    file.declare(in: &files)
    try files.writes("--out", out, extensions: ["npz"])
    try files.writes("--figure", figure, extensions: DrawingFormat.allCases.map(\.rawValue))
    files.prints("--json", json)
    try files.check()
    let (sheaf, _) = try file.loadChecked(degree: dimension)
    let laplacian = SheafLaplacian(
      sheaf, degree: dimension, part: part, isNormalized: normalized)
    let n = laplacian.triangle.rows
    let spectrum = try eigenvalues.map { try self.spectrum(of: laplacian, $0, n) }
    var delivery = Delivery()
    if let out {
      delivery.put { try SparseMatrixFile.write(laplacian.laplacian.matrix, to: out) }
    }
    if let figure, let spectrum {
      delivery.draw(Figure(panels: [panel(spectrum)]), to: figure)
    }
    if json {
      delivery.put { try JSONOutput.print(object(laplacian, spectrum)) }
    } else {
      delivery.print(text(laplacian, spectrum))
      if let spectrum { plot.add(panel(spectrum), to: &delivery) }
    }
    let isOpen = spectrum.map { $0.status != .converged || !$0.isConfirmed } ?? false
    try delivery.end(
      isOpen
        ? WorkFailure(
          description: "the eigenvalues are not confirmed: \(spectrum!.status.rawValue), residual "
            + "\(spectrum!.residuals.max() ?? 0)") : nil)
  }

  private func spectrum(
    of laplacian: SheafLaplacian, _ count: Count, _ n: Int
  ) throws -> LaplacianSpectrum {
    try file.refusing {
      switch count {
      case .smallest(let k): return try LaplacianSpectrum(smallest: k, of: laplacian)
      case .all:
        let bytes = 16 * Double(n) * Double(n)
        guard bytes <= Double(ProcessInfo.processInfo.physicalMemory) else {
          throw SheafError.quantity(
            name: "--eigenvalues all", found: "\(n) of them, matrices of \(Int(bytes / 1e9)) GB",
            expected: "what fits into memory, or --eigenvalues N")
        }
        return try LaplacianSpectrum(all: laplacian)
      }
    }
  }

  private func panel(_ spectrum: LaplacianSpectrum) -> Panel {
    Panel(
      "eigenvalues of degree \(dimension)", x: Axis("number"), y: Axis(),
      layers: [.points(x: spectrum.values.indices.map { Double($0 + 1) }, y: spectrum.values)])
  }

  private func object(
    _ laplacian: SheafLaplacian, _ spectrum: LaplacianSpectrum?
  ) -> [String: Any] {
    var object: [String: Any] = [
      "dimension": dimension, "order": laplacian.triangle.rows,
      "entries": laplacian.laplacian.matrix.values.count,
      "trace": JSONOutput.number(laplacian.triangle.diagonal.reduce(0, +)),
    ]
    if let spectrum {
      object["eigenvalues"] = spectrum.values.map { JSONOutput.number($0) }
      object["multiplicities"] = spectrum.multiplicities().map {
        ["value": JSONOutput.number($0.value), "count": $0.count] as [String: Any]
      }
      object["residual"] = JSONOutput.number(spectrum.residuals.max())
      object["isConfirmed"] = spectrum.isConfirmed
      object["status"] = spectrum.status.rawValue
    }
    return object
  }

  private func text(_ laplacian: SheafLaplacian, _ spectrum: LaplacianSpectrum?) -> String {
    let head =
      "order \(laplacian.triangle.rows), \(laplacian.laplacian.matrix.values.count) entries, trace "
      + TextOutput.number(laplacian.triangle.diagonal.reduce(0, +))
    guard let spectrum else { return head }
    let rows =
      [["eigenvalue", "times"]]
      + spectrum.multiplicities().map { [TextOutput.number($0.value), "\($0.count)"] }
    return head + "\n\n" + TextOutput.table(rows)
      + (spectrum.isConfirmed ? "\n\nnone is missing below the last" : "")
  }
}

extension SheafLaplacian.Part: ExpressibleByArgument {}

/// A sparse matrix as `scipy.sparse` reads it.
enum SparseMatrixFile {
  /// Writes `data`, `indices`, `indptr`, `shape` and `format` = csc.
  static func write(_ matrix: SparseMatrix, to path: String) throws {
    try NPZ.write(
      ["data": NumericArray(shape: [matrix.values.count], elements: matrix.values)],
      texts: ["format": ["csc"]],
      integers: [
        "indices": matrix.rowIndices.map { Int($0) }, "indptr": matrix.columnStarts,
        "shape": [matrix.rows, matrix.columns],
      ], to: path)
  }
}

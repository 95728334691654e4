import ArgumentParser
import ArrayFiles
import CellComplexes
import CellularSheaves
import ExactAlgebra
import Foundation
import LinearAlgebra
import ModelFormats
import NetworkMaps
import SheafFiles

/// The sheaf that a command reads.
struct SheafArgument: ParsableArguments {
  @Argument(
    help: """
      The sheaf: JSON (cells, graph, points or poset; Docs/Sheaves.md), GraphML, or a table of edges (.csv); - for \
      standard input.
      """) var sheaf: String

  func declare(in files: inout CallFiles) { files.reads("SHEAF", sheaf) }

  /// The name for messages.
  var name: String { sheaf == "-" ? "standard input" : sheaf }

  func load() throws -> SheafFile {
    let folder = URL(fileURLWithPath: sheaf).deletingLastPathComponent()
    // A network's name is relative to the file that names it.
    return try SheafFile(contentsOf: sheaf) { path throws(ArrayFileError) in
      let place =
        path.hasPrefix("/") || sheaf == "-" ? path : folder.appendingPathComponent(path).path
      do { return NetworkMap(try NetworkFile.read(place, NetworkReading())) } catch {
        throw error as? ArrayFileError ?? ArrayFileError(file: place, problem: "\(error)")
      }
    }
  }

  /// The sheaf on a complex, a functor with δδ = 0; one on a poset on its order complex.
  ///
  /// - Parameter degree: the degree of which the cohomology is asked for; all if nil.
  func loadChecked(degree: Int? = nil) throws -> (sheaf: CellularSheaf, file: SheafFile) {
    let file = try load()
    if case .poset(let poset) = file.content {
      let chains = poset.poset.chainCount(maximumDimension: degree.map { $0 + 1 } ?? .max)
      guard chains <= 1e7 else {
        throw ArrayFileError(
          file: name,
          problem: String(
            format: "a poset with %.3g chains, expected at most 10,000,000 in its order complex%@",
            chains,
            degree == nil ? "; --dimension keeps them short where there is one" : ""))
      }
    }
    guard let sheaf = file.cellular(maximumDimension: degree.map { $0 + 1 } ?? .max) else {
      throw ArrayFileError(
        file: name,
        problem:
          "has maps that are not linear, expected linear ones; sheaf consistency, fuse and anomalies take others"
      )
    }
    if case .cellular = file.content { try refusing { try sheaf.check() } }
    return (sheaf, file)
  }

  /// Refuses a dense basis that would not fit into memory.
  func checkBasis(of dimension: Int, _ coordinates: Int, degree: Int) throws {
    let bytes = 8 * Double(dimension) * Double(coordinates)
    guard bytes <= Double(ProcessInfo.processInfo.physicalMemory) / 2 else {
      throw ArrayFileError(
        file: name,
        problem:
          "H^\(degree) has \(counted(dimension, "dimension")), a basis of it \(Int(bytes / 1e9)) GB, expected "
          + "one that fits into memory; sheaf cohomology counts without a basis, --field rational finds sparse ones"
      )
    }
  }

  /// Has errors about the sheaf name the file.
  func refusing<Result>(_ work: () throws -> Result) throws -> Result {
    do { return try work() } catch {
      guard
        error is SheafError || error is CellComplexError || error is FactorizationError
          || error is CochainComplexError
      else { throw error }
      throw ArrayFileError(file: name, problem: "\(error)")
    }
  }
}

/// Cochains as JSON and as text: lists of numbers by cell.
struct CochainOutput {
  let sheaf: CellularSheaf
  let degree: Int

  /// The values of a cochain by cell; only of cells with one that is not 0 where it is sparse.
  func object(_ cochain: [Double], isSparse: Bool = false) -> [String: Any] {
    var result: [String: Any] = [:]
    for cell in sheaf.complex.cells(ofDimension: degree) {
      let values = Array(cochain[sheaf.range(of: cell)])
      if isSparse && values.allSatisfy({ $0 == 0 }) { continue }
      result[sheaf.complex.name(cell)] = values.map { JSONOutput.number($0) }
    }
    return result
  }

  /// One object for each column.
  func objects(_ cochains: Matrix) -> [[String: Any]] {
    (0..<cochains.columns).map { object(cochains.column($0), isSparse: true) }
  }

  /// One object for each column of a sparse matrix.
  func objects(_ cochains: SparseMatrix) -> [[String: Any]] {
    (0..<cochains.columns).map {
      object(cochains.part(columns: [$0]).dense.column(0), isSparse: true)
    }
  }

  /// A table with a row for each cell and a column for each cochain, of the first cells.
  func table(_ cochains: [(name: String, values: [Double])], most: Int = 40) -> String {
    let cells = sheaf.complex.cells(ofDimension: degree)
    var rows = [["cell"] + cochains.map(\.name)]
    for cell in cells.prefix(most) {
      rows.append(
        [sheaf.complex.name(cell).printable]
          + cochains.map { cochain in
            cochain.values[sheaf.range(of: cell)].map { TextOutput.number($0) }
              .joined(separator: " ")
          })
    }
    let more = cells.count - most
    return TextOutput.table(rows) + (more > 0 ? "\n… and \(more) cells more" : "")
  }
}

/// Cells named on the command line.
enum CellList {
  /// The names; what stands between quotes is one word.
  static func words(_ text: String) -> [String] {
    text.split(separator: "\"", omittingEmptySubsequences: false).enumerated().flatMap { i, part in
      i % 2 == 1 ? [String(part)] : part.split(separator: ",").map(String.init)
    }
  }

  /// The cells of names with commas between them; names that have commas themselves, as simplices do, stand in
  /// double quotes. Spaces are part of a name.
  static func cells(
    _ text: String, in complex: CellComplex, option: String
  ) throws -> [Int] {
    let places = complex.cellsByName()
    let cells = try words(text).map { word in
      guard let cell = places[word] else {
        throw ValidationError(
          "\(option): \"\(word.printable)\" is no cell, expected ids of cells with commas between them"
        )
      }
      return cell
    }
    return cells
  }
}

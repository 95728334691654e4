import ArgumentParser
import ArrayFiles
import CellularSheaves
import Foundation
import LinearAlgebra
import ModelFormats
import NetworkMaps
import SheafFiles
import SheafInference

/// The sheaf and the assignment of a command that infers.
struct InferenceArguments: ParsableArguments {
  @OptionGroup var file: SheafArgument
  @Option(
    help: """
      An ASSIGNMENT: a JSON file {"a": [1, 2], "b": {"value": 3, "variance": 0.1, "unit": "km"}, …}; a variance is a number, \
      a list or a matrix, 1 where there is none.
      """)
  var assignment: String

  func declare(in files: inout CallFiles) {
    file.declare(in: &files)
    files.reads("--assignment", assignment)
  }

  func load() throws -> InferenceInput { try InferenceInput(self) }
}

/// What a command that infers has read.
struct InferenceInput {
  /// A sheaf of linear maps on a complex, or of any maps on a poset.
  enum Base {
    case cellular(CellularSheaf)
    case nonlinear(NonlinearSheaf)
  }

  var base: Base
  private(set) var names: [String]
  /// The number of each name.
  private(set) var cells: [String: Int]
  private(set) var assignment: Assignment
  let positions: [String: [Double]]
  private let arguments: InferenceArguments

  init(_ arguments: InferenceArguments) throws {
    self.arguments = arguments
    let loaded = try arguments.file.load()
    positions = loaded.positions
    switch loaded.content {
    case .cellular(let sheaf):
      try arguments.file.refusing { try sheaf.check() }
      base = .cellular(sheaf)
      names = (0..<sheaf.complex.count).map { sheaf.complex.name($0) }
    case .poset(let sheaf):
      base = .nonlinear(NonlinearSheaf(sheaf))
      names = sheaf.poset.names
    case .nonlinear(let sheaf):
      base = .nonlinear(sheaf)
      names = sheaf.poset.names
    }
    cells = Dictionary(
      names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    assignment = try AssignmentFile(contentsOf: arguments.assignment).assignment(
      cells, file: arguments.assignment)
  }

  /// The stalks that are of cells with a value of their own: the minimal ones.
  func isMinimal(_ cell: Int) -> Bool {
    switch base {
    case .cellular(let sheaf): cell < sheaf.complex.cells(ofDimension: 0).upperBound
    case .nonlinear(let sheaf): sheaf.poset.below[cell].isEmpty
    }
  }

  /// Has errors name the file that they are about.
  func refusing<Result>(_ work: () throws -> Result) throws -> Result {
    do { return try arguments.file.refusing(work) } catch let error as InferenceError {
      switch error {
      case .map, .quantity: throw ArrayFileError(file: arguments.file.name, problem: "\(error)")
      default: throw ArrayFileError(file: arguments.assignment, problem: "\(error)")
      }
    }
  }

  /// The units of the readings that have one, by name.
  var units: [String: String] {
    Dictionary(
      uniqueKeysWithValues: assignment.readings.compactMap { cell, reading in
        reading.unit.map { (names[cell], $0) }
      })
  }

  /// What lies over some minimal cells and no others.
  func inside(_ words: [String], option: String) throws -> InferenceInput {
    let chosen = try words.map { word in
      guard let cell = cells[word], isMinimal(cell) else {
        throw ValidationError(
          "\(option): \"\(word.printable)\" is no vertex, expected ids of vertices with commas between them"
        )
      }
      return cell
    }
    var result = self
    let kept: [Int]
    switch base {
    case .cellular(let sheaf):
      let part = sheaf.inside(Set(chosen))
      (result.base, kept) = (.cellular(part.sheaf), part.cells)
    case .nonlinear(let sheaf):
      let part = sheaf.inside(Set(chosen))
      (result.base, kept) = (.nonlinear(part.sheaf), part.elements)
    }
    result.names = kept.map { names[$0] }
    result.cells = Dictionary(
      result.names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    result.assignment = assignment.restricted(to: kept)
    return result
  }

  /// Fuses the assignment.
  func fusion(_ settings: Fusion.Settings) throws -> Fusion {
    try refusing {
      switch base {
      case .cellular(let sheaf): try Fusion(sheaf, assignment, settings: settings)
      case .nonlinear(let sheaf): try Fusion(sheaf, assignment, settings: settings)
      }
    }
  }
}

extension FusionModel: ExpressibleByArgument {}

/// How a fusion searches.
struct FusionOptions: ParsableArguments {
  @Option(
    help: """
      section: the truth is a global section; agreement: near one, discrepancies on edges being errors whose precision is the \
      edge's weight.
      """)
  var model: FusionModel = .section
  @Option(help: "From how many points a search begins where maps are not linear.") var starts = 10
  @Option(help: "Of the random ones among them.") var seed: UInt64 = 0

  func validate() throws {
    guard starts > 0 else {
      throw ValidationError("--starts \(starts), expected a positive number")
    }
  }

  var settings: Fusion.Settings {
    var settings = Fusion.Settings()
    (settings.model, settings.starts, settings.seed) = (model, starts, seed)
    settings.halt = Halt.onSignals()
    return settings
  }
}

/// What kind of minimum a search found, for reports.
extension Fusion.Certificate {
  var json: Any {
    switch self {
    case .global: ["kind": "global"]
    case .local(let starts, let reached): ["kind": "local", "starts": starts, "reached": reached]
    }
  }

  var text: String {
    switch self {
    case .global: "the global minimum"
    case .local(let starts, let reached):
      "the least of \(counted(starts, "descent")), \(reached) of which ended there: a local minimum"
    }
  }
}

import ArgumentParser
import ArrayFiles
import CellularSheaves
import Foundation
import LinearAlgebra
import SheafFiles
import SheafInference

extension SmoothingCriterion: ExpressibleByArgument {}
extension SignalSmoother.Family: ExpressibleByArgument {}

struct Smooth: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Take noise off an assignment: heat flow, ridge or total variation on the sheaf.",
    discussion: """
      One of --time, --ridge, --total-variation says how much; or --choose finds it from the data: by generalised \
      cross-validation (gcv) or the marginal likelihood, for the method that --method names.

      Examples:
      sheaf smooth graph.json --assignment values.json --ridge 2
      sheaf smooth graph.json --assignment values.json --choose gcv --method total-variation --json
      """)

  @OptionGroup var file: SheafArgument
  @Option(help: "An ASSIGNMENT of all cells of one dimension, without variances.") var assignment:
    String
  @Option(help: "The time of the heat flow.") var time: Double?
  @Option(help: "λ in (1 + λL)⁻¹.") var ridge: Double?
  @Option(help: "λ before the sum of |δx|; jumps are kept.") var totalVariation: Double?
  @Option(help: "gcv or marginal-likelihood: from the data.") var choose: SmoothingCriterion?
  @Option(help: "What --choose is for: ridge, heat or total-variation.")
  var method: SignalSmoother.Family = .ridge
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    let given = [
      ("--time", time), ("--ridge", ridge), ("--total-variation", totalVariation),
    ].filter { $0.1 != nil }
    let names = given.map(\.0) + (choose == nil ? [] : ["--choose"])
    guard names.count == 1 else {
      throw ValidationError(
        (names.isEmpty ? "nothing" : names.joined(separator: " and "))
          + " given, expected one of --time, --ridge, --total-variation and --choose")
    }
    for (name, value) in given where !(value! >= 0 && value!.isFinite) {
      throw ValidationError("\(name) \(value!), expected 0 or a positive number")
    }
  }

  func run() throws {
    var files = CallFiles()
    file.declare(in: &files)
    files.reads("--assignment", assignment)
    files.prints("--json", json)
    try files.check()
    let (sheaf, _) = try file.loadChecked()
    let (degree, coordinates, values) = try AssignmentFile(contentsOf: assignment).coordinates(
      in: sheaf, file: assignment)
    guard coordinates.count == sheaf.cochainDimension(degree) else {
      throw ArrayFileError(
        file: assignment,
        problem:
          "has values of \(counted(coordinates.count, "coordinate")) of cells of dimension \(degree), expected "
          + "all \(sheaf.cochainDimension(degree)); sheaf fuse --model agreement and sheaf harmonic take some"
      )
    }
    let smoother = SignalSmoother(sheaf, degree: degree)
    if let time { try FlowTime.check(time, smoother.laplacian) }
    let y = Matrix(column: values)
    let choice = try choose.map { criterion in
      try refusing { try smoother.choose(method, for: y, by: criterion) }
    }
    let way =
      choice?.method ?? time.map { .heat($0) } ?? ridge.map { .ridge($0) }
      ?? .totalVariation(totalVariation!)
    let found = try refusing { try smoother.smooth(y, by: way) }
    let output = CochainOutput(sheaf: sheaf, degree: degree)
    let column = found.cochains.column(0)
    let (before, after) = (
      sheaf.energies(y, degree: degree)[0], sheaf.energies(found.cochains, degree: degree)[0]
    )
    var delivery = Delivery()
    if json {
      var object: [String: Any] = [
        "smoothed": output.object(column), "degree": degree, "method": way.name,
        "parameter": JSONOutput.number(way.parameter),
        "residual": JSONOutput.number(found.residual),
        "energyBefore": JSONOutput.number(before),
        "energyAfter": JSONOutput.number(after), "status": found.status.rawValue,
      ]
      if let choice {
        object["noiseVariance"] = JSONOutput.number(choice.noiseVariance)
        object["effectiveParameters"] = JSONOutput.number(choice.effectiveParameters)
        object["isAtEnd"] = choice.isAtEnd
        object["curve"] = choice.curve.map {
          [JSONOutput.number($0.parameter), JSONOutput.number($0.value)]
        }
      }
      delivery.put { try JSONOutput.print(object) }
    } else {
      delivery.print(
        output.table([("given", values), ("smoothed", column)])
          + "\n\n\(way.name) \(TextOutput.number(way.parameter)); energy "
          + "\(TextOutput.number(before)) before, \(TextOutput.number(after)) after"
          + (choice.map {
            "\nnoise of standard deviation \(TextOutput.number($0.noiseVariance.squareRoot())), "
              + "\(TextOutput.number($0.effectiveParameters)) effective parameters of \(values.count)"
              + ($0.isAtEnd ? "\nthe choice lies at the end of what was tried" : "")
          } ?? ""))
    }
    try delivery.end(
      found.status == .converged
        ? nil : WorkFailure(description: "the iteration ended early: \(found.status.rawValue)"))
  }

  private func refusing<Result>(_ work: () throws -> Result) throws -> Result {
    do { return try file.refusing(work) } catch let error as InferenceError {
      throw ArrayFileError(file: assignment, problem: "\(error)")
    }
  }
}

extension SignalSmoother.Method {
  /// As the options call it.
  var name: String {
    switch self {
    case .ridge: "ridge"
    case .heat: "heat"
    case .totalVariation: "total-variation"
    }
  }
}

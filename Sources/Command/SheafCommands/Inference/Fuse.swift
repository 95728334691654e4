import ArgumentParser
import ArrayFiles
import CellularSheaves
import Foundation
import LinearAlgebra
import SheafFiles
import SheafInference

struct Fuse: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Fuse readings into one account: the section that explains them best, with covariances.",
    discussion: """
      Least squares in units of the readings' variances. --robust gives outliers less weight (Huber; or Student's t), \
      --minimax makes the largest residual least. Linear constraints come from a JSON file \
      [{"name": "limit", "terms": {"a": [1, 0]}, "relation": "<=", "value": 3}, …].

      Examples:
      sheaf fuse sensors.json --assignment readings.json
      sheaf fuse sensors.json --assignment readings.json --robust --json
      sheaf fuse graph.json --assignment readings.json --model agreement --weights precisions.json
      """)

  @OptionGroup var input: InferenceArguments
  @OptionGroup var options: FusionOptions
  @Option(
    help: """
      A JSON file {"ab": 4, …} with weights of edges, the precisions of their discrepancies, in place of the sheaf's; for \
      --model agreement.
      """)
  var weights: String?
  @Flag(help: "Huber's loss for the readings.") var robust = false
  @Option(help: "Student's t with so many degrees of freedom for the readings' errors.")
  var studentT: Double?
  @Flag(help: "The values whose largest residual is least.") var minimax = false
  @Option(help: "A JSON file with linear constraints.") var constraints: String?
  @Option(help: "Vertices: fuse what lies over them alone; nothing outside is read.")
  var inside: String?
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    if let studentT, !(studentT > 0 && studentT.isFinite) {
      throw ValidationError("--student-t \(studentT), expected a positive number")
    }
    let chosen = [("--robust", robust), ("--student-t", studentT != nil), ("--minimax", minimax)]
      .filter(\.1).map(\.0)
    guard chosen.count < 2 else {
      throw ValidationError("\(chosen.joined(separator: " and ")) together, expected one of them")
    }
    if weights != nil && options.model == .section {
      throw ValidationError(
        "--weights with --model section, expected --model agreement: on sections edges have no discrepancy"
      )
    }
    if minimax && constraints != nil {
      throw ValidationError("--minimax with --constraints, expected one of them")
    }
  }

  func run() throws {
    var files = CallFiles()
    input.declare(in: &files)
    files.reads("--weights", weights)
    files.reads("--constraints", constraints)
    files.prints("--json", json)
    try files.check()
    var input = try input.load()
    if let weights { input = try input.weighted(by: weights) }
    if let inside { input = try input.inside(CellList.words(inside), option: "--inside") }
    if minimax { return try runMinimax(input) }
    var settings = options.settings
    if robust { settings.readingLoss = .huber }
    if let studentT { settings.readingLoss = .studentT(degreesOfFreedom: studentT) }
    if let constraints {
      settings.constraints = try ConstraintFile(contentsOf: constraints).constraints(
        input.cells, file: constraints)
    }
    let fusion = try constraintErrors { try input.fusion(settings) }
    var delivery = Delivery()
    if json {
      delivery.put { try JSONOutput.print(try object(fusion, input)) }
    } else {
      delivery.print(try text(fusion, input))
    }
    try delivery.end(
      fusion.status == .converged
        ? nil : WorkFailure(description: "the iteration ended early: \(fusion.status.rawValue)"))
  }

  /// Errors about constraints name their file.
  private func constraintErrors<Result>(_ work: () throws -> Result) throws -> Result {
    do { return try work() } catch let error as ArrayFileError {
      guard let constraints, error.problem.contains("the constraint") else { throw error }
      throw ArrayFileError(file: constraints, problem: error.problem)
    }
  }

  private func object(_ fusion: Fusion, _ input: InferenceInput) throws -> [String: Any] {
    var (values, covariances, weights): ([String: Any], [String: Any], [String: Any]) = (
      [:], [:], [:]
    )
    var undetermined: [String] = []
    for (cell, name) in input.names.enumerated() {
      guard let value = fusion.value(of: cell) else { continue }
      values[name] = value.map { JSONOutput.number($0) }
      if let covariance = try input.refusing({ try fusion.covariance(of: cell) }) {
        covariances[name] = (0..<covariance.rows).map { i in
          (0..<covariance.columns).map { JSONOutput.number(covariance[i, $0]) }
        }
      } else {
        covariances[name] = NSNull()
        undetermined.append(name)
      }
      if robust || studentT != nil, let weight = fusion.weight(ofReading: cell) {
        weights[name] = JSONOutput.number(weight)
      }
    }
    var object: [String: Any] = [
      "fused": values, "covariance": covariances, "undetermined": undetermined,
      "chiSquared": JSONOutput.number(fusion.chiSquared),
      "degreesOfFreedom": fusion.degreesOfFreedom, "pValue": JSONOutput.number(fusion.pValue),
      "freedom": fusion.freedom, "minimum": fusion.certificate.json,
      "iterations": fusion.iterations, "status": fusion.status.rawValue,
      "model": options.model.rawValue, "active": fusion.activeConstraints,
      "defect": JSONOutput.number(fusion.defect), "isLinearized": !fusion.isLinear,
      "rivals": fusion.rivals.map { rival -> [String: Any] in
        [
          "cost": JSONOutput.number(rival.cost),
          "values": Dictionary(
            uniqueKeysWithValues: rival.values.map {
              (input.names[$0.key], $0.value.map { JSONOutput.number($0) })
            }),
        ]
      },
    ]
    if !weights.isEmpty { object["weights"] = weights }
    let units = input.units
    if !units.isEmpty { object["units"] = units }
    return object
  }

  private func text(_ fusion: Fusion, _ input: InferenceInput) throws -> String {
    let isWeighted = robust || studentT != nil
    var rows = [["cell", "fused", "deviation"] + (isWeighted ? ["weight"] : [])]
    let order = input.names.indices.sorted {
      (input.isMinimal($0) ? 0 : 1, $0) < (input.isMinimal($1) ? 0 : 1, $1)
    }
    for cell in order.prefix(40) {
      guard let value = fusion.value(of: cell) else { continue }
      let covariance = try input.refusing { try fusion.covariance(of: cell) }
      let deviations = covariance.map { c in
        (0..<c.rows).map { max(c[$0, $0], 0).squareRoot() }
      }
      let unit = input.assignment.readings[cell]?.unit.map { " " + String($0.printable) } ?? ""
      var row = [String(input.names[cell].printable), Self.list(value) + unit]
      row.append(deviations.map { Self.list($0) } ?? "undetermined")
      if isWeighted {
        row.append(fusion.weight(ofReading: cell).map { TextOutput.number($0) } ?? "")
      }
      rows.append(row)
    }
    var text = TextOutput.table(rows)
    if order.count > 40 { text += "\n… and \(order.count - 40) cells more" }
    text +=
      "\n\nχ² \(TextOutput.number(fusion.chiSquared)) with "
      + "\(counted(fusion.degreesOfFreedom, "degree")) of freedom"
    if let p = fusion.pValue { text += ", p \(TextOutput.number(p))" }
    if isWeighted { text += " (weighted: no test)" }
    text += "; \(fusion.certificate.text)"
    for rival in fusion.rivals {
      let values = rival.values.sorted { $0.key < $1.key }.prefix(4).map {
        "\(input.names[$0.key].printable) \(Self.list($0.value))"
      }
      text +=
        "\nanother minimum, of a χ² \(TextOutput.number(max(2 * (rival.cost - fusion.cost), 0))) higher: "
        + values.joined(separator: ", ")
    }
    if !fusion.isLinear { text += "\ndeviations are those of the maps linearised at this minimum" }
    if fusion.freedom > 0 {
      text += "\nthe readings leave \(counted(fusion.freedom, "dimension")) undetermined"
    }
    if !fusion.activeConstraints.isEmpty {
      text += "\nheld by \(fusion.activeConstraints.joined(separator: ", "))"
    }
    return text
  }

  private static func list(_ values: [Double]) -> String {
    values.map { TextOutput.number($0) }.joined(separator: " ")
  }

  private func runMinimax(_ input: InferenceInput) throws {
    let found = try input.refusing {
      switch input.base {
      case .cellular(let sheaf):
        try MinimaxFusion(sheaf, input.assignment, model: options.model, halt: Halt.onSignals())
      case .nonlinear(let sheaf):
        try MinimaxFusion(sheaf, input.assignment, model: options.model, halt: Halt.onSignals())
      }
    }
    var values: [String: Any] = [:]
    var rows = [["cell", "fused"]]
    for (cell, name) in input.names.enumerated() {
      guard let value = found.value(of: cell) else { continue }
      values[name] = value.map { JSONOutput.number($0) }
      if rows.count <= 40 {
        rows.append(
          [String(name.printable), value.map { TextOutput.number($0) }.joined(separator: " ")])
      }
    }
    var delivery = Delivery()
    if json {
      delivery.put {
        try JSONOutput.print(
          [
            "fused": values, "radius": JSONOutput.number(found.radius),
            "lowerBound": JSONOutput.number(found.lowerBound), "isCertified": found.isCertified,
            "status": found.status.rawValue, "model": options.model.rawValue,
          ].merging(input.units.isEmpty ? [:] : ["units": input.units]) { $1 })
      }
    } else {
      delivery.print(
        TextOutput.table(rows)
          + "\n\nlargest residual \(TextOutput.number(found.radius)) standard deviations; "
          + (found.isCertified
            ? "none is below \(TextOutput.number(found.lowerBound))" : "a local minimum"))
    }
    try delivery.end(
      found.status == .converged
        ? nil : WorkFailure(description: "the optimisation ended early: \(found.status.rawValue)"))
  }
}

extension InferenceInput {
  /// The sheaf with other weights of some cells.
  func weighted(by path: String) throws -> InferenceInput {
    guard case .cellular(let sheaf) = base else {
      throw ArrayFileError(
        file: path, problem: "weights for a sheaf on a poset, expected one on a complex")
    }
    let entries = try AssignmentFile(contentsOf: path).entries
    var weights = (0..<sheaf.complex.count).map { sheaf.innerProduct(of: $0) }
    for (name, entry) in entries.sorted(by: { $0.key < $1.key }) {
      guard let cell = cells[name] else {
        throw ArrayFileError(
          file: path, problem: "\(InferenceError.unknownCell(String(name.printable)))")
      }
      guard entry.variance == nil,
        entry.values.count == 1 || entry.values.count == sheaf.stalk(of: cell)
      else {
        throw ArrayFileError(
          file: path,
          problem:
            "\"\(name.printable)\" with \(entry.values.count) weights, expected one or \(sheaf.stalk(of: cell))"
        )
      }
      weights[cell] = entry.values.count == 1 ? .scalar(entry.values[0]) : .diagonal(entry.values)
    }
    var result = self
    do {
      result.base = .cellular(
        try CellularSheaf(
          sheaf.complex, stalks: (0..<sheaf.complex.count).map { sheaf.stalk(of: $0) },
          weights: weights
        ) { sheaf.map($0) })
    } catch {
      throw ArrayFileError(file: path, problem: "\(error)")
    }
    return result
  }
}

import ArgumentParser
import ArrayFiles
import CellularSheaves
import Foundation
import LinearAlgebra
import SheafFiles
import SheafInference

struct Diffuse: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Opinion dynamics on a discourse sheaf, and where they lead.",
    discussion: """
      The heat flow ẋ = −Lx with stubborn vertices, exactly; --updates for moves of one vertex at a time, each to the \
      least energy of its own stalk; --confidence for vertices that listen only where the discrepancy is at most so large.

      Examples:
      sheaf diffuse village.json --initial opinions.json --fixed mayor --time 5
      sheaf diffuse village.json --initial opinions.json --confidence 0.5 --steps 1000
      """)

  @OptionGroup var file: SheafArgument
  @Option(help: "An ASSIGNMENT of all vertices: what they think at first.") var initial: String
  @Option(help: "Stubborn vertices, with commas between them.") var fixed: String?
  @Option(help: "The time; default ten times that in which the slowest part falls to 1/e.")
  var time: Double?
  @Option(help: "So many moves of one vertex at a time, chosen at random.") var updates: Int?
  @Option(help: "Of the moves.") var seed: UInt64 = 0
  @Option(help: "Listen only over edges whose discrepancy is at most this.") var confidence: Double?
  @Option(help: "Steps with --confidence.") var steps = 1000
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    let given = [
      ("--time", time != nil), ("--updates", updates != nil), ("--confidence", confidence != nil),
    ].filter(\.1).map(\.0)
    guard given.count < 2 else {
      throw ValidationError("\(given.joined(separator: " and ")) together, expected one of them")
    }
    for (name, value) in [("--time", time), ("--confidence", confidence)] {
      if let value, !(value >= 0 && value.isFinite) {
        throw ValidationError("\(name) \(value), expected 0 or a positive number")
      }
    }
    if let updates, updates < 0 {
      throw ValidationError("--updates \(updates), expected 0 or more")
    }
    guard steps >= 0 else { throw ValidationError("--steps \(steps), expected 0 or more") }
  }

  func run() throws {
    var files = CallFiles()
    file.declare(in: &files)
    files.reads("--initial", initial)
    files.prints("--json", json)
    try files.check()
    let (sheaf, _) = try file.loadChecked(degree: 0)
    let start = try AssignmentFile(contentsOf: initial).vertexCochain(in: sheaf, file: initial)
    let stubborn =
      try fixed.map {
        try CellList.cells($0, in: sheaf.complex, option: "--fixed")
      } ?? []
    if let other = stubborn.first(where: { sheaf.complex.dimension(of: $0) > 0 }) {
      throw ValidationError(
        "--fixed: \"\(sheaf.complex.name(other).printable)\" is no vertex, expected vertices")
    }
    let dynamics = DiscourseDynamics(sheaf, stubborn: stubborn)
    let halt = Halt.onSignals()
    let limit = try file.refusing { try dynamics.limit(from: start) }
    var (trajectory, note): (OpinionTrajectory, String)
    if let updates {
      trajectory = try file.refusing {
        try dynamics.updates(
          from: start, schedule: .random(seed: seed), recording: [updates], halt: halt)
      }
      note = "after \(counted(trajectory.steps, "move"))"
    } else if let confidence {
      let found = try file.refusing {
        try dynamics.boundedConfidence(
          from: start, confidence: confidence, recording: [steps], halt: halt)
      }
      trajectory = found.trajectory
      let edges = sheaf.complex.cells(ofDimension: 1).count
      note =
        "after \(counted(trajectory.steps, "step")) of \(TextOutput.number(found.step)), "
        + "\(found.listened.last?.count ?? 0) of \(counted(edges, "edge")) listened to"
    } else {
      let end = try time ?? defaultTime(dynamics)
      try FlowTime.check(end, SheafLaplacian(dynamics.relative, degree: 0, part: .up))
      trajectory = try file.refusing { try dynamics.flow(from: start, times: [end]) }
      note = "at time \(TextOutput.number(end))"
    }
    let last = trajectory.last
    var difference = last
    difference.add(limit.opinions, scale: -1)
    let distance = difference.sumOfSquares.squareRoot()
    let output = CochainOutput(sheaf: sheaf, degree: 0)
    var delivery = Delivery()
    let energies = [dynamics.energies(start)[0], dynamics.energies(last)[0], limit.energies[0]]
    if json {
      delivery.put {
        try JSONOutput.print([
          "opinions": output.object(last.column(0)),
          "limit": output.object(limit.opinions.column(0)),
          "energyBefore": JSONOutput.number(energies[0]),
          "energyAfter": JSONOutput.number(energies[1]),
          "energyOfLimit": JSONOutput.number(energies[2]),
          "distanceFromLimit": JSONOutput.number(distance), "steps": trajectory.steps,
          "freedom": limit.freedom as Any? ?? NSNull(), "status": trajectory.status.rawValue,
        ])
      }
    } else {
      delivery.print(
        output.table([
          ("at first", start.column(0)), ("opinion", last.column(0)),
          ("limit of the flow", limit.opinions.column(0)),
        ])
          + "\n\n\(note); energy \(TextOutput.number(energies[0])) at first, "
          + "\(TextOutput.number(energies[1])) then, \(TextOutput.number(energies[2])) in the limit; "
          + "distance from the limit \(TextOutput.number(distance))"
          + (updates != nil && limit.freedom != 0
            ? "\nmoves of one vertex lead to another agreement than the flow where the stubborn ones leave some freedom"
            : "")
          + (confidence != nil
            ? "\nthe limit is that of the flow in which all edges are listened to" : ""))
    }
    try delivery.end(
      [.converged, .stepLimit].contains(trajectory.status)
        ? nil
        : WorkFailure(description: "the dynamics ended early: \(trajectory.status.rawValue)"))
  }

  private func defaultTime(_ dynamics: DiscourseDynamics) throws -> Double {
    let rate = try file.refusing { try dynamics.decayRate() }
    return rate > 0 && rate.isFinite ? 10 / rate : 1
  }
}

/// Times of the heat flow.
enum FlowTime {
  /// The flow takes some 6√(tρ) products, ρ a bound of the largest eigenvalue: refused beyond 10⁹ for tρ, where it has ended
  /// but for what is as good as harmonic.
  static func check(_ time: Double, _ laplacian: SheafLaplacian) throws {
    let bound = laplacian.laplacian.matrix.oneNorm
    guard bound > 0, time * bound > 1e9 else { return }
    throw ValidationError(
      "--time \(time), expected at most \(TextOutput.number(1e9 / bound)) for this sheaf; where the flow ends say "
        + "sheaf diffuse (its limit) and sheaf sections --nearest")
  }
}

extension AssignmentFile {
  /// The values of all vertices.
  func vertexCochain(in sheaf: CellularSheaf, file: String) throws -> Matrix {
    let (degree, coordinates, values) = try coordinates(in: sheaf, file: file)
    guard degree == 0 else {
      throw ArrayFileError(
        file: file,
        problem: "has values of cells of dimension \(degree), expected those of vertices")
    }
    guard coordinates.count == sheaf.cochainDimension(0) else {
      let given = Set(coordinates)
      let missing = sheaf.complex.cells(ofDimension: 0).first {
        !sheaf.range(of: $0).allSatisfy(given.contains)
      }
      throw ArrayFileError(
        file: file,
        problem:
          "has no value of cell \"\(missing.map { sheaf.complex.name($0).printable } ?? "")\", expected "
          + "values of all vertices (sheaf harmonic extends those of some)")
    }
    return Matrix(column: values)
  }
}

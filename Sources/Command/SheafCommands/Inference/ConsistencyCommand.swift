import ArgumentParser
import ArrayFiles
import Foundation
import LinearAlgebra
import SheafInference

struct ConsistencyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "consistency",
    abstract: "How far an assignment is from fitting together, and where.",
    discussion: """
      The consistency radius is 0 exactly if the values are part of a global section. --filtration lists the largest sets of \
      cells that agree up to a threshold, for each threshold at which they change; --repair the fewest cells without which \
      all agree up to one.

      Examples:
      sheaf consistency sensors.json --assignment readings.json
      sheaf consistency sensors.json --assignment readings.json --norm inf --filtration --repair 0.5
      """)

  @OptionGroup var input: InferenceArguments
  @Option(
    help: """
      2: the norm of δx over the edges; inf: the largest discrepancy between a cell's value and the image of a face's.
      """)
  var norm: Norm = .two
  @Flag(help: "The maximal consistent sets at each threshold.") var filtration = false
  @Option(help: "From how many points a search begins where maps are not linear.") var starts = 10
  @Option(help: "Of the random ones among them.") var seed: UInt64 = 0
  @Option(
    help:
      "A threshold: the fewest cells to drop so that no two of the others that meet are farther apart."
  )
  var repair: Double?
  @Flag(help: "The changes of few cells that make the assignment part of a section.")
  var localize = false
  @Flag(help: "Print one JSON object.") var json = false

  enum Norm: String, ExpressibleByArgument, CaseIterable {
    case two = "2"
    case inf

    var norm: Consistency.Norm { self == .two ? .two : .infinity }
  }

  /// The most thresholds and sets that are listed.
  private static let most = 100

  func validate() throws {
    guard starts > 0 else {
      throw ValidationError("--starts \(starts), expected a positive number")
    }
    if let repair, !(repair >= 0 && repair.isFinite) {
      throw ValidationError("--repair \(repair), expected 0 or a positive number")
    }
  }

  func run() throws {
    var files = CallFiles()
    input.declare(in: &files)
    files.prints("--json", json)
    try files.check()
    let input = try input.load()
    let found = try input.refusing {
      switch input.base {
      case .cellular(let sheaf): try Consistency(sheaf, input.assignment, norm: norm.norm)
      case .nonlinear(let sheaf):
        try Consistency(
          sheaf, input.assignment, norm: norm.norm, starts: starts, seed: seed)
      }
    }
    let global = try input.refusing { () -> Double in
      var settings = Fusion.Settings()
      settings.wantsCovariance = false
      return try found.distanceToSections(settings: settings).distance
    }
    let radii = found.localRadii
    // Of many cells fewer thresholds and sets.
    let most = input.assignment.readings.count > 500 ? 10 : Self.most
    let thresholds = Self.chosen(found.thresholds, most)
    var levels: [(Double, (sets: [[Int]], isComplete: Bool))] = []
    for threshold in filtration ? thresholds.list : [] {
      let level = found.maximalConsistentSets(at: threshold, limit: most)
      // What is the same as at the threshold before is left out.
      if let last = levels.last?.1, last.isComplete, last.sets == level.sets { continue }
      levels.append((threshold, level))
    }
    let obstruction = localize ? try localized(input) : nil
    let repaired = repair.map { found.minimalRepair(at: $0) }
    // A cone program where there is much to choose: of many cells it is left out.
    let mended = try input.refusing {
      try repaired.flatMap {
        $0.cells.count <= 500 ? try found.mended(without: $0.cells).radius : nil
      }
    }
    var delivery = Delivery()
    if json {
      var object: [String: Any] = [
        "radius": JSONOutput.number(found.radius), "norm": norm.rawValue,
        "global": JSONOutput.number(global), "minimum": found.certificate.json,
        "status": found.status.rawValue,
        "cells": radii.keys.sorted().map {
          ["id": input.names[$0], "radius": JSONOutput.number(radii[$0])] as [String: Any]
        },
      ]
      if filtration {
        object["sets"] = levels.map { level -> [String: Any] in
          [
            "threshold": level.0, "isComplete": level.1.isComplete,
            "sets": level.1.sets.map { $0.map { input.names[$0] } },
          ]
        }
        object["hasAllThresholds"] = thresholds.isWhole
      }
      if let obstruction {
        object["localized"] = obstruction.changes.map { change -> [String: Any] in
          [
            "id": input.names[change.cell], "size": JSONOutput.number(change.size),
            "change": change.difference.map { JSONOutput.number($0) },
          ]
        }
      }
      if let repaired {
        object["repair"] =
          [
            "threshold": repair!, "cells": repaired.cells.map { input.names[$0] },
            "lowerBound": repaired.lowerBound, "isMinimal": repaired.isMinimal,
            "radius": JSONOutput.number(mended),
          ] as [String: Any]
      }
      delivery.put { try JSONOutput.print(object) }
    } else {
      delivery.print(
        text(found, global, radii, levels, thresholds.isWhole, repaired, mended, obstruction, input)
      )
    }
    try delivery.end(
      found.status == .converged
        ? nil : WorkFailure(description: "the optimisation ended early: \(found.status.rawValue)"))
  }

  private func localized(_ input: InferenceInput) throws -> LocalizedObstruction {
    try input.refusing {
      switch input.base {
      case .cellular(let sheaf):
        try LocalizedObstruction(sheaf, input.assignment, halt: Halt.onSignals())
      case .nonlinear(let sheaf):
        try LocalizedObstruction(sheaf, input.assignment, halt: Halt.onSignals())
      }
    }
  }

  /// The thresholds that are listed: all, or so many between the first and the last.
  private static func chosen(_ all: [Double], _ most: Int) -> (list: [Double], isWhole: Bool) {
    guard all.count > most else { return (all, true) }
    return ((0..<most).map { all[$0 * (all.count - 1) / (most - 1)] }, false)
  }

  private func text(
    _ found: Consistency, _ global: Double, _ radii: [Int: Double],
    _ levels: [(Double, (sets: [[Int]], isComplete: Bool))], _ isWhole: Bool,
    _ repaired: Consistency.Repair?, _ mended: Double?, _ obstruction: LocalizedObstruction?,
    _ input: InferenceInput
  ) -> String {
    let worst = radii.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    let rows =
      [["cell", "radius"]]
      + worst.prefix(20).map {
        [String(input.names[$0.key].printable), TextOutput.number($0.value)]
      }
    var parts = [
      TextOutput.table(rows)
        + (worst.count > 20 ? "\n… and \(worst.count - 20) cells more" : ""),
      """
      consistency radius \(TextOutput.number(found.radius)) \
      (\(norm == .two ? "‖δx‖" : "the largest discrepancy")), \
      distance from the nearest section \(TextOutput.number(global))\(norm == .two ? "" : " (root of the sum of squares)")
      """,
    ]
    if found.certificate != .global {
      parts.append("values of cells without any: \(found.certificate.text)")
    }
    if filtration {
      let list = levels.map { threshold, found -> [String] in
        let names = found.sets.prefix(3).map { set in
          "{" + set.prefix(12).map { String(input.names[$0].printable) }.joined(separator: " ")
            + (set.count > 12 ? " …" : "") + "}"
        }
        return [
          TextOutput.number(threshold), "\(found.sets.count)\(found.isComplete ? "" : "+")",
          names.joined(separator: " ") + (found.sets.count > 3 ? " …" : ""),
        ]
      }
      parts.append(
        TextOutput.table([["threshold", "sets", "maximal consistent sets"]] + list)
          + (isWhole ? "" : "\nthe first, the last and some thresholds between them"))
    }
    if let obstruction {
      let rows = obstruction.changes.prefix(20).map { change in
        [
          String(input.names[change.cell].printable),
          change.difference.map { TextOutput.number($0) }.joined(separator: " "),
          TextOutput.number(change.size),
        ]
      }
      parts.append(
        rows.isEmpty
          ? "the assignment is part of a section"
          : TextOutput.table([["cell", "change", "in deviations"]] + rows)
            + "\nwith these changes the assignment is part of a section")
    }
    if let repaired {
      let names = repaired.cells.prefix(40).map { String(input.names[$0].printable) }
        .joined(separator: ", ")
      let more = repaired.cells.count > 40 ? " and \(repaired.cells.count - 40) more" : ""
      let bound = "no two values that meet are farther apart than \(TextOutput.number(repair))"
      parts.append(
        (repaired.cells.isEmpty
          ? bound
          : "without \(names)\(more) \(bound); "
            + (repaired.isMinimal
              ? "no fewer cells do"
              : "at least \(counted(repaired.lowerBound, "cell")) must go"))
          + (mended.map {
            "\nwith the best values of cells that then have none the radius is \(TextOutput.number($0))"
          } ?? ""))
    }
    return parts.joined(separator: "\n\n")
  }
}

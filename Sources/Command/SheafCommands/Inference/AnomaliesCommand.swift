import ArgumentParser
import ArrayFiles
import Figures
import Foundation
import SheafInference

extension Anomalies.Scale: ExpressibleByArgument {}

struct AnomaliesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "anomalies",
    abstract:
      "Which readings do not go with the others: leave-one-out discrepancies with p-values.",
    discussion: """
      Each reading is compared with what all others say about it, in closed form from one factorisation; q is the rate of \
      false discoveries at which it would be reported (Benjamini, Hochberg). With --scale estimated the variances count up \
      to a common factor.

      Examples:
      sheaf anomalies sensors.json --assignment readings.json
      sheaf anomalies grid.json --assignment values.json --model agreement --scale estimated --figure a.svg
      """)

  @OptionGroup var input: InferenceArguments
  @OptionGroup var options: FusionOptions
  @Option(help: "known: the variances as they are; estimated: up to a common factor.")
  var scale: Anomalies.Scale = .known
  @Option(help: "The rate of false discoveries among what is reported.") var rate = 0.05
  @Option(help: "Draw p-values into an .svg, .pdf or .png file.") var figure: String?
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    guard rate > 0 && rate < 1 else {
      throw ValidationError("--rate \(rate), expected a number between 0 and 1")
    }
  }

  func run() throws {
    var files = CallFiles()
    input.declare(in: &files)
    try files.writes("--figure", figure, extensions: DrawingFormat.allCases.map(\.rawValue))
    files.prints("--json", json)
    try files.check()
    let input = try input.load()
    let fusion = try input.fusion(options.settings)
    let found = try input.refusing { try Anomalies(fusion, scale: scale) }
    let reported = found.entries.filter { $0.qValue.map { $0 <= rate } ?? false }
    var delivery = Delivery()
    if let figure {
      delivery.draw(AnomalyDrawing(found, rate: rate) { input.names[$0] }.figure, to: figure)
    }
    if json {
      delivery.put {
        try JSONOutput.print([
          "cells": found.entries.map { entry -> [String: Any] in
            [
              "id": input.names[entry.cell], "statistic": JSONOutput.number(entry.statistic),
              "degreesOfFreedom": entry.degreesOfFreedom, "p": JSONOutput.number(entry.pValue),
              "q": JSONOutput.number(entry.qValue),
              "difference": entry.difference.map { JSONOutput.number($0) },
              "deviation": entry.deviation.map { JSONOutput.number($0) },
            ]
          },
          "reported": reported.map { input.names[$0.cell] }, "rate": rate,
          "isLinearized": !fusion.isLinear, "scale": scale.rawValue,
          "model": options.model.rawValue,
          "chiSquared": JSONOutput.number(fusion.chiSquared),
          "degreesOfFreedom": fusion.degreesOfFreedom, "minimum": fusion.certificate.json,
          "status": fusion.status.rawValue,
        ])
      }
    } else {
      let order = found.entries.sorted {
        ($0.pValue ?? 2, $0.cell) < ($1.pValue ?? 2, $1.cell)
      }
      let rows =
        [["cell", "difference", "deviation", "p", "q"]]
        + order.prefix(20).map { entry in
          [
            String(input.names[entry.cell].printable),
            entry.difference.map { TextOutput.number($0) }.joined(separator: " "),
            entry.deviation.map { TextOutput.number($0) }.joined(separator: " "),
            TextOutput.number(entry.pValue), TextOutput.number(entry.qValue),
          ]
        }
      let untold = found.entries.count { $0.degreesOfFreedom == 0 }
      delivery.print(
        TextOutput.table(rows)
          + (order.count > 20 ? "\n… and \(order.count - 20) readings more" : "")
          + "\n\n\(counted(reported.count, "reading")) reported at a rate of false discoveries of \(TextOutput.number(rate))"
          + (fusion.isLinear
            ? ""
            : "\ndiscrepancies are those of the maps linearised at the fusion of all readings: leave one out and fuse to be sure")
          + (untold > 0
            ? "\n\(counted(untold, "reading")) about which the others say nothing" : ""))
    }
    try delivery.end(
      fusion.status == .converged
        ? nil : WorkFailure(description: "the iteration ended early: \(fusion.status.rawValue)"))
  }
}

/// p-values of readings: by cell, and sorted against the line of Benjamini and Hochberg.
struct AnomalyDrawing {
  let figure: Figure

  init(_ anomalies: Anomalies, rate: Double, name: (Int) -> String) {
    let entries = anomalies.entries.filter { $0.pValue != nil }
    let logarithms = entries.map { -log10(max($0.pValue!, 1e-300)) }
    let found = entries.indices.filter { entries[$0].qValue! <= rate }
    let isFound = Set(found)
    let others = entries.indices.filter { !isFound.contains($0) }
    var layers: [Layer] = [
      .points(
        x: others.map(Double.init), y: others.map { logarithms[$0] }, label: "not reported",
        style: PointStyle(.muted, marker: .circle)),
      .points(
        x: found.map(Double.init), y: found.map { logarithms[$0] },
        label: "reported at q ≤ \(TextOutput.number(rate))",
        style: PointStyle(.series(1), marker: .diamond, size: 5)),
    ]
    // Names of the largest, where they do not hide each other.
    let (width, height) = (Double(max(entries.count, 1)), max(logarithms.max() ?? 1, 1))
    var named: [Int] = []
    for i in found.sorted(by: { logarithms[$0] > logarithms[$1] }) where named.count < 8 {
      let isFree = named.allSatisfy {
        abs(Double($0 - i)) > 0.12 * width || abs(logarithms[$0] - logarithms[i]) > 0.06 * height
      }
      guard isFree else { continue }
      named.append(i)
      layers.append(
        .text(x: Double(i) + 0.015 * width, y: logarithms[i], name(entries[i].cell)))
    }
    let sorted = logarithms.sorted(by: >)
    let n = Double(max(sorted.count, 1))
    let expected = sorted.indices.map { -log10((Double($0) + 0.5) / n) }
    let line = sorted.indices.map { -log10(rate * Double($0 + 1) / n) }
    figure = Figure(panels: [
      Panel(
        "Leave-one-out p-values", x: Axis("reading"), y: Axis("−log₁₀ p"), legend: .below,
        layers: layers),
      Panel(
        "Against uniform ones", x: Axis("expected −log₁₀ p"), y: Axis("−log₁₀ p"), legend: .below,
        layers: [
          .line(
            x: [0, expected.first ?? 1], y: [0, expected.first ?? 1], label: "without anomalies",
            style: LineStyle(.muted, dash: .solid)),
          .line(
            x: expected, y: line, label: "line of Benjamini and Hochberg",
            style: LineStyle(.series(1), dash: .dashed)),
          .points(x: expected, y: sorted, label: "readings", style: PointStyle(.series(0))),
        ]),
    ])
  }
}

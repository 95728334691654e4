import Foundation
import NetworkDiagnosis
import NeuralSheaves

/// The diagnosis as text.
extension DiagnosisSummary {
  var text: String {
    var parts = [
      "\(name): \(counted(count, "sample"))\n\n"
        + lines.map { "\($0.sign) \($0.text)" }.joined(separator: "\n")
    ]
    if let table = suspectTable { parts.append("labels that look wrong\n\n" + table) }
    if let table = worstTable { parts.append("the largest losses\n\n" + table) }
    if let table = unfamiliarTable {
      parts.append(
        "inputs unlike those of training, with the first and the last stalk at which p ≤ 1 %\n\n"
          + table)
    }
    if let table = edgeTable { parts.append("discord with the outputs clamped\n\n" + table) }
    if let table = layerTable {
      parts.append(
        "layers by the share of the differences that noise of the layer explains\n\n" + table)
    }
    if let table = differenceTable {
      parts.append("layers on the other network's activations\n\n" + table)
    }
    if !skipped.isEmpty {
      parts.append(
        "left out\n" + skipped.map { "  \($0.part.rawValue): \($0.why)" }.joined(separator: "\n"))
    }
    return parts.joined(separator: "\n\n")
  }

  private static let shown = 10

  private func rest(_ count: Int) -> String {
    count > Self.shown ? "\n… \(count - Self.shown) more with --json or --report" : ""
  }

  private var suspectTable: String? {
    guard let suspects = diagnosis.suspects, !suspects.suspects.isEmpty,
      let classes = diagnosis.samples.classes
    else { return nil }
    let n = Self.number
    let rows = suspects.suspects.prefix(Self.shown).map { j in
      [
        "\(j)", className(classes[j]), className(suspects.noise.proposed[j]),
        n(suspects.crossEntropies[j]), n(1 - suspects.noise.chances[j]),
        n(suspects.noise.pValues[j]),
      ]
    }
    return TextOutput.table(
      [["sample", "given", "proposed", "cross-entropy", "chance of being right", "p of the label"]]
        + rows)
      + rest(suspects.suspects.count)
  }

  private var worstTable: String? {
    guard let fit = diagnosis.fit else { return nil }
    let n = Self.number
    let listed = diagnosis.listedDiscord
    let rows = diagnosis.worst.prefix(Self.shown).map { j in
      let k = listed?.samples.firstIndex(of: j)
      return ["\(j)", n(fit.losses[j])]
        + (fit.classification.map {
          [className($0.given[j]), className($0.predicted[j]), n($0.margins[j])]
        } ?? [])
        + (listed == nil
          ? []
          : (fit.classification == nil
            ? [] : [n(k.flatMap { listed!.flipEnergies.isEmpty ? nil : listed!.flipEnergies[$0] })])
            + [n(k.map { listed!.energies[$0] })])
    }
    let heading =
      ["sample", "loss"] + (fit.classification == nil ? [] : ["given", "predicted", "margin"])
      + (listed == nil
        ? [] : (fit.classification == nil ? [] : ["flip energy"]) + ["clamped energy"])
    return TextOutput.table([heading] + rows) + rest(diagnosis.worst.count)
  }

  private var unfamiliarTable: String? {
    guard let familiarity = diagnosis.familiarity, !familiarity.unfamiliar.isEmpty else {
      return nil
    }
    let rows = familiarity.unfamiliar.prefix(Self.shown).map { j in
      [
        "\(j)", Self.number(familiarity.scores[j]), Self.number(familiarity.pValues[j]),
        familiarity.firstStalks[j].map { network.vertices[$0].name } ?? "–",
        familiarity.lastStalks[j].map { network.vertices[$0].name } ?? "–",
      ]
    }
    return TextOutput.table([["sample", "score", "p", "first stalk", "last stalk"]] + rows)
      + rest(familiarity.unfamiliar.count)
  }

  private var edgeTable: String? {
    guard let discord = diagnosis.discord else { return nil }
    let n = Self.number
    let rows = zip(discord.report.edges, discord.expected).map { edge, expected in
      [
        edge.edge, edge.kind.rawValue, n(edge.discord), n(expected),
        n(expected > 0 ? edge.discord / expected : nil),
      ]
    }
    return TextOutput.table([["edge", "kind", "discord", "expected", "ratio"]] + rows)
  }

  private var differenceTable: String? {
    guard let layers = diagnosis.difference?.layers, !layers.isEmpty else { return nil }
    return TextOutput.table(
      [["layer", "discrepancy"]] + layers.map { [$0.name, Self.number($0.discrepancy)] })
  }

  private var layerTable: String? {
    guard let change = diagnosis.change else { return nil }
    return TextOutput.table(
      [["layer", "stiffness score"]]
        + change.ranking.entries.map { [$0.layer, Self.number($0.stiffness)] })
  }
}

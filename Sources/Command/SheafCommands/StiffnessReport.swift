import Distributions
import FaultLocation
import Foundation
import LinearAlgebra
import NeuralSheaves
import SheafProbability

/// What `sheaf stiffness` says.
struct StiffnessReport {
  let network: Network
  let model: VarianceModel
  /// The model's components.
  let components: [NoiseComponent]
  /// By component those that it cannot be told from.
  private let twins: [[NoiseComponent]]
  let scale: OutputDifference.Scale
  let fit: VarianceFit
  /// Of noise on the output alone; nil where that is the whole model.
  let test: LikelihoodRatio?
  /// How many draws its p-value is from.
  let draws: Int
  /// By component that its variance is 0; nil for what is constant.
  let pValues: [Double?]

  init(
    _ model: VarianceModel, _ groups: [[NoiseComponent]], of network: Network,
    scale: OutputDifference.Scale, draws: Int, using generator: inout RandomGenerator
  ) throws {
    let components = groups.map { $0[0] }
    (self.network, self.model, self.components, self.scale) = (network, model, components, scale)
    twins = groups.map { Array($0.dropFirst()) }
    self.draws = draws
    let last = network.incoming[network.lastVertex]
    let constant = components.indices.filter { c in
      groups[c].contains { component in
        switch component.source {
        case .constant: true
        case .edge(let e): last.contains(e) && !component.isGain
        case .input, .kind: false
        }
      }
    }
    if constant.count < components.count {
      let test = try model.likelihoodRatio(null: [constant], draws: draws, using: &generator)
      self.test = test
      fit = test.alternative
    } else {
      test = nil
      fit = try model.fit()
    }
    let whole = fit
    pValues = try components.indices.map { c in
      guard !constant.contains(c) else { return nil }
      guard whole.variances[c] > 0 else { return 1 }
      let without = try model.merged(components.indices.filter { $0 != c }.map { [$0] }).fit()
      let ratio = 2 * (whole.logLikelihood - without.logLikelihood)
      return ratio > 0
        ? ChiSquaredDistribution(degreesOfFreedom: 1).upperTail(ratio) / 2 : 0.5
    }
  }

  /// What a component is on, for people and files.
  static func names(
    _ component: NoiseComponent, of network: Network
  ) -> (edge: String?, kind: String) {
    switch component.source {
    case .constant: (nil, "constant")
    case .input: (nil, "input")
    case .edge(let e): (network.edgeName(e), network.edges[e].operation.kind.rawValue)
    case .kind(let kind): (nil, kind.rawValue)
    }
  }

  private func label(_ component: NoiseComponent) -> String {
    let (edge, kind) = Self.names(component, of: network)
    return (edge ?? kind) + (component.isGain ? " (gain)" : "")
  }

  private func share(_ c: Int) -> Double {
    fit.variances[c] / model.units[c]
  }

  var json: [String: Any] {
    [
      "components": components.indices.map { c in
        let (edge, kind) = Self.names(components[c], of: network)
        return [
          "edge": edge as Any? ?? NSNull(), "kind": kind, "gain": components[c].isGain,
          "variance": JSONOutput.number(fit.variances[c]),
          "standardError": JSONOutput.number(fit.standardErrors[c]),
          "twins": twins[c].map(label), "share": JSONOutput.number(share(c)),
          "pValue": JSONOutput.number(pValues[c]),
        ] as [String: Any]
      },
      "logLikelihood": JSONOutput.number(fit.logLikelihood),
      "constantLogLikelihood": JSONOutput.number(test?.null.logLikelihood),
      "pValue": JSONOutput.number(draws > 0 ? test?.pValue : nil),
      "floor": JSONOutput.number(model.floor), "samples": model.residuals.columns,
      "scale": scale.rawValue, "status": fit.status.rawValue, "steps": fit.steps,
      "violation": JSONOutput.number(fit.violation),
    ]
  }

  var text: String {
    let n = TextOutput.number
    var rows = [["component", "kind", "variance", "standard error", "share", "p"]]
    for c in components.indices {
      let kind = Self.names(components[c], of: network).kind
      rows.append([
        ([components[c]] + twins[c]).map(label).joined(separator: " = "), kind, n(fit.variances[c]),
        n(fit.standardErrors[c]), n(share(c)), n(pValues[c]),
      ])
    }
    let samples = model.residuals.columns
    return TextOutput.table(rows)
      + "\n\nlog-likelihood \(n(fit.logLikelihood)) on \(samples) samples"
      + (test.map {
        ", \(n($0.null.logLikelihood)) with noise on the output alone"
          + (draws > 0 ? " (p = \(n($0.pValue)))" : "")
      } ?? "")
  }
}

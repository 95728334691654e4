import Equilibria
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// The equilibria sample by sample and neuron by neuron.
extension EquilibriumReport {
  /// One row for each sample: status, energy, residual, counts and the discord of every edge.
  var bySample: Table {
    var table = Table(
      ["sample", "status", "energy", "residual", "iterations", "kinkNeurons", "tiedCoordinates"]
        + discords.edges.map { "discord:\($0.edge)" } + ["totalDiscord"])
    for j in end.statuses.indices {
      let edges = edgeDiscords(sample: j)
      table.append(
        [
          "\(j)", end.statuses[j].rawValue, "\(end.energies[j])", "\(end.residuals[j])",
          "\(end.iterations[j])", "\(end.kinkNeurons[j])", "\(end.tiedCoordinates[j])",
        ] + edges.map { "\($0)" } + ["\(edges.reduce(0, +))"])
    }
    return table
  }

  /// One row for each coordinate that an edge determines: ρ², and predicted − actual, means over the samples.
  var byNeuron: Table {
    let tensors = network.tensorNames(of: discords)
    var table = Table(["edge", "kind", "coordinate", "meanDiscord", "meanDiscrepancy", "tensor"])
    func append(_ e: Int, _ i: Int, _ discrepancies: [Double], weight: Double?) {
      let n = Double(discrepancies.count)
      let squares = discrepancies.reduce(0) { $0 + $1 * $1 } / n
      table.append([
        discords.edges[e].edge, discords.edges[e].kind.rawValue, "\(i)",
        weight.map { "\($0 * squares)" }, "\(discrepancies.reduce(0, +) / n)", tensors[e],
      ])
    }
    for (e, edge) in network.edges.enumerated() {
      let rho = end.discrepancy[edge.target]
      for i in edge.operation.targetRows {
        append(e, i, (0..<rho.columns).map { -rho[i, $0] }, weight: 1)
      }
    }
    if let output = energy.output, let actual = end.state.output {
      let predicted = output.activation(end.state.stalks[network.lastVertex])
      // A cross-entropy is no sum of squares.
      let weight = output.hasCrossEntropy(isClamped: energy.isClamped) ? nil : output.coupling
      for i in 0..<actual.rows {
        append(
          network.edges.count, i,
          (0..<actual.columns).map { predicted[i, $0] - actual[i, $0] }, weight: weight)
      }
    }
    return table
  }

  /// The discord of every edge for one sample.
  private func edgeDiscords(sample j: Int) -> [Double] {
    var result = network.edges.map { edge in
      edge.operation.targetRows.reduce(0.0) { sum, i in
        let rho = end.discrepancy[edge.target][i, j]
        return sum + rho * rho
      }
    }
    if let output = energy.output, let actual = end.state.output {
      let z = end.state.stalks[network.lastVertex]
      result.append(
        output.discord(
          z.columns(j..<j + 1), actual.columns(j..<j + 1), isClamped: energy.isClamped))
    }
    return result
  }
}

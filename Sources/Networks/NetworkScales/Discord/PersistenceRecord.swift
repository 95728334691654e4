import Equilibria
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies
import SheafPersistence

/// The neural persistence of a network's layers, and the barcodes of its discord at a few samples, looked at along training.
///
/// What trains calls `look` after a step or an epoch.
public struct PersistenceRecord: Sendable, Equatable {
  /// What was seen at one step.
  public struct Look: Sendable, Equatable {
    /// The step.
    public let step: Int
    /// By layer of weights; empty where weights are not finite.
    public let layers: [NeuralPersistence]
    /// Of the whole network's graph; nil where weights are not finite.
    public let whole: NeuralPersistence?
    /// The valleys of discord (`regions`) at the probe's equilibria, means over its samples; nil without a probe or where none settled.
    public let regions: BarcodeSummary?
    /// The discord there, mean over these samples.
    public let discord: Double?
  }

  /// Samples whose outputs are clamped to targets, to look at their discord.
  public struct Probe: Sendable, Equatable {
    /// (n₀, samples).
    public let input: Matrix
    /// (n_{k+1}, samples).
    public let target: Matrix
    /// κ.
    public let coupling: Double

    /// A few samples are enough.
    public init(input: Matrix, target: Matrix, coupling: Double = 1) {
      precondition(input.columns == target.columns && coupling > 0)
      (self.input, self.target, self.coupling) = (input, target, coupling)
    }
  }

  /// The looks, steps ascending.
  public private(set) var looks: [Look] = []
  /// What is clamped; nil for weights alone.
  public let probe: Probe?
  /// p.
  public let exponent: Double

  /// A record of nothing yet.
  public init(probe: Probe? = nil, exponent: Double = 2) {
    (self.probe, self.exponent) = (probe, exponent)
  }

  /// Looks at a network after a step; later looks, as of a run that is taken up again before them, are forgotten.
  ///
  /// Cost: sorting the weights; with a probe a relaxation of its samples.
  public mutating func look(at network: Network, step: Int) {
    looks.removeAll { $0.step >= step }
    let graph: NeuronGraph? = try? NeuronGraph(network)
    let seen = graph == nil ? nil : probe.flatMap { Self.discord(of: network, $0) }
    looks.append(
      Look(
        step: step,
        layers: graph.map { g in
          g.layers.indices.map { g.persistence(ofLayer: $0, exponent: exponent) }
        } ?? [],
        whole: graph.map { $0.persistence(exponent: exponent) }, regions: seen?.regions,
        discord: seen?.discord))
  }

  /// The normalised neural persistence of a layer at every look; NaN where it was not seen.
  public func course(ofLayer k: Int) -> [Double] {
    looks.map { $0.layers.indices.contains(k) ? $0.layers[k].normalized : .nan }
  }

  private static func discord(
    of network: Network, _ probe: Probe
  ) -> (regions: BarcodeSummary, discord: Double)? {
    let sheaf = NeuralSheaf(network)
    let output = OutputEdge(
      activation: network.outputActivation,
      energy: network.outputActivation == .identity ? .squared : .crossEntropy,
      coupling: probe.coupling)
    guard
      let pins = try? Pins(
        [.clamp(probe.target, of: network)], network: network, input: probe.input),
      let end = try? EquilibriumMethod.auto.solver().solve(
        PinnedEnergy(sheaf, pins: pins, output: output), input: probe.input)
    else { return nil }
    var (summaries, total) = ([BarcodeSummary](), 0.0)
    for j in end.statuses.indices where end.statuses[j] == .converged {
      guard let filtration = try? sheaf.discordFiltration(at: end.state, sample: j),
        let barcode = try? filtration.regions.barcode(over: .prime(2), maximumDegree: 0)
      else { continue }
      summaries.append(BarcodeSummary(barcode))
      total += end.discrepancy.reduce(0) { $0 + $1.sumOfSquares(column: j) }
    }
    guard !summaries.isEmpty else { return nil }
    return (BarcodeSummary(meanOf: summaries), total / Double(summaries.count))
  }
}

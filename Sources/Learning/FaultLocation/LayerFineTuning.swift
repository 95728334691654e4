import Foundation
import LinearAlgebra
import NeuralSheaves
import SheafTraining

/// Backpropagation that hands over the gradients of some edges only.
struct PartialBackpropagation: GradientRule {
  private var base = Backpropagation()
  private let edges: Set<Int>

  init(edges: [Int]) { self.edges = Set(edges) }

  func sweeps(_ network: Network) -> Int { base.sweeps(network) }

  func energyScales(_ network: Network, at progress: Double) -> [Double] {
    base.energyScales(network, at: progress)
  }

  mutating func visitEdges(
    _ sheaf: NeuralSheaf, _ batch: inout RuleBatch, _ body: (EdgeGradient) -> Void
  ) -> RelaxationReport {
    let edges = edges
    return base.visitEdges(sheaf, &batch) { part in
      if edges.contains(part.edge) { body(part) }
    }
  }
}

/// How each layer is trained alone.
public struct FineTuningSettings: Sendable {
  /// The steps of Adam, each on all training probes.
  public var steps = 200
  /// Its rate.
  public var rate = 1e-3
  /// The share of the probes that the loss is measured on.
  public var heldOut = 0.25
  /// Of the choice of these.
  public var seed: UInt64 = 0

  /// The usual ones.
  public init() {}
}

extension FaultProbes {
  /// The loss on held-out probes after training each layer alone towards the reference's outputs, the others as they are: the layer
  /// that repairs the most is the suspect.
  ///
  /// The loss is the mean squared error of z_{k+1}, or the cross-entropy where the reference has probabilities.
  ///
  /// - Throws: `FaultError.training` for fewer than two probes and networks that cannot be trained.
  /// - Complexity: steps · layers passes forth and back.
  public func fineTunedLosses(
    _ settings: FineTuningSettings = .init(), onLayer: (Int) -> Void = { _ in }
  ) throws(FaultError) -> [Double] {
    var network = network
    var target = reference
    switch difference.scale {
    case .values: network.outputActivation = .identity
    case .odds: network.outputActivation = .sigmoid
    case .probabilities:
      network.outputActivation = .softmax
      for j in 0..<target.columns {
        let sum = target.column(j).reduce(0, +)
        for i in 0..<target.rows { target[i, j] /= sum }
      }
    }
    do {
      let data = try TrainingData(input: input, target: target, for: network)
      var generator = RandomGenerator(seed: settings.seed)
      let (training, held) = try data.split(
        holdingOut: settings.heldOut, named: "held-out", using: &generator)
      // What of a cross-entropy no network can avoid is no sign of a fault.
      let least = network.outputActivation.meanEntropy(of: held.target)
      var losses: [Double] = []
      for (l, layer) in layers.enumerated() {
        var trainer = try GradientTraining(
          network, data: training, rule: PartialBackpropagation(edges: layer.trained),
          settings: .init(.adam, rate: settings.rate, stepsPerEpoch: settings.steps))
        _ = try trainer.runEpoch(0...1)
        losses.append(max(0, Evaluation(trainer.network, on: held).loss - least))
        onLayer(l)
      }
      return losses
    } catch { throw .training(error) }
  }
}

extension OutputActivation {
  /// The least mean loss of any outputs on targets: their entropy, 0 for values.
  fileprivate func meanEntropy(of target: Matrix) -> Double {
    func part(_ p: Double) -> Double { p > 0 ? -p * log(p) : 0 }
    let sum = target.elements.reduce(0) { sum, p in
      switch self {
      case .identity: sum
      case .sigmoid: sum + (part(p) + part(1 - p)) / Double(target.rows)
      case .softmax: sum + part(p)
      }
    }
    return sum / Double(target.columns)
  }
}

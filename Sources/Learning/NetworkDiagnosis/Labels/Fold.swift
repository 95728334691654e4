import Foundation
import LinearAlgebra
import NeuralSheaves
import SheafTraining

/// One part of a cross-validation.
struct Fold: Sendable {
  /// The network at its start.
  let network: Network
  /// The samples that are held out.
  let held: [Int]
  /// What the trained network says of them.
  private(set) var result: Result<(logits: Matrix, distances: Matrix?), any Error>?

  init(network: Network, held: [Int]) { (self.network, self.held) = (network, held) }

  /// Trains on all other samples.
  mutating func train(
    _ input: Matrix, _ target: Matrix, _ classes: [Int], _ settings: CrossValidation.Settings,
    threads: Int, _ halt: Halt
  ) {
    result = Result {
      let isHeld = Set(held)
      let kept = (0..<input.columns).filter { !isHeld.contains($0) }
      var seen = input.columns(kept)
      let scaling = InputScaling(seen)
      scaling.apply(to: &seen)
      let data = try TrainingData(input: seen, target: target.columns(kept), for: network)
      var training = try GradientTraining.Settings(
        .adam, rate: settings.rate, batch: settings.batch, seed: settings.seed)
      training.threads = threads
      var trainer = try GradientTraining(
        network, data: data, rule: Backpropagation(), settings: training)
      let epochs = settings.epochs(data.count)
      for epoch in 0..<epochs where halt.reason == nil {
        _ = try trainer.runEpoch(
          Double(epoch) / Double(epochs)...Double(epoch + 1) / Double(epochs),
          isInterrupted: { halt.reason != nil })
      }
      var own = input.columns(held)
      scaling.apply(to: &own)
      return Self.judged(trainer.network, own, seen, kept.map { classes[$0] })
    }
  }

  /// What a network says of samples held out.
  private static func judged(
    _ network: Network, _ held: Matrix, _ seen: Matrix, _ classes: [Int]
  ) -> (logits: Matrix, distances: Matrix?) {
    let sheaf = NeuralSheaf(network)
    let state = sheaf.forwardPass(held)
    let logits = network.classLogits(state.stalks[network.lastVertex])
    guard let v = network.lastHiddenVertex, network.vertices[v].dimension <= 2048,
      let gaussians = try? ClassGaussians(
        sheaf.forwardPass(seen).stalks[v], classes: classes, count: logits.rows,
        shrinkage: .ledoitWolf)
    else { return (logits, nil) }
    var squares = gaussians.squaredDistances(state.stalks[v])
    for j in 0..<squares.columns {
      // A class without samples is infinitely far.
      for c in 0..<squares.rows { squares[c, j] = min(max(squares[c, j], 1e-9), 1e30) }
    }
    return (logits, squares)
  }
}

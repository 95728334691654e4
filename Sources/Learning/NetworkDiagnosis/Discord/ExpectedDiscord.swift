import Foundation
import LinearAlgebra
import NeuralSheaves
import SheafProbability

/// The mean discord of each edge over targets drawn from the network's own output, on the pattern of the forward pass (`ClampedDiscord`), and C of each
/// sample.
struct ExpectedDiscord {
  /// By edge of the network.
  private(set) var edges: [Double]
  /// Of the clamp.
  private(set) var output = 0.0
  /// C of each sample.
  private(set) var covariances: [Matrix] = []

  /// The most outputs for which it is worked out: the parts of the edges are n² numbers for each sample.
  static let mostOutputs = 64

  /// Works on a few samples at a time.
  ///
  /// Cost: n_{k+1} reverse sweeps, and for each sample a few solves of order n_{k+1} for each class.
  init(_ samples: NetworkSamples, halt: Halt) throws(Interruption) {
    let network = samples.network
    edges = [Double](repeating: 0, count: network.edges.count)
    let square = Self.meanSquare(samples)
    for start in stride(from: 0, to: samples.count, by: 64) {
      if let reason = halt.reason { throw Interruption(reason: reason) }
      let range = start..<min(start + 64, samples.count)
      let parts = GaussianSheaf(network).edgeCovariances(
        at: samples.state.samples(range), gains: false)
      for (q, j) in range.enumerated() {
        var c = parts[0].additive[q]
        for part in parts.dropFirst() { c.add(part.additive[q]) }
        covariances.append(c)
        let force = ClampForce(network.outputActivation, z: samples.logits.columns(j..<j + 1), c)
        let (mean, energy) = force.moments(variance: square)
        output += energy / Double(samples.count)
        for (e, part) in parts.enumerated() {
          edges[e] += dot(mean, part.additive[q]) / Double(samples.count)
        }
      }
    }
  }

  /// The residuals' mean square, where outputs are values.
  private static func meanSquare(_ samples: NetworkSamples) -> Double {
    guard samples.network.outputActivation == .identity, var r = samples.target else { return 0 }
    r.add(samples.logits, scale: -1)
    return r.sumOfSquares / Double(r.count)
  }
}

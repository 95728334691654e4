import Foundation
import LinearAlgebra
import NeuralSheaves

/// How large signals and gradients are from stalk to stalk.
public struct SignalSizes: Sendable {
  /// By vertex the root mean square of its coordinates.
  public let sizes: [Double]
  /// By vertex the root mean square of its coordinates less their means over the samples: how much samples differ.
  public let spreads: [Double]
  /// By vertex the root mean square over samples of ‖J_vᵀc‖, J_v = ∂z_{k+1}/∂v and c random with the curvature of the loss as its covariance
  /// (±1 for values): the size of gradients in v, whatever the targets.
  public let gradients: [Double]
  /// The layers.
  let layers: [(vertex: Int, name: String)]

  /// The sizes on samples. Cost: a forward and a reverse sweep.
  public init(_ samples: NetworkSamples, using generator: inout RandomGenerator) {
    let (network, state) = (samples.network, samples.state)
    let sheaf = NeuralSheaf(network)
    sizes = state.stalks.map { ($0.sumOfSquares / Double(max($0.count, 1))).squareRoot() }
    spreads = state.stalks.map {
      ($0.centred.sumOfSquares / Double(max($0.count, 1))).squareRoot()
    }
    var u = sheaf.zeroCochain(batch: samples.count, input: .free)
    let last = network.lastVertex
    network.outputActivation.setCurvatureRoot(
      at: network.outputActivation(samples.logits),
      of: generator.signs(rows: network.outputDimension, columns: samples.count), into: &u[last])
    sheaf.substituteBackward(
      &u, at: sheaf.patterns(at: state), input: .free, isFromOutput: true)
    gradients = u.map { ($0.sumOfSquares / Double(samples.count)).squareRoot() }
    layers = network.edges.filter {
      $0.operation.kind == .affine && $0.operation.parameterNames.contains("weight")
    }.map { ($0.target, network.vertices[$0.target].name) }
  }

  /// What vanishes and what explodes: the first stalk of each.
  func findings(_ samples: NetworkSamples, _ thresholds: FindingThresholds) -> [Finding] {
    var findings: [Finding] = []
    let n = { (x: Double) in String(format: "%.3g", x) }
    // Against the first layer: the input is in any units.
    if let first = layers.first, spreads[first.vertex] > 0 {
      let usual = spreads[first.vertex]
      let hidden = layers.dropFirst().dropLast()
      func words(_ layer: (vertex: Int, name: String)) -> String {
        "samples differ by \(n(spreads[layer.vertex])) in \(layer.name), by \(n(usual)) in \(first.name) (root mean squares)"
      }
      if let layer = hidden.first(where: { spreads[$0.vertex] * thresholds.signal < usual }) {
        findings.append(Finding(.vanishingSignal, layer.name, share: 1, words(layer)))
      }
      if let layer = hidden.first(where: { spreads[$0.vertex] > thresholds.signal * usual }) {
        findings.append(Finding(.explodingSignal, layer.name, share: 1, words(layer)))
      }
    }
    if let first = layers.first, let last = layers.last, layers.count > 1 {
      let (a, b) = (gradients[first.vertex], gradients[last.vertex])
      let words =
        "gradients are \(n(a)) in \(first.name), \(n(b)) in \(last.name) (root mean square over samples)"
      if a * thresholds.gradient < b {
        findings.append(Finding(.vanishingGradient, first.name, share: 1, words))
      } else if a > thresholds.gradient * b {
        findings.append(Finding(.explodingGradient, first.name, share: 1, words))
      }
    }
    return findings
  }
}

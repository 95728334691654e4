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
    spreads = state.stalks.map { stalk in
      var means = Matrix(rows: stalk.rows, columns: 1)
      means.addRowSums(of: stalk, scale: 1 / Double(stalk.columns))
      var centred = stalk
      centred.addToEachColumn(means, scale: -1)
      return (centred.sumOfSquares / Double(max(stalk.count, 1))).squareRoot()
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
    let network = samples.network
    var findings: [Finding] = []
    let n = { (x: Double) in String(format: "%.3g", x) }
    if spreads[0] > 0 {
      let hidden = network.vertices.indices.dropFirst().dropLast()
      if let v = hidden.first(where: { spreads[$0] * thresholds.signal < spreads[0] }) {
        findings.append(
          Finding(
            .vanishingSignal, network.vertices[v].name, share: 1,
            "samples differ by \(n(spreads[v])) in \(network.vertices[v].name), by \(n(spreads[0])) in the input (root mean squares)"
          ))
      }
      if let v = hidden.first(where: { spreads[$0] > thresholds.signal * spreads[0] }) {
        findings.append(
          Finding(
            .explodingSignal, network.vertices[v].name, share: 1,
            "samples differ by \(n(spreads[v])) in \(network.vertices[v].name), by \(n(spreads[0])) in the input (root mean squares)"
          ))
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

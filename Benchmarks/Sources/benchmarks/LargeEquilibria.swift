import Equilibria
import Foundation
import LinearAlgebra
import ModelFormats
import NeuralSheaves
import PiecewiseEnergies

/// Images clamped through κ = 1 at targets some spreads of the outputs away, with the time of one sample's equilibrium
/// on one core, in seconds and in forward and reverse passes of the same network in the same run.
struct LargeEquilibria {
  let network: Network
  let samples: Int
  private let images: Matrix
  private let outputs: Matrix
  private let spreads: [Double]

  init(_ network: Network, samples: Int) {
    (self.network, self.samples) = (network, samples)
    var g = RandomGenerator(seed: 5)
    func draw(_ count: Int) -> Matrix {
      var x = Matrix(rows: network.inputDimension, columns: count)
      for j in 0..<count { for i in 0..<x.rows { x[i, j] = g.uniform(0, 1) } }
      return x
    }
    images = draw(samples)
    let many = network.logits(draw(64))
    outputs = network.logits(images)
    spreads = (0..<many.rows).map { i in
      let values = (0..<many.columns).map { many[i, $0] }
      let mean = values.reduce(0, +) / Double(values.count)
      return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1))
        .squareRoot()
    }
  }

  /// Milliseconds of a forward and a reverse pass of one sample.
  private var passes: Double {
    let sheaf = NeuralSheaf(network)
    var state = sheaf.zeroState(images.columns(0..<1))
    sheaf.runForwardPass(&state)
    let patterns = sheaf.patterns(at: state)
    var cochain = state.stalks
    return (0..<20).reduce(Double.infinity) { best, _ in
      min(
        best,
        ContinuousClock().measure {
          sheaf.runForwardPass(&state)
          sheaf.substituteBackward(&cochain, at: patterns)
        } / .milliseconds(1))
    }
  }

  func results(distances: [Double]) throws -> [String: Any] {
    let passes = passes
    var result: [String: Any] = [
      "freeCoordinates": network.freeDimension, "passesMilliseconds": passes,
    ]
    for f in distances {
      var g = RandomGenerator(seed: UInt64(1000 * f))
      var y = outputs
      for j in 0..<samples { for i in 0..<y.rows { y[i, j] += f * spreads[i] * g.normal() } }
      var runs: [(seconds: Double, end: PinnedEquilibrium)] = []
      for j in 0..<samples {
        let x = images.columns(j..<j + 1)
        let energy = PinnedEnergy(
          NeuralSheaf(network),
          pins: try Pins([.clamp(y.columns(j..<j + 1), of: network)], network: network, input: x),
          output: OutputEdge(activation: .identity, coupling: 1))
        var end: PinnedEquilibrium?
        let time = try ContinuousClock().measure {
          end = try EquilibriumMethod.auto.solver(threads: 1).solve(energy, input: x)
        }
        runs.append((time / .seconds(1), end!))
      }
      let seconds = runs.map(\.seconds)
      result["spreads \(f)"] =
        [
          "secondsPerSample": seconds.reduce(0, +) / Double(samples), "most": seconds.max()!,
          "inForwardAndReversePasses": 1000 * seconds.reduce(0, +) / Double(samples) / passes,
          "mostPasses": 1000 * seconds.max()! / passes,
          "residual": runs.map { $0.end.residuals[0] }.max()!,
          "converged": runs.count { $0.end.status == .converged }, "samples": samples,
          "steps": runs.map { $0.end.iterations[0] }.max()!,
          "kinks": runs.map { $0.end.kinkNeurons[0] }.max()!,
          "ties": runs.map { $0.end.tiedCoordinates[0] }.max()!,
        ] as [String: Any]
    }
    result["peakMegabytes"] = ConvolutionalCase.peakMegabytes
    return result
  }

  /// Prints what files of networks take.
  static func printResults(_ paths: [String]) throws {
    var results: [String: Any] = [:]
    for path in paths {
      results[path] = try LargeEquilibria(ONNXFile.read(path), samples: 8)
        .results(distances: [0.1, 0.3, 1])
    }
    let json = try JSONSerialization.data(
      withJSONObject: results, options: [.sortedKeys, .prettyPrinted])
    print(String(decoding: json, as: UTF8.self))
  }
}

@MainActor func measureLargeEquilibria() throws {
  try measure("equilibrium seven convolutions x4") {
    try LargeEquilibria(ConvolutionalCase.deep(batch: 1).network, samples: 4)
      .results(distances: [0.1, 1])
  }
  try measure("equilibrium six convolutions, three maxima x2") {
    try LargeEquilibria(ConvolutionalCase.pooled(batch: 1).network, samples: 2)
      .results(distances: [1])
  }
}

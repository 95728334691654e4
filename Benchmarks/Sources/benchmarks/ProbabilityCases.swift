import Datasets
import Foundation
import LinearAlgebra
import ModelFormats
import NeuralSheaves
import SheafProbability

/// The sheaf as a probability model: what covariances cost beside forward passes, and Laplace's evidence beside a million draws.
@MainActor func measureProbability() throws {
  try measure("probability: covariances of 1,000 samples of digits-mlp") { try covarianceCosts() }
  try measure("probability: evidence of 20 networks by 1,000,000 draws") { try evidenceErrors() }
}

/// Rounds of all, the best of each.
private func covarianceCosts() throws -> [String: Any] {
  let network = try NetworkFile.read("Tests/ReferenceData/models/digits-mlp.onnx")
  let model = GaussianSheaf(network)
  let digits = Digits.load()
  let x = digits.trainInput.columns(0..<1000)
  let edges = model.sheaf.forwardPass(x)
  var best: [String: Double] = [:]
  func time(_ name: String, _ body: () throws -> Void) rethrows {
    let time = try ContinuousClock().measure(body)
    best[name] = min(best[name] ?? .infinity, time / .milliseconds(1))
  }
  for _ in 0..<10 {
    time("forward pass") { _ = network.logits(x) }
    time("covariance") { _ = model.predictiveCovariance(x) }
    time("variances") { _ = model.predictiveVariances(x) }
    time("parts by edge") { _ = model.edgeCovariances(at: edges) }
  }
  let forward = best["forward pass"]!
  return [
    "milliseconds": best, "inForwardPasses": best.mapValues { $0 / forward },
    "covarianceBar": 25,
  ]
}

/// −log p(y | x) by Laplace's method less that of draws of the prior, in standard errors of the draws, and how much of the evidence
/// lies on the mode's pattern.
private func evidenceErrors() throws -> [String: Any] {
  var rows: [[String: Any]] = []
  for seed in UInt64(0)..<20 {
    var g = RandomGenerator(seed: seed)
    let network = try Network(widths: [2, 3 + Int(seed % 4), 2], using: &g)
    // Half of the networks are stiff: little noise, and one pattern.
    let gamma = seed % 2 == 0 ? 400.0 : 4.0
    let model = GaussianSheaf(network, noise: try EdgeNoise(gamma, of: network))
    let x = g.normalMatrix(rows: 2, columns: 1)
    let y = model.sample(x, using: &g).stalks[network.lastVertex]
    let posterior = try model.posterior(x, target: y, coupling: gamma, threads: 1)
    let laplace = try posterior.logEvidence(threads: 1)[0]
    var (sum, squares, onPattern) = (0.0, 0.0, 0.0)
    let (block, blocks) = (20_000, 50)
    for _ in 0..<blocks {
      let draw = model.sample(x.columns([Int](repeating: 0, count: block)), using: &g)
      let patterns = model.sheaf.patterns(at: draw)
      let z = draw.stalks[network.lastVertex]
      for j in 0..<block {
        let likelihood = exp(
          log(gamma / (2 * .pi))
            - gamma * distance(z, j, y) / 2 - laplace)
        sum += likelihood
        squares += likelihood * likelihood
        let isModes = zip(patterns, posterior.patterns).allSatisfy {
          $0.sample(j) == $1 || $1.dimension == 0
        }
        if isModes { onPattern += likelihood }
      }
    }
    let n = Double(block * blocks)
    let mean = sum / n
    let error = ((squares / n - mean * mean) / n).squareRoot()
    rows.append([
      "seed": Int(seed), "stiffness": gamma, "kinks": posterior.kinkCoordinates[0],
      "shareOnThePattern": onPattern / sum, "laplaceLessDraws": -Foundation.log(mean),
      "inStandardErrors": (1 - mean) / error, "standardError": error / mean,
    ])
  }
  return ["networks": rows]
}

/// ‖z_j − y‖².
private func distance(_ z: Matrix, _ j: Int, _ y: Matrix) -> Double {
  (0..<z.rows).reduce(0) { $0 + (z[$1, j] - y[$1, 0]) * (z[$1, j] - y[$1, 0]) }
}

import ArrayFiles
import Equilibria
import Foundation
import LinearAlgebra
import ModelFormats
import NeuralSheaves
import PiecewiseEnergies
import SheafFlows
import SheafTraining

/// A network with its output clamped: the time to its equilibria, and what Euler's method would need.
struct ClampedCase {
  let energy: PinnedEnergy
  let input: Matrix
  let threads = ProcessInfo.processInfo.activeProcessorCount

  /// A hard clamp, or one of weight κ.
  init(_ network: Network, input: Matrix, target: Matrix, coupling: Double? = nil) throws {
    let vertex = coupling == nil ? network.lastVertex : network.vertices.count
    let pin = Pin(vertex: vertex, coordinates: Array(0..<target.rows), values: target)
    energy = PinnedEnergy(
      NeuralSheaf(network), pins: try Pins([pin], network: network, input: input),
      output: coupling.map { OutputEdge(activation: .identity, coupling: $0) })
    self.input = input
  }

  /// The best time of several runs, with how they ended.
  func solve(repeats: Int, bar: Double?) throws -> [String: Any] {
    let solver = EquilibriumMethod.auto.solver(threads: threads)
    var best = Double.infinity
    var end = try solver.solve(energy, input: input)
    for _ in 0..<repeats {
      best = min(
        best,
        try ContinuousClock().measure { end = try solver.solve(energy, input: input) }
          / .milliseconds(1))
    }
    var result: [String: Any] = [
      "milliseconds": best, "status": end.status.rawValue,
      "residual": end.residuals.max()!, "steps": end.iterations.max()!,
      "meanSteps": Double(end.iterations.reduce(0, +)) / Double(end.iterations.count),
      "kinkNeurons": end.kinkNeurons.reduce(0, +),
      "tiedCoordinates": end.tiedCoordinates.reduce(0, +),
      "method": EquilibriumMethod.auto.chosen(for: energy).rawValue,
      "energy": end.energies.reduce(0, +) / Double(end.energies.count),
    ]
    if let bar { result["barMilliseconds"] = bar }
    return result
  }

  /// Euler's method from the forward pass to within 1e-6 of the energy that it tends to.
  ///
  /// From 1,000 steps: the energies E₆₀₀, E₈₀₀, E₁₀₀₀ give limit and rate (Aitken), and with them the
  /// number of steps; fewer if they got there.
  func euler(step: Double?) throws -> [String: Any] {
    let flow = try HeatFlow(energy.sheaf, pins: energy.pins, output: energy.output)
    var state = energy.sheaf.forwardPass(input)
    if energy.output != nil {
      state.output = energy.pins.heldValues(energy.sheaf.network.vertices.count)
    }
    let h = step ?? 0.95 * flow.stableStep(at: state)
    var energies: [Double] = []
    var milliseconds = 0.0
    for n in [600, 200, 200] {
      let start = state
      milliseconds +=
        try ContinuousClock().measure {
          let run = try Euler(
            step: h, stop: .change(1e-300), stepLimit: n, allowsUnstable: true, threads: threads
          ).run(flow, from: start)
          state = run.state
          energies.append(run.energy)
        } / .milliseconds(1)
    }
    let (a, b) = (energies[0] - energies[1], energies[1] - energies[2])
    let ratio = b / a
    var steps = 1000.0
    if ratio > 0 && ratio < 1 {
      let limit = energies[2] - b * ratio / (1 - ratio)
      let gap = (energies[2] - limit) / abs(limit)
      steps = max(1, 1000 + 200 * log(gap / 1e-6) / -log(ratio))
    }
    return [
      "step": h, "millisecondsPerStep": milliseconds / 1000, "extrapolatedSteps": steps,
      "extrapolatedMilliseconds": steps * milliseconds / 1000, "energyAfter1000": energies[2],
    ]
  }

  /// The solver beside Euler's method at its largest stable step and at the paper's 0.01.
  func besideEuler(repeats: Int, bar: Double?, paperStep: Double? = nil) throws -> [String: Any] {
    var result = try solve(repeats: repeats, bar: bar)
    let (stable, paper) = (try euler(step: nil), try euler(step: 0.01))
    let time = result["milliseconds"] as! Double
    result["eulerStable"] = stable
    result["eulerPaper"] = paper
    result["timesFasterThanStable"] = (stable["extrapolatedMilliseconds"] as! Double) / time
    result["timesFasterThanPaper"] = (paper["extrapolatedMilliseconds"] as! Double) / time
    if let paperStep {
      // Its own implementation takes this long for a step (Tests/ReferenceData/README.md).
      result["paperImplementationMilliseconds"] =
        (paper["extrapolatedSteps"] as! Double) * paperStep
      result["timesFasterThanPaperImplementation"] =
        (paper["extrapolatedSteps"] as! Double) * paperStep / time
    }
    return result
  }
}

/// Files of Tests/ReferenceData.
func referenceData(_ name: String) -> String {
  URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../../Tests/ReferenceData/\(name)").standardizedFileURL.path
}

@MainActor func measureEquilibria() throws {
  var generator = RandomGenerator(seed: 4)
  let network = try Network(widths: [784, 512, 512, 10], using: &generator)
  let x = generator.normalMatrix(rows: 784, columns: 256)
  let y = generator.normalMatrix(rows: 10, columns: 256)
  try measure("equilibrium clamped [784,512,512,10]x256") {
    try ClampedCase(network, input: x, target: y, coupling: 1)
      .besideEuler(repeats: 5, bar: 300, paperStep: 17.5)
  }
  try measure("equilibrium clamped [784,512,512,10]x256, targets x10") {
    var far = y
    far.scale(by: 10)
    return try ClampedCase(network, input: x, target: far, coupling: 1)
      .besideEuler(repeats: 5, bar: 800, paperStep: 17.5)
  }
  try measure("equilibrium one pinned neuron [784,512,512,10]x256") {
    let sheaf = NeuralSheaf(network)
    let pin = Pin(
      vertex: 3, coordinates: [7], values: generator.normalMatrix(rows: 1, columns: 256))
    let energy = PinnedEnergy(sheaf, pins: try Pins([pin], network: network, input: x))
    let threads = ProcessInfo.processInfo.activeProcessorCount
    let solver = EquilibriumMethod.auto.solver(threads: threads)
    var blocks = SampleBlocks.ranges(network: network, batch: 256, threads: threads).map {
      sheaf.zeroState(x.columns($0))
    }
    var (solve, forward, status) = (Double.infinity, Double.infinity, "")
    for _ in 0..<10 {
      forward = min(
        forward,
        ContinuousClock().measure {
          forEachInParallel(&blocks, threads: threads) { sheaf.runForwardPass(&$0) }
        } / .milliseconds(1))
      solve = min(
        solve,
        try ContinuousClock().measure {
          status = try solver.solve(energy, input: x).status.rawValue
        } / .milliseconds(1))
    }
    return [
      "milliseconds": solve, "forwardMilliseconds": forward, "inForwardPasses": solve / forward,
      "barForwardPasses": 6, "status": status,
    ]
  }
  try measure("equilibrium d_pinned_sgd20k x50") {
    let file = try NPZ.read(referenceData("d_pinned_sgd20k.npz"))
    let network = try NetworkFile.read(referenceData("d_pinned_sgd20k.npz"))
    return try ClampedCase(
      network, input: file["X"]!.samples.transposed, target: file["Y"]!.samples.transposed
    ).besideEuler(repeats: 50, bar: 5, paperStep: 0.12)
  }
  for (name, bar) in [("digits-mlp", 100.0), ("digits-residual", 100), ("digits-conv", 1500)] {
    try measure("equilibrium \(name) x100") {
      let expected = try NPZ.read(referenceData("models/\(name)-expected.npz"))
      let network = try ONNXFile.read(referenceData("models/\(name).onnx"))
      let labels = expected["labels"]!.elements
      let target = try TrainingData.oneHot(labels, classes: 10)
      let this = try ClampedCase(network, input: expected["input"]!.samples, target: target)
      return name == "digits-mlp"
        ? try this.besideEuler(repeats: 5, bar: bar) : try this.solve(repeats: 3, bar: bar)
    }
  }
}

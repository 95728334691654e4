import Distributions
import FaultLocation
import Foundation
import LinearAlgebra
import NetworkKernels
import NeuralSheaves
import SheafProbability
import SheafTraining
import Testing

/// Which layer of a network is off, from outputs of a reference on probes.
@Suite struct FaultLocationTests {
  /// A chain of dense layers with biases.
  static func chain(_ widths: [Int], using g: inout RandomGenerator) throws -> Network {
    var network = try Network(widths: widths, using: &g)
    for layer in network.layers {
      network.updateParameters(of: layer.edge) { i, p in
        if i == 1 { p = g.normalMatrix(rows: p.rows, columns: 1, deviation: 0.2) }
      }
    }
    return network
  }

  /// The network with noise on the weights of a layer.
  static func disturbed(
    _ network: Network, layer l: Int, by deviation: Double, using g: inout RandomGenerator
  ) -> Network {
    var network = network
    network.updateParameters(of: network.layers[l].edge) { i, p in
      guard i == 0 else { return }
      let size = (dot(p, p) / Double(p.count)).squareRoot()
      p.add(g.normalMatrix(rows: p.rows, columns: p.columns, deviation: deviation * size))
    }
    return network
  }

  @Test func layersShareOutTheEdges() throws {
    for seed in 0..<200 as Range<UInt64> {
      let (network, _) = try randomNetwork(seed: seed)
      let layers = network.layers
      guard !layers.isEmpty else { continue }
      #expect(layers.flatMap(\.edges).sorted() == Array(network.edges.indices), "seed \(seed)")
      let trained = network.edges.indices.filter {
        !network.edges[$0].operation.parameterNames.isEmpty
      }
      #expect(layers.flatMap(\.trained).sorted() == trained, "seed \(seed)")
      for layer in layers {
        #expect(layer.edges.contains(layer.edge) && layer.trained.first == layer.edge)
      }
    }
  }

  /// The components of a dense chain, as products of weights and masks.
  @Test func componentsAreThoseOfTheChain() throws {
    var g = RandomGenerator(case: 1)
    let network = try Self.chain([4, 6, 5, 3], using: &g)
    let x = g.normalMatrix(rows: 4, columns: 8)
    let probes = try FaultProbes(
      network, input: x, reference: g.normalMatrix(rows: 3, columns: 8))
    let model = try probes.varianceModel()
    let state = NeuralSheaf(network).forwardPass(x)
    let w = [0, 2, 4].map { network.edges[$0].operation.parameters[0] }
    var lists = [[Matrix]](repeating: [], count: 6)
    for j in 0..<8 {
      func mask(_ v: Int) -> Matrix {
        .diagonal(state.stalks[v].column(j).map { $0 > 0 ? 1 : 0 })
      }
      let third = Matrix.identity(3)
      let second = w[2] * mask(3)
      let first = second * w[1] * mask(1)
      for (l, (jacobian, v)) in [(first, 1), (second, 3), (third, 5)].enumerated() {
        let squares = Matrix.diagonal(state.stalks[v].column(j).map { $0 * $0 })
        lists[l].append(jacobian * jacobian.transposed)
        lists[3 + l].append(jacobian * squares * jacobian.transposed)
      }
    }
    let expected = try VarianceModel(
      residuals: probes.difference.residuals, components: lists, floor: model.floor)
    let tau = [0.3, 0.1, 0.7, 0.2, 0.9, 0.4]
    let (a, b) = (model.logLikelihood(tau), expected.logLikelihood(tau))
    #expect(abs(a - b) < 1e-9 * abs(b))
    for (u, v) in zip(model.units, expected.units) { #expect(abs(u - v) < 1e-10 * v) }
  }

  @Test func strongFaultsAreFound() throws {
    let (count, depth) = (40, 4)
    var (hits, tuned) = (0, 0)
    for seed in 0..<count {
      var g = RandomGenerator(case: 3000 + UInt64(seed))
      let network = try Self.chain([12, 24, 24, 24, 6], using: &g)
      let l = seed % depth
      let faulty = Self.disturbed(network, layer: l, by: 0.4, using: &g)
      let x = g.normalMatrix(rows: 12, columns: 120)
      let probes = try FaultProbes(faulty, input: x, reference: network.logits(x))
      let stiffness = try probes.varianceModel().layerStiffness()
      hits += FaultRanking(probes, stiffness).entries[0].index == l ? 1 : 0
      let losses = try probes.fineTunedLosses()
      let ranking = FaultRanking(probes, stiffness, fineTuneLosses: losses)
      tuned += ranking.entries[0].index == l ? 1 : 0
      // By activations nothing is left to guess.
      let comparison = try ActivationComparison(faulty, reference: network, input: x)
      #expect(FaultRanking(faulty, comparison).entries[0].index == l, "seed \(seed)")
      for (k, d) in comparison.discrepancies.enumerated() { #expect((d > 1e-9) == (k == l)) }
    }
    #expect(hits >= 24, "\(hits) of \(count)")
    #expect(tuned >= 28, "\(tuned) of \(count)")
  }

  /// Where all layers are off alike p is one of 1/20, …, 1, each as likely; where one is, p is small.
  @Test func pValuesAreUniformWhereNoLayerIsOff() throws {
    let values = try pValues(300, draws: 19) { network, g in
      (0..<3).reduce(network) { Self.disturbed($0, layer: $1, by: 0.01, using: &g) }
    }
    let p = KolmogorovSmirnov.uniformPValue(values)
    #expect(p > 0.005, "\(p)")
    let faults = try pValues(60, draws: 19) { network, g in
      Self.disturbed(network, layer: g.integer(0...2), by: 0.1, using: &g)
    }
    // The deployed network is one of those that count.
    #expect((values + faults).allSatisfy { $0 >= 0 && $0 <= 1 })
    let small = faults.count { $0 <= 0.1 }
    #expect(small > 36, "\(small) of 60")
  }

  /// p-values of networks that somebody changed, spread over the steps between them.
  private func pValues(
    _ count: Int, draws: Int, _ change: @Sendable (Network, inout RandomGenerator) -> Network
  ) throws -> [Double] {
    struct Case: Sendable {
      let seed: UInt64
      var p = Double.nan
    }
    var cases = (0..<count).map { Case(seed: 7000 + UInt64($0)) }
    forEachInParallel(&cases, threads: 2) { run in
      var g = RandomGenerator(case: run.seed)
      guard let network = try? Self.chain([5, 10, 10, 4], using: &g) else { return }
      let faulty = change(network, &g)
      let x = g.normalMatrix(rows: 5, columns: 40)
      guard
        let probes = try? FaultProbes(faulty, input: x, reference: network.logits(x)),
        let test = try? probes.test(
          probes.varianceModel(threads: 1), draws: draws, using: &g, threads: 1)
      else { return }
      run.p = test.pValue - g.uniform() / Double(draws + 1)
    }
    return cases.map(\.p)
  }

  @Test func probabilitiesAreRecognised() throws {
    var g = RandomGenerator(case: 5)
    var network = try Self.chain([6, 12, 12, 4], using: &g)
    let faulty = Self.disturbed(network, layer: 1, by: 0.4, using: &g)
    let x = g.normalMatrix(rows: 6, columns: 100)
    let logits = network.logits(x)
    func difference(_ reference: Matrix, _ activation: OutputActivation) throws -> OutputDifference
    {
      var deployed = faulty
      deployed.outputActivation = activation
      return try OutputDifference(
        logits: deployed.logits(x), reference: reference, of: deployed)
    }
    for activation in [OutputActivation.identity, .softmax] {
      #expect(try difference(logits, activation).scale == .values)
      let found = try difference(OutputActivation.softmax(logits), activation)
      #expect(found.scale == .probabilities)
      // The logits' difference without its mean over the classes.
      let whole = try difference(logits, activation).residuals
      #expect(found.residuals.rows == 3)
      for j in 0..<100 {
        let column = whole.column(j)
        let mean = column.reduce(0, +) / 4
        let expected = column.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let square = found.residuals.sumOfSquares(column: j)
        #expect(abs(square - expected) < 1e-9 * max(1, expected))
      }
    }
    #expect(try difference(OutputActivation.sigmoid(logits), .sigmoid).scale == .odds)
    #expect(try difference(logits, .sigmoid).scale == .values)
    // Zeros, as of probabilities in single precision, are cut off.
    var sure = OutputActivation.softmax(logits)
    for i in 0..<4 { sure[i, 0] = i == 0 ? 1 : 0 }
    #expect(try difference(sure, .softmax).residuals.firstNonFinite == nil)
    // Both ways point to the layer, if not always first.
    network.outputActivation = .softmax
    var deployed = faulty
    deployed.outputActivation = .softmax
    for reference in [logits, network(x)] {
      let probes = try FaultProbes(deployed, input: x, reference: reference)
      let ranking = FaultRanking(
        probes, try probes.varianceModel().layerStiffness(),
        fineTuneLosses: try probes.fineTunedLosses())
      #expect(ranking.entries.prefix(2).contains { $0.index == 1 })
    }
  }

  @Test func doubtsAreSaid() throws {
    var g = RandomGenerator(case: 8)
    let deep = try Self.chain([6, 8, 8, 8, 8, 8, 8, 8, 4], using: &g)
    let faulty = Self.disturbed(deep, layer: 3, by: 0.5, using: &g)
    let x = g.normalMatrix(rows: 6, columns: 12)
    let probes = try FaultProbes(faulty, input: x, reference: deep.logits(x))
    let doubts = FaultRanking(probes, try probes.varianceModel().layerStiffness()).doubts
    #expect(doubts.contains { $0.hasPrefix("8 layers") })
    #expect(doubts.contains { $0.hasPrefix("12 probes") })
  }

  @Test func probesThatTellNothingAreRefused() throws {
    var g = RandomGenerator(case: 6)
    let network = try Self.chain([3, 5, 2], using: &g)
    let x = g.normalMatrix(rows: 3, columns: 30)
    let y = network.logits(x)
    func message(_ reference: Matrix) -> String {
      do {
        _ = try FaultProbes(network, input: x, reference: reference).varianceModel()
        return ""
      } catch { return "\(error)" }
    }
    #expect(message(y).hasPrefix("no difference: nothing to locate"))
    #expect(message(Matrix(rows: 2, columns: 30)).contains("the same for all 30 probes"))
    #expect(
      message(Matrix(rows: 3, columns: 30)).contains("(30 samples, 3), expected (30 samples, 2)"))
    #expect(message(y.columns(0..<4)).contains("(4 samples, 2), expected (30 samples, 2)"))
    var broken = y
    broken[1, 4] = .nan
    #expect(message(broken) == "the reference of sample 4 is not finite")
    // Four components for four residuals.
    let few = try FaultProbes(
      network, input: x.columns(0..<2), reference: g.normalMatrix(rows: 2, columns: 2))
    #expect(throws: FaultError.self) { try few.varianceModel() }
    let other = try Self.chain([3, 6, 2], using: &g)
    #expect(throws: FaultError.self) {
      try ActivationComparison(network, reference: other, input: x)
    }
    #expect(throws: FaultError.self) {
      try ActivationComparison(network, reference: network, input: x)
    }
  }

  /// Residual and convolutional networks, as they come.
  @Test func everyGraphHasItsLayers() throws {
    var (found, compared) = (0, 0)
    for seed in 0..<150 as Range<UInt64> {
      var (network, g) = try randomNetwork(seed: seed)
      guard network.layers.count > 1, network.freeDimension < 300 else { continue }
      let l = network.layers.count - 1
      let faulty = Self.disturbed(network, layer: l, by: 0.5, using: &g)
      let x = g.normalMatrix(rows: network.inputDimension, columns: 60)
      network.outputActivation = .identity
      guard
        let probes = try? FaultProbes(faulty, input: x, reference: network.logits(x)),
        let model = try? probes.varianceModel()
      else { continue }
      let scores = try model.layerStiffness().scores
      #expect(scores.allSatisfy { $0.isFinite && $0 >= 0 }, "seed \(seed)")
      compared += 1
      found += scores[l] == scores.max()! ? 1 : 0
    }
    #expect(compared > 20, "\(compared)")
    #expect(2 * found > compared, "\(found) of \(compared)")
  }
}

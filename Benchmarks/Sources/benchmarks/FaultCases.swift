import Datasets
import FaultLocation
import Foundation
import LinearAlgebra
import NetworkKernels
import NeuralSheaves
import SheafTraining

/// Something that goes wrong with a layer.
enum LayerFault: String, CaseIterable {
  case noise, zeroedNeurons, permutedRows, rowGains, columnGains, twoBits, threeBits, shiftedBiases

  /// W with the fault, (outputs, inputs), and b.
  func apply(to w: inout Matrix, _ b: inout Matrix, using g: inout RandomGenerator) {
    let scale = (dot(w, w) / Double(w.count)).squareRoot()
    switch self {
    case .noise: w.add(g.normalMatrix(rows: w.rows, columns: w.columns, deviation: 0.3 * scale))
    case .zeroedNeurons:
      for i in g.permutation(w.rows).prefix(max(1, w.rows / 10)) {
        for j in 0..<w.columns { w[i, j] = 0 }
        b[i, 0] = 0
      }
    case .permutedRows:
      let rows = Array(g.permutation(w.rows).prefix(max(2, w.rows / 4)))
      let old = w
      for (k, i) in rows.enumerated() {
        let from = rows[(k + 1) % rows.count]
        for j in 0..<w.columns { w[i, j] = old[from, j] }
      }
    case .rowGains:
      for i in 0..<w.rows {
        let f = exp(0.5 * g.normal())
        for j in 0..<w.columns { w[i, j] *= f }
      }
    case .columnGains:
      for j in 0..<w.columns {
        let f = exp(0.5 * g.normal())
        for i in 0..<w.rows { w[i, j] *= f }
      }
    case .twoBits: w.round(toBits: 2)
    case .threeBits: w.round(toBits: 3)
    case .shiftedBiases:
      // By a third of what the weights make of inputs of mean square 1.
      let size = 0.3 * scale * Double(w.columns).squareRoot()
      for i in 0..<b.rows { b[i, 0] += size * g.normal() }
    }
  }

  /// A network with the fault in a layer.
  func network(_ network: Network, layer: NetworkLayer, using g: inout RandomGenerator) -> Network {
    var network = network
    let operation = network.edges[layer.edge].operation
    // Of convolutions the filters are columns.
    let isTurned = operation is Convolutional
    var (w, b) = (operation.parameters[0], operation.parameters[1])
    if isTurned { w = w.transposed }
    apply(to: &w, &b, using: &g)
    if isTurned { w = w.transposed }
    network.updateParameters(of: layer.edge) { i, p in p = i == 0 ? w : b }
    return network
  }
}

extension Matrix {
  /// The nearest of 2ᵇ levels at equal distances, symmetric about 0, up to the largest magnitude.
  fileprivate mutating func round(toBits bits: Int) {
    let levels = Double(1 << bits)
    let largest = maximumMagnitude
    let step = 2 * largest / levels
    for j in 0..<columns {
      for i in 0..<rows {
        let k = min(max((self[i, j] / step).rounded(.down), -levels / 2), levels / 2 - 1)
        self[i, j] = (k + 0.5) * step
      }
    }
  }
  private var maximumMagnitude: Double {
    (0..<columns).reduce(0) { max($0, maximumMagnitude(column: $1)) }
  }
}

/// How often each method names the layer with the fault.
struct FaultTable {
  private var hits: [String: (first: Int, near: Int, count: Int)] = [:]
  private var byFault: [String: [String: (first: Int, count: Int)]] = [:]
  /// Cases whose outputs do not differ.
  private(set) var skipped = 0
  /// p-values of faults and of networks that are all a little off.
  var pValues: [Double] = []

  mutating func add(_ method: String, _ fault: String, named: Int, true layer: Int) {
    let old = hits[method] ?? (0, 0, 0)
    hits[method] = (
      old.first + (named == layer ? 1 : 0), old.near + (abs(named - layer) <= 1 ? 1 : 0),
      old.count + 1
    )
    let part = byFault[method, default: [:]][fault] ?? (0, 0)
    byFault[method, default: [:]][fault] = (part.first + (named == layer ? 1 : 0), part.count + 1)
  }

  mutating func skip() { skipped += 1 }

  var json: [String: Any] {
    var object: [String: Any] = [:]
    for (method, h) in hits {
      let count = Double(h.count)
      object[method] =
        [
          "first": Double(h.first) / count, "withinOne": Double(h.near) / count, "cases": h.count,
          "byFault": byFault[method]!.mapValues { Double($0.first) / Double($0.count) },
        ] as [String: Any]
    }
    object["skipped"] = skipped
    object["pValuesAtMost.05"] =
      pValues.isEmpty ? 0 : Double(pValues.count { $0 <= 0.05 }) / Double(pValues.count)
    return object
  }
}

/// Fault location on networks that read the digits: which layer, from outputs on probes alone.
struct FaultCase {
  let build: (inout RandomGenerator) throws -> Network
  let seeds: Int
  /// Probes of the second, smaller set.
  var few = 20

  /// The chain with four hidden layers of 64.
  static func chain(_ widths: [Int], seeds: Int) -> FaultCase {
    FaultCase(
      build: { try Network(widths: widths, outputActivation: .softmax, using: &$0) }, seeds: seeds)
  }

  /// Two convolutions with pooling and a dense layer.
  static func convolutional(seeds: Int) -> FaultCase {
    FaultCase(
      build: { g in
        var network = ConvolutionalCase.digits(batch: 1).network
        network.outputActivation = .softmax
        network.reinitialize(using: &g)
        return network
      }, seeds: seeds)
  }

  private func trained(_ seed: Int, _ set: Dataset) throws -> Network {
    var g = RandomGenerator(seed: 100 + UInt64(seed))
    let network = try build(&g)
    let data = try TrainingData(input: set.trainInput, target: set.trainTarget, for: network)
    var run = try TrainingRun(
      GradientTraining(
        network, data: data, rule: Backpropagation(),
        settings: .init(.adam, rate: 1e-3, batch: 32, seed: UInt64(seed))), epochs: 25)
    _ = try run.run()
    return run.network
  }

  func results(isTuned: Bool = true, tuning: FineTuningSettings = .init()) throws -> [String: Any] {
    let set = Digits.load()
    var table = FaultTable()
    var accuracies: [Double] = []
    var healthy: [Double] = []
    for seed in 0..<seeds {
      let network = try trained(seed, set)
      let test = try TrainingData(input: set.testInput, target: set.testTarget, for: network)
      accuracies.append(Evaluation(network, on: test).accuracy!)
      var g = RandomGenerator(seed: 1000 + UInt64(seed))
      for fault in LayerFault.allCases {
        for (l, layer) in network.layers.enumerated() {
          let faulty = fault.network(network, layer: layer, using: &g)
          let order = g.permutation(set.testInput.columns)
          let x = set.testInput.columns(Array(order.prefix(200)))
          let y = network.logits(x)
          guard let probes = try? FaultProbes(faulty, input: x, reference: y) else {
            table.skip()
            continue
          }
          let fewer = try FaultProbes(
            faulty, input: x.columns(0..<few), reference: y.columns(0..<few))
          let name = fault.rawValue
          let model = try probes.varianceModel()
          let stiffness = try model.layerStiffness()
          func named(_ ranking: FaultRanking) -> Int { ranking.entries[0].index }
          table.add(
            "stiffness 200", name, named: named(FaultRanking(probes, stiffness)), true: l)
          let few = try fewer.varianceModel().layerStiffness()
          table.add("stiffness \(self.few)", name, named: named(FaultRanking(fewer, few)), true: l)
          for (method, norms) in try gradientNorms(probes) {
            table.add(method, name, named: norms.indices.max { norms[$0] < norms[$1] }!, true: l)
          }
          if seed == 0 {
            table.pValues.append(try probes.test(model, draws: 39, using: &g).pValue)
          }
          guard isTuned else { continue }
          let losses = try probes.fineTunedLosses(tuning)
          table.add(
            "fine-tuning", name, named: losses.indices.min { losses[$0] < losses[$1] }!, true: l)
          let ranking = FaultRanking(probes, stiffness, fineTuneLosses: losses)
          table.add("stiffness over loss", name, named: named(ranking), true: l)
          // Of equal sums the one that training repairs better.
          let sums = ranking.entries.min {
            ($0.rankSum!, $0.fineTuneLoss!) < ($1.rankSum!, $1.fineTuneLoss!)
          }!
          table.add("rank sum", name, named: sums.index, true: l)
        }
      }
      // Every layer a little off: no single fault.
      for _ in 0..<8 {
        var all = network
        for layer in network.layers {
          var w = all.edges[layer.edge].operation.parameters[0]
          let scale = (dot(w, w) / Double(w.count)).squareRoot()
          w.add(g.normalMatrix(rows: w.rows, columns: w.columns, deviation: 0.02 * scale))
          all.updateParameters(of: layer.edge) { i, p in if i == 0 { p = w } }
        }
        let x = set.testInput.columns(Array(g.permutation(set.testInput.columns).prefix(200)))
        let probes = try FaultProbes(all, input: x, reference: network.logits(x))
        healthy.append(try probes.test(try probes.varianceModel(), draws: 39, using: &g).pValue)
      }
    }
    var object = table.json
    object["accuracy"] = accuracies
    object["allLayersOff pValuesAtMost.05"] =
      Double(healthy.count { $0 <= 0.05 }) / Double(healthy.count)
    return object
  }

  /// The norms of the loss's gradient by layer, and over those of the weights.
  private func gradientNorms(_ probes: FaultProbes) throws -> [(String, [Double])] {
    var network = probes.network
    network.outputActivation = .identity
    var gradients = ParameterGradients(of: network)
    var rule = Backpropagation()
    var batch = RuleBatch(input: probes.input, target: probes.reference)
    _ = rule.visitEdges(NeuralSheaf(network), &batch) { part in
      part.add(of: network, keeping: 0, into: &gradients.edges[part.edge])
    }
    func norm(_ list: [Matrix]) -> Double { list.reduce(0) { $0 + dot($1, $1) }.squareRoot() }
    let norms = probes.layers.map { norm(gradients.edges[$0.edge]) }
    let relative = probes.layers.map { layer in
      norm(gradients.edges[layer.edge]) * norm(network.edges[layer.edge].operation.parameters)
    }
    return [("gradient norm", norms), ("gradient norm times weight norm", relative)]
  }
}

/// The tables of fault location, only where they are asked for by name: they take minutes.
@MainActor func measureFaults() throws {
  guard wanted.contains(where: { $0.hasPrefix("faults") }) else { return }
  try measure("faults [64,64,64,64,64,10]") {
    try FaultCase.chain([64, 64, 64, 64, 64, 10], seeds: 5).results()
  }
  try measure("faults convolutional") { try FaultCase.convolutional(seeds: 5).results() }
  try measure("faults eight layers") {
    try FaultCase.chain([64, 64, 64, 64, 64, 64, 64, 64, 10], seeds: 3).results()
  }
}

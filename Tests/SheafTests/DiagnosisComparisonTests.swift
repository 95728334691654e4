import FaultLocation
import LinearAlgebra
import NetworkDiagnosis
import NeuralSheaves
import Testing

/// Two networks side by side, and the parts of a diagnosis that apply.
@Suite struct DiagnosisComparisonTests {
  @Test func aNetworkIsLikeItself() throws {
    var g = RandomGenerator(seed: 3)
    let network = try Network(widths: [4, 9, 7, 3], outputActivation: .softmax, using: &g)
    let samples = try NetworkSamples(network, input: g.normalMatrix(rows: 4, columns: 60))
    let same = NetworkDifference(samples, network)
    #expect(same.relative == 0 && same.disagreements.isEmpty)
    for i in 0..<same.alignment.rows { #expect(abs(same.alignment[i, i] - 1) < 1e-12) }
    #expect(same.layers.isEmpty, "activations that agree are no comparison")
  }

  /// Neurons in another order, and larger ones, are the same stalk; the layer that was changed is named.
  @Test func alignmentKnowsRotationsAndScales() throws {
    for seed in 0..<20 as Range<UInt64> {
      var g = RandomGenerator(case: seed)
      let network = try Network(widths: [4, 9, 7, 3], outputActivation: .softmax, using: &g)
      let order = g.permutation(9)
      var other = network
      let (w1, w2) = (
        network.edges[0].operation.parameters, network.edges[2].operation.parameters
      )
      other.updateParameters(of: 0) { i, m in
        m = w1[i][rows: order, columns: Array(0..<m.columns)]
        m.scale(by: 3)
      }
      other.updateParameters(of: 2) { i, m in
        guard i == 0 else { return }
        m = w2[0].columns(order)
        m.scale(by: 1 / 3.0)
      }
      let x = g.normalMatrix(rows: 4, columns: 50)
      let samples = try NetworkSamples(
        network, input: x, target: oneHotTargets(network, batch: 50, using: &g))
      let found = NetworkDifference(samples, other)
      #expect(found.relative < 1e-12 && found.disagreements.isEmpty, "seed \(seed)")
      #expect(abs(found.alignment[0, 0] - 1) < 1e-9, "seed \(seed)")
      #expect(found.pValue == 1)
    }
  }

  /// Stalks of independent random networks on independent inputs would be at 0: here wide stalks of nothing but noise.
  @Test func alignmentOfNoiseIsNothing() throws {
    for seed in 0..<10 as Range<UInt64> {
      var g = RandomGenerator(case: 60 + seed)
      func reading(_ rows: Range<Int>) -> Network {
        // z reads one half of the input.
        var w = Matrix(rows: 100, columns: 200)
        for i in 0..<100 { w[i, rows.lowerBound + i] = 1 }
        var network = Network(inputDimension: 200)
        network.append(Dense(weight: w, bias: [Double](repeating: 0, count: 100)), to: 0)
        return network
      }
      let samples = try NetworkSamples(
        reading(0..<100), input: g.normalMatrix(rows: 200, columns: 150))
      let found = NetworkDifference(samples, reading(100..<200))
      #expect(abs(found.alignment[0, 0]) < 0.05, "seed \(seed): \(found.alignment[0, 0])")
    }
  }

  /// An unchanged network is said to be one.
  @Test func nothingChanged() throws {
    var g = RandomGenerator(seed: 8)
    let network = try Network(widths: [4, 8, 8, 3], using: &g)
    let samples = try NetworkSamples(network, input: g.normalMatrix(rows: 4, columns: 40))
    var evidence = Diagnosis.Evidence()
    evidence.reference = samples.logits
    var settings = Diagnosis.Settings()
    settings.parts = [.changed]
    let found = Diagnosis(samples, evidence: evidence, settings: settings)
    #expect(found.unchanged == 0 && found.change == nil)
    #expect(!found.skipped.contains { $0.part == .changed })
  }

  /// p of networks that are right on different samples: the binomial of the samples on which one alone is right.
  @Test func networksThatDisagree() throws {
    var g = RandomGenerator(seed: 5)
    // z = x: the class is the larger coordinate.
    func identity(_ sign: Double) -> Network {
      var network = Network(inputDimension: 2, outputActivation: .softmax)
      network.append(Dense(weight: Matrix.diagonal([sign, sign]), bias: [0, 0]), to: 0)
      return network
    }
    let x = g.normalMatrix(rows: 2, columns: 10)
    let own = identity(1)
    // Eight labels as this network has them, two as the other.
    let labels = (0..<10).map { j in
      let c = x[0, j] > x[1, j] ? 0 : 1
      return j < 8 ? c : 1 - c
    }
    let samples = try NetworkSamples(own, input: x, target: own.classTargets(labels))
    let found = NetworkDifference(samples, identity(-1))
    #expect(found.disagreements == Array(0..<10))
    #expect(found.onlyRight!.own == Array(0..<8) && found.onlyRight!.other == [8, 9])
    // 2 P(X ≤ 2), X of Binomial(10, ½): 2 (1 + 10 + 45)/1024.
    #expect(abs(found.pValue! - 112.0 / 1024) < 1e-12)
  }

  /// What lacks is said, and nothing else is left out.
  @Test func partsThatDoNotApplyAreNamed() throws {
    var g = RandomGenerator(seed: 6)
    let network = try Network(widths: [3, 8, 3], outputActivation: .softmax, using: &g)
    let x = g.normalMatrix(rows: 3, columns: 60)
    func reasons(_ d: Diagnosis) -> [DiagnosisPart: SkippedPart.Reason] {
      Dictionary(uniqueKeysWithValues: d.skipped.map { ($0.part, $0.reason) })
    }
    let bare = Diagnosis(try NetworkSamples(network, input: x))
    #expect(
      reasons(bare) == [
        .fit: .needsTargets, .suspects: .needsTargets, .unfamiliar: .needsTraining,
        .discord: .needsTargets, .changed: .needsReference, .compared: .needsOther,
      ])
    #expect(bare.neurons != nil && bare.spectrum != nil && bare.robustness != nil)
    let one = Diagnosis(
      try NetworkSamples(
        network, input: x, target: network.classTargets([Int](repeating: 1, count: 60))))
    #expect(
      reasons(one)[.suspects]
        == .other("all 60 labels are one class, expected at least two classes"))
    #expect(one.fit != nil && one.discord != nil)
    var settings = Diagnosis.Settings()
    settings.parts = [.neurons]
    let some = Diagnosis(try NetworkSamples(network, input: x), settings: settings)
    #expect(some.skipped.count == 8 && some.skipped.allSatisfy { $0.reason == .notAsked })
    // Values have no classes.
    let values = try Network(widths: [3, 8, 2], using: &g)
    let regression = Diagnosis(
      try NetworkSamples(values, input: x, target: g.normalMatrix(rows: 2, columns: 60)))
    #expect(reasons(regression)[.suspects] == .needsClasses)
    #expect(regression.robustness?.counterfactuals.isEmpty == false)
    // A halt ends it, and what was not done is named.
    settings.parts = Set(DiagnosisPart.allCases)
    settings.halt = Halt { .timeLimit }
    let halted = Diagnosis(try NetworkSamples(network, input: x), settings: settings)
    #expect(reasons(halted)[.neurons] == .other("the time limit was reached"))
    #expect(halted.neurons == nil)
  }

  /// A change of one layer: as `FaultLocation` ranks it from outputs, and beside the other network.
  @Test func changesAreLocated() throws {
    var g = RandomGenerator(seed: 7)
    let network = try Network(widths: [8, 20, 20, 5], using: &g)
    var changed = network
    changed.updateParameters(of: 2) { i, m in
      if i == 0 { m.add(g.normalMatrix(rows: m.rows, columns: m.columns, deviation: 0.3)) }
    }
    let x = g.normalMatrix(rows: 8, columns: 100)
    var evidence = Diagnosis.Evidence()
    evidence.reference = network.logits(x)
    evidence.other = network
    var settings = Diagnosis.Settings()
    settings.parts = [.changed, .compared]
    let found = Diagnosis(
      try NetworkSamples(changed, input: x), evidence: evidence, settings: settings)
    // As the library that finds layers has it.
    let probes = try FaultProbes(changed, input: x, reference: network.logits(x))
    let ranking = FaultRanking(probes, try probes.varianceModel().layerStiffness())
    #expect(found.change?.ranking.entries.map(\.layer) == ranking.entries.map(\.layer))
    let most = found.difference?.layers.max { $0.discrepancy < $1.discrepancy }
    #expect(most?.name == "z2")
  }
}

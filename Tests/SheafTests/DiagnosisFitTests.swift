import Distributions
import Foundation
import LinearAlgebra
import NetworkDiagnosis
import NeuralSheaves
import SheafTraining
import Testing

/// Fit, calibration and the model of wrong labels, against sums written out, draws and brute force.
@Suite struct DiagnosisFitTests {
  /// Logits of so many classes.
  private static func logits(
    _ classes: Int, _ count: Int, scale: Double = 1, _ g: inout RandomGenerator
  ) -> Matrix { g.normalMatrix(rows: classes, columns: count, deviation: scale) }

  /// A class drawn from the probabilities of each column.
  private static func draw(_ logits: Matrix, _ g: inout RandomGenerator) -> [Int] {
    let p = OutputActivation.softmax(logits)
    return (0..<p.columns).map { j in
      var left = g.uniform()
      for c in 0..<p.rows {
        left -= p[c, j]
        if left < 0 { return c }
      }
      return p.rows - 1
    }
  }

  @Test func lossesAreThoseOfEvaluation() throws {
    for seed in 0..<30 as Range<UInt64> {
      var g = RandomGenerator(case: seed)
      let activation = [OutputActivation.identity, .sigmoid, .softmax][Int(seed % 3)]
      let outputs = activation == .softmax ? 3 : Int(seed % 2) + 1
      let network = try Network(
        widths: [4, 7, outputs], outputActivation: activation, using: &g)
      let x = g.normalMatrix(rows: 4, columns: 20)
      let y =
        activation == .identity
        ? g.normalMatrix(rows: outputs, columns: 20)
        : oneHotTargets(network, batch: 20, using: &g)
      let data = try TrainingData(input: x, target: y, for: network)
      let fit = try #require(Fit(NetworkSamples(network, input: x, target: y)))
      let expected = Evaluation(network, on: data)
      #expect(abs(fit.loss - expected.loss) < 1e-12 * max(1, expected.loss), "seed \(seed)")
      if network.classCount != nil {
        let own = try #require(fit.classification)
        #expect(own.accuracy == expected.accuracy, "seed \(seed)")
        #expect(own.confusion.elements.reduce(0, +) == 20)
        for j in 0..<20 where own.margins[j] != 0 {
          #expect((own.margins[j] > 0) == (own.given[j] == own.predicted[j]))
        }
      }
    }
  }

  @Test func explainedVarianceIsOneForTheTargetAndZeroForItsMean() throws {
    var g = RandomGenerator(seed: 4)
    let network = try Network(widths: [3, 6, 2], using: &g)
    let x = g.normalMatrix(rows: 3, columns: 50)
    let exact = try #require(Fit(NetworkSamples(network, input: x, target: network.logits(x))))
    #expect(exact.explained!.allSatisfy { $0 == 1 })
    var flat = network
    flat.updateParameters(of: flat.edges.count - 1) { i, m in if i == 0 { m.fill(0) } }
    var y = network.logits(x)
    // About 0, the bias of the flat network.
    let bias = flat.logits(x).column(0)
    for i in 0..<2 {
      let mean = (0..<50).reduce(0) { $0 + y[i, $1] } / 50
      for j in 0..<50 { y[i, j] += bias[i] - mean }
    }
    let none = try #require(Fit(NetworkSamples(flat, input: x, target: y)))
    #expect(none.explained!.allSatisfy { abs($0) < 1e-12 })
  }

  /// Where labels are drawn from the probabilities themselves p is uniform; where logits are scaled by s the temperature is s.
  @Test func calibrationIsTrueOfDrawnLabels() {
    var (values, temperatures) = ([Double](), [Double]())
    for seed in 0..<200 as Range<UInt64> {
      var g = RandomGenerator(case: 900 + seed)
      let z = Self.logits(4, 300, scale: 1.5, &g)
      let labels = Self.draw(z, &g)
      let honest = Calibration(z, labels, draws: 39, using: &g)
      // p has the values k/40, each as likely.
      values.append(honest.pValue - g.uniform() / 40)
      var sure = z
      sure.scale(by: 2.5)
      let over = Calibration(sure, labels, draws: 39, using: &g)
      temperatures.append(over.temperature)
      #expect(over.pValue <= 0.05 && over.overconfidence > 0, "seed \(seed)")
      let sum = honest.bins.reduce(0) { sum, b in
        b.count == 0 ? sum : sum + Double(b.count) / 300 * abs(b.accuracy - b.confidence)
      }
      #expect(abs(sum - honest.expectedError) < 1e-12)
      #expect(honest.bins.reduce(0) { $0 + $1.count } == 300)
    }
    let p = KolmogorovSmirnov.uniformPValue(values)
    #expect(p > 0.001, "\(p)")
    let mean = temperatures.reduce(0, +) / 200
    #expect(abs(mean - 2.5) < 0.1, "\(mean)")
  }

  /// Wrong labels at a known rate: the rate is found, the chances are true on average, and among the suspects the share of right
  /// labels is what it should be.
  @Test func wrongLabelsAreFound() {
    var (rates, right, count, chance, truth) = ([Double](), 0.0, 0.0, 0.0, 0.0)
    for seed in 0..<40 as Range<UInt64> {
      var g = RandomGenerator(case: 1200 + seed)
      let n = 1000
      let z = Self.logits(5, n, scale: 5, &g)
      var labels = Self.draw(z, &g)
      var isWrong = [Bool](repeating: false, count: n)
      for j in 0..<n where g.uniform() < 0.1 {
        labels[j] = (labels[j] + g.integer(1...4)) % 5
        isWrong[j] = true
      }
      var sure = z
      sure.scale(by: 1.7)
      let noise = LabelNoise(sure, labels, .logits)
      rates.append(noise.rate)
      let suspects = noise.suspects(falseDiscoveryRate: 0.1)
      right += Double(suspects.count { !isWrong[$0] })
      count += Double(suspects.count)
      chance += noise.chances.reduce(0, +)
      truth += Double(isWrong.count { $0 })
      #expect(noise.chances.allSatisfy { (0...1).contains($0) })
    }
    let rate = rates.reduce(0, +) / 40
    #expect(abs(rate - 0.1) < 0.01, "\(rate)")
    #expect(right / count < 0.13, "\(right) of \(count)")
    #expect(count > 1200, "\(count) of \(truth)")
    #expect(abs(chance / truth - 1) < 0.05, "\(chance), \(truth)")
  }

  /// Where one class is taken for another the matrix is taken and says how often; where all are taken for all alike, hardly ever.
  @Test func confusionsAreFound() {
    var (taken, rate, found, wrong, flagged, needless) = (0, 0.0, 0, 0, 0, 0)
    for seed in 0..<20 as Range<UInt64> {
      var g = RandomGenerator(case: 1400 + seed)
      let n = 1500
      let z = Self.logits(5, n, scale: 6, &g)
      let truth = Self.draw(z, &g)
      let labels = truth.map { $0 == 0 && g.uniform() < 0.4 ? 1 : $0 }
      let noise = LabelNoise(z, labels, .logits)
      if let q = noise.transitions {
        taken += 1
        rate += q[0, 1]
      }
      let suspects = noise.suspects(falseDiscoveryRate: 0.1)
      found += suspects.count { labels[$0] != truth[$0] }
      flagged += suspects.count
      wrong += (0..<n).count { labels[$0] != truth[$0] }
      let even = truth.map { g.uniform() < 0.1 ? ($0 + g.integer(1...4)) % 5 : $0 }
      needless += LabelNoise(z, even, .logits).transitions == nil ? 0 : 1
    }
    #expect(taken >= 19, "\(taken)")
    #expect(abs(rate / Double(taken) - 0.4) < 0.05, "\(rate / Double(taken))")
    #expect(found * 2 > wrong, "\(found) of \(wrong)")
    #expect(Double(found) > 0.85 * Double(flagged), "\(found) of \(flagged)")
    #expect(needless <= 1, "\(needless)")
  }

  /// The maximum of the likelihood, by a fine grid; no wrong labels where there are none; p-values no smaller than uniform ones.
  @Test func labelNoiseIsTheGreatestLikelihood() {
    var values: [Double] = []
    for seed in 0..<20 as Range<UInt64> {
      var g = RandomGenerator(case: 1300 + seed)
      let z = Self.logits(3, 150, scale: 2, &g)
      let labels = Self.draw(z, &g)
      let noise = LabelNoise(z, labels, .logits)
      func value(_ eta: Double, _ beta: Double) -> Double {
        var scaled = z
        scaled.scale(by: beta)
        let p = OutputActivation.softmax(scaled)
        return labels.enumerated().reduce(0) { sum, sample in
          let own = p[sample.1, sample.0]
          return sum + log((1 - eta) * own + eta * (1 - own) / 2)
        }
      }
      for eta in stride(from: 0.0, through: 0.6, by: 0.05) {
        for beta in stride(from: 0.2, through: 3, by: 0.1) {
          // A rate that is not 0 has its price.
          let penalty = eta > 0 ? log(150.0) / 2 : 0
          #expect(
            value(eta, beta) - penalty <= noise.evidence + 1e-6, "seed \(seed): \(eta), \(beta)")
        }
      }
      values += noise.pValues
    }
    for level in [0.01, 0.05, 0.1, 0.3] {
      let share = Double(values.count { $0 <= level }) / Double(values.count)
      #expect(
        share < level + 3 * (level / Double(values.count)).squareRoot(), "\(share) at \(level)")
    }
  }

  /// Classes that overlap, and labels that have nothing to do with the samples, are no wrong labels.
  @Test func whatCannotBeToldIsNotWrong() throws {
    var (flagged, random) = (0, 0)
    for seed in 0..<10 as Range<UInt64> {
      var g = RandomGenerator(case: 1500 + seed)
      let network = try Network(widths: [4, 16, 2], outputActivation: .softmax, using: &g)
      // Two clouds a deviation from the middle each: 16 % are on the other's side.
      let labels = (0..<300).map { _ in g.integer(0...1) }
      var x = g.normalMatrix(rows: 4, columns: 300)
      for j in 0..<300 { x[0, j] += labels[j] == 0 ? -1 : 1 }
      func suspects(_ labels: [Int]) throws -> SuspectLabels {
        let samples = try NetworkSamples(network, input: x, target: network.classTargets(labels))
        var settings = CrossValidation.Settings()
        settings.seed = seed
        return SuspectLabels(
          samples, validation: try CrossValidation(samples, settings: settings))
      }
      flagged += try suspects(labels).suspects.count
      random += try suspects(labels.map { _ in g.integer(0...1) }).suspects.count
    }
    #expect(flagged <= 30, "\(flagged) of 3000")
    #expect(random <= 30, "\(random) of 3000")
  }

  /// The units of the input change nothing; a class with fewer samples than folds is not judged; a halt ends it.
  @Test func judgesDoNotDependOnUnits() throws {
    var g = RandomGenerator(seed: 41)
    let network = try Network(widths: [6, 12, 3], outputActivation: .softmax, using: &g)
    let centres = g.normalMatrix(rows: 6, columns: 3, deviation: 3)
    let n = 300
    var labels = (0..<n).map { $0 % 2 }
    var x = centres.columns(labels)
    x.add(g.normalMatrix(rows: 6, columns: n))
    let wrong = (0..<15).map { 4 + 12 * $0 }
    for j in wrong { labels[j] = 1 }
    // One sample of the third class.
    labels[n - 1] = 2
    func judged(_ x: Matrix) throws -> SuspectLabels {
      let samples = try NetworkSamples(network, input: x, target: network.classTargets(labels))
      return SuspectLabels(samples, validation: try CrossValidation(samples))
    }
    let one = try judged(x)
    let found = one.suspects.filter { wrong.contains($0) }
    // The likeliest are wrong; how many right ones follow is no matter here.
    #expect(found.count >= 13, "\(one.suspects)")
    #expect(one.suspects.prefix(10).allSatisfy { wrong.contains($0) }, "\(one.suspects)")
    #expect(found.allSatisfy { one.noise.proposed[$0] == 0 })
    #expect(one.unjudged == 1 && one.noise.chances[n - 1] == 0 && one.noise.pValues[n - 1] == 1)
    var large = x
    large.scale(by: 1024)
    let other = try judged(large)
    #expect(one.noise.chances == other.noise.chances)
    // A network that scales its input itself is trained no otherwise.
    var own = Network(inputDimension: 6, outputActivation: .softmax)
    let scaling = own.append(Standardization(x).operation, to: 0)
    let z = own.append(network.edges[0].operation, to: scaling)
    let a = own.append(network.edges[1].operation, to: z)
    own.append(network.edges[2].operation, to: a)
    let scaled = try NetworkSamples(own, input: x, target: own.classTargets(labels))
    let third = SuspectLabels(scaled, validation: try CrossValidation(scaled))
    #expect(third.suspects.sorted() == one.suspects.sorted())
    let samples = try NetworkSamples(network, input: x, target: network.classTargets(labels))
    #expect(throws: Interruption.self) {
      try CrossValidation(samples, halt: Halt { .timeLimit })
    }
    var settings = Diagnosis.Settings()
    settings.mayTrain = false
    settings.parts = [.suspects]
    let alone = Diagnosis(samples, settings: settings)
    #expect(alone.suspects?.source == .network(why: "training was not allowed"))
  }

  /// Networks that learn their samples by heart know nothing of those held out: with random labels they are right as often as by chance.
  @Test func crossValidationHoldsSamplesOut() throws {
    var g = RandomGenerator(seed: 31)
    let network = try Network(widths: [20, 60, 4], outputActivation: .softmax, using: &g)
    let x = g.normalMatrix(rows: 20, columns: 200)
    let labels = (0..<200).map { _ in g.integer(0...3) }
    let samples = try NetworkSamples(network, input: x, target: network.classTargets(labels))
    var settings = CrossValidation.Settings()
    (settings.steps, settings.rate) = (600, 1e-2)
    let logits = try CrossValidation(samples, settings: settings).logits
    let right = (0..<200).count { logits.largestRow(ofColumn: $0) == labels[$0] }
    #expect(right < 80, "\(right) of 200")
    // And the same training does learn what it sees.
    var training = try GradientTraining(
      network, data: TrainingData(input: x, target: samples.target!, for: network),
      rule: Backpropagation(), settings: .init(.adam, rate: 1e-2, batch: 32))
    for _ in 0..<40 { _ = try training.runEpoch(0...1) }
    let seen = try NetworkSamples(training.network, input: x, target: samples.target)
    #expect(Fit(seen)!.classification!.accuracy > 0.95)
  }
}

import Datasets
import Foundation
import LinearAlgebra
import NetworkDiagnosis
import NeuralSheaves
import SheafTraining

/// A whole diagnosis, part by part, beside the five trainings that its cross-validation is made of, alone.
@MainActor func measureDiagnosis() throws {
  try measure("diagnosis: digits, 500 samples of 64-128-64-10") {
    let digits = Digits.load()
    let all = 0..<500
    return try diagnosisTimes(
      [64, 128, 64, 10], digits.trainInput.columns(all), digits.trainTarget.columns(all),
      training: digits.trainInput, epochs: 20, bar: 5)
  }
  try measure("diagnosis: 10,000 samples of 784-128-64-10") {
    // As large as the test images of MNIST: ten blurred prototypes with noise.
    var g = RandomGenerator(seed: 1)
    let prototypes = g.normalMatrix(rows: 784, columns: 10)
    let classes = (0..<10_000).map { $0 % 10 }
    var x = prototypes.columns(classes)
    x.add(g.normalMatrix(rows: 784, columns: 10_000, deviation: 3))
    var y = Matrix(rows: 10, columns: 10_000)
    for (j, c) in classes.enumerated() { y[c, j] = 1 }
    return try diagnosisTimes(
      [784, 128, 64, 10], x, y, training: x.columns(0..<8000), epochs: 3, bar: 60)
  }
}

private func diagnosisTimes(
  _ widths: [Int], _ x: Matrix, _ y: Matrix, training: Matrix, epochs: Int, bar: Double
) throws -> [String: Any] {
  var g = RandomGenerator(seed: 0)
  let start = try Network(widths: widths, outputActivation: .softmax, using: &g)
  let data = try TrainingData(input: x, target: y, for: start)
  var trainer = try GradientTraining(
    start, data: data, rule: Backpropagation(), settings: .init(.adam, rate: 1e-3, batch: 32))
  for _ in 0..<epochs { _ = try trainer.runEpoch(0...1) }
  let network = trainer.network
  let clock = ContinuousClock()
  let begin = clock.now
  var evidence = Diagnosis.Evidence()
  evidence.familiarity = try FamiliarityModel(network, training: training)
  evidence.other = start
  evidence.reference = start.logits(x)
  var marks = [("training statistics", begin)]
  let diagnosis = Diagnosis(try NetworkSamples(network, input: x, target: y), evidence: evidence) {
    marks.append(($0.rawValue, clock.now))
  }
  let end = clock.now
  var seconds: [String: Double] = [:]
  for (k, mark) in marks.enumerated() {
    seconds[mark.0] = ((k + 1 < marks.count ? marks[k + 1].1 : end) - mark.1) / .seconds(1)
  }
  // The trainings alone, on all cores as there.
  let settings = CrossValidation.Settings()
  let count = x.columns * 4 / 5
  let passes = min(
    max(settings.steps * settings.batch / count, settings.epochs.lowerBound),
    settings.epochs.upperBound)
  let share = try TrainingData(
    input: x.columns(0..<count), target: y.columns(0..<count), for: start)
  var runs = [Int](0..<settings.folds)
  let alone = clock.measure {
    forEachInParallel(&runs, threads: ProcessInfo.processInfo.activeProcessorCount) { _ in
      guard
        var settings = try? GradientTraining.Settings(.adam, rate: 1e-3, batch: settings.batch)
      else { return }
      settings.threads = 1
      guard
        var trainer = try? GradientTraining(
          start, data: share, rule: Backpropagation(), settings: settings)
      else { return }
      for _ in 0..<passes { _ = try? trainer.runEpoch(0...1) }
    }
  }
  return [
    "seconds": (end - begin) / .seconds(1), "bar": bar, "parts": seconds,
    "trainingsAlone": alone / .seconds(1), "skipped": diagnosis.skipped.map(\.part.rawValue),
  ]
}

import Foundation
import LinearAlgebra
import NeuralSheaves
import SheafTraining
import Testing

/// The paper's training runs, against its authors' implementation.
struct TrainingReferenceTests {
  func data(_ r: Reference, _ network: Network) throws -> (TrainingData, TrainingData) {
    (
      try TrainingData(input: r["X"], target: r["Y"], for: network),
      try TrainingData(input: r["Xtest"], target: r["Ytest"], for: network)
    )
  }

  /// The largest difference relative to the layer's largest parameter. Biases start at 0, so in the
  /// first steps they are differences of nearly equal numbers and have no digits of their own.
  func parameterError(_ network: Network, _ r: Reference, _ prefix: String) -> Double {
    var worst = 0.0
    var l = 0
    for edge in network.edges where !edge.operation.parameters.isEmpty {
      l += 1
      let scale = r["\(prefix)W\(l)"].maximumMagnitude
      for (parameter, key) in zip(edge.operation.parameters, ["W", "b"]) {
        var d = parameter
        d.add(r["\(prefix)\(key)\(l)"], scale: -1)
        worst = max(worst, d.maximumMagnitude / scale)
      }
    }
    return worst
  }

  @Test(arguments: [
    ("s_short_paraboloid_sheaf", OutputActivation.identity), ("s_short_circular_sheaf", .sigmoid),
  ])
  func jointFlowStepsAreTheReferences(name: String, activation: OutputActivation) throws {
    let r = try Reference(name)
    let network = try r.network(prefix: "init_", activation: activation)
    let (train, test) = try data(r, network)
    let flow = try JointFlow(
      network, data: train, initial: r.state("init_", network),
      settings: .init(step: r.number("dt"), beta: r.number("beta")))
    var done = 0
    for n in [1, 10, 100, 1000] {
      let isFinite = flow.takeSteps(n - done)
      #expect(isFinite)
      done = n
      #expect(parameterError(flow.sheaf.network, r, "at\(n)_") < 1e-12)
      let expected = try r.state("at\(n)_", network)
      #expect(
        relativeError(SheafState(stalks: flow.state.stalks), expected) < 1e-12, "after \(n) steps")
      let trainLoss = Evaluation(flow.sheaf.network, on: train).loss
      #expect(abs(trainLoss / r.scalar("at\(n)_train_loss") - 1) < 1e-12)
      let testLoss = Evaluation(flow.sheaf.network, on: test).loss
      #expect(abs(testLoss / r.scalar("at\(n)_test_loss") - 1) < 1e-12)
      let discords = flow.discords
      for edge in discords.edges {
        let key =
          switch edge.kind {
          case .affine: "weight_\(edge.layer)"
          case .output: "output"
          default: "activation_\(edge.layer)"
          }
        let expected = r.scalar("at\(n)_discord_\(key)")
        #expect(abs(edge.discord - expected) <= 1e-12 * max(1, expected), "\(key) after \(n)")
      }
    }
  }

  @Test func gradientDescentStepsAreTheReferences() throws {
    let r = try Reference("s_short_paraboloid_sgd")
    let network = try r.network(prefix: "init_")
    let (train, _) = try data(r, network)
    var descent = try GradientTraining(
      network, data: train, rule: Backpropagation(),
      settings: .init(.gradient, rate: r.number("lr")))
    var done = 0
    for n in [1, 10, 100, 1000] {
      for _ in done..<n { #expect(try descent.runEpoch(0...1).ending == .completed) }
      done = n
      #expect(parameterError(descent.network, r, "at\(n)_") < 1e-12)
      let loss = Evaluation(descent.network, on: train).loss
      #expect(abs(loss / r.scalar("at\(n)_train_loss") - 1) < 1e-12)
    }
  }

  @Test func paraboloidHistoryIsTheReferences() throws {
    let r = try Reference("e_paraboloid_1H")
    let network = try r.network(prefix: "init_")
    let (train, test) = try data(r, network)
    let flow = try JointFlow(
      network, data: train, initial: r.state("init_", network),
      settings: .init(step: r.number("dt"), beta: r.number("beta"), stepsPerEpoch: 1000))
    var worst = 0.0
    var run = try TrainingRun(flow, epochs: 100, test: test)
    let status = try run.run(onEpoch: { run in
      let record = run.records.last!
      let i = record.epoch
      worst = max(worst, abs(record.train.loss / r.arrays["hist_train"]!.elements[i] - 1))
      worst = max(worst, abs(record.test!.loss / r.arrays["hist_test"]!.elements[i] - 1))
    })
    #expect(status == .completed)
    #expect(worst < 1e-12)
    #expect(parameterError(flow.sheaf.network, r, "final_") < 1e-12)
    #expect(abs(flow.discords.total / r.result("final_discord_total") - 1) < 1e-12)

    var descent = try GradientTraining(
      network, data: train, rule: Backpropagation(),
      settings: .init(.gradient, rate: r.number("sgd_lr"), stepsPerEpoch: 1000))
    worst = 0
    for i in 0...100 {
      worst = max(
        worst,
        abs(
          Evaluation(descent.network, on: train).loss / r.arrays["sgd_hist_train"]!.elements[i] - 1)
      )
      if i < 100 { _ = try descent.runEpoch(0...1) }
    }
    #expect(worst < 1e-12)
    #expect(parameterError(descent.network, r, "sgd_final_") < 1e-12)
  }

  /// The first 10 epochs of the paper's other seven runs.
  @Test(arguments: [
    "e_paraboloid_2H", "e_saddle_1H", "e_saddle_2H", "e_circular_1H", "e_circular_2H",
    "e_blobs_1H", "e_blobs_2H",
  ])
  func historiesAreTheReferences(name: String) throws {
    let r = try Reference("training/" + name)
    let activation = try #require(OutputActivation(rawValue: r.settings["act"] as! String))
    let network = try r.network(prefix: "init_", activation: activation)
    let (train, test) = try data(r, network)
    let startsAtForwardPass = r.settings["init_method"] as! String == "forward_pass"
    let steps = Int(r.number("steps_per_epoch"))
    let flow = try JointFlow(
      network, data: train, initial: startsAtForwardPass ? nil : r.state("init_", network),
      settings: .init(
        step: r.number("dt"), alpha: r.number("alpha"), beta: r.number("beta"),
        stepsPerEpoch: steps, isColdStart: !(r.settings["warm_start"] as! Bool)))
    var run = try TrainingRun(flow, epochs: 10, test: test)
    let status = try run.run()
    #expect(status == .completed)
    #expect(run.records.count == 11)
    for (i, record) in run.records.enumerated() {
      #expect(Double(record.step) == r.arrays["hist_step"]!.elements[i])
      for (loss, key) in [(record.train.loss, "hist_train"), (record.test!.loss, "hist_test")] {
        let expected = r.arrays[key]!.elements[i]
        #expect(abs(loss / expected - 1) < 1e-9, "\(name), \(key), epoch \(i)")
      }
    }
  }
}

extension Reference {
  /// A number among the settings' `scalars`.
  func result(_ key: String) -> Double {
    ((settings["scalars"] as! [String: Any])[key] as! NSNumber).doubleValue
  }
}

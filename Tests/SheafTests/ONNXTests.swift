import ArrayFiles
import Foundation
import LinearAlgebra
import NeuralSheaves
import SheafFlows
import Testing

@testable import ModelFormats

/// ONNX files: PyTorch's, and our own read again.
struct ONNXTests {
  static let models = ["digits-mlp", "digits-mlp-dynamo", "digits-residual", "digits-conv"]

  static func path(_ model: String) -> String {
    Reference.folder.appendingPathComponent("models/\(model).onnx").path
  }

  static func expected(_ model: String) throws -> [String: NumericArray] {
    let name = model == "digits-mlp-dynamo" ? "digits-mlp" : model
    return try NPZ.read(
      Reference.folder.appendingPathComponent("models/\(name)-expected.npz").path)
  }

  @Test(arguments: models) func logitsArePyTorchs(model: String) throws {
    let network = try ONNXFile.read(Self.path(model))
    let expected = try Self.expected(model)
    let logits = network.logits(expected["input"]!.samples)
    #expect(relativeError(logits, expected["logits"]!.samples) < 1e-5)
    let labels = expected["labels"]!.elements
    let right = labels.indices.count { j in
      let column = logits.column(j)
      return Double(column.firstIndex(of: column.max()!)!) == labels[j]
    }
    #expect(right >= 97)
  }

  /// What PyTorch's exporters and onnx.helper make of all the operators.
  @Test func smallNetworksAreTheReferences() throws {
    let folder = Reference.folder.appendingPathComponent("onnx")
    let expected = try NPZ.read(folder.appendingPathComponent("expected.npz").path)
    let names = expected.keys.filter { $0.hasSuffix(".output") }.map { String($0.dropLast(7)) }
    #expect(names.count > 200)
    for name in names.sorted() {
      let network = try ONNXFile.read(folder.appendingPathComponent(name + ".onnx").path)
      let output = network(expected[name + ".input"]!.samples)
      #expect(relativeError(output, expected[name + ".output"]!.samples) < 1e-5, "\(name)")
    }
  }

  @Test(arguments: models) func modelsAreSheaves(model: String) throws {
    let sheaf = NeuralSheaf(try ONNXFile.read(Self.path(model)))
    let x = try Self.expected(model)["input"]!.samples.columns(0..<1)
    let forward = sheaf.forwardPass(x)
    #expect(sheaf.discords(forward).total < 1e-26)
    let l = sheaf.restrictedLaplacian(at: sheaf.patterns(at: forward))
    #expect(abs(try CholeskyFactorization(l).logDeterminant) < 1e-9)
  }

  /// On a fixed pattern ‖ω − forward‖ decays like e^{−λ₁t} in the end, λ₁ the least eigenvalue of
  /// L[Ω,Ω]. Max-pooling windows that tie in the forward pass (at zero, after ReLU) never settle on
  /// one selection: where tied coordinates move as one the rate is larger, by up to 8 % here.
  @Test(arguments: models) func flowApproachesAtThePredictedRate(model: String) throws {
    let sheaf = NeuralSheaf(try ONNXFile.read(Self.path(model)))
    let x = try Self.expected(model)["input"]!.samples.columns(0..<1)
    let forward = sheaf.forwardPass(x)
    var g = RandomGenerator(seed: 1)
    let flow = try HeatFlow(sheaf, pins: Pins(network: sheaf.network, input: x))
    func gap(_ patterns: [ActivationPattern]) throws -> Double {
      try SymmetricEigendecomposition(
        sheaf.restrictedLaplacian(at: patterns), vectors: false
      ).values[0]
    }
    func distance(_ state: SheafState) -> Double {
      zip(state.stalks, forward.stalks).reduce(0) { sum, pair in
        var d = pair.0
        d.add(pair.1, scale: -1)
        return sum + d.sumOfSquares
      }.squareRoot()
    }
    let random = sheaf.randomState(x, using: &g)
    let step = 0.9 * flow.stableStep(at: forward)
    let run = { (state: SheafState, time: Double) in
      try Euler(step: step, stop: .residual(1e-300), stepLimit: max(1, Int(time / step)))
        .run(flow, from: state)
    }
    // Until the slowest mode alone is left, then half as long again.
    let first = try gap(sheaf.patterns(at: forward))
    let early = try run(random, 10 / first)
    let patterns = sheaf.patterns(at: early.state)
    let late = try run(early.state, 5 / first)
    let hasTies = !late.crossings.isEmpty
    #expect(hasTies == (model == "digits-conv"))
    let (rate, predicted) = (
      log(distance(early.state) / distance(late.state)) / late.time, try gap(patterns)
    )
    #expect(
      (0.98...(hasTies ? 1.12 : 1.02)).contains(rate / predicted),
      "rate \(rate), predicted \(predicted)")
    #expect(distance(late.state) < 1e-3 * distance(random))
  }

  /// Parameters and outputs survive writing and reading in double bit for bit where reading finds nothing to
  /// simplify.
  @Test(arguments: NeuralSheafLawTests.linearSeeds) func roundTripIsExact(seed: UInt64) throws {
    var (network, g) = try randomNetwork(seed: seed)
    network.outputActivation = [.identity, .sigmoid, .softmax][Int(seed % 3)]
    let data = try ONNXFile.encode(network, precision: .float64)
    let again = try ONNXFile.decode(data, file: "again.onnx")
    #expect(again.outputActivation == network.outputActivation)
    let x = g.normalMatrix(rows: network.inputDimension, columns: 4)
    // What does not reach the output is not read again.
    let reachable = reachesOutput(network)
    let parameters = { (n: Network) in n.edges.map(\.operation.parameters).filter { !$0.isEmpty } }
    let kept = network.edges.filter { reachable.contains($0.target) }.map(\.operation.parameters)
      .filter { !$0.isEmpty }
    // Each vertex comes back or, where functions of one tensor are added up or a window holds one element,
    // less; but ONNX needs more of them for zeros in front of an operation and for the difference of the
    // blocks of what is no junction.
    let needsMore = network.edges.contains { edge in
      (edge.operation as? Relabelled)?.order.contains(-1) == true
        || ((edge.operation as? Sum)?.coefficients.contains(-1) == true
          && network.edges.count { $0.source == edge.source } > 1)
    }
    let dimension = reachable.reduce(0) { $0 + ($1 == 0 ? 0 : network.vertices[$1].dimension) }
    #expect(needsMore || again.freeDimension <= dimension, "seed \(seed)")
    if again.freeDimension == dimension {
      #expect(again(x) == network(x), "seed \(seed)")
    } else {
      #expect(relativeError(again(x), network(x)) < 1e-12, "seed \(seed)")
    }
    // A parametric rectifier of a spline, or one that is added to other functions of one tensor, is a spline when it
    // is read again.
    let hasFunctions = network.edges.contains { edge in
      edge.operation is ParametricRectifier
        && (again.freeDimension != dimension
          || network.edges.contains {
            $0.target == edge.source && $0.operation is ElementwiseSplines
          })
    }
    #expect(
      hasFunctions ? parameters(again).allSatisfy { kept.contains($0) } : parameters(again) == kept,
      "seed \(seed)")
    // And a second time it is the same file, but for identities, which make no vertex.
    let third = try ONNXFile.decode(
      try ONNXFile.encode(again, precision: .float64), file: "third.onnx")
    let hasIdentity = again.edges.contains { $0.operation.summary == "identity" }
    if again.freeDimension == dimension && !hasIdentity {
      #expect(third.vertices == again.vertices, "seed \(seed)")
    }
    #expect(relativeError(third(x), again(x)) < 1e-12, "seed \(seed)")
  }

  /// Few of the networks above have anything to simplify.
  @Test func mostNetworksComeBackWhole() throws {
    let seeds = NeuralSheafLawTests.linearSeeds
    let whole = try seeds.count { seed in
      let (network, _) = try randomNetwork(seed: seed)
      let again = try ONNXFile.decode(
        try ONNXFile.encode(network, precision: .float64), file: "again.onnx")
      let reachable = reachesOutput(network)
      return again.freeDimension
        == reachable.reduce(0) { $0 + ($1 == 0 ? 0 : network.vertices[$1].dimension) }
    }
    #expect(4 * whole > 3 * seeds.count, "\(whole) of \(seeds.count)")
  }

  private func reachesOutput(_ network: Network) -> Set<Int> {
    var result: Set<Int> = [network.lastVertex]
    for edge in network.edges.reversed() where result.contains(edge.target) {
      result.insert(edge.source)
    }
    return result
  }
}

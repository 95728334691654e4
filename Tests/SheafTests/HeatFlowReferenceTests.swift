import LinearAlgebra
import NeuralSheaves
import SheafFlows
import Testing

/// The paper's heat equation to its own stopping rule, against its authors' implementation.
struct HeatFlowReferenceTests {
  static let cases: [(String, OutputActivation)] = [
    ("b1_241_identity", .identity), ("b2_26441_identity", .identity), ("b3_241_sigmoid", .sigmoid),
    ("b4_241_hardpin_z0c0", .identity), ("b5_241_softpin_z0_g1", .identity),
    ("b6_253_softmax", .softmax),
  ]

  func pins(_ name: String, _ network: Network) -> [Pin] {
    switch name {
    case "b4_241_hardpin_z0c0": [Pin(vertex: 1, coordinates: [0], values: Matrix([[0.5]]))]
    case "b5_241_softpin_z0_g1":
      [
        Pin(
          vertex: 1, coordinates: Array(0..<4), values: Matrix(rows: 4, columns: 1),
          strength: .soft(1))
      ]
    default: []
    }
  }

  @Test(arguments: cases)
  func stepsAndStalksAreTheReferences(name: String, activation: OutputActivation) throws {
    let reference = try Reference(name)
    let network = try reference.network(activation: activation)
    let hasOutput = activation != .identity
    let flow = try HeatFlow(
      NeuralSheaf(network),
      pins: Pins(pins(name, network), network: network, input: reference["X"]),
      output: hasOutput ? OutputEdge(activation: activation) : nil)
    let start = try reference.state("init_", network, hasOutput: hasOutput)
    for n in [1, 10, 100] {
      let solution = try Euler(step: 0.01, stop: .change(1e-300), stepLimit: n).run(
        flow, from: start)
      #expect(solution.status == .stepLimit)
      let expected = try reference.state("at\(n)_", network, hasOutput: hasOutput)
      #expect(relativeError(solution.state, expected) < 1e-12)
    }
    let solution = try Euler(step: 0.01, stop: .change(1e-12)).run(flow, from: start)
    #expect(solution.status == .converged)
    #expect(solution.steps == Int(reference.scalar("iterations")))
    let expected = try reference.state("final_", network, hasOutput: hasOutput)
    #expect(relativeError(solution.state, expected) < 1e-12)
    #expect(solution.crossings.map(Double.init) == reference.arrays["crossings"]!.elements)
    for discord in solution.discords.edges where discord.kind != .output {
      let key = (discord.kind == .affine ? "weight" : "act") + "\(discord.layer)"
      #expect(abs(discord.discord - reference.scalar("discord_final_\(key)")) < 1e-12)
    }
    #expect(abs(solution.discords.total - reference.scalar("discord_final_total")) < 1e-12)
  }
}

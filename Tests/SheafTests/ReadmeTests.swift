import Foundation
import LinearAlgebra
import NeuralSheaves
import SheafFlows
import Testing

/// The library example of the README, compiled, run and compared with the text.
struct ReadmeTests {
  func example() throws -> FlowSolution {
    // BEGIN
    var generator = RandomGenerator(seed: 1)
    let network = try Network(widths: [2, 8, 8, 1], using: &generator)
    let sheaf = NeuralSheaf(network)
    let x = generator.normalMatrix(rows: 2, columns: 5)  // five samples, one per column
    let start = sheaf.randomState(x, using: &generator)
    let pin = Pin(vertex: 1, coordinates: [0], values: Matrix([[0.5]]))  // hold z1[0]
    let flow = try HeatFlow(sheaf, pins: Pins([pin], network: network, input: x))
    let end = try Euler(stop: .residual(1e-10)).run(flow, from: start)
    print(end.status, end.steps, end.discords.byLayer)
    // END
    return end
  }

  @Test func exampleRunsAndIsTheText() throws {
    let end = try example()
    #expect(end.status == .converged)
    #expect(end.state.stalks[1][0, 3] == 0.5)
    let here = try String(contentsOf: URL(fileURLWithPath: #filePath), encoding: .utf8)
    let readme = try String(
      contentsOf: Reference.folder.appendingPathComponent("../../README.md"), encoding: .utf8)
    func between(_ text: String, _ start: String, _ end: String) -> [String] {
      let tail = text.components(separatedBy: start)[1]
      return tail.components(separatedBy: end)[0].split(separator: "\n")
        .map { $0.trimmingCharacters(in: .whitespaces) }
        .filter { !$0.isEmpty && !$0.hasPrefix("import") && !$0.hasPrefix("//") }
    }
    #expect(between(here, "// BEGIN\n", "// END") == between(readme, "```swift\n", "```"))
  }
}

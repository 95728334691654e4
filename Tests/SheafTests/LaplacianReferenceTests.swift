import LinearAlgebra
import NeuralSheaves
import SheafFlows
import Testing

/// Laplacians entry by entry, against the paper's authors' implementation.
struct LaplacianReferenceTests {
  static let cases = ["2-4-1", "3-5-2", "2-6-4-1", "3-8-6-2", "2-6-4-4-1", "4-8-6-4-3"].flatMap {
    name in (0..<5).map { "\(name)_s\($0)_" }
  }

  @Test(arguments: cases) func laplaciansAreTheReferences(prefix: String) throws {
    let r = try Reference("c_det")
    let network = try r.network(prefix: prefix)
    let sheaf = NeuralSheaf(network)
    let patterns = sheaf.patterns(at: sheaf.forwardPass(r[prefix + "X"]))
    #expect(relativeError(sheaf.restrictedLaplacian(at: patterns), r[prefix + "L"]) < 1e-12)
    #expect(relativeError(sheaf.boundaryLaplacian(at: patterns), r[prefix + "Lbnd"]) < 1e-12)
    #expect(relativeError(sheaf.laplacian(at: patterns), r[prefix + "Lfull"]) < 1e-12)
    let l = sheaf.restrictedLaplacian(at: patterns)
    #expect(abs(try CholeskyFactorization(l).logDeterminant) < 1e-12)
    let values = try SymmetricEigendecomposition(l).values
    #expect(relativeError(Matrix(column: values), r[prefix + "eig"]) < 1e-12)
  }

  @Test func discordTrajectoryIsThePapersFigureOne() throws {
    let r = try Reference("a_fig1")
    let network = try r.network()
    let flow = try HeatFlow(
      NeuralSheaf(network), pins: Pins(network: network, input: r["X"]))
    var worst = 0.0
    let totals = r.arrays["fig1_total"]!.elements
    let outputs = r.arrays["fig1_output"]!.elements
    let solution = try Euler(step: 0.01, stop: .change(1e-300), stepLimit: 10_000).run(
      flow, from: r.state("init_", network)
    ) { now in
      worst = max(worst, abs(now.totalDiscord - totals[now.step]) / totals[0])
      worst = max(worst, abs(now.output[0] - outputs[now.step]))
    }
    #expect(worst < 1e-12)
    #expect(solution.crossings == [50, 65])
    let end = try Euler(step: 0.01, stop: .change(1e-12)).run(
      flow, from: r.state("init_", network))
    #expect(end.steps == 12_779)
  }
}

import CellComplexes
import CellularSheaves
import Foundation
import LinearAlgebra
import SheafCohomology
import SheafInference
import Testing

/// Which edges a graph of signals has, and with which weights.
extension MapLearningTests {
  /// Edges between vertices that share a latent signal are chosen among all pairs.
  @Test func edgesOfSharedSignalsAreChosen() throws {
    let tally = try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      // Two groups of three, each with a latent signal of its own.
      let graph = Spaces.complete(6)
      let latent = (0..<2).map { _ in g.normalMatrix(rows: 2, columns: 100) }
      let values = (0..<6).map { v in
        var x = g.orthogonal(2) * latent[v % 2]
        x.add(g.normalMatrix(rows: 2, columns: 100, deviation: 0.2))
        return x
      }
      let signals = try VertexSignals(graph, values)
      var learning = MapLearning(.orthogonal())
      for selection in [EdgeSelection.least(6), .atMost(0.3)] {
        learning.selection = selection
        let learned = try learning.fit(signals)
        tally.expect(
          learned.kept.count == 6
            && learned.keptFits.allSatisfy { $0.first % 2 == $0.second % 2 },
          "\(seed), \(selection), \(learned.kept)")
        tally.expect(learned.isolated.isEmpty && learned.fits.count == 15, "\(seed), isolated")
      }
      // Weights of the program favour them.
      learning.selection = .all
      learning.weighting = .logDegree(alpha: 1, beta: 0.5)
      let learned = try learning.fit(signals)
      tally.expect(learned.weightStatus == .converged, "\(seed), \(learned.weightStatus)")
      let inside = zip(learned.keptFits, learned.weights).filter {
        $0.0.first % 2 == $0.0.second % 2
      }
      let outside = zip(learned.keptFits, learned.weights).filter {
        $0.0.first % 2 != $0.0.second % 2
      }
      tally.expect(
        inside.count == 6 && inside.map(\.1).min()! > (outside.map(\.1).max() ?? 0),
        "\(seed), weights")
    }
    tally.check(atLeast: 6 * Self.seeds.count)
  }

  /// The conditions of the optimum, and the least value among random weights.
  @Test func degreeWeightsMeetTheConditions() throws {
    let tally = try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let n = g.integer(2...12)
      let edges = (0..<n).flatMap { i in (0..<i).map { (i, $0) } }.filter { _ in
        g.uniform() < 0.7
      }
      let scale = [1e-3, 1, 10][Int(seed % 3)]
      let z = edges.map { _ in scale * g.uniform() }
      let (alpha, beta) = (g.uniform(0.1, 3), [0.05, 0.3, 5][Int(seed / 3 % 3)])
      let found = LogDegreeWeights(
        distances: z, edges: edges, alpha: alpha, beta: beta, tolerance: 1e-9)
      tally.expect(
        found.status == .converged,
        "\(seed), \(found.status), \(found.residual) \(found.iterations)")
      func degrees(_ w: [Double]) -> [Double] {
        (0..<n).map { v in
          zip(edges, w).filter { $0.0.0 == v || $0.0.1 == v }.reduce(0) { $0 + $1.1 }
        }
      }
      let touched = (0..<n).filter { v in edges.contains { $0.0 == v || $0.1 == v } }
      func value(_ w: [Double]) -> Double {
        let d = degrees(w)
        return zip(w, z).reduce(0) { $0 + $1.0 * $1.1 + beta * $1.0 * $1.0 }
          - alpha * touched.reduce(0) { $0 + log(d[$1]) }
      }
      let (w, d) = (found.weights, degrees(found.weights))
      for (e, (u, v)) in edges.enumerated() {
        let c = z[e] + 2 * beta * w[e] - alpha * (1 / d[u] + 1 / d[v])
        let size = max(z.max()!, 2 * beta * w.max()!)
        tally.expect(
          w[e] >= 0 && (w[e] > 0 ? abs(c) : -c) <= 1.01e-9 * size,
          "\(seed), edge \(e): \(w[e]), \(c)")
      }
      for _ in 0..<20 where !edges.isEmpty {
        let other = w.map { $0 * exp(g.normal() * 0.1) + 1e-3 * g.uniform() * w.max()! }
        tally.expect(value(other) >= value(w), "\(seed), another is better")
      }
    }
    tally.check(atLeast: 25 * Self.seeds.count)
    // One edge: z + 2βw = 2α/w; z = 1, α = 1, β = ½: w = 1.
    let one = LogDegreeWeights(distances: [1], edges: [(0, 1)], alpha: 1, beta: 0.5)
    #expect(abs(one.weights[0] - 1) < 1e-8)
    // Distances far beyond √(αβ): it says that it has not got there.
    let hard = LogDegreeWeights(
      distances: [1, 1e6, 3e6], edges: [(0, 1), (1, 2), (0, 2)], alpha: 1, beta: 1e-4,
      stepLimit: 50)
    #expect(hard.status == .stepLimit && hard.iterations == 50 && hard.residual > 1e-8)
    #expect(LogDegreeWeights(distances: [], edges: [], alpha: 1, beta: 1).weights.isEmpty)
  }

  // MARK: Held-out signals
}

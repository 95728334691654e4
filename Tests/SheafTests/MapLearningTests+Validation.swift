import CellComplexes
import CellularSheaves
import Foundation
import LinearAlgebra
import SheafCohomology
import SheafInference
import Testing

/// Imputation, held-out validation, and signals from which nothing can be learned.
extension MapLearningTests {
  /// Each vertex from the others, by a dense solution of its own equations.
  @Test func imputationIsTheDenseSolution() throws {
    let tally = try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let graph = Spaces.complete(4)
      var (signals, _) = try Self.planted(
        &g, on: graph, dimension: 2, samples: 30, noise: 0.4)
      signals = try VertexSignals(
        graph,
        signals.values.map { x in
          var y = x
          for j in 0..<x.columns { y[0, j] += 5 }
          return y
        })
      let family = [MapFamily.orthogonal(), .canonical(rank: 1), .diagonal(), .joint(rank: 2)][
        Int(seed % 4)]
      var learning = MapLearning(family)
      learning.selection = .least(4)
      let learned = try learning.fit(signals)
      let found = try learned.imputedInTurn(signals)
      let sheaf = learned.sheaf
      let delta = sheaf.coboundary(0).dense
      let l = delta.transposed * (sheaf.weight(degree: 1) * delta)
      let x = Matrix(
        stacking: zip(signals.values, learned.means).map { x, mean in
          x.minus(mean.columns([Int](repeating: 0, count: 30)))
        }, columns: 30)
      for v in 0..<4 {
        let free = Array(sheaf.range(of: v))
        let fixed = (0..<8).filter { !free.contains($0) }
        var y =
          l[rows: free, columns: free].pseudoInverse
          * (l[rows: free, columns: fixed] * x[rows: fixed, columns: Array(0..<30)])
        y.scale(by: -1)
        y.add(learned.means[v].columns([Int](repeating: 0, count: 30)))
        tally.expect(
          y.minus(found[v]).maximumMagnitude < 1e-8, "\(seed), \(v), \(family)")
      }
      // Two at once.
      let two = try learned.imputed([3, 1], in: signals)
      let free = Array(sheaf.range(of: 3)) + Array(sheaf.range(of: 1))
      let fixed = (0..<8).filter { !free.contains($0) }
      var y =
        l[rows: free, columns: free].pseudoInverse
        * (l[rows: free, columns: fixed] * x[rows: fixed, columns: Array(0..<30)])
      y.scale(by: -1)
      for (k, v) in [3, 1].enumerated() {
        let mean = learned.means[v].columns([Int](repeating: 0, count: 30))
        tally.expect(
          two[k].minus(mean).minus(y.rows(2 * k..<2 * k + 2)).maximumMagnitude < 1e-8,
          "\(seed), two, \(family)")
      }
    }
    tally.check(atLeast: 6 * Self.seeds.count)
  }

  /// From one neighbour of correlation ρ and equal variance 2ρ − 1 of the variance is explained, in either direction.
  @Test func oneNeighbourExplainsTwiceTheCorrelationLessOne() throws {
    var g = RandomGenerator(case: 4)
    for rho in [0.3, 0.6, 0.95] {
      let x = g.normalMatrix(rows: 1, columns: 20_000)
      var y = g.normalMatrix(rows: 1, columns: 20_000, deviation: (1 - rho * rho).squareRoot())
      y.add(x, scale: -rho)
      let found = try MapLearning(.scalar()).validate(Self.pair(x, y), .folds(2))
      #expect(abs(found.explained - (2 * rho - 1)) < 5 * found.explainedError, "\(found.explained)")
      #expect(found.explainedError < 0.02)
    }
  }

  /// On signals of the constant sheaf learned maps are not preferred, on rotated ones they are.
  @Test func identityIsPreferredWhereItIsTrue() throws {
    var (kept, learned) = (0, 0)
    let families: [MapFamily] = [.scalar(), .orthogonal(), .canonical(rank: 2)]
    for seed in UInt64(0)..<50 {
      var g = RandomGenerator(case: seed)
      let graph = Spaces.complete(4)
      let (constant, _) = try Self.planted(
        &g, on: graph, dimension: 2, samples: 40, noise: 0.5, isConstant: true)
      let first = try MapLearning.compare(families, on: constant)
      #expect(first.baseline == .identity && first.candidates.count == 3)
      if first.choice == nil { kept += 1 }
      let (rotated, _) = try Self.planted(
        &g, on: graph, dimension: 2, samples: 40, noise: 0.5)
      let second = try MapLearning.compare(families, on: rotated)
      if second.choice == .orthogonal() || second.choice == .canonical(rank: 2) { learned += 1 }
    }
    #expect(kept >= 45, "SHEAF_SEED=\(Seeds.shift): the identity kept in \(kept) of 50")
    #expect(learned >= 48, "SHEAF_SEED=\(Seeds.shift): maps learned in \(learned) of 50")
  }

  /// R², its error and the discrepancies of a validation by their definitions.
  @Test func validationIsItsDefinition() throws {
    var g = RandomGenerator(case: 8)
    let (signals, _) = try Self.planted(&g, on: .path(3), dimension: 2, samples: 20, noise: 0.3)
    let learning = MapLearning(.orthogonal())
    let sets = [[0, 3, 5], [1, 19]]
    let found = try learning.validate(signals, .given(sets))
    #expect(found.samples == [0, 3, 5, 1, 19])
    var (errors, squares): ([Double], [Double]) = ([], [])
    for (k, set) in sets.enumerated() {
      let known = signals.samples((0..<20).filter { !set.contains($0) })
      let sheaf = try learning.fit(known)
      let test = signals.samples(set)
      let guesses = try sheaf.imputedInTurn(test)
      #expect(found.discrepancies[k] == sheaf.discrepancy(of: test))
      for j in set.indices {
        var (e, t) = (0.0, 0.0)
        for v in 0..<3 {
          for i in 0..<2 {
            e += pow(test.values[v][i, j] - guesses[v][i, j], 2) / 6
            t += pow(test.values[v][i, j] - known.means[v][i, 0], 2) / 6
          }
        }
        errors.append(e)
        squares.append(t)
      }
    }
    #expect(zip(found.errors, errors).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(zip(found.meanErrors, squares).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(abs(found.explained - 1 + errors.reduce(0, +) / squares.reduce(0, +)) < 1e-12)
    #expect(abs(found.rootMeanSquare - (errors.reduce(0, +) / 5).squareRoot()) < 1e-12)
    #expect(found.explainedError > 0 && found.rootMeanSquareError > 0)
    // Folds hold out each sample once.
    let folds = try SampleSplit.folds(6, seed: 4).heldOut(of: 20)
    #expect(folds.count == 6 && folds.flatMap { $0 }.sorted() == Array(0..<20))
    #expect(folds.allSatisfy { (3...4).contains($0.count) })
  }

  /// Stalks of different dimensions are compared with the means.
  @Test func unequalStalksAreComparedWithTheMeans() throws {
    var g = RandomGenerator(case: 2)
    let latent = g.normalMatrix(rows: 2, columns: 60)
    var x = g.orthogonal(2) * latent
    var y = g.orthogonal(3).columns(0..<2) * latent
    x.add(g.normalMatrix(rows: 2, columns: 60, deviation: 0.1))
    y.add(g.normalMatrix(rows: 3, columns: 60, deviation: 0.1))
    let found = try MapLearning.compare([.canonical(rank: 2)], on: Self.pair(x, y))
    #expect(found.baseline == .means && found.identity == nil)
    #expect(found.choice == .canonical(rank: 2) && found.sheaf != nil)
    #expect(found.candidates[0].validation.explained > 0.9)
    // Noise has nothing to tell.
    let noise = try Self.pair(
      g.normalMatrix(rows: 2, columns: 60), g.normalMatrix(rows: 3, columns: 60))
    let none = try MapLearning.compare([.canonical(rank: 2)], on: noise)
    #expect(none.choice == nil && none.sheaf == nil)
  }

  // MARK: Singular cases

  @Test func singularSignals() throws {
    var g = RandomGenerator(case: 3)
    // A constant vertex, fewer samples than coordinates, and a vertex without an edge.
    let graph = try CellComplex.graph(vertices: 4, edges: [(0, 1), (2, 1)])
    let values = [
      Matrix(rows: 3, columns: 2, repeating: 4), g.normalMatrix(rows: 3, columns: 2),
      g.normalMatrix(rows: 3, columns: 2), g.normalMatrix(rows: 3, columns: 2),
    ]
    let signals = try VertexSignals(graph, values)
    let families: [MapFamily] = [
      .identity, .scalar(), .scalar(.maps), .diagonal(), .diagonal(.maps), .orthogonal(),
      .orthogonal(reflections: false), .canonical(rank: 2), .joint(rank: 2),
    ]
    for family in families {
      let learned = try MapLearning(family).fit(signals)
      #expect(learned.isolated == [3] && learned.weights.allSatisfy { $0.isFinite }, "\(family)")
      let found = try learned.imputedInTurn(signals)
      #expect(found.allSatisfy { $0.firstNonFinite == nil }, "\(family)")
      let mean = learned.means[3].columns([0, 0])
      #expect(found[3].minus(mean).maximumMagnitude < 1e-14, "\(family)")
    }
    // Both constant: nothing is known, and nothing fails.
    let still = try Self.pair(Matrix([[1, 1, 1]]), Matrix([[2, 2, 2]]))
    for family in families where family != .joint(rank: 2) {
      let fit = try MapLearning(family).fit(still).fits[0]
      #expect(fit.discrepancy == 1 && fit.variance(floor: 1e-9) == 1, "\(family)")
    }
    #expect(try MapLearning.compare([.scalar()], on: still, .folds(3)).choice == nil)
  }

  @Test func badSignalsAreNamed() throws {
    let path = try CellComplex.graph(
      vertices: 2, edges: [(0, 1)], names: ["a", "b", "ab"])
    let good = Matrix([[1, 2, 3]])
    func message(_ body: () throws -> Any) -> String {
      do {
        _ = try body()
        return "no error"
      } catch { return "\(error)" }
    }
    #expect(
      message { try VertexSignals(path, [good, Matrix([[1, .nan, 3]])]) }
        == "vertex \"b\": found nan in coordinate 0 of sample 1, expected finite numbers")
    #expect(
      message { try VertexSignals(path, [good, Matrix([[1, 2]])]) }
        == "vertex \"b\": found 2 samples, expected 3, as of vertex \"a\"")
    #expect(
      message { try VertexSignals(path, [Matrix(rows: 1, columns: 0), good]) }
        == "vertex \"a\": found 0 samples, expected at least 1")
    #expect(
      message { try VertexSignals(path, [good]) }
        == "the graph: found 1 matrices of signals, expected 2, one for each vertex")
    let loop = try CellComplex.graph(vertices: 1, edges: [(0, 0)], names: ["a", "aa"])
    #expect(
      message { try VertexSignals(loop, [good]) }
        == "edge \"aa\": found ends −\"a\", +\"a\", expected two different vertices with signs −1 and 1"
    )
    let half = try CellComplex.graph(vertices: 1, edges: [(0, nil)])
    #expect(message { try VertexSignals(half, [good]) }.contains("two different vertices"))
    #expect(
      message { try VertexSignals(Spaces.sphere.complex, []) }
        == "the graph: found dimension 2, expected a graph, of dimension 1")
    let unequal = try VertexSignals(path, [good, Matrix([[1, 2, 3], [4, 5, 7]])])
    #expect(
      message { try MapLearning(.identity).fit(unequal) }
        == "edge \"ab\": found stalks of dimensions 1 and 2, expected equal ones for maps of the family identity"
    )
    let singular = try VertexSignals(path, [good, Matrix([[1, 2, 3], [2, 4, 6]])])
    #expect(
      message { try MapLearning(.canonical(rank: 1, ridge: 0)).fit(singular) }
        == "vertex \"b\": found a covariance of rank 1 from 3 samples, expected rank 2, or a ridge that is not 0"
    )
    let huge = try VertexSignals(path, [Matrix([[1e200, 0, 0]]), good])
    #expect(message { try MapLearning(.identity).fit(huge) }.contains("expected finite numbers"))
    #expect(
      message { try MapLearning(.identity).validate(unequal, .folds(4)) }
        == "the split of the samples: found 4 folds of 3 samples, expected at least 2 folds, and no more than samples"
    )
    for sets in [[], [[]], [[0, 1, 2]], [[3]], [[1, 1]]] as [[[Int]]] {
      #expect(
        message { try SampleSplit.given(sets).heldOut(of: 3) }.hasPrefix("the split of the samples")
      )
    }
  }
}

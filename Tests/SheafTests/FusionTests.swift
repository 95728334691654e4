import CellComplexes
import CellularSheaves
import Distributions
import Foundation
import LinearAlgebra
import Testing

@testable import SheafInference

/// Fusion by least squares, by robust losses and by the largest residual.
struct FusionTests {
  /// 1 with variance 1 and 3 with variance 4 of one number: the weighted mean 7/5 with variance 4/5, χ² = 2²/(1 + 4).
  @Test func twoReadingsOfOneNumberAreWeighted() throws {
    let sheaf = CellularSheaf.constant(1, on: .path(2))
    let readings = Assignment([
      0: .init([1], covariance: .scalar(1)), 1: .init([3], covariance: .scalar(4)),
    ])
    let fusion = try Fusion(sheaf, readings)
    for cell in 0..<3 {
      #expect(close(try #require(fusion.value(of: cell)), [1.4], 1e-12))
      #expect(close(try #require(try fusion.covariance(of: cell)), Matrix([[0.8]]), 1e-12))
    }
    #expect(abs(fusion.chiSquared - 0.8) < 1e-12 && fusion.degreesOfFreedom == 1)
    // scipy.stats.chi2.sf(0.8, 1): 0.371093369522698.
    #expect(abs(try #require(fusion.pValue) - 0.371093369522698) < 1e-12)
    #expect(abs(fusion.cost - 0.4) < 1e-12 && fusion.certificate == .global)
    #expect(fusion.freedom == 0 && fusion.defect < 1e-14)
  }

  /// With an edge of weight 4 the discrepancy has variance 1/4: χ² = 2²/(1 + 4 + 1/4).
  @Test func anAgreementIsAReadingOfTheDifference() throws {
    let sheaf = try CellularSheaf(
      .path(2), stalks: [1, 1, 1], weights: [.standard, .standard, .scalar(4)]
    ) { _ in .identity }
    let readings = Assignment([
      0: .init([1], covariance: .scalar(1)), 1: .init([3], covariance: .scalar(4)),
    ])
    let fusion = try Fusion(sheaf, readings, settings: Fusion.Settings.of(.agreement))
    #expect(close(try #require(fusion.value(of: 0)), [7.25 / 5.25], 1e-12))
    #expect(close(try #require(fusion.value(of: 1)), [7.75 / 5.25], 1e-12))
    #expect(close(try #require(try fusion.covariance(of: 0)), Matrix([[4.25 / 5.25]]), 1e-12))
    #expect(close(try #require(try fusion.covariance(of: 1)), Matrix([[5 / 5.25]]), 1e-12))
    #expect(abs(fusion.chiSquared - 4 / 5.25) < 1e-12 && fusion.degreesOfFreedom == 1)
  }

  /// The covariance ((2, 1), (1, 2)) beside the identity, and a diagonal.
  @Test func covariancesOfAllKindsAreWeighed() throws {
    let sheaf = CellularSheaf.constant(2, on: .path(2))
    let full = try Fusion(
      sheaf,
      Assignment([
        0: .init([1, 0], covariance: .matrix(Matrix([[2, 1], [1, 2]]))), 1: .init([0, 1]),
      ]))
    // (C⁻¹ + 1)⁻¹ = ((5, 1), (1, 5))/8, C⁻¹(1, 0) + (0, 1) = (2/3, 2/3).
    #expect(close(try #require(full.value(of: 0)), [0.5, 0.5], 1e-12))
    #expect(
      close(
        try #require(try full.covariance(of: 1)), Matrix([[0.625, 0.125], [0.125, 0.625]]), 1e-12))
    let diagonal = try Fusion(
      sheaf,
      Assignment([0: .init([1, 5], covariance: .diagonal([1, 4])), 1: .init([3, 0])]))
    #expect(close(try #require(diagonal.value(of: 1)), [2, 1], 1e-12))
    #expect(
      close(try #require(try diagonal.covariance(of: 0)), .diagonal([0.5, 0.8]), 1e-12))
  }

  /// x_v = 2 x_u, readings 1 of x_u and 4 on the edge: 9/5; in the agreement model the edge is a variable: 19/11, 40/11.
  @Test func edgesAreReadToo() throws {
    let sheaf = try CellularSheaf(.path(2), stalks: [1, 1, 1]) {
      $0 == 0 ? .scalar(2) : .identity
    }
    let readings = Assignment(values: [0: [1], 2: [4]])
    let section = try Fusion(sheaf, readings)
    #expect(close(try #require(section.value(of: 0)), [1.8], 1e-12))
    #expect(close(try #require(section.value(of: 1)), [3.6], 1e-12))
    #expect(close(try #require(section.value(of: 2)), [3.6], 1e-12))
    let agreement = try Fusion(sheaf, readings, settings: Fusion.Settings.of(.agreement))
    #expect(close(try #require(agreement.value(of: 0)), [19.0 / 11], 1e-12))
    #expect(close(try #require(agreement.value(of: 1)), [40.0 / 11], 1e-12))
    #expect(close(try #require(agreement.value(of: 2)), [40.0 / 11], 1e-12))
  }

  /// Compares a fusion with the dense one.
  private static func compare(
    _ sheaf: CellularSheaf, _ assignment: Assignment, _ model: FusionModel, _ tally: inout Tally,
    _ name: String
  ) throws {
    let dense = try DenseFusion(sheaf, assignment, model)
    let fusion = try Fusion(sheaf, assignment, settings: .of(model))
    tally.expect(close([fusion.cost], [dense.cost]), "\(name): cost \(fusion.cost), \(dense.cost)")
    tally.expect(
      fusion.freedom == dense.freedom, "\(name): freedom \(fusion.freedom), \(dense.freedom)")
    let rows = dense.terms.reduce(0) { $0 + $1.a.rows }
    let dof = rows - dense.allowed.columns + dense.freedom
    tally.expect(
      fusion.degreesOfFreedom == dof, "\(name): \(fusion.degreesOfFreedom) degrees, not \(dof)")
    for cell in 0..<sheaf.complex.count {
      let covariance = try fusion.covariance(of: cell)
      guard let expected = dense.determined(cell) else {
        tally.expect(covariance == nil, "\(name): cell \(cell) is not determined")
        continue
      }
      tally.expect(
        fusion.value(of: cell).map { close($0, expected.value, 1e-6) } ?? false,
        "\(name): cell \(cell), \(fusion.value(of: cell) ?? []) for \(expected.value)")
      tally.expect(
        covariance.map { close($0, expected.covariance, 1e-6) } ?? false,
        "\(name): covariance of cell \(cell): \(String(describing: covariance)) for \(expected.covariance)"
      )
    }
  }

  /// Random graphs with loops, half-open edges, weights and readings on edges.
  @Test(arguments: FusionModel.allCases) func fusionIsTheDenseSolution(_ model: FusionModel) throws
  {
    try Tally.over(Array(0..<60)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let graph = g.graph(
        vertices: g.integer(1...6), edges: g.integer(0...8), halfOpen: seed % 2 == 0)
      let sheaf: CellularSheaf
      if seed % 3 == 0 {
        let stalks = (0..<graph.count).map {
          $0 < graph.cellCounts[0] ? g.integer(0...4) : g.integer(0...2)
        }
        sheaf = try CellularSheaf.random(on: graph, stalks: stalks, using: &g).weighted(
          g.weights(stalks))
      } else {
        sheaf = g.weightedSheaf(on: graph, summands: 3)
      }
      let share = [1, 0.5, 0.2][Int(seed / 3 % 3)]
      let assignment = g.assignment(of: 0..<graph.count, on: sheaf, share: share)
      try Self.compare(sheaf, assignment, model, &tally, "seed \(seed)")
    }.check(atLeast: 500)
  }

  /// Complexes of dimension 2 with readings on triangles.
  @Test(arguments: FusionModel.allCases) func trianglesAreReadToo(_ model: FusionModel) throws {
    try Tally.over(Array(0..<30)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let complex = g.simplicial(vertices: 5, facets: 4, dimension: 2).complex
      let sheaf = g.weightedSheaf(on: complex, summands: 3)
      let assignment = g.assignment(
        of: 0..<complex.count, on: sheaf, share: seed % 2 == 0 ? 0.8 : 0.3)
      try Self.compare(sheaf, assignment, model, &tally, "seed \(seed)")
    }.check(atLeast: 300)
  }

  /// A poset is its complex: the face poset of a graph has the same fusions.
  @Test(arguments: FusionModel.allCases) func facePosetsAreTheirGraphs(_ model: FusionModel) throws
  {
    try Tally.over(Array(0..<30)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let n = g.integer(2...5)
      let pairs = (0..<n).flatMap { i in (0..<i).map { ($0, i) } }.filter { _ in g.uniform() < 0.6 }
      let graph = try CellComplex.graph(vertices: n, edges: pairs.map { ($0.0, $0.1) })
      let stalks = (0..<graph.count).map { $0 < n ? g.integer(1...4) : g.integer(1...2) }
      let sheaf = try CellularSheaf.random(on: graph, stalks: stalks, using: &g)
      let assignment = g.assignment(of: 0..<graph.count, on: sheaf, share: 0.6)
      let one = try Fusion(sheaf, assignment, settings: Fusion.Settings.of(model))
      let other = try Fusion(
        NonlinearSheaf(sheaf.onFacePoset()), assignment, settings: Fusion.Settings.of(model))
      tally.expect(close([one.cost], [other.cost]), "seed \(seed): \(one.cost), \(other.cost)")
      tally.expect(
        one.freedom == other.freedom && one.degreesOfFreedom == other.degreesOfFreedom,
        "seed \(seed)")
      tally.expect(other.certificate == .global, "seed \(seed)")
      for cell in 0..<graph.count {
        guard let covariance = try one.covariance(of: cell) else {
          tally.expect(try other.covariance(of: cell) == nil, "seed \(seed), cell \(cell)")
          continue
        }
        let second = try other.covariance(of: cell)
        tally.expect(
          second.map { close($0, covariance, 1e-6) } ?? false, "seed \(seed), cell \(cell)")
        tally.expect(
          close(one.value(of: cell)!, other.value(of: cell)!, 1e-6), "seed \(seed), cell \(cell)")
      }
    }.check(atLeast: 200)
  }

  /// As the weights of edges grow agreements become sections.
  @Test func heavyAgreementsAreSections() throws {
    for seed in UInt64(0)..<10 {
      var g = RandomGenerator(case: seed)
      let graph = g.connectedGraph(vertices: 5, extra: 2)
      let sheaf = g.weightedSheaf(on: graph, summands: 3)
      let heavy = try sheaf.weighted(
        (0..<graph.count).map { cell in
          let n = sheaf.stalk(of: cell)
          var w = sheaf.innerProduct(of: cell).dense(n)
          w.scale(by: 1e8)
          return n == 0 ? .standard : .matrix(w)
        })
      let assignment = g.assignment(of: 0..<5, on: sheaf)
      let section = try Fusion(sheaf, assignment)
      let agreement = try Fusion(heavy, assignment, settings: Fusion.Settings.of(.agreement))
      #expect(close([section.cost], [agreement.cost], 1e-5), "seed \(seed)")
      for v in 0..<5 {
        #expect(close(section.value(of: v)!, agreement.value(of: v)!, 1e-4), "seed \(seed), \(v)")
      }
    }
  }

  /// Weights that are far above all variances cost no digits of the mean.
  @Test func heavyWeightsKeepTheMean() throws {
    for (weight, tolerance) in [(1e6, 1e-5), (1e9, 1e-8), (1e12, 1e-8)] {
      let path = try CellularSheaf.constant(1, on: .path(5)).weighted(
        (0..<9).map { $0 < 5 ? .standard : .scalar(weight) })
      let one = try Fusion(
        path, Assignment(values: [2: [6]]), settings: Fusion.Settings.of(.agreement))
      #expect(close(one.value(of: 0)!, [6], 1e-8), "\(weight): \(one.value(of: 0)!)")
      let three = try Fusion(
        path, Assignment(values: [0: [1], 4: [2], 2: [6]]), settings: Fusion.Settings.of(.agreement)
      )
      #expect(close(three.value(of: 0)!, [3], tolerance), "\(weight): \(three.value(of: 0)!)")
      #expect(one.freedom == 0 && three.freedom == 0)
    }
  }

  /// 95 % intervals cover the truth in 93 to 97 % of 2,000 draws, and the p-values of χ² are uniform.
  @Test(arguments: FusionModel.allCases) func intervalsCoverTheTruth(_ model: FusionModel) throws {
    var g = RandomGenerator(case: 11)
    let graph = g.connectedGraph(vertices: 5, extra: 2)
    let stalks = (0..<graph.count).map { $0 < 5 ? 3 : 1 }
    let sheaf = try CellularSheaf.random(on: graph, stalks: stalks, using: &g).weighted(
      g.weights(stalks))
    let cells = Array(0..<5) + [6, 8]
    let covariances = cells.map { g.covariance(stalks[$0]) }
    let flat = try DenseFusion(sheaf, Assignment(), .section)
    var (inside, total, pValues) = (0, 0, [Double]())
    for _ in 0..<2000 {
      var values: [Int: [Double]] = [:]
      if model == .section {
        let x = flat.allowed * g.normalMatrix(rows: flat.allowed.columns, columns: 1)
        for cell in 0..<graph.count { values[cell] = (flat.image(of: cell)! * x).column(0) }
      } else {
        // A chain of errors along a tree has the law of the model only where each discrepancy is free: on trees.
        values = Self.nearSection(&g)
      }
      let sheaf = model == .section ? sheaf : Self.tree
      let cells = model == .section ? cells : [0, 1, 2]
      var readings = Assignment()
      for (k, cell) in cells.enumerated() {
        let n = sheaf.stalk(of: cell)
        let covariance = model == .section ? covariances[k] : .scalar(0.5)
        readings.readings[cell] = .init(
          zip(values[cell]!, g.error(covariance, n)).map { $0 + $1 }, covariance: covariance)
      }
      let fusion = try Fusion(sheaf, readings, settings: Fusion.Settings.of(model))
      pValues.append(try #require(fusion.pValue))
      let cell = cells[0]
      let (x, c) = (fusion.value(of: cell)!, try #require(try fusion.covariance(of: cell)))
      for i in x.indices {
        total += 1
        if abs(x[i] - values[cell]![i]) <= 1.959964 * c[i, i].squareRoot() { inside += 1 }
      }
    }
    let coverage = Double(inside) / Double(total)
    print("\(model): coverage \(coverage), uniformity \(KolmogorovSmirnov.uniformPValue(pValues))")
    #expect((0.93...0.97).contains(coverage), "coverage \(coverage)")
    #expect(KolmogorovSmirnov.uniformPValue(pValues) > 0.001)
  }

  /// A path of three vertices whose edges have weights 4 and 1/4.
  private static let tree = known {
    try CellularSheaf(
      .path(3), stalks: [1, 1, 1, 1, 1],
      weights: [.standard, .standard, .standard, .scalar(4), .scalar(0.25)]
    ) { _ in .identity }
  }

  private static func nearSection(_ g: inout RandomGenerator) -> [Int: [Double]] {
    let a = 10 * g.normal()
    let b = a + 0.5 * g.normal()
    return [0: [a], 1: [b], 2: [b + 2 * g.normal()]]
  }

  /// What is not right is named; what is empty is fused to nothing.
  @Test func badReadingsAreNamed() throws {
    let sheaf = try CellularSheaf(
      .graph(vertices: 2, edges: [(0, 1)], names: ["a", "b", "ab"]), stalks: [2, 2, 2]
    ) { _ in .identity }
    func error(_ readings: [Int: Assignment.Reading]) -> String {
      for model in FusionModel.allCases {
        _ = message { _ = try MinimaxFusion(sheaf, Assignment(readings), model: model) }
      }
      let one = message { _ = try Fusion(sheaf, Assignment(readings)) }
      #expect(one == message { _ = try Consistency(sheaf, Assignment(readings)) })
      return one
    }
    #expect(error([7: .init([1])]).contains("\"7\" is no cell"))
    #expect(error([-1: .init([1])]).contains("\"-1\" is no cell"))
    #expect(error([1: .init([1])]).contains("\"b\" has 1 values, expected 2"))
    #expect(error([0: .init([1, .nan])]).contains("\"a\""))
    #expect(error([2: .init([1, .infinity])]).contains("\"ab\""))
    #expect(error([0: .init([1, 1], covariance: .scalar(0))]).contains("\"a\" has the variance 0"))
    #expect(error([0: .init([1, 1], covariance: .scalar(.nan))]).contains("\"a\""))
    #expect(error([1: .init([1, 1], covariance: .diagonal([1, -1]))]).contains("\"b\""))
    #expect(error([1: .init([1, 1], covariance: .diagonal([1]))]).contains("1 variances"))
    let flat = Matrix([[1, 2], [2, 1]])
    #expect(
      error([1: .init([1, 1], covariance: .matrix(flat))]).contains(
        "\"b\" has a covariance that is not positive definite"))
    #expect(
      error([1: .init([1, 1], covariance: .matrix(Matrix([[1, 0.5], [0.1, 1]])))]).contains(
        "symmetric"))
    #expect(error([1: .init([1, 1], covariance: .matrix(.identity(3)))]).contains("(3, 3)"))
    #expect(
      error([0: .init([1, 1], unit: "km"), 1: .init([1, 1], unit: "m")]).contains("\"km\""))
    #expect(
      error([0: .init([1, 1], unit: "km"), 2: .init([1, 1], unit: "m")]).contains("\"km\""))
    #expect(throws: InferenceError.self) {
      try Fusion(
        sheaf, Assignment(), settings: Fusion.Settings.of(.section) { $0.start = [0: [1]] })
    }
  }

  /// Covariances that are symmetric to rounding are symmetric.
  @Test func roundingIsNoAsymmetry() throws {
    let c = Matrix([[1, 1e-17], [-1e-17, 1]])
    let fusion = try Fusion(
      .constant(2, on: .path(1)), Assignment([0: .init([1, 2], covariance: .matrix(c))]))
    #expect(close(fusion.value(of: 0)!, [1, 2]))
  }

  @Test func emptyThingsAreFused() throws {
    for model in FusionModel.allCases {
      let nothing = try Fusion(
        .constant(1, on: .path(0)), Assignment(), settings: Fusion.Settings.of(model))
      #expect(nothing.degreesOfFreedom == 0 && nothing.chiSquared == 0 && nothing.pValue == nil)
      let free = try Fusion(
        .constant(2, on: .path(3)), Assignment(), settings: Fusion.Settings.of(model))
      #expect(free.freedom == 2 && free.value(of: 0) == [0, 0])
      #expect(try free.covariance(of: 0) == nil)
      let points = try Fusion(
        .constant(1, on: .graph(vertices: 2, edges: [])), Assignment(values: [1: [3]]),
        settings: Fusion.Settings.of(model))
      #expect(points.value(of: 1) == [3] && points.freedom == 1)
      let zero = try Fusion(
        .zero(on: .path(3)),
        Assignment([
          0: .init([], covariance: .diagonal([])),
          1: .init([], covariance: .matrix(Matrix(rows: 0, columns: 0))),
        ]),
        settings: Fusion.Settings.of(model))
      #expect(zero.value(of: 0) == [] && zero.degreesOfFreedom == 0)
      let minimax = try MinimaxFusion(.constant(2, on: .path(3)), Assignment(), model: model)
      #expect(minimax.radius == 0)
      _ = try MinimaxFusion(.constant(1, on: .path(0)), Assignment(), model: model)
    }
  }
}

import CellComplexes
import CellularSheaves
import Foundation
import LinearAlgebra
import Testing

@testable import SheafInference

/// Fusion under linear equations and bounds.
struct ConstrainedFusionTests {
  /// A case of Tests/ReferenceData/inference/constrained.json.
  private struct Case: Decodable {
    struct Reading: Decodable {
      let cell: Int
      let value: [Double]
      let variance: Double
    }
    struct Constraint: Decodable {
      struct Term: Decodable {
        let cell: Int
        let factors: [Double]
      }
      let name: String
      let relation: String
      let value: Double
      let terms: [Term]
    }
    let model: String
    let vertices: Int
    let edges: [[Int]]
    let maps: [[[Double]]]
    let weights: [Double]
    let readings: [Reading]
    let constraints: [Constraint]
    let active: [String]
    let solution: [Double]
    let cost: Double
  }

  private struct File: Decodable {
    let origin: String
    let cases: [Case]
  }

  /// 100 random problems against scipy's solutions.
  @Test func solutionsAreThoseOfSLSQP() throws {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent(
        "ReferenceData/inference/constrained.json")
    let file = try JSONDecoder().decode(File.self, from: Data(contentsOf: path))
    #expect(file.cases.count == 100)
    for (k, each) in file.cases.enumerated() {
      let n = each.vertices
      let sheaf = try CellularSheaf(
        .graph(vertices: n, edges: each.edges.map { ($0[0], $0[1]) }),
        stalks: [Int](repeating: 2, count: n) + each.edges.map { _ in 1 },
        weights: [InnerProduct](repeating: .standard, count: n) + each.weights.map { .scalar($0) }
      ) { .matrix(Matrix([each.maps[$0 / 2][$0 % 2]])) }
      var readings = Assignment()
      for reading in each.readings {
        readings.readings[reading.cell] = .init(
          reading.value, covariance: .scalar(reading.variance))
      }
      var settings = Fusion.Settings()
      settings.model = try #require(FusionModel(rawValue: each.model))
      settings.constraints = try each.constraints.map { constraint in
        StalkConstraint(
          constraint.name,
          Dictionary(uniqueKeysWithValues: constraint.terms.map { ($0.cell, $0.factors) }),
          try #require(StalkConstraint.Relation(rawValue: constraint.relation)), constraint.value)
      }
      let fusion = try Fusion(sheaf, readings, settings: settings)
      let x = (0..<n).flatMap { fusion.value(of: $0)! }
      #expect(close(x, each.solution, 1e-5), "case \(k): \(x), \(each.solution)")
      #expect(close([fusion.cost], [each.cost], 1e-6), "case \(k): \(fusion.cost), \(each.cost)")
      #expect(
        fusion.activeConstraints.sorted() == each.active,
        "case \(k): \(fusion.activeConstraints), \(each.active)")
      #expect(fusion.status == .converged && fusion.certificate == .global, "case \(k)")
    }
  }

  private static func settings(
    _ constraints: [StalkConstraint], _ model: FusionModel = .section
  ) -> Fusion.Settings {
    var settings = Fusion.Settings()
    (settings.constraints, settings.model) = (constraints, model)
    return settings
  }

  private static func infeasible(
    _ sheaf: CellularSheaf, _ constraints: [StalkConstraint], _ model: FusionModel = .section
  ) throws -> [String]? {
    let readings = Assignment(values: [0: [Double](repeating: 0, count: sheaf.stalk(of: 0))])
    do {
      _ = try Fusion(sheaf, readings, settings: settings(constraints, model))
      return nil
    } catch InferenceError.infeasible(let names) { return names.sorted() }
  }

  /// x + y = 1 of readings 1 and 2 with variances 1 and 3: (0.5, 0.5), covariance ((3, −3), (−3, 3))/4.
  @Test func equationsTakeDirectionsAway() throws {
    let sheaf = try CellularSheaf.constant(2, on: .graph(vertices: 1, edges: []))
    let readings = Assignment([0: .init([1, 2], covariance: .diagonal([1, 3]))])
    let fusion = try Fusion(
      sheaf, readings, settings: Self.settings([StalkConstraint("sum", [0: [1, 1]], .equal, 1)]))
    #expect(close(fusion.value(of: 0)!, [0.5, 0.5], 1e-8))
    let covariance = try #require(try fusion.covariance(of: 0))
    #expect(close(covariance, Matrix([[0.75, -0.75], [-0.75, 0.75]]), 1e-8))
    #expect(fusion.activeConstraints == ["sum"] && fusion.degreesOfFreedom == 1)
    #expect(abs(fusion.chiSquared - 1) < 1e-8)
  }

  /// Bounds that do not hold anything back change nothing; the others stand under `activeConstraints`.
  @Test func boundsAreActiveOrNot() throws {
    let sheaf = try CellularSheaf.constant(2, on: .graph(vertices: 1, edges: []))
    let readings = Assignment([0: .init([3, -1], covariance: .scalar(4))])
    let fusion = try Fusion(
      sheaf, readings,
      settings: Self.settings([
        .bound("top", cell: 0, coordinate: 0, of: 2, .atMost, 1),
        .bound("bottom", cell: 0, coordinate: 1, of: 2, .atLeast, -5),
      ]))
    #expect(close(fusion.value(of: 0)!, [1, -1], 1e-7) && fusion.activeConstraints == ["top"])
    #expect(close(try #require(try fusion.covariance(of: 0)), .diagonal([0, 4]), 1e-7))
  }

  /// Exactly the planted constraints that contradict each other are named, through sections too.
  @Test func contradictionsAreNamed() throws {
    let path = CellularSheaf.constant(1, on: .path(4))
    let rest = (0..<4).map {
      StalkConstraint.bound("wide \($0)", cell: $0, coordinate: 0, of: 1, .atMost, 10)
    }
    let low = StalkConstraint("low", [0: [1]], .atMost, 0)
    let high = StalkConstraint("high", [3: [1]], .atLeast, 1)
    #expect(try Self.infeasible(path, rest + [low] + rest + [high]) == ["high", "low"])
    // In the agreement model the ends may differ.
    #expect(try Self.infeasible(path, rest + [low, high], .agreement) == nil)
    let three = [
      StalkConstraint("a", [0: [1, 0]], .atLeast, 1),
      StalkConstraint("b", [0: [0, 1]], .atLeast, 1),
      StalkConstraint("c", [0: [1, 1]], .atMost, 1.5),
      StalkConstraint("d", [0: [1, -1]], .equal, 0),
    ]
    let plane = try CellularSheaf.constant(2, on: .graph(vertices: 1, edges: []))
    let found = try #require(try Self.infeasible(plane, three))
    // Either a or b with the equation, or both.
    #expect([["a", "b", "c"], ["a", "c", "d"], ["b", "c", "d"]].contains(found), "\(found)")
    #expect(try Self.infeasible(plane, Array(three.dropLast())) == ["a", "b", "c"])
    let equations = [
      StalkConstraint("one", [0: [1, 0]], .equal, 1),
      StalkConstraint("two", [0: [1, 0]], .equal, 2),
      StalkConstraint("free", [0: [0, 1]], .equal, 2),
    ]
    #expect(try Self.infeasible(plane, equations) == ["one", "two"])
    #expect(
      try Self.infeasible(plane, [StalkConstraint("nothing", [0: [0, 0]], .equal, 1)]) == [
        "nothing"
      ])
    #expect(
      try Self.infeasible(plane, [StalkConstraint("nothing", [:], .atMost, -1)]) == ["nothing"])
    #expect(try Self.infeasible(plane, [StalkConstraint("nothing", [:], .atMost, 1)]) == nil)
  }

  /// A planted contradiction of k + 1 constraints among many that hold at one point.
  @Test func plantedContradictionsAreFound() throws {
    for seed in UInt64(0)..<20 {
      var g = RandomGenerator(case: seed)
      let n = 4
      let sheaf = try CellularSheaf.constant(n, on: .graph(vertices: 1, edges: []))
      let point = (0..<n).map { _ in g.normal() }
      var list: [StalkConstraint] = (0..<10).map { k in
        let a = (0..<n).map { _ in g.normal() }
        return StalkConstraint(
          "r\(k)", [0: a], .atMost, zip(a, point).reduce(0) { $0 + $1.0 * $1.1 } + 5)
      }
      // x_i ≥ p_i for some i, and their sum below that of the p_i.
      let count = g.integer(1...n)
      for i in 0..<count {
        list.append(.bound("p\(i)", cell: 0, coordinate: i, of: n, .atLeast, point[i]))
      }
      list.append(
        StalkConstraint(
          "sum", [0: (0..<n).map { $0 < count ? 1 : 0 }], .atMost,
          point.prefix(count).reduce(0, +) - 0.5))
      list.shuffle(using: &g)
      #expect(
        try Self.infeasible(sheaf, list) == (0..<count).map { "p\($0)" } + ["sum"], "seed \(seed)")
    }
  }

  /// Values of edges are constrained in the section model as images, and together with robust losses.
  @Test func robustFitsKeepToConstraints() throws {
    let sheaf = try CellularSheaf(.path(2), stalks: [1, 1, 1]) { $0 == 0 ? .scalar(2) : .identity }
    for model in FusionModel.allCases {
      var settings = Self.settings([StalkConstraint("edge", [2: [1]], .atMost, 1)], model)
      settings.readingLoss = .huber
      let fusion = try Fusion(sheaf, Assignment(values: [0: [3], 1: [4]]), settings: settings)
      #expect(
        abs(fusion.value(of: 2)![0] - 1) < 1e-6 && fusion.activeConstraints == ["edge"], "\(model)")
      #expect(fusion.status == .converged, "\(model): \(fusion.status)")
    }
  }

  /// Millions beside millionths: x and y in units of 10⁶ and 10⁻⁶, readings 1 and 3 and an edge of unit variance, x ≤ 1.2.
  @Test func unitsAreNoMatter() throws {
    for (a, b) in [(1.0, 1.0), (1e6, 1e-6), (1e-6, 1e3), (1e-12, 1e-12)] {
      let sheaf = try CellularSheaf(
        .path(2), stalks: [1, 1, 1], weights: [.standard, .standard, .scalar(1 / (b * b))]
      ) { $0 == 0 ? .scalar(b / a) : .identity }
      let readings = Assignment([
        0: .init([a], covariance: .scalar(a * a)), 1: .init([3 * b], covariance: .scalar(b * b)),
      ])
      let fusion = try Fusion(
        sheaf, readings,
        settings: Self.settings([StalkConstraint("c", [0: [1]], .atMost, 1.2 * a)], .agreement))
      #expect(fusion.activeConstraints == ["c"], "\(a), \(b)")
      #expect(
        close([fusion.value(of: 0)![0] / a, fusion.value(of: 1)![0] / b], [1.2, 2.1], 1e-6),
        "\(a), \(b)")
    }
  }

  /// A position from its distance to the origin, kept to the right half and to a line.
  @Test func nonlinearFitsKeepToConstraints() throws {
    let poset = try FinitePoset(below: [[], [0]])
    let sheaf = try NonlinearSheaf(
      poset, stalks: [2, 1], maps: [[], [DistanceMap(from: [0, 0])]])
    let fusion = try Fusion(
      sheaf,
      Assignment([
        0: .init([-2, 0.5], covariance: .scalar(100)), 1: .init([2], covariance: .scalar(0.01)),
      ]),
      settings: Self.settings([
        .bound("right", cell: 0, coordinate: 0, of: 2, .atLeast, 1),
        StalkConstraint("line", [0: [0, 1]], .equal, 1),
      ]))
    // On the line the distance wants x = √3 ≈ 1.73, the weak reading −2.
    let x = fusion.value(of: 0)!
    func cost(_ x: Double) -> Double {
      let d = (x * x + 1).squareRoot() - 2
      return (x + 2) * (x + 2) / 200 + 50 * d * d
    }
    let least = (0...200_000).map { 1 + Double($0) * 1e-5 }.min { cost($0) < cost($1) }!
    #expect(close(x, [least, 1], 1e-4) && fusion.activeConstraints == ["line"], "\(x), \(least)")
  }

  @Test func badConstraintsAreNamed() throws {
    let sheaf = try CellularSheaf.constant(
      2, on: .graph(vertices: 2, edges: [(0, 1)], names: ["a", "b", "ab"]))
    func error(_ constraint: StalkConstraint) -> String {
      message { _ = try Fusion(sheaf, Assignment(), settings: Self.settings([constraint])) }
    }
    #expect(error(StalkConstraint("x", [9: [1]], .equal, 1)).contains("\"9\" is no cell"))
    #expect(error(StalkConstraint("x", [-1: [1]], .equal, 1)).contains("\"-1\" is no cell"))
    #expect(error(StalkConstraint("x", [1: [1]], .equal, 1)).contains("1 factors of \"b\""))
    #expect(error(StalkConstraint("x", [1: [1, .nan]], .equal, 1)).contains("\"b\""))
    #expect(error(StalkConstraint("x", [1: [1, 0]], .equal, .infinity)).contains("\"x\""))
  }

  /// Far from the readings, and readings far from 0.
  @Test(arguments: FusionModel.allCases)
  func distancesOfConstraintsAreNoMatter(_ model: FusionModel) throws {
    let sheaf = try CellularSheaf.constant(1, on: .graph(vertices: 2, edges: [(0, 1)]))
    for (base, limit) in [(0, 1e8), (1.7e9, 1.7e9 + 8), (-1e6, -1e6 + 1e-3)] {
      var settings = Self.settings([StalkConstraint("low", [1: [1]], .atLeast, limit)])
      settings.model = model
      let values = [base + 1, base + (base == 1.7e9 ? 7 : -2)]
      let fusion = try Fusion(
        sheaf, Assignment(values: [0: [values[0]], 1: [values[1]]]), settings: settings)
      // Held at the limit; the other end between it and its reading in the agreement model.
      let other = model == .section ? limit : (values[0] + limit) / 2
      #expect(
        close(fusion.value(of: 1)!, [limit], 1e-8)
          && close(fusion.value(of: 0)!, [other], 1e-8),
        "\(base): \(fusion.value(of: 0)!), \(fusion.value(of: 1)!), \(other), \(limit)")
      #expect(fusion.activeConstraints == ["low"] && fusion.pValue == nil)
    }
  }
}

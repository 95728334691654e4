import CellComplexes
import CellularSheaves
import Distributions
import Foundation
import LinearAlgebra
import NetworkMaps
import NeuralSheaves
import Testing

@testable import SheafInference

/// Maps that are not linear, and fusion through them.
struct NonlinearSheafTests {
  /// 179° and −179° are two degrees apart.
  @Test func anglesAreComparedOnTheCircle() throws {
    let poset = try FinitePoset(below: [[], [0]])
    let sheaf = try NonlinearSheaf(
      poset, stalks: [1, 1], maps: [[], [AffineMap(.identity)]], angles: [0: [360]])
    #expect(sheaf.periods == [[360], [360]])
    let readings = Assignment(values: [0: [179], 1: [-179]])
    let fusion = try Fusion(sheaf, readings)
    #expect(abs(abs(Angle.difference(fusion.value(of: 1)![0], 180, period: 360))) < 1e-9)
    #expect(abs(fusion.chiSquared - 2) < 1e-9 && fusion.degreesOfFreedom == 1)
    #expect(abs(try Consistency(sheaf, readings, norm: .infinity).radius - 2) < 1e-9)
    let bearings = try NonlinearSheaf(
      poset, stalks: [2, 1], maps: [[], [BearingMap(from: [0, 0], unit: .degrees)]])
    let west = try Fusion(
      bearings,
      Assignment([
        0: .init([-5, -0.3], covariance: .scalar(1)), 1: .init([179], covariance: .scalar(1e-4)),
      ]))
    #expect(abs(west.value(of: 1)![0] - 179) < 0.1 && west.value(of: 0)![0] < -4)
  }

  /// Beacons: distances from points of the plane or the sphere, and bearings.
  private static func beacons(_ maps: [any SmoothMap]) throws -> NonlinearSheaf {
    try NonlinearSheaf(
      FinitePoset(below: [[]] + maps.map { _ in [0] }), stalks: [2] + maps.map { _ in 1 },
      maps: [[]] + maps.map { [$0] })
  }

  private static let plane: [any SmoothMap] = [
    DistanceMap(from: [0, 0]), DistanceMap(from: [10, 0]), DistanceMap(from: [0, 10]),
    BearingMap(from: [10, 10]),
    BearingMap(from: [-3, 4], convention: .compass, unit: .degrees),
  ]

  private static let sphere: [any SmoothMap] = [
    SphereDistanceMap(from: [50, 5]), SphereDistanceMap(from: [45, 10]),
    SphereDistanceMap(from: [52, 13]),
    SphereBearingMap(from: [48, 2]), SphereBearingMap(from: [55, 12]),
  ]

  /// From exact distances and bearings the position is found.
  @Test func positionsAreFound() throws {
    for seed in UInt64(0)..<20 {
      var g = RandomGenerator(case: seed)
      for (maps, place) in [
        (Self.plane, [g.uniform(1, 9), g.uniform(1, 9)]),
        (Self.sphere, [g.uniform(46, 54), g.uniform(3, 12)]),
      ] {
        for k in [3, 5] {
          var readings = Assignment()
          for (i, map) in maps.prefix(k).enumerated() {
            readings.readings[i + 1] = .init(map.value(place))
          }
          for model in FusionModel.allCases {
            let fusion = try Fusion(
              Self.beacons(Array(maps.prefix(k))), readings, settings: Fusion.Settings.of(model))
            // Of a globe's place there are several coordinates.
            let x = fusion.value(of: 0)!
            let isThere =
              maps.count == 5 && maps[0] is SphereDistanceMap
              ? SphereDistanceMap(from: place).value(x)[0] < 1e-4 : close(x, place, 1e-6)
            #expect(
              isThere,
              "seed \(seed), \(k), \(model): \(fusion.value(of: 0)!), \(place), \(fusion.costs)")
            guard case .local(let starts, let reached) = fusion.certificate else {
              Issue.record("seed \(seed): a certificate of a problem that is not convex")
              continue
            }
            #expect(starts == 10 && reached >= 1 && fusion.costs.count <= 10)
          }
          #expect(
            try Consistency(Self.beacons(Array(maps.prefix(k))), readings).radius < 1e-5,
            "seed \(seed), \(k)")
        }
      }
    }
  }

  /// 95 % intervals of a position cover it in 90 to 98 % of 2,000 draws, and the p-values are uniform.
  @Test(arguments: ["plane", "sphere", "polynomial"]) func intervalsCoverTheTruth(_ name: String)
    throws
  {
    var g = RandomGenerator(case: 6)
    let cubic: [any SmoothMap] = [
      PolynomialMap(
        dimension: 2, coordinates: [[.init(1, powers: [2, 0]), .init(1, powers: [0, 1])]]),
      PolynomialMap(dimension: 2, coordinates: [[.init(1, powers: [1, 1])]]),
      PolynomialMap(
        dimension: 2, coordinates: [[.init(0.3, powers: [0, 3]), .init(-1, powers: [1, 0])]]),
    ]
    let maps = name == "plane" ? Self.plane : name == "sphere" ? Self.sphere : cubic
    let place: [Double] = name == "plane" ? [4, 5] : name == "sphere" ? [49, 8] : [1.5, 1.2]
    let deviations =
      name == "plane"
      ? [0.1, 0.1, 0.1, 0.02, 1] : name == "sphere" ? [20, 20, 20, 2, 2] : [0.1, 0.1, 0.1]
    let sheaf = try Self.beacons(maps)
    var (inside, pValues) = (0, [Double]())
    for _ in 0..<2000 {
      var readings = Assignment()
      for (i, map) in maps.enumerated() {
        readings.readings[i + 1] = .init(
          [map.value(place)[0] + deviations[i] * g.normal()],
          covariance: .scalar(deviations[i] * deviations[i]))
      }
      let fusion = try Fusion(
        sheaf, readings,
        settings: Fusion.Settings.of(.section) {
          $0.starts = 1
          $0.start = [0: place.map { $0 + 0.1 }]
        })
      let (x, c) = (fusion.value(of: 0)!, try #require(try fusion.covariance(of: 0)))
      for i in 0..<2 where abs(x[i] - place[i]) <= 1.959964 * c[i, i].squareRoot() { inside += 1 }
      pValues.append(try #require(fusion.pValue))
    }
    let coverage = Double(inside) / 4000
    print("\(name): coverage \(coverage), uniformity \(KolmogorovSmirnov.uniformPValue(pValues))")
    #expect((0.9...0.98).contains(coverage), "\(coverage)")
    #expect(KolmogorovSmirnov.uniformPValue(pValues) > 1e-3)
  }

  /// Sections where images meet: p(x) = q(y) for polynomials, against a search over x.
  @Test func imagesThatMeetAreFitted() throws {
    // y = x², readings 1.5 and 1.
    let poset = try FinitePoset(below: [[], [], [0, 1]])
    let square = PolynomialMap(dimension: 1, coordinates: [[.init(1, powers: [2])]])
    let parabola = try NonlinearSheaf(
      poset, stalks: [1, 1, 1], maps: [[], [], [square, AffineMap(.identity)]])
    for seed in UInt64(0)..<20 {
      var g = RandomGenerator(case: seed)
      let y = [g.uniform(-2, 2), g.uniform(-2, 2), g.uniform(-2, 2)]
      func cost(_ x: Double) -> Double {
        ((x - y[0]) * (x - y[0]) + (x * x - y[1]) * (x * x - y[1]) + (x * x - y[2]) * (x * x - y[2])
          * 4)
          / 2
      }
      var least = (-4000...4000).map { Double($0) / 1000 }.min { cost($0) < cost($1) }!
      for step in [1e-4, 1e-5, 1e-6, 1e-7, 1e-8] {
        least = (-20...20).map { least + Double($0) * step }.min { cost($0) < cost($1) }!
      }
      let fusion = try Fusion(
        parabola,
        Assignment([
          0: .init([y[0]]), 1: .init([y[1]]), 2: .init([y[2]], covariance: .scalar(0.25)),
        ]))
      let name =
        "seed \(seed): \(fusion.value(of: 0)!), \(least), \(fusion.status), defect \(fusion.defect), \(fusion.costs), \(cost(least))"
      #expect(close([fusion.cost], [cost(least)], 1e-6), "\(name)")
      #expect(
        close(fusion.value(of: 0)!, [least], 1e-4) && fusion.defect < 1e-8
          && fusion.status == .converged, "\(name)")
      // Along the curve: 1 + 4x²(1 + 4) is the information, by the derivative without the curvature.
      let variance = 1 / (1 + 4 * least * least * 5)
      #expect(
        close(try #require(try fusion.covariance(of: 0)), Matrix([[variance]]), 1e-3), "\(name)")
      #expect(fusion.degreesOfFreedom == 2, "\(name)")
    }
  }

  /// Linear maps on a poset have the certificate of a global minimum; an element above three is agreed upon.
  @Test func threeImagesAgree() throws {
    let poset = try FinitePoset(below: [[], [], [], [0, 1, 2]])
    let identity = AffineMap(.identity)
    let sheaf = try NonlinearSheaf(
      poset, stalks: [1, 1, 1, 1], maps: [[], [], [], [identity, identity, identity]])
    // x_i = (y_i + 2c)/3 with c = 3; cost (1/3) Σ (y_i − 3)² = 18.
    let fusion = try Fusion(
      sheaf, Assignment(values: [0: [0], 1: [0], 2: [9]]), settings: Fusion.Settings.of(.agreement))
    #expect(fusion.certificate == .global && close([fusion.cost], [18], 1e-9))
    #expect(close(fusion.value(of: 0)!, [2], 1e-9) && close(fusion.value(of: 2)!, [5], 1e-9))
    let section = try Fusion(sheaf, Assignment(values: [0: [0], 1: [0], 2: [9]]))
    #expect(close(section.value(of: 3)!, [3], 1e-9) && section.defect < 1e-12)
    // An offset that no section has is one.
    let shifted = try NonlinearSheaf(
      FinitePoset(below: [[], [0]]), stalks: [1, 1],
      maps: [[], [AffineMap(.identity, offset: [5])]])
    let moved = try Fusion(shifted, Assignment(values: [0: [0], 1: [7]]))
    #expect(close(moved.value(of: 0)!, [1], 1e-9) && moved.certificate == .global)
  }

  /// √x, not finite for negative x.
  private struct Root: SmoothMap {
    var sourceDimension: Int? { 1 }
    func targetDimension(from n: Int) -> Int { 1 }
    func value(_ x: [Double]) -> [Double] { [x[0].squareRoot()] }
    func jacobian(_ x: [Double]) -> Matrix { Matrix([[0.5 / x[0].squareRoot()]]) }
  }

  /// A map that is not finite at the start is named; where one start is finite the others are no matter.
  @Test func mapsThatAreNotFiniteAreNamed() throws {
    let poset = try FinitePoset(below: [[], [0]], names: ["x", "root"])
    let sheaf = try NonlinearSheaf(poset, stalks: [1, 1], maps: [[], [Root()]])
    let text = message {
      _ = try Fusion(
        sheaf, Assignment(values: [0: [-500], 1: [2]]),
        settings: Fusion.Settings.of(.section) { $0.starts = 1 })
    }
    #expect(text.contains("from \"x\" to \"root\"") && text.contains("-500"), "\(text)")
    #expect(throws: InferenceError.self) {
      try Consistency(sheaf, Assignment(values: [0: [-5], 1: [2]]))
    }
    let fusion = try Fusion(
      sheaf,
      Assignment([
        0: .init([9], covariance: .scalar(1e6)), 1: .init([2], covariance: .scalar(1e-6)),
      ]))
    #expect(close(fusion.value(of: 0)!, [4], 1e-3))
    // At a beacon the derivative of the distance is not finite, but the distance is.
    let beacon = try NonlinearSheaf(
      poset, stalks: [2, 1], maps: [[], [DistanceMap(from: [1, 1])]])
    let there = Assignment(values: [0: [1, 1], 1: [0.5]])
    #expect(abs(try Consistency(beacon, there, norm: .infinity).radius - 0.5) < 1e-12)
    #expect(try Fusion(beacon, there).cost <= 0.0626)
  }

  @Test func badSheavesAreRefused() throws {
    let diamond = try FinitePoset(below: [[], [0], [0], [1, 2]])
    let (one, square) = (
      AffineMap(.identity), PolynomialMap(dimension: 1, coordinates: [[.init(1, powers: [2])]])
    )
    #expect(throws: SheafError.self) {
      try NonlinearSheaf(diamond, stalks: [1, 1, 1, 1], maps: [[], [one], [square], [one, one]])
    }
    #expect(throws: SheafError.self) {
      try NonlinearSheaf(
        FinitePoset(below: [[], [0]]), stalks: [3, 1], maps: [[], [DistanceMap(from: [0, 0])]])
    }
    // A composite whose first map goes with any stalk, the second not.
    #expect(throws: SheafError.self) {
      try NonlinearSheaf(
        FinitePoset(below: [[], [0]]), stalks: [3, 1],
        maps: [[], [CompositeMap([AffineMap(.scalar(2)), DistanceMap(from: [0, 0])])]])
    }
    #expect(throws: SheafError.self) {
      try NonlinearSheaf(
        FinitePoset(below: [[], [], [0, 1]]), stalks: [2, 2, 1],
        maps: [[], [], [BearingMap(from: [0, 0]), BearingMap(from: [0, 1], unit: .degrees)]])
    }
    let empty = try NonlinearSheaf(FinitePoset(below: []), stalks: [], maps: [])
    for model in FusionModel.allCases {
      #expect(
        try Fusion(empty, Assignment(), settings: Fusion.Settings.of(model)).degreesOfFreedom == 0)
      let points = try NonlinearSheaf(
        FinitePoset(below: [[], [0]]), stalks: [0, 0], maps: [[], [one]])
      #expect(
        try Fusion(points, Assignment(), settings: Fusion.Settings.of(model)).value(of: 1) == [])
      let free = try Fusion(
        Self.beacons(Self.plane), Assignment(), settings: Fusion.Settings.of(model))
      #expect(try free.covariance(of: 0) == nil && free.freedom == 2)
      #expect(try Consistency(Self.beacons(Self.plane), Assignment()).radius == 0)
    }
    let units = try NonlinearSheaf(
      FinitePoset(below: [[], [0]]), stalks: [1, 1], maps: [[], [one]])
    #expect(throws: InferenceError.self) {
      try Fusion(units, Assignment([0: .init([1], unit: "m"), 1: .init([1], unit: "km")]))
    }
  }

  /// The largest residual of distances: the circle that three circles leave.
  @Test func minimaxOfDistancesIsTheLeast() throws {
    let maps = Array(Self.plane.prefix(3))
    var readings = Assignment()
    for (i, d) in [5.0, 8.5, 7.2].enumerated() { readings.readings[i + 1] = .init([d]) }
    let found = try MinimaxFusion(Self.beacons(maps), readings)
    func largest(_ x: [Double]) -> Double {
      maps.indices.reduce(0) {
        max($0, abs(maps[$1].value(x)[0] - readings.readings[$1 + 1]!.values[0]))
      }
    }
    var (best, least) = ([4.0, 4], Double.infinity)
    var width = 4.0
    while width > 1e-9 {
      let centre = best
      for i in -10...10 {
        for j in -10...10 {
          let x = [centre[0] + width * Double(i) / 10, centre[1] + width * Double(j) / 10]
          if largest(x) < least { (best, least) = (x, largest(x)) }
        }
      }
      width /= 2
    }
    #expect(
      abs(found.radius - least) < 1e-6 && !found.isCertified,
      "\(found.radius), \(least), \(found.status)")
  }

  /// A search can be ended from outside.
  @Test func searchesEndWhenAsked() throws {
    var readings = Assignment()
    for (i, map) in Self.plane.enumerated() { readings.readings[i + 1] = .init(map.value([3, 4])) }
    let fusion = try Fusion(
      Self.beacons(Self.plane), readings,
      settings: Fusion.Settings.of(.section) { $0.halt = Halt { .interrupted } })
    #expect(fusion.status == .interrupted)
  }
}

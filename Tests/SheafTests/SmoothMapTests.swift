import Foundation
import LinearAlgebra
import NetworkMaps
import NeuralSheaves
import Testing

@testable import SheafInference

/// Maps between stalks and their derivatives.
struct SmoothMapTests {
  /// The derivative of every map against finite differences.
  @Test func derivativesAreThoseOfDifferences() throws {
    for seed in UInt64(0)..<30 {
      var g = RandomGenerator(case: seed)
      let plane = [g.normal(), g.normal()]
      let place = [g.uniform(-80, 80), g.uniform(-180, 180)]
      let radians = place.map { $0 * .pi / 180 }
      let polynomial = PolynomialMap(
        dimension: 3,
        coordinates: (0..<2).map { _ in
          (0..<4).map { _ in .init(g.normal(), powers: (0..<3).map { _ in g.integer(0...3) }) }
        })
      let cases: [(any SmoothMap, [Double])] = [
        (DistanceMap(from: plane), [g.uniform(3, 5), g.normal()]),
        (DistanceMap(from: [0, 1, 2]), [g.uniform(3, 5), g.normal(), g.normal()]),
        (BearingMap(from: plane), [g.uniform(-5, -4), 0.1 * g.normal()]),
        (
          BearingMap(from: plane, convention: .compass, unit: .degrees),
          [g.normal(), g.uniform(-5, -4)]
        ),
        (SphereDistanceMap(from: place), [g.uniform(-80, 80), g.uniform(-180, 180)]),
        (
          SphereDistanceMap(from: radians, radius: 1, unit: .radians),
          [g.uniform(-1.4, 1.4), g.uniform(-3, 3)]
        ),
        (SphereBearingMap(from: place), [g.uniform(-80, 80), g.uniform(-180, 180)]),
        (
          SphereBearingMap(from: radians, unit: .radians), [g.uniform(-1.4, 1.4), g.uniform(-3, 3)]
        ),
        (
          AffineMap(.matrix(g.normalMatrix(rows: 2, columns: 3)), offset: [1, 2]),
          [1, g.normal(), 3]
        ),
        (AffineMap(.scalar(2), offset: [1, 2]), plane), (AffineMap(.identity), plane),
        (AffineMap.rigidMotion(angle: g.normal(), translation: plane), plane),
        (AffineMap.rigidMotion(rotationVector: [g.normal(), g.normal(), g.normal()]), [1, 2, 3]),
        (polynomial, [g.normal(), g.normal(), g.normal()]),
        (
          CompositeMap([
            polynomial, AffineMap.rigidMotion(angle: 0.3, translation: [30, 1]),
            DistanceMap(from: plane),
          ]), [0.5, g.uniform(-1, 1), 0.2]
        ),
      ]
      for (k, (map, x)) in cases.enumerated() {
        let defect = map.jacobianDefect(at: x)
        #expect(defect < 1e-6, "seed \(seed), map \(k) at \(x): \(defect)")
        #expect(map.value(x).count == map.targetDimension(from: x.count))
        #expect(map.sourceDimension ?? x.count == x.count)
      }
    }
  }

  /// The derivatives of networks of all kinds.
  @Test func networksAreMaps() throws {
    try Tally.over(Array(0..<160)) { seed, tally in
      var (network, g) = try randomNetwork(seed: seed)
      guard network.inputDimension <= 60, network.outputDimension <= 60 else { return }
      let map = NetworkMap(network)
      // A kink within a step is met now and then, not at three points.
      let defects = (0..<3).map { _ in
        map.jacobianDefect(at: (0..<network.inputDimension).map { _ in g.normal() }, step: 1e-6)
      }
      tally.expect(defects.min()! < 1e-6, "seed \(seed): \(defects)")
    }.check(atLeast: 100)
  }

  @Test func rotationsAreOrthogonal() throws {
    var g = RandomGenerator(case: 3)
    for _ in 0..<20 {
      let r = AffineMap.rigidMotion(rotationVector: [g.normal(), g.normal(), g.normal()]).jacobian([
        0, 0, 0,
      ])
      #expect(close(r * r.transposed, .identity(3), 1e-13))
      let determinant =
        r[0, 0] * (r[1, 1] * r[2, 2] - r[1, 2] * r[2, 1])
        - r[0, 1] * (r[1, 0] * r[2, 2] - r[1, 2] * r[2, 0]) + r[0, 2]
        * (r[1, 0] * r[2, 1] - r[1, 1] * r[2, 0])
      #expect(abs(determinant - 1) < 1e-13)
    }
    #expect(
      close(
        AffineMap.rigidMotion(angle: .pi / 2, translation: [1, 0]).value([1, 0]), [1, 1], 1e-15))
    // A quarter turn about the third axis.
    #expect(
      close(
        AffineMap.rigidMotion(rotationVector: [0, 0, .pi / 2]).value([1, 0, 5]), [0, 1, 5], 1e-15))
    #expect(AffineMap.rigidMotion(rotationVector: [0, 0, 0]).jacobian([0, 0, 0]) == .identity(3))
  }

  /// The haversine formula, and bearings that are known.
  @Test func spheresAreMeasured() throws {
    var g = RandomGenerator(case: 4)
    for _ in 0..<100 {
      let (a, b) = (
        [g.uniform(-90, 90), g.uniform(-180, 180)], [g.uniform(-90, 90), g.uniform(-180, 180)]
      )
      let r = Double.pi / 180
      let h =
        pow(sin(r * (b[0] - a[0]) / 2), 2) + cos(r * a[0]) * cos(r * b[0])
        * pow(sin(r * (b[1] - a[1]) / 2), 2)
      let expected = 2 * 6371 * asin(min(1, h.squareRoot()))
      #expect(abs(SphereDistanceMap(from: a).value(b)[0] - expected) < 1e-3)
    }
    #expect(SphereDistanceMap(from: [10, 20]).value([10, 20]) == [0])
    #expect(
      abs(SphereDistanceMap(from: [0, 179]).value([0, -179])[0] - 2 * 6371 * .pi / 180) < 1e-9)
    func bearing(_ a: [Double], _ b: [Double]) -> Double { SphereBearingMap(from: a).value(b)[0] }
    #expect(abs(bearing([0, 0], [0, 10]) - 90) < 1e-12 && abs(bearing([0, 0], [10, 0])) < 1e-12)
    #expect(
      abs(bearing([0, 0], [0, -10]) + 90) < 1e-12
        && abs(bearing([0, 179], [0, -179]) - 90) < 1e-12)
    #expect(abs(abs(bearing([10, 5], [-10, 5])) - 180) < 1e-12)
    // Baghdad (35° N, 45° E) to Osaka (35° N, 135° E): 60.16°.
    #expect(abs(bearing([35, 45], [35, 135]) - 60.1625) < 1e-3)
    let east = BearingMap(from: [1, 1], unit: .degrees)
    let north = BearingMap(from: [1, 1], convention: .compass, unit: .degrees)
    for (x, mathematical, compass) in [
      ([2.0, 1], 0.0, 90.0), ([1, 2], 90, 0), ([0, 1], 180, -90), ([2, 0], -45, 135),
    ] {
      #expect(
        abs(east.value(x)[0] - mathematical) < 1e-12 && abs(north.value(x)[0] - compass) < 1e-12)
    }
  }
}

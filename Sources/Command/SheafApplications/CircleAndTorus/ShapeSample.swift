import Foundation
import LinearAlgebra
import SheafPersistence

/// Points drawn from a shape whose bars are known.
struct ShapeSample {
  let name: String
  /// The numbers of bars of the shape by degree.
  let truth: [Int]
  /// Points, one a column, of a seed.
  let points: @Sendable (_ seed: Int) -> Matrix

  /// The unit circle, with normal errors in the plane: angles of SplitMix64(seed), errors of SplitMix64(10⁶ + seed).
  static func circle(_ n: Int, deviation: Double) -> ShapeSample {
    ShapeSample(
      name: "circle, \(n) points, s.d. \(ReportText.fixed(deviation, 2))", truth: [1, 1]
    ) { seed in
      var generator = SplitMix64(seed: UInt64(seed))
      let angles = (0..<n).map { _ in 2 * Double.pi * generator.unit() }
      return disturbed(angles.map { [cos($0), sin($0)] }, deviation, seed)
    }
  }

  /// The unit disc, uniform: n radii, then n angles of SplitMix64(seed).
  static func disc(_ n: Int) -> ShapeSample {
    ShapeSample(name: "disc, \(n) points", truth: [1, 0]) { seed in
      var generator = SplitMix64(seed: UInt64(seed))
      let radii = (0..<n).map { _ in generator.unit().squareRoot() }
      return disturbed(
        radii.map { radius in
          let angle = 2 * Double.pi * generator.unit()
          return [radius * cos(angle), radius * sin(angle)]
        }, 0, seed)
    }
  }

  /// The torus of radii 2 and 1, uniform by area, with normal errors in space: triples of SplitMix64(seed), kept where the
  /// third is below the density of area.
  static func torus(_ n: Int, deviation: Double) -> ShapeSample {
    ShapeSample(
      name: "torus, \(n) points, s.d. \(ReportText.fixed(deviation, 2))", truth: [1, 2, 1]
    ) { seed in
      var generator = SplitMix64(seed: UInt64(seed))
      var points: [[Double]] = []
      while points.count < n {
        let theta = 2 * Double.pi * generator.unit()
        let phi = 2 * Double.pi * generator.unit()
        let radius = 2 + cos(theta)
        if generator.unit() * 3 <= radius {
          points.append([radius * cos(phi), radius * sin(phi), sin(theta)])
        }
      }
      return disturbed(points, deviation, seed)
    }
  }

  /// The unit ball, uniform: directions of SplitMix64(seed), radii of SplitMix64(10⁶ + seed).
  static func ball(_ n: Int) -> ShapeSample {
    ShapeSample(name: "ball, \(n) points", truth: [1, 0, 0]) { seed in
      var directions = SplitMix64(seed: UInt64(seed))
      var radii = SplitMix64(seed: UInt64(1_000_000 + seed))
      return disturbed(
        (0..<n).map { _ in
          let v = (0..<3).map { _ in directions.normal() }
          let scale =
            pow(radii.unit(), 1.0 / 3) / v.reduce(0) { $0 + $1 * $1 }.squareRoot()
          return v.map { scale * $0 }
        }, 0, seed)
    }
  }

  private static func disturbed(_ points: [[Double]], _ deviation: Double, _ seed: Int) -> Matrix {
    var generator = SplitMix64(seed: UInt64(1_000_000 + seed))
    return Matrix(
      rows: points[0].count, columns: points.count,
      columnMajor: points.flatMap { point in
        point.map { deviation > 0 ? $0 + deviation * generator.normal() : $0 }
      })
  }
}

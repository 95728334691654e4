import Foundation
import LinearAlgebra
import SheafInference

/// The sphere on which positions are (longitude, latitude) in degrees.
enum Earth {
  /// Its radius in km.
  static let radius = 6356.752
  /// The length of a degree of a great circle in km.
  static let degree = radius * Double.pi / 180

  /// cos of an angle in degrees.
  static func cosine(_ angle: Double) -> Double { cos(angle * Double.pi / 180) }

  /// The distance of two near points in km, on the plane that touches at the mean of their latitudes; altitudes in m count
  /// where both have one.
  static func distance(_ a: [Double], _ b: [Double]) -> Double {
    let east = (a[0] - b[0]) * cosine((a[1] + b[1]) / 2) * degree
    let north = (a[1] - b[1]) * degree
    let up = a.count > 2 && b.count > 2 ? (a[2] - b[2]) / 1000 : 0
    return (east * east + north * north + up * up).squareRoot()
  }

  /// The magnitude of the difference of two angles in degrees.
  static func angle(_ a: Double, _ b: Double) -> Double {
    abs((a - b).remainder(dividingBy: 360))
  }

  /// The bearing of a point from a station in degrees from north, atan2((λ − λ₀) cos φ₀, φ − φ₀): that of the plane, after a
  /// degree of longitude has been given its length.
  static func bearing(from station: [Double]) -> CompositeMap {
    let c = cosine(station[1])
    return CompositeMap([
      AffineMap(.matrix(.diagonal([c, 1]))),
      BearingMap(from: [station[0] * c, station[1]], convention: .compass, unit: .degrees),
    ])
  }
}

/// Dead reckoning, E(λ, φ, h, v_E, v_N, t) = (λ + t v_E / (D cos φ), φ + t v_N / D) with D the length of a degree: where the
/// state arrives that flies on for t hours.
struct DeadReckoning: SmoothMap {
  var sourceDimension: Int? { 6 }
  func targetDimension(from n: Int) -> Int { 2 }

  func value(_ x: [Double]) -> [Double] {
    [
      x[0] + x[5] * x[3] / (Earth.degree * Earth.cosine(x[1])),
      x[1] + x[5] * x[4] / Earth.degree,
    ]
  }

  func jacobian(_ x: [Double]) -> Matrix {
    let (c, d) = (Earth.cosine(x[1]), Earth.degree)
    let turn = tan(x[1] * Double.pi / 180) * Double.pi / 180
    return Matrix([
      [1, x[5] * x[3] / (d * c) * turn, 0, x[5] / (d * c), 0, x[3] / (d * c)],
      [0, 1, 0, 0, x[5] / d, x[4] / d],
    ])
  }
}

/// What a direction finder hears of a state: the bearing of where it arrives, and when.
struct RadioFix: SmoothMap {
  /// (longitude, latitude) of the finder.
  let station: [Double]

  var sourceDimension: Int? { 6 }
  func targetDimension(from n: Int) -> Int { 2 }
  var targetPeriods: [Double?]? { [360, nil] }

  private var bearing: CompositeMap {
    CompositeMap([DeadReckoning(), Earth.bearing(from: station)])
  }

  func value(_ x: [Double]) -> [Double] { bearing.value(x) + [x[5]] }

  func jacobian(_ x: [Double]) -> Matrix {
    Matrix(stacking: [bearing.jacobian(x), Matrix([[0, 0, 0, 0, 0, 1]])], columns: 6)
  }
}

import Foundation
import LinearAlgebra

/// The unit of an angle.
public enum AngleUnit: String, Sendable, CaseIterable {
  case radians
  case degrees

  /// A full turn.
  public var turn: Double { self == .radians ? 2 * Double.pi : 360 }
  /// Radians to this unit.
  var fromRadians: Double { self == .radians ? 1 : 180 / Double.pi }
}

/// The Euclidean distance ‖x − a‖ from a point; its derivative at the point itself is not defined, and not finite.
public struct DistanceMap: SmoothMap {
  /// a.
  public let origin: [Double]

  /// Distances from a point.
  public init(from origin: [Double]) { self.origin = origin }

  public var sourceDimension: Int? { origin.count }
  public func targetDimension(from n: Int) -> Int { 1 }
  public var landmark: [Double]? { origin }

  public func value(_ x: [Double]) -> [Double] {
    [zip(x, origin).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()]
  }

  public func jacobian(_ x: [Double]) -> Matrix {
    let r = value(x)[0]
    return Matrix(
      rows: 1, columns: x.count, columnMajor: zip(x, origin).map { ($0 - $1) / r })
  }
}

/// The direction of a point of the plane as seen from another, atan2 of the differences.
public struct BearingMap: SmoothMap {
  /// From where angles are measured.
  public enum Convention: String, Sendable, CaseIterable {
    /// Counterclockwise from the first axis, as in mathematics.
    case mathematical
    /// Clockwise from the second axis: from north, as on a compass, with axes east and north.
    case compass
  }

  /// The observer.
  public let origin: [Double]
  /// From where angles are measured.
  public let convention: Convention
  /// Of the angle.
  public let unit: AngleUnit

  /// Bearings from a point of the plane.
  public init(
    from origin: [Double], convention: Convention = .mathematical, unit: AngleUnit = .radians
  ) {
    precondition(origin.count == 2, "a bearing from a point of \(origin.count) coordinates")
    (self.origin, self.convention, self.unit) = (origin, convention, unit)
  }

  public var sourceDimension: Int? { 2 }
  public func targetDimension(from n: Int) -> Int { 1 }
  public var targetPeriods: [Double?]? { [unit.turn] }
  public var landmark: [Double]? { origin }

  public func value(_ x: [Double]) -> [Double] {
    let (dx, dy) = (x[0] - origin[0], x[1] - origin[1])
    return [unit.fromRadians * (convention == .mathematical ? atan2(dy, dx) : atan2(dx, dy))]
  }

  public func jacobian(_ x: [Double]) -> Matrix {
    let (dx, dy) = (x[0] - origin[0], x[1] - origin[1])
    let s = unit.fromRadians / (dx * dx + dy * dy) * (convention == .mathematical ? 1 : -1)
    return Matrix(rows: 1, columns: 2, columnMajor: [-s * dy, s * dx])
  }
}

/// The great-circle distance from a point of a sphere, in the unit of its radius; points are (latitude, longitude).
public struct SphereDistanceMap: SmoothMap {
  /// (latitude, longitude).
  public let origin: [Double]
  /// Of the sphere.
  public let radius: Double
  /// Of latitudes and longitudes.
  public let unit: AngleUnit

  /// Distances from a point of a sphere; the radius of the earth is 6371 km.
  public init(from origin: [Double], radius: Double = 6371, unit: AngleUnit = .degrees) {
    precondition(origin.count == 2, "a point of a sphere with \(origin.count) coordinates")
    (self.origin, self.radius, self.unit) = (origin, radius, unit)
  }

  public var sourceDimension: Int? { 2 }
  public func targetDimension(from n: Int) -> Int { 1 }
  public var landmark: [Double]? { origin }

  public func value(_ x: [Double]) -> [Double] { [radius * SphericalTriangle(self, x).arc] }

  public func jacobian(_ x: [Double]) -> Matrix {
    let t = SphericalTriangle(self, x)
    let s = radius / unit.fromRadians
    // From x the origin lies in the direction (cosine north, sine east): the distance grows away from it.
    return Matrix(
      rows: 1, columns: 2,
      columnMajor: [-s * t.back.north, -s * t.back.east * cos(t.latitude)])
  }
}

/// The initial bearing of the great circle from a point of a sphere to another, clockwise from north; points are
/// (latitude, longitude).
public struct SphereBearingMap: SmoothMap {
  /// The observer, (latitude, longitude).
  public let origin: [Double]
  /// Of latitudes, longitudes and bearings.
  public let unit: AngleUnit

  /// Bearings from a point of a sphere.
  public init(from origin: [Double], unit: AngleUnit = .degrees) {
    precondition(origin.count == 2, "a point of a sphere with \(origin.count) coordinates")
    (self.origin, self.unit) = (origin, unit)
  }

  public var sourceDimension: Int? { 2 }
  public func targetDimension(from n: Int) -> Int { 1 }
  public var targetPeriods: [Double?]? { [unit.turn] }
  public var landmark: [Double]? { origin }

  private var distances: SphereDistanceMap {
    SphereDistanceMap(from: origin, radius: 1, unit: unit)
  }

  public func value(_ x: [Double]) -> [Double] {
    let t = SphericalTriangle(distances, x)
    return [unit.fromRadians * atan2(t.forward.east, t.forward.north)]
  }

  public func jacobian(_ x: [Double]) -> Matrix {
    let t = SphericalTriangle(distances, x)
    // A step at right angles to the great circle at x, to the right of it, turns the bearing by step / sin(arc).
    // The circle leaves x in the direction −back; to the right of (north, east) is (−east, north).
    let (north, east) = (-t.back.north, -t.back.east)
    let s = 1 / sin(t.arc)
    return Matrix(
      rows: 1, columns: 2, columnMajor: [-s * east, s * north * cos(t.latitude)])
  }
}

/// Two points of the unit sphere and the great circle between them.
private struct SphericalTriangle {
  /// The angle between them.
  let arc: Double
  /// The unit direction at the origin towards x, and at x towards the origin, as (north, east).
  let forward: (north: Double, east: Double)
  let back: (north: Double, east: Double)
  /// Of x, in radians.
  let latitude: Double

  init(_ map: SphereDistanceMap, _ x: [Double]) {
    let s = 1 / map.unit.fromRadians
    let (a, b, d) = (s * map.origin[0], s * x[0], s * (x[1] - map.origin[1]))
    // The components of the other point in the frame of one: as tangent vectors they have the length sin(arc).
    let north = cos(a) * sin(b) - sin(a) * cos(b) * cos(d)
    let east = cos(b) * sin(d)
    let sine = (north * north + east * east).squareRoot()
    arc = atan2(sine, sin(a) * sin(b) + cos(a) * cos(b) * cos(d))
    forward = (north / sine, east / sine)
    back = (
      (cos(b) * sin(a) - sin(b) * cos(a) * cos(d)) / sine, -cos(a) * sin(d) / sine
    )
    latitude = b
  }
}

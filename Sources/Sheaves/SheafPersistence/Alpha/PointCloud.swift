import LinearAlgebra

/// Points of the plane or of space, moved and scaled into [−1, 1], where no square overflows.
struct PointCloud: Sendable, Equatable {
  /// The points, with z = 0 in the plane.
  let positions: [SIMD3<Double>]
  /// What a length of 1 was, a power of two.
  let unit: Double
  /// For each point the first one at its place.
  let representatives: [Int32]

  /// - Throws: `quantity` for points of another dimension than 2 and 3, for one that is not finite, and for
  ///   coordinates whose differences are not.
  init(_ points: Matrix) throws(PersistenceError) {
    let (d, n) = (points.rows, points.columns)
    guard d == 2 || d == 3 else {
      throw .quantity(
        name: "points", found: "\(d) coordinates", expected: "2 or 3, one point per column")
    }
    guard n < Int(Int32.max) else {
      throw .quantity(name: "points", found: "\(n)", expected: "at most \(Int32.max - 1)")
    }
    if let place = points.firstNonFinite {
      throw .quantity(
        name: "point \(place.column)", found: "a coordinate that is not finite",
        expected: "finite coordinates")
    }
    var positions = (0..<n).map { j in
      SIMD3(points[0, j], points[1, j], d == 3 ? points[2, j] : 0)
    }
    representatives = Self.representatives(positions)
    var (low, high) = (positions.first ?? .zero, positions.first ?? .zero)
    for p in positions {
      low = pointwiseMin(low, p)
      high = pointwiseMax(high, p)
    }
    let middle = low / 2 + high / 2
    let extent = (high - low).max()
    guard extent.isFinite else {
      throw .quantity(
        name: "points",
        found: "coordinates that differ by more than \(Double.greatestFiniteMagnitude)",
        expected: "differences that are finite")
    }
    // A power of two: nothing is rounded but by moving.
    let unit = extent > 0 ? max(extent.binade, Double.leastNormalMagnitude) : 1
    for j in positions.indices { positions[j] = (positions[j] - middle) / unit }
    (self.positions, self.unit) = (positions, unit)
  }

  /// The square of the radius of a ball around all points, with the middle of the box that they are in as centre; by
  /// 10⁻⁹ too large against rounding.
  var squaredRadius: Double {
    positions.reduce(0) { max($0, $1.squaredLength) } * (1 + 1e-9)
  }

  /// By sorting.
  private static func representatives(_ positions: [SIMD3<Double>]) -> [Int32] {
    let order = positions.indices.sorted {
      let (p, q) = (positions[$0], positions[$1])
      return (p.x, p.y, p.z, $0) < (q.x, q.y, q.z, $1)
    }
    var result = [Int32](repeating: 0, count: positions.count)
    var first = order.first ?? 0
    for j in order {
      if positions[j] != positions[first] { first = j }
      result[j] = Int32(truncatingIfNeeded: first)
    }
    return result
  }

  /// Orthonormal directions of the affine hull, from the first point on: each towards the point that is farthest from
  /// the hull of those before (Gram–Schmidt), as long as that is farther than rounding takes it.
  var frame: [SIMD3<Double>] {
    guard let origin = positions.first else { return [] }
    var rest = positions.map { $0 - origin }
    var result: [SIMD3<Double>] = []
    while result.count < 3, let farthest = rest.max(by: { $0.squaredLength < $1.squaredLength }) {
      let length = farthest.squaredLength.squareRoot()
      guard length > 64 * Double.ulpOfOne else { break }
      var direction = farthest / length
      for other in result { direction -= direction.dot(other) * other }
      direction /= direction.squaredLength.squareRoot()
      for j in rest.indices { rest[j] -= rest[j].dot(direction) * direction }
      result.append(direction)
    }
    return result
  }
}

extension SIMD3<Double> {
  @inline(__always) func dot(_ other: Self) -> Double { (self * other).sum() }

  @inline(__always) var squaredLength: Double { dot(self) }

  @inline(__always) func cross(_ other: Self) -> Self {
    Self(
      y * other.z - z * other.y, z * other.x - x * other.z, x * other.y - y * other.x)
  }
}

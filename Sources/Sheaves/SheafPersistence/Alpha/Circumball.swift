/// The smallest ball whose boundary contains the vertices of a simplex: its centre is in the simplex' affine hull.
struct Circumball {
  /// One of the vertices, and where the centre is from there.
  private let origin, offset: SIMD3<Double>
  /// The centre.
  var center: SIMD3<Double> { origin + offset }
  /// The square of the radius.
  var squaredRadius: Double { offset.squaredLength }
  /// The largest square of the length of an edge.
  let squaredSize: Double
  /// The volume of the simplex over that of a box with its longest edge, 0 for a flat one.
  let quality: Double

  /// Of two to four points.
  ///
  /// With edges a, b, c from one vertex the centre is at
  /// (|a|² b × c + |b|² c × a + |c|² a × b) / (2 a · (b × c)), that of a triangle at
  /// (|a|² b − |b|² a) × (a × b) / (2 |a × b|²).
  init(_ points: [SIMD3<Double>], _ vertices: some Collection<Int32>) {
    let corners = vertices.map { points[Int($0)] }
    var (size, far) = (0.0, (0, 1))
    for i in corners.indices {
      for j in 0..<i where (corners[i] - corners[j]).squaredLength > size {
        size = (corners[i] - corners[j]).squaredLength
        far = (i, j)
      }
    }
    squaredSize = size
    let length = size.squareRoot()
    // From the vertex with the shortest edges, where least is lost by cancellation.
    let base = Self.base(corners)
    origin = corners[base]
    let edges = corners.indices.filter { $0 != base }.map { corners[$0] - corners[base] }
    var offset: SIMD3<Double>
    switch edges.count {
    case 1:
      (offset, quality) = (edges[0] / 2, 1)
    case 2:
      let (a, b) = (edges[0], edges[1])
      let normal = a.cross(b)
      quality = normal.squaredLength.squareRoot() / size
      offset =
        (a.squaredLength * b - b.squaredLength * a).cross(normal) / (2 * normal.squaredLength)
    default:
      let (a, b, c) = (edges[0], edges[1], edges[2])
      let (bc, ca, ab) = (b.cross(c), c.cross(a), a.cross(b))
      let determinant = a.dot(bc)
      quality = abs(determinant) / (size * length)
      offset =
        (a.squaredLength * bc + b.squaredLength * ca + c.squaredLength * ab) / (2 * determinant)
    }
    // A flat simplex has no ball: one that is larger than all that matters.
    if !(offset.squaredLength < Self.largest) {
      offset = (corners[far.0] - corners[far.1]) / length * Self.largest.squareRoot()
    }
    self.offset = offset
  }

  /// The square of the largest radius, for points in [−1, 1].
  static let largest = 0x1p100

  private static func base(_ corners: [SIMD3<Double>]) -> Int {
    let sums = corners.map { p in corners.reduce(0) { $0 + ($1 - p).squaredLength } }
    return sums.indices.min { sums[$0] < sums[$1] }!
  }

  /// The power of a point, |p − z|² − r² for the centre z, as |p − o|² − 2 (p − o) · (z − o) for a vertex o.
  @inline(__always) func power(_ p: SIMD3<Double>) -> Double {
    let step = p - origin
    return step.squaredLength - 2 * step.dot(offset)
  }
}

import CellComplexes
import LinearAlgebra
import SheafPersistence

/// The bars of an alpha filtration, and how long a bar must be to stand out from what another draw of points would change.
///
/// With draws X* of n of the n points with replacement and c the quantile at 0.95 of a distance of X* from X, bars longer
/// than 2c count (Fasy et al. 2014, *Confidence sets for persistence diagrams*).
struct ResampledBand {
  let points: Matrix
  /// Values are radii.
  let barcode: Barcode
  /// The quantile of the Hausdorff distance max_x min_{x*} ‖x − x*‖. If it covers the distance of the points from their
  /// shape, every bar that counts belongs to the shape, since bars move by no more than it (Cohen-Steiner, Edelsbrunner,
  /// Harer 2007).
  let hausdorff: Double
  /// The quantiles of the bottleneck distance by degree: a heuristic, no theorem says that it covers. Empty if not wanted.
  let bottleneck: [Double]

  /// - Parameters:
  ///   - seed: draw k takes the remainders by n of the first n numbers of SplitMix64(100003 · (seed + 1) + k).
  ///   - draws: how many.
  ///   - comparingBarcodes: whether barcodes of draws are made as well.
  init(_ points: Matrix, seed: Int, draws: Int, comparingBarcodes: Bool = true) throws {
    let degrees = points.rows
    let barcode = try Self.barcode(points)
    let places = Self.places(points)
    var (distances, differences) = ([Double](), [[Double]]())
    for k in 0..<draws {
      let isDrawn = Self.draw(points.columns, seed: seed, k)
      distances.append(Self.hausdorffDistance(places, isDrawn))
      if comparingBarcodes {
        let other = try Self.barcode(points.columns(isDrawn.indices.filter { isDrawn[$0] }))
        differences.append(
          (0..<degrees).map {
            $0 == 0
              ? Self.componentDistance(barcode, other)
              : barcode.bottleneckDistance(to: other, degree: $0)
          })
      }
    }
    (self.points, self.barcode) = (points, barcode)
    hausdorff = Ranking.quantile(distances, 0.95)
    bottleneck =
      comparingBarcodes
      ? (0..<degrees).map { q in Ranking.quantile(differences.map { $0[q] }, 0.95) } : []
  }

  static func barcode(_ points: Matrix) throws -> Barcode {
    try SheafFiltration.alpha(points: points).filtration
      .barcode(over: .prime(2), maximumDegree: points.rows - 1)
  }

  /// The number of bars of each degree that are longer than twice its band; infinite ones always count.
  func counts(_ bands: [Double]) -> [Int] {
    bands.indices.map { q in barcode[q].count { $0.length > 2 * bands[q] } }
  }

  /// The bottleneck distance in degree 0 of two alpha filtrations, in closed form: all bars are born at 0, so the k-th longest
  /// go together, or both to the diagonal. One bar of each is infinite.
  static func componentDistance(_ a: Barcode, _ b: Barcode) -> Double {
    let (x, y) = (
      a[0].map(\.death).filter(\.isFinite).sorted(by: >),
      b[0].map(\.death).filter(\.isFinite).sorted(by: >)
    )
    return (0..<max(x.count, y.count)).reduce(0) { most, k in
      let (u, v) = (k < x.count ? x[k] : 0, k < y.count ? y[k] : 0)
      return max(most, min(abs(u - v), max(u, v) / 2))
    }
  }

  static func draw(_ n: Int, seed: Int, _ k: Int) -> [Bool] {
    var generator = SplitMix64(seed: UInt64((seed + 1) * 100_003 + k))
    var isDrawn = [Bool](repeating: false, count: n)
    for _ in 0..<n { isDrawn[generator.below(n)] = true }
    return isDrawn
  }

  static func places(_ points: Matrix) -> [SIMD3<Double>] {
    (0..<points.columns).map { j in
      SIMD3(points[0, j], points[1, j], points.rows > 2 ? points[2, j] : 0)
    }
  }

  /// max over all points of the distance to the nearest drawn one.
  ///
  /// - Complexity: n²/4 distances.
  static func hausdorffDistance(_ places: [SIMD3<Double>], _ isDrawn: [Bool]) -> Double {
    let drawn = places.indices.filter { isDrawn[$0] }.map { places[$0] }
    var largest = 0.0
    for j in places.indices where !isDrawn[j] {
      var least = Double.infinity
      for other in drawn {
        let d = places[j] - other
        least = min(least, (d * d).sum())
      }
      largest = max(largest, least)
    }
    return largest.squareRoot()
  }
}

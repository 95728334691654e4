import CellularSheaves
import Foundation
import LinearAlgebra

/// The pair (a, b) with a² + b² = 2 and a ≥ 0 that makes a x agree best with b y.
struct MultiplierFit {
  let first: Double
  let second: Double

  /// - Parameters:
  ///   - xx: ‖x‖².
  ///   - yy: ‖y‖².
  ///   - xy: ⟨x, y⟩.
  ///
  /// With a = √2 cos θ and b = √2 sin θ, ‖a x − b y‖² = xx + yy + (xx − yy) cos 2θ − 2 xy sin 2θ, which is least where
  /// (cos 2θ, sin 2θ) points along (yy − xx, 2 xy). Where that vanishes, and for `signals` where a signal does, nothing
  /// is known and a = b = 1.
  init(xx: Double, yy: Double, xy: Double, _ normalization: MapFamily.Normalization) {
    switch normalization {
    case .maps:
      let angle = xy == 0 && xx == yy ? Double.pi / 4 : atan2(2 * xy, yy - xx) / 2
      (first, second) = (2.squareRoot() * cos(angle), 2.squareRoot() * sin(angle))
    case .signals:
      guard xx > 0 && yy > 0 else {
        (first, second) = (1, 1)
        return
      }
      let (p, q) = (yy.squareRoot(), (xy < 0 ? -1 : 1) * xx.squareRoot())
      let scale = (2 / (xx + yy)).squareRoot()
      (first, second) = (scale * p, scale * q)
    }
  }

  /// One pair for all coordinates.
  static func scalar(
    _ x: Matrix, _ y: Matrix, _ normalization: MapFamily.Normalization
  ) -> (RestrictionMap, RestrictionMap) {
    let fit = MultiplierFit(
      xx: x.sumOfSquares, yy: y.sumOfSquares, xy: dot(x, y), normalization)
    return (.scalar(fit.first), .scalar(fit.second))
  }

  /// A pair for each coordinate.
  static func diagonal(
    _ x: Matrix, _ y: Matrix, _ normalization: MapFamily.Normalization
  ) -> (RestrictionMap, RestrictionMap) {
    let fits = (0..<x.rows).map { i in
      var (xx, yy, xy) = (0.0, 0.0, 0.0)
      for j in 0..<x.columns {
        xx += x[i, j] * x[i, j]
        yy += y[i, j] * y[i, j]
        xy += x[i, j] * y[i, j]
      }
      return MultiplierFit(xx: xx, yy: yy, xy: xy, normalization)
    }
    return (.matrix(.diagonal(fits.map(\.first))), .matrix(.diagonal(fits.map(\.second))))
  }
}

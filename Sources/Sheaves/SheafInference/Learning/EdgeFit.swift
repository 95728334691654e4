import CellularSheaves
import LinearAlgebra

/// The maps that were fitted to an edge, and how well they agree.
public struct EdgeFit: Sendable {
  /// The edge, a cell of the graph.
  public let edge: Int
  /// The vertex u, of sign −1.
  public let first: Int
  /// The vertex v, of sign 1.
  public let second: Int
  /// F_u.
  public let firstMap: RestrictionMap
  /// F_v.
  public let secondMap: RestrictionMap
  /// d_e, the rows of the maps.
  public let stalk: Int
  /// ‖F_u X_u − F_v X_v‖² in the Frobenius norm, X the signals without their means if those were subtracted.
  public let residual: Double
  /// ‖F_u X_u‖² + ‖F_v X_v‖².
  public let power: Double
  /// N.
  public let samples: Int

  /// The normalised discrepancy, residual/power: 0 where the two agree, about 1 where they have nothing to do with one
  /// another, at most 2; 1 where both signals vanish and nothing is known.
  public var discrepancy: Double { power > 0 ? residual / power : 1 }

  /// The residual's mean square over samples and coordinates, not less than a share of half the signals': the variance of
  /// largest likelihood of independent normal noise on the edge. 1 where nothing is known.
  public func variance(floor: Double) -> Double {
    guard power > 0 && stalk > 0 else { return 1 }
    return max(residual, floor * power / 2) / Double(samples * stalk)
  }

  init(
    edge: Int, ends: (Int, Int), stalk: Int, maps: (RestrictionMap, RestrictionMap),
    _ x: Matrix, _ y: Matrix
  ) {
    (self.edge, first, second, self.stalk) = (edge, ends.0, ends.1, stalk)
    (firstMap, secondMap, samples) = (maps.0, maps.1, x.columns)
    (residual, power) = Self.measures(maps, x, y)
  }

  /// ‖F_u X_u − F_v X_v‖² and ‖F_u X_u‖² + ‖F_v X_v‖².
  static func measures(
    _ maps: (RestrictionMap, RestrictionMap), _ x: Matrix, _ y: Matrix
  ) -> (residual: Double, power: Double) {
    var a = maps.0.image(x)
    let b = maps.1.image(y)
    let power = a.sumOfSquares + b.sumOfSquares
    a.add(b, scale: -1)
    return (a.sumOfSquares, power)
  }

  /// The discrepancy of these maps on other signals at the ends.
  func discrepancy(_ x: Matrix, _ y: Matrix) -> Double {
    let (residual, power) = Self.measures((firstMap, secondMap), x, y)
    return power > 0 ? residual / power : 1
  }
}

extension RestrictionMap {
  /// F x for each column.
  fileprivate func image(_ x: Matrix) -> Matrix {
    switch self {
    case .identity: return x
    case .scalar(let s):
      var y = x
      y.scale(by: s)
      return y
    case .matrix(let m): return m * x
    case .sparse(let m): return m(x)
    }
  }
}

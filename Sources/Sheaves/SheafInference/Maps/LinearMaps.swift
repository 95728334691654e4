import CellularSheaves
import Foundation
import LinearAlgebra

/// x ↦ A x + b.
public struct AffineMap: SmoothMap {
  /// A.
  public let matrix: RestrictionMap
  /// b; 0 if empty.
  public let offset: [Double]

  /// An affine map.
  ///
  /// - Parameter offset: as long as A x; none if empty.
  public init(_ matrix: RestrictionMap, offset: [Double] = []) {
    precondition(
      offset.isEmpty || matrix.shape.map { $0.rows == offset.count } ?? true,
      "an offset of \(offset.count) numbers")
    (self.matrix, self.offset) = (matrix, offset)
  }

  /// x ↦ R x + t, a rigid motion: R a rotation of the plane by an angle, in radians, counterclockwise.
  public static func rigidMotion(angle: Double, translation: [Double] = [0, 0]) -> AffineMap {
    let (c, s) = (cos(angle), sin(angle))
    return AffineMap(.matrix(Matrix([[c, -s], [s, c]])), offset: translation)
  }

  /// x ↦ R x + t with R the rotation of space about the axis `vector` by its length, in radians (Rodrigues' formula,
  /// R = 1 + sin θ K + (1 − cos θ) K² with K x = axis × x).
  public static func rigidMotion(
    rotationVector v: [Double], translation: [Double] = [0, 0, 0]
  ) -> AffineMap {
    precondition(v.count == 3, "a rotation vector of \(v.count) numbers")
    let angle = (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]).squareRoot()
    var r = Matrix.identity(3)
    if angle > 0 {
      let k = v.map { $0 / angle }
      let cross = Matrix([[0, -k[2], k[1]], [k[2], 0, -k[0]], [-k[1], k[0], 0]])
      r.add(cross, scale: sin(angle))
      r.add(cross * cross, scale: 1 - cos(angle))
    }
    return AffineMap(.matrix(r), offset: translation)
  }

  public var sourceDimension: Int? {
    matrix.shape?.columns ?? (offset.isEmpty ? nil : offset.count)
  }
  public func targetDimension(from n: Int) -> Int { matrix.shape?.rows ?? n }
  public var isAffine: Bool { true }

  public func value(_ x: [Double]) -> [Double] {
    var y: [Double]
    switch matrix {
    case .identity: y = x
    case .scalar(let s): y = x.map { s * $0 }
    case .matrix(let a): y = (a * Matrix(column: x)).column(0)
    case .sparse(let a): y = a(Matrix(column: x)).column(0)
    }
    for i in offset.indices { y[i] += offset[i] }
    return y
  }

  public func jacobian(_ x: [Double]) -> Matrix { matrix.dense(x.count) }
}

/// First one map, then another.
public struct CompositeMap: SmoothMap {
  /// The maps in the order in which they are applied, at least one.
  public let maps: [any SmoothMap]

  /// The composite of maps.
  public init(_ maps: [any SmoothMap]) {
    precondition(!maps.isEmpty, "a composite of no map")
    self.maps = maps
  }

  /// That of the first map that has one; those before it that go with any stalk keep its dimension.
  public var sourceDimension: Int? {
    for map in maps {
      if let n = map.sourceDimension { return n }
    }
    return nil
  }
  public func targetDimension(from n: Int) -> Int {
    maps.reduce(n) { $1.targetDimension(from: $0) }
  }
  public var isAffine: Bool { maps.allSatisfy(\.isAffine) }
  public var targetPeriods: [Double?]? { maps.last!.targetPeriods }
  public var landmark: [Double]? { maps[0].landmark }

  public func value(_ x: [Double]) -> [Double] { maps.reduce(x) { $1.value($0) } }

  public func jacobian(_ x: [Double]) -> Matrix {
    var (point, derivative) = (maps[0].value(x), maps[0].jacobian(x))
    for map in maps.dropFirst() {
      derivative = map.jacobian(point) * derivative
      point = map.value(point)
    }
    return derivative
  }
}

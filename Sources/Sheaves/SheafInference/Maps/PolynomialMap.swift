import LinearAlgebra

/// A map whose coordinates are polynomials. Dead reckoning, (x, v, t) ↦ x + v t, is one.
public struct PolynomialMap: SmoothMap {
  /// c · x₀^{p₀} x₁^{p₁} ….
  public struct Term: Sendable, Equatable {
    /// c.
    public let coefficient: Double
    /// The exponents, one for each coordinate of the source.
    public let powers: [Int]

    /// A monomial.
    public init(_ coefficient: Double, powers: [Int]) {
      precondition(powers.allSatisfy { $0 >= 0 }, "exponents \(powers)")
      (self.coefficient, self.powers) = (coefficient, powers)
    }

    func value(_ x: [Double], derivative j: Int? = nil) -> Double {
      var result = coefficient
      for (i, p) in powers.enumerated() {
        if i == j {
          guard p > 0 else { return 0 }
          result *= Double(p) * power(x[i], p - 1)
        } else {
          result *= power(x[i], p)
        }
      }
      return result
    }

    private func power(_ x: Double, _ p: Int) -> Double {
      (0..<p).reduce(1.0) { product, _ in product * x }
    }
  }

  /// n.
  public let dimension: Int
  /// The terms of each coordinate of the target.
  public let coordinates: [[Term]]

  /// A polynomial map.
  public init(dimension: Int, coordinates: [[Term]]) {
    precondition(
      coordinates.allSatisfy { $0.allSatisfy { $0.powers.count == dimension } },
      "exponents that are not one for each of \(dimension) coordinates")
    (self.dimension, self.coordinates) = (dimension, coordinates)
  }

  public var sourceDimension: Int? { dimension }
  public func targetDimension(from n: Int) -> Int { coordinates.count }
  public var isAffine: Bool {
    coordinates.allSatisfy { $0.allSatisfy { $0.powers.reduce(0, +) <= 1 } }
  }

  public func value(_ x: [Double]) -> [Double] {
    coordinates.map { $0.reduce(0) { $0 + $1.value(x) } }
  }

  public func jacobian(_ x: [Double]) -> Matrix {
    var result = Matrix(rows: coordinates.count, columns: dimension)
    for j in 0..<dimension {
      for (i, terms) in coordinates.enumerated() {
        result[i, j] = terms.reduce(0) { $0 + $1.value(x, derivative: j) }
      }
    }
    return result
  }
}

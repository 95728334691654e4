import LinearAlgebra

/// The persistence landscape of the bars of a degree (Bubenik 2015, *Statistical topological data analysis using
/// persistence landscapes*): λ_k(t) is the k-th largest of the numbers max(0, min(t − b, d − t)) over the bars [b, d).
///
/// Equivalently the largest h with at least k bars that contain [t − h, t + h]. Each λ_k is piecewise linear and kept by
/// its critical points, so that values, norms and means are exact up to rounding. Landscapes are vectors of a Banach
/// space; a mean of landscapes is in general that of no barcode.
///
/// Infinite bars are left out unless a value is given where they end: with them λ_k would be unbounded and no norm
/// finite.
public struct PersistenceLandscape: Sendable, Equatable {
  /// λ_1, λ_2, …, as many as are not 0.
  public let functions: [PiecewiseLinear]

  init(functions: [PiecewiseLinear]) { self.functions = functions }

  /// The landscape of the bars of a degree.
  ///
  /// - Parameter infinity: where infinite bars end; left out if nil.
  /// - Complexity: O(n²) for n bars at most, which is how many critical points there may be.
  public init(_ barcode: Barcode, degree: Int, infinity: Double? = nil) {
    functions = LandscapeFunctions(barcode.finiteBars(degree, infinity: infinity)).functions
  }

  /// λ_k(t), k = 1, 2, …; 0 from some k on.
  public func value(_ k: Int, at t: Double) -> Double {
    precondition(k >= 1, "λ_\(k), expected 1 or more")
    return k <= functions.count ? functions[k - 1](t) : 0
  }

  /// λ_1, …, λ_count at some places, (count, places), a vector of fixed length for all landscapes.
  ///
  /// - Parameter count: that of the functions; those that are not there are 0.
  public func samples(_ count: Int, at places: [Double]) -> Matrix {
    var result = Matrix(rows: count, columns: places.count)
    for (k, function) in functions.prefix(count).enumerated() {
      for (j, t) in places.enumerated() { result[k, j] = function(t) }
    }
    return result
  }
}

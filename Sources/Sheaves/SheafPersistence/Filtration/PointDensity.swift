import Foundation
import LinearAlgebra

/// How dense a cloud is at its points: large where many others are near, or small as a distance.
///
/// Both are means over the empirical measure μ = (1/n) Σ δ_{xᵢ}, the point itself included.
public enum PointDensity {
  /// The Gaussian kernel density estimate at each point, f(x) = (1/n) Σᵢ (2πh²)^{−d/2} exp(−|x − xᵢ|²/(2h²)).
  ///
  /// - Parameters:
  ///   - points: one per column, (d, n), finite.
  ///   - bandwidth: the kernel's standard deviation h > 0, a length.
  /// - Throws: `quantity` for a point that is not finite, a bandwidth that is no length, and one whose power h^{−d} is no
  ///   double.
  /// - Complexity: O(n² d).
  public static func gaussian(
    points: Matrix, bandwidth h: Double
  ) throws(PersistenceError) -> [Double] {
    try check(points)
    guard h > 0 && h.isFinite else {
      throw .quantity(name: "bandwidth", found: "\(h)", expected: "a finite number above 0")
    }
    let n = points.columns
    let height = pow(2 * Double.pi * h * h, -Double(points.rows) / 2) / Double(max(n, 1))
    guard height.isNormal else {
      throw .quantity(
        name: "bandwidth", found: "\(h), a kernel of height \(height) in \(points.rows) dimensions",
        expected: "one whose height is a normal number")
    }
    return sumsOverPoints(points) { square in
      let scaled = square.squareRoot() / h
      return exp(-0.5 * scaled * scaled)
    }.map { height * $0 }
  }

  /// The distance to the measure, d(x) = √((1/k) Σ |x − x₍ᵢ₎|²) over the k = ⌈m n⌉ points that are nearest to x (Chazal,
  /// Cohen-Steiner, Mérigot 2011, §3.3); a number m n up to 10⁻⁹ above a whole one counts as that.
  ///
  /// It changes by at most W₂(μ, ν)/√m if μ is replaced by ν: a few points far away hardly matter.
  ///
  /// - Parameters:
  ///   - points: one per column, (d, n), finite.
  ///   - mass: m, 0 < m ≤ 1, the part of the points.
  /// - Throws: `quantity` for a point that is not finite, and for another mass.
  /// - Complexity: O(n² d).
  public static func distanceToMeasure(
    points: Matrix, mass m: Double
  ) throws(PersistenceError) -> [Double] {
    try check(points)
    guard m > 0 && m <= 1 else {
      throw .quantity(name: "mass", found: "\(m)", expected: "a number above 0 and at most 1")
    }
    let n = points.columns
    let k = min(max(Int((m * Double(n) - 1e-9).rounded(.up)), 1), n)
    return (0..<n).map { j in
      var squares = (0..<n).map { squaredDistance(points, $0, j) }
      let sum = squares.sumOfLeast(k)
      return (sum / Double(k)).squareRoot()
    }
  }

  private static func check(_ points: Matrix) throws(PersistenceError) {
    if let place = points.firstNonFinite {
      throw .quantity(
        name: "point \(place.column)", found: "a coordinate that is not finite",
        expected: "finite coordinates")
    }
  }

  /// Σᵢ kernel(|x − xᵢ|²) at each point, every pair once.
  private static func sumsOverPoints(_ points: Matrix, _ kernel: (Double) -> Double) -> [Double] {
    var sums = [Double](repeating: kernel(0), count: points.columns)
    for j in 0..<points.columns {
      for i in 0..<j {
        let value = kernel(squaredDistance(points, i, j))
        sums[i] += value
        sums[j] += value
      }
    }
    return sums
  }

  @inline(__always) private static func squaredDistance(
    _ points: Matrix, _ i: Int, _ j: Int
  ) -> Double {
    let d = points.rows
    var sum = 0.0
    for k in 0..<d {
      let difference = points.elements[k + i * d] - points.elements[k + j * d]
      sum += difference * difference
    }
    return sum
  }
}

extension [Double] {
  /// The sum of the k least elements, which it moves to the front (Hoare 1961).
  ///
  /// Cost: proportional to the number of elements, on average.
  mutating func sumOfLeast(_ k: Int) -> Double {
    var (low, high) = (0, count)
    while high - low > 1 {
      let pivot = self[(low + high) / 2]
      // Less than the pivot, equal to it, larger.
      var (i, next, end) = (low, low, high)
      while next < end {
        if self[next] < pivot {
          swapAt(i, next)
          (i, next) = (i + 1, next + 1)
        } else if self[next] > pivot {
          end -= 1
          swapAt(next, end)
        } else {
          next += 1
        }
      }
      if k < i { high = i } else if k > end { low = end } else { break }
    }
    return self[..<k].reduce(0, +)
  }
}

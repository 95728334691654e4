import Foundation
import LinearAlgebra

/// The persistence image of the bars of a degree (Adams et al. 2017, *Persistence images: a stable vector representation
/// of persistent homology*): the density
///
///   ρ(x, y) = Σ w(p) g_σ(x − b) g_σ(y − p)
///
/// over the bars with birth b and persistence p = death − birth, g_σ the normal density of deviation σ, integrated
/// over each pixel of a grid.
///
/// Infinite bars are left out unless a value is given where they end: their persistence is none of the data's but that
/// of the caller's, and with a weight that grows with it they would outweigh all others.
public struct PersistenceImage: Sendable, Equatable {
  /// The pixels.
  public let grid: Grid
  /// The integral over each pixel, (`grid.rows`, `grid.columns`): births grow with the column, persistences with the
  /// row.
  public let matrix: Matrix

  /// The pixels column by column, persistences first.
  public var vector: [Double] { matrix.elements }

  /// How much a bar counts.
  public enum Weight: Sendable, Equatable {
    /// w(p) = p.
    case linear
    /// w(p) = min(p/b, 1), b > 0, as in the paper (§4).
    case ramp(upTo: Double)

    /// w(p).
    public func callAsFunction(_ persistence: Double) -> Double {
      switch self {
      case .linear: persistence
      case .ramp(let top): min(persistence / top, 1)
      }
    }
  }

  /// The image of the bars of a degree.
  ///
  /// Each pixel is exact up to rounding: the integral is a product of differences of the error function.
  ///
  /// - Parameters:
  ///   - deviation: σ > 0, in the units of births.
  ///   - weight: w ≥ 0, 0 for bars without length; the image is stable in the 1-Wasserstein distance then (Theorem 5).
  ///   - infinity: where infinite bars end; left out if nil.
  /// - Complexity: O(bars · pixels).
  public init(
    _ barcode: Barcode, degree: Int, grid: Grid, deviation: Double, weight: Weight = .linear,
    infinity: Double? = nil
  ) {
    precondition(deviation > 0 && deviation.isFinite, "deviation \(deviation)")
    if case .ramp(let top) = weight { precondition(top > 0, "a ramp up to \(top)") }
    var sums = [Double](repeating: 0, count: grid.rows * grid.columns)
    for (birth, death) in barcode.finiteBars(degree, infinity: infinity) {
      let persistence = death - birth
      let across = Self.masses(
        grid.births, cells: grid.columns, mean: birth, deviation: deviation)
      let along = Self.masses(
        grid.persistences, cells: grid.rows, mean: persistence, deviation: deviation)
      let factor = weight(persistence)
      for j in 0..<grid.columns {
        let scaled = factor * across[j]
        for i in 0..<grid.rows { sums[j * grid.rows + i] += scaled * along[i] }
      }
    }
    self.grid = grid
    matrix = Matrix(rows: grid.rows, columns: grid.columns, columnMajor: sums)
  }

  /// The mass of a normal distribution on each of equal parts of a range.
  private static func masses(
    _ range: ClosedRange<Double>, cells n: Int, mean: Double, deviation: Double
  ) -> [Double] {
    let step = (range.upperBound - range.lowerBound) / Double(n)
    let edges = (0...n).map { k in
      let x = k == n ? range.upperBound : range.lowerBound + Double(k) * step
      return (x - mean) / (deviation * 2.0.squareRoot())
    }
    return (0..<n).map { k in
      let (a, b) = (edges[k], edges[k + 1])
      // Differences of erfc do not cancel in the tails.
      if a > 0 { return (erfc(a) - erfc(b)) / 2 }
      if b < 0 { return (erfc(-b) - erfc(-a)) / 2 }
      return (erf(b) - erf(a)) / 2
    }
  }
}

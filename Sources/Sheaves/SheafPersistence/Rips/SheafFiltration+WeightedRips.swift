import CellComplexes
import CellularSheaves
import Foundation
import LinearAlgebra

extension SheafFiltration {
  /// How the ball of a point x with the weight f grows from its birth at f on: its radius at t is (tᵖ − fᵖ)^{1/p}, and t for
  /// p = ∞.
  public enum BallGrowth: Sendable, CaseIterable {
    /// p = 1: t − f.
    case linear
    /// p = 2: √(t² − f²).
    case quadratic
    /// p = ∞: t at once.
    case immediate

    /// The first t at which the balls of two points meet.
    func meeting(_ f: Double, _ g: Double, distance d: Double) -> Double {
      let later = max(f, g)
      switch self {
      case .linear: return max(later, (f + g + d) / 2)
      case .immediate: return max(later, d / 2)
      case .quadratic:
        // √(t² − f²) + √(t² − g²) = d, solved for t; the earlier ball may have reached the later point before.
        let (sum, difference) = (f + g, f - g)
        if d * d <= abs(sum * difference) { return later }
        return max(
          later,
          (sum / d * sum + d).squareRoot() * (difference / d * difference + d).squareRoot() / 2)
      }
    }
  }

  /// The weighted Vietoris–Rips filtration of points with a constant sheaf: a point at its weight, an edge when the balls of
  /// its ends meet, every larger simplex with its last edge (Anai, Chazal, Glisse, Ike, Inakoshi, Tinarrage, Umeda 2020,
  /// §3; with distances to a measure as weights the DTM filtration, which points far from all others hardly change).
  ///
  /// With weights 0 the values are half those of `vietorisRips`: radii, not distances.
  ///
  /// - Parameters:
  ///   - points: one per column, (d, n), finite.
  ///   - weights: of the points, from 0 on.
  ///   - growth: of the balls; at one t the complexes are smallest for `linear`.
  ///   - largest: the largest value of an edge. All points are there, those with a larger weight alone.
  ///   - maximumDimension: of the simplices; bars of degree q need dimension q + 1.
  ///   - stalk: the dimension of the stalks.
  ///   - memoryLimit: in bytes, half of the machine's memory by default.
  /// - Returns: the filtration, and the complex with the vertices of its simplices.
  /// - Throws: `tooLarge` with the estimated number of simplices (`RipsSize`), before any is made; `quantity`.
  public static func weightedRips(
    points: Matrix, weights: [Double], growth: BallGrowth = .linear, upTo largest: Double,
    maximumDimension: Int, stalk d: Int = 1,
    memoryLimit: Double = Double(ProcessInfo.processInfo.physicalMemory) / 2
  ) throws(PersistenceError) -> (filtration: SheafFiltration, complex: SimplicialComplex) {
    let n = points.columns
    precondition(weights.count == n, "\(weights.count) weights of \(n) points")
    if let j = weights.firstIndex(where: { !($0 >= 0 && $0.isFinite) }) {
      throw .quantity(
        name: "the weight of point \(j)", found: "\(weights[j])",
        expected: "a finite number from 0 on")
    }
    guard largest >= 0 else {
      throw .quantity(
        name: "the largest value", found: "\(largest)", expected: "a number from 0 on")
    }
    let distances = try PairwiseDistances(points: points, memoryLimit: memoryLimit)
    let meetings = distances.mapped { growth.meeting(weights[$0], weights[$1], distance: $2) }
    let size = RipsSize(
      meetings, radius: largest, maximumDimension: maximumDimension, samples: 2000)
    try size.check(stalk: d, memoryLimit: memoryLimit)
    let complex: SimplicialComplex
    do {
      complex = try .flag(
        (0..<n).map { i in
          (i + 1..<max(n, i + 1)).filter { meetings.between(i, $0) <= largest }.map {
            Int32(truncatingIfNeeded: $0)
          }
        }, maximumDimension: maximumDimension)
    } catch {
      throw .quantity(error)
    }
    var values = weights
    values.reserveCapacity(complex.complex.count)
    for edge in complex.complex.cells(ofDimension: 1) {
      let ends = complex.simplices[edge]
      values.append(meetings.between(Int(ends.first!), Int(ends.last!)))
    }
    for cell in values.count..<max(complex.complex.count, values.count) {
      values.append(
        complex.complex.incidences(of: cell).reduce(0) {
          max($0, values[complex.complex.face($1)])
        })
    }
    return (try SheafFiltration(.constant(d, on: complex.complex), values: values), complex)
  }

  /// The DTM filtration: `weightedRips` with the distances to the measure of the points as weights.
  ///
  /// - Parameter mass: the part of the points that are looked at, 0 < m ≤ 1.
  /// - Throws: as `weightedRips` and `PointDensity.distanceToMeasure`.
  public static func distanceToMeasureRips(
    points: Matrix, mass: Double, growth: BallGrowth = .linear, upTo largest: Double,
    maximumDimension: Int, stalk d: Int = 1,
    memoryLimit: Double = Double(ProcessInfo.processInfo.physicalMemory) / 2
  ) throws(PersistenceError) -> (filtration: SheafFiltration, complex: SimplicialComplex) {
    try weightedRips(
      points: points,
      weights: PointDensity.distanceToMeasure(points: points, mass: mass), growth: growth,
      upTo: largest, maximumDimension: maximumDimension, stalk: d, memoryLimit: memoryLimit)
  }
}

extension PersistenceError {
  /// A complex that is too large.
  static func quantity(_ error: CellComplexError) -> PersistenceError {
    guard case .quantity(let name, let found, let expected) = error else {
      preconditionFailure("\(error)")
    }
    return .quantity(name: name, found: found, expected: expected)
  }
}

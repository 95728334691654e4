import CellComplexes
import CellularSheaves
import LinearAlgebra
import SheafCohomology
import SheafPersistence

/// Features of a point by the Laplacians of a sheaf on the points around it, after Wei, Wei 2021 (*Persistent sheaf
/// Laplacians*) and Hayes et al.; neighbourhoods, charges and statistics are this application's own.
///
/// The sheaf is that of charged points (`CellularSheaf.chargedPoints`): the points within R of point i, q_i = c and q = 1
/// elsewhere, on the Vietoris–Rips complex at distance a. L₀ = δᵀδ has (L₀)_jk = −q_j q_k/r_jk². Of its spectrum six
/// statistics are taken. All vertices are born at 0, so persistence is idle in degree 0: L₀^{a,b} = L₀^b.
struct NeighbourhoodSpectra {
  /// Charges of the point in the middle. The spectrum depends on |q| only: −1 is "no focus".
  static let charges = [0.0, -1, 2]
  /// (R, a) in Å.
  static let scales: [(radius: Double, cutoff: Double)] = [10.0, 13, 16].flatMap { radius in
    [6.0, 8, 10, 13].filter { $0 <= radius }.map { (radius, $0) }
  }
  /// (R, a, b) in Å of persistent Laplacians of degree 1.
  static let edgeScales: [(radius: Double, from: Double, to: Double)] = [
    (9, 6, 6), (9, 6, 8), (11, 7, 7), (11, 7, 9),
  ]

  /// One per column, (3, n).
  let points: Matrix

  /// The points within a distance of one of them, itself included, ascending.
  func neighbours(of i: Int, within radius: Double) -> [Int] {
    (0..<points.columns).filter { j in
      (0..<3).reduce(0) {
        let d = points[$1, i] - points[$1, j]
        return $0 + d * d
      } <= radius * radius
    }
  }

  /// The filtration by distance of the sheaf around a point.
  func filtration(
    around i: Int, radius: Double, cutoff: Double, charge: Double, dimension: Int
  ) throws -> SheafFiltration {
    let list = neighbours(of: i, within: radius)
    let cloud = points.columns(list)
    let complex = try SimplicialComplex.vietorisRips(
      points: cloud, radius: cutoff, maximumDimension: dimension)
    let sheaf = try CellularSheaf.chargedPoints(
      cloud, charges: list.map { $0 == i ? charge : 1 }, on: complex)
    return try .byDistance(sheaf, points: cloud)
  }

  /// Number of zeros, then least, largest, mean, deviation and sum of the other eigenvalues; 0 without any.
  static func statistics(_ spectrum: [Double]) -> [Double] {
    let positive = spectrum.filter { $0 > 1e-8 }
    guard let least = positive.min(), let largest = positive.max() else {
      return [Double(spectrum.count), 0, 0, 0, 0, 0]
    }
    let mean = ReportText.mean(positive)
    let square = positive.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(positive.count)
    return [
      Double(spectrum.count - positive.count), least, largest, mean, square.squareRoot(),
      positive.reduce(0, +),
    ]
  }

  /// The statistics of L₀ for every point, a feature a column, (n, 6).
  func vertexFeatures(radius: Double, cutoff: Double, charge: Double) throws -> Matrix {
    Matrix(
      try (0..<points.columns).map { i in
        let sheaf = try filtration(
          around: i, radius: radius, cutoff: cutoff, charge: charge, dimension: 1
        ).sheaf
        let laplacian = SheafLaplacian(sheaf, degree: 0)
        return Self.statistics(try LaplacianSpectrum(all: laplacian).values)
      })
  }

  /// The statistics of L₁^{a,b} for every point, (n, 6).
  func edgeFeatures(radius: Double, from a: Double, to b: Double, charge: Double) throws -> Matrix {
    Matrix(
      try (0..<points.columns).map { i in
        let filtration = try filtration(
          around: i, radius: radius, cutoff: b, charge: charge, dimension: 2)
        let laplacian = try PersistentLaplacian(filtration, degree: 1, from: a, to: b)
        return Self.statistics(try laplacian.spectrum().values)
      })
  }

  /// The features of degree 0 of all scales and some charges.
  func vertexFeatures(charges: [Double]) throws -> [Matrix] {
    try charges.flatMap { charge in
      try Self.scales.map {
        try vertexFeatures(radius: $0.radius, cutoff: $0.cutoff, charge: charge)
      }
    }
  }

  /// The features of degree 1 of all scales, with charge 0 and 1.
  func edgeFeatures() throws -> [Matrix] {
    try [0.0, 1].flatMap { charge in
      try Self.edgeScales.map {
        try edgeFeatures(radius: $0.radius, from: $0.from, to: $0.to, charge: charge)
      }
    }
  }
}

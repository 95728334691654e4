import CellComplexes
import CellularSheaves
import LinearAlgebra
import SheafCohomology

/// How much points move in an elastic network: the traces of the blocks of the pseudo-inverse of its Laplacian.
enum ElasticMobility {
  /// Σ over the stalk of each vertex of the diagonal of L⁺.
  static func mobility(_ sheaf: CellularSheaf) throws -> [Double] {
    let spectrum = try LaplacianSpectrum(all: SheafLaplacian(sheaf, degree: 0), vectors: true)
    let (values, vectors) = (spectrum.values, spectrum.vectors)
    let limit = 1e-10 * (values.last ?? 0)
    return sheaf.complex.cells(ofDimension: 0).map { vertex in
      sheaf.range(of: vertex).reduce(0) { sum, i in
        values.indices.reduce(sum) { sum, k in
          values[k] > limit ? sum + vectors[i, k] * vectors[i, k] / values[k] : sum
        }
      }
    }
  }

  /// The Gaussian network model (Bahar, Atilgan, Erman 1997).
  static func gaussian(_ points: Matrix, cutoff: Double) throws -> [Double] {
    try mobility(.gaussianNetwork(points: points, cutoff: cutoff))
  }

  /// The anisotropic network model (Atilgan et al. 2001).
  static func anisotropic(_ points: Matrix, cutoff: Double) throws -> [Double] {
    try mobility(.anisotropicNetwork(points: points, cutoff: cutoff))
  }

  /// The Gaussian network of all pairs with stiffness 1/r² (Yang, Song, Jernigan 2009): the sheaf of points with charge 1.
  static func parameterFree(_ points: Matrix) throws -> [Double] {
    let complex = try SimplicialComplex.vietorisRips(
      points: points, radius: 1e6, maximumDimension: 1)
    return try mobility(
      .chargedPoints(
        points, charges: [Double](repeating: 1, count: points.columns), on: complex))
  }

  /// The number of points within a distance.
  static func contacts(_ points: Matrix, within radius: Double) -> [Double] {
    let spectra = NeighbourhoodSpectra(points: points)
    return (0..<points.columns).map {
      Double(spectra.neighbours(of: $0, within: radius).count - 1)
    }
  }

  /// The squared distances from the mean of the points.
  static func squaredDistances(_ points: Matrix) -> [Double] {
    let mean = (0..<points.rows).map { i in
      ReportText.mean((0..<points.columns).map { points[i, $0] })
    }
    return (0..<points.columns).map { j in
      mean.indices.reduce(0) {
        let d = points[$1, j] - mean[$1]
        return $0 + d * d
      }
    }
  }
}

import CellularSheaves
import LinearAlgebra
import SheafCohomology
import SparseFactorizations

/// The persistent Laplacian of a filtered sheaf between two values a ≤ b,
///
///     L_q^{a,b} = ∂ ∂* + δ_a^{q−1} (δ_a^{q−1})*,  ∂ = the adjoint of δ_b^q on those cochains c of degree q + 1 of X_b
///                                                    for which (δ_b^q)* c is 0 on the cells of X_b outside X_a,
///
/// on C^q(X_a; F) (Mémoli, Wan, Wang 2022, §2; with coefficients in a sheaf Wei, Wei 2021). Its kernel has the
/// dimension of the persistent Betti number, the rank of H^q(X_b; F) → H^q(X_a; F): harmonic cochains of X_a that
/// extend to cocycles of X_b. For a = b it is the Hodge Laplacian of X_a.
///
/// The first summand is the Schur complement of the upper Laplacian of X_b on the coordinates of X_a (ibid.,
/// §4): ⟨x, ∂ ∂* x⟩ is the least ‖δ_b (x, y)‖² of all extensions (x, y). All is in orthonormal coordinates of the stalks.
public struct PersistentLaplacian: Sendable {
  /// q.
  public let degree: Int
  /// a and b.
  public let values: ClosedRange<Double>
  /// The coordinates of C^q of the whole complex that are those of X_a: row i of the matrices belongs to number i.
  public let coordinates: [Int]
  /// The lower triangle of ∂ ∂*.
  public let up: SparseMatrix
  /// The lower triangle of δ_a^{q−1} (δ_a^{q−1})*.
  public let down: SparseMatrix
  /// The lower triangle of their sum.
  public let triangle: SparseMatrix
  /// The largest diagonal element of the Hodge Laplacian of X_b on these coordinates: what the rounding of eigenvalues is in
  /// proportion to.
  public let scale: Double
  /// The diagonal of the upper Laplacian of X_b on these coordinates.
  private let diagonal: [Double]

  /// The Laplacian of degree q between two values.
  ///
  /// - Throws: `FactorizationError`, as a Schur complement.
  /// - Complexity: the assembly of δ_b^q and of its Gram matrix, and the elimination of the cells of X_b outside X_a;
  ///   dense in those cells of X_a that these touch.
  public init(
    _ filtration: SheafFiltration, degree q: Int, from a: Double, to b: Double
  ) throws(FactorizationError) {
    precondition(a <= b && q >= 0, "a Laplacian of degree \(q) from \(a) to \(b)")
    let sheaf = filtration.sheaf
    let (lower, upper) = (filtration.subsheaf(upTo: a), filtration.subsheaf(upTo: b))
    coordinates = sheaf.coordinates(lower.cells, degree: q)
    let place = Dictionary(
      uniqueKeysWithValues: sheaf.coordinates(upper.cells, degree: q).enumerated().map { ($1, $0) })
    let rows = upper.sheaf.laplacianFactor(q, .up)
    let whole = rows.outerGram
    let schur = try SchurComplement(rows, triangle: whole, keeping: coordinates.map { place[$0]! })
    let factor = lower.sheaf.laplacianFactor(q, .down)
    (degree, values, up, down) = (q, a...b, schur.triangle, factor.outerGram)
    triangle = up.adding(down)
    diagonal = schur.diagonal
    scale = zip(diagonal, down.diagonal).reduce(0) { max($0, $1.0 + $1.1) }
  }

  /// All eigenvalues, and their vectors if wanted.
  public func spectrum(vectors: Bool = false) throws(FactorizationError) -> LaplacianSpectrum {
    try LaplacianSpectrum(allOf: triangle, scale: scale, vectors: vectors)
  }

  /// The smallest eigenvalues with their vectors.
  public func spectrum(smallest count: Int) throws(FactorizationError) -> LaplacianSpectrum {
    try LaplacianSpectrum(smallest: count, of: triangle, scale: scale)
  }

  /// The dimension of the kernel, and what counted as 0 for it.
  ///
  /// The two summands have a product of 0, since δ_a w extends to a cocycle: the kernel has the dimension of C^q(X_a) less
  /// the ranks of both. Each is scaled so that its diagonal was one before the reduction, which leaves the rank and takes
  /// away the units of stalks.
  public struct Kernel: Sendable, Equatable {
    /// The dimension, the persistent Betti number.
    public let dimension: Int
    /// Scaled eigenvalues up to this counted as 0.
    public let tolerance: Double
    /// The smallest that did not, ∞ if there is none.
    public let smallestKept: Double
    /// The largest that did.
    public let largestDropped: Double
    /// Whether the two are within a factor of 1000 of one another, or of the tolerance: the numbers do not tell, the
    /// barcode over ℚ does.
    public var isNarrow: Bool { smallestKept < 1000 * max(largestDropped, tolerance) }
  }

  /// The kernel.
  ///
  /// - Parameter tolerance: what counts as 0; 10⁻¹² or 64 n ε, the larger, if nil.
  /// - Complexity: a dense decomposition of each summand.
  public func kernel(tolerance: Double? = nil) throws(FactorizationError) -> Kernel {
    let n = triangle.rows
    let tolerance = tolerance ?? max(1e-12, 64 * Double(n) * .ulpOfOne)
    var (rank, kept, dropped) = (0, Double.infinity, 0.0)
    for (part, diagonal) in [(up, diagonal), (down, down.diagonal)] {
      let scales = diagonal.map { $0 > 0 ? 1 / $0.squareRoot() : 1 }
      let values = try SymmetricEigendecomposition(
        part.scalingRows(by: scales).scalingColumns(by: scales).symmetrized.dense, vectors: false
      ).values
      for value in values {
        if value > tolerance {
          rank += 1
          kept = min(kept, value)
        } else {
          dropped = max(dropped, abs(value))
        }
      }
    }
    return Kernel(
      dimension: n - rank, tolerance: tolerance, smallestKept: kept, largestDropped: dropped)
  }

  /// The persistent Betti number, the dimension of the kernel.
  public func betti(tolerance: Double? = nil) throws(FactorizationError) -> Int {
    try kernel(tolerance: tolerance).dimension
  }
}

/// The smallest eigenvalues of persistent Laplacians along a filtration.
public struct PersistentSpectrumCurve: Sendable {
  /// The values a.
  public let places: [Double]
  /// How far b is above a.
  public let offset: Double
  /// For each place the persistent Betti number.
  public let betti: [Int]
  /// For each place the smallest eigenvalues above 0, ascending: fewer where there are no more.
  public let positive: [[Double]]

  /// The curve at some places.
  ///
  /// - Parameters:
  ///   - q: the degree.
  ///   - places: the values a.
  ///   - offset: b − a, not negative.
  ///   - count: how many eigenvalues above 0 are kept.
  ///   - tolerance: what counts as 0 in `PersistentLaplacian.kernel`.
  /// - Complexity: two dense decompositions at every place.
  public init(
    _ filtration: SheafFiltration, degree q: Int, at places: [Double], offset: Double = 0,
    count: Int = 3, tolerance: Double? = nil
  ) throws(FactorizationError) {
    var (betti, positive) = ([Int](), [[Double]]())
    for a in places {
      let laplacian = try PersistentLaplacian(filtration, degree: q, from: a, to: a + offset)
      let values = try laplacian.spectrum().values
      let zeros = try laplacian.betti(tolerance: tolerance)
      betti.append(zeros)
      positive.append(Array(values.dropFirst(zeros).prefix(count)))
    }
    (self.places, self.offset, self.betti, self.positive) = (places, offset, betti, positive)
  }
}

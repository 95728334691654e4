import CellularSheaves
import LinearAlgebra
import SparseFactorizations

/// A Laplacian pyramid of 0-cochains by Kron reductions: at each level values on fewer vertices, and what their harmonic
/// extension leaves of the values at the vertices that were eliminated.
///
/// With K₀ ⊃ K₁ ⊃ … and P_ℓ the harmonic extension from K_ℓ to K_{ℓ−1},
///
///     d_ℓ = c_{K_{ℓ−1}∖K_ℓ} − (P_ℓ c_{K_ℓ})_{K_{ℓ−1}∖K_ℓ},
///
/// as many numbers in all as c has. Nothing is lost, c_{K_{ℓ−1}} = P_ℓ c_{K_ℓ} + d_ℓ; and the energy splits,
///
///     ½‖δc‖² = ½⟨c_K, S_K c_K⟩ + Σ_ℓ ½⟨d_ℓ, S_{ℓ−1} d_ℓ⟩,
///
/// for it is the block L D Lᵀ factorisation of δ*δ: what is finer is orthogonal to what is coarser in the energy (for
/// graphs Shuman, Faraji, Vandergheynst 2016, §VI; the orthogonality as in Owhadi 2017). Values are kept, not averaged:
/// noise does not become less from level to level, which is what `SheafWavelets` are for.
public struct SheafPyramid: Sendable {
  /// The reductions to K₁ ⊃ K₂ ⊃ ….
  public let levels: [KronReduction]
  private let sheaf: CellularSheaf

  /// A pyramid over nested sets of vertices.
  ///
  /// - Parameter kept: K₁ ⊃ K₂ ⊃ …, vertices.
  /// - Throws: `CoarseningError`; `FactorizationError`, as Kron reductions.
  /// - Complexity: a Kron reduction of the whole sheaf for each level.
  public init(_ sheaf: CellularSheaf, keeping kept: [[Int]]) throws {
    var before: Set<Int>?
    for (level, vertices) in kept.enumerated() {
      if let before, let new = vertices.first(where: { !before.contains($0) }) {
        throw CoarseningError.partition(
          level: level, found: "vertex \(new), which the level before does not keep",
          expected: "vertices of the level before")
      }
      before = Set(vertices)
    }
    self.sheaf = sheaf
    levels = try kept.map { try KronReduction(sheaf, keeping: $0) }
  }

  /// A pyramid over the vertices that stand for the parts of a hierarchy.
  public init(_ sheaf: CellularSheaf, _ hierarchy: VertexHierarchy) throws {
    try self.init(
      sheaf,
      keeping: Array(hierarchy.representatives(VertexCouplings(sheaf)).dropFirst()))
  }

  /// Cochains taken apart.
  public struct Parts: Sendable {
    /// The values on the vertices of the last level, in the order of its coordinates.
    public var coarse: Matrix
    /// d_ℓ for each level, on the coordinates that it eliminates, ascending.
    public var details: [Matrix]
    /// The energies ½⟨d_ℓ, S_{ℓ−1} d_ℓ⟩ of each level, one for each column.
    public var detailEnergies: [[Double]]
    /// The energy of the coarse values, one for each column.
    public var coarseEnergies: [Double]
  }

  /// The coordinates that a level eliminates.
  public func eliminated(_ level: Int) -> [Int] {
    let kept = Set(levels[level].coordinates)
    return coordinates(before: level).filter { !kept.contains($0) }.sorted()
  }

  private func coordinates(before level: Int) -> [Int] {
    level == 0 ? Array(0..<sheaf.cochainDimension(0)) : levels[level - 1].coordinates
  }

  /// Takes cochains apart.
  ///
  /// - Parameter cochains: of degree 0, one per column.
  public func analyse(_ cochains: Matrix) throws(FactorizationError) -> Parts {
    var parts = Parts(coarse: cochains, details: [], detailEnergies: [], coarseEnergies: [])
    for (k, level) in levels.enumerated() {
      // The difference, 0 on the kept coordinates; its extension from the level before has the energy of d_ℓ.
      let places = coordinates(before: k)
      var difference = cochains.gathered(places)
      let extended = try level.prolong(level.restrict(cochains))
      difference.add(extended.gathered(places), scale: -1)
      parts.detailEnergies.append(energies(difference, before: k))
      let whole = difference.spread(to: places, of: cochains.rows)
      parts.details.append(whole.gathered(eliminated(k)))
    }
    parts.coarse = levels.last.map { $0.restrict(cochains) } ?? cochains
    parts.coarseEnergies = energies(parts.coarse, before: levels.count)
    return parts
  }

  /// Puts cochains together again.
  public func synthesise(_ parts: Parts) throws(FactorizationError) -> Matrix {
    guard let last = levels.last else { return parts.coarse }
    let n = sheaf.cochainDimension(0)
    var values = parts.coarse.spread(to: last.coordinates, of: n)
    for (k, level) in levels.enumerated().reversed() {
      var whole = try level.prolong(level.restrict(values))
      whole.add(parts.details[k].spread(to: eliminated(k), of: n))
      values = whole
    }
    return values
  }

  /// Energies of values on what is kept before a level.
  private func energies(_ values: Matrix, before level: Int) -> [Double] {
    level > 0 ? levels[level - 1].energies(values) : sheaf.energies(values, degree: 0)
  }
}

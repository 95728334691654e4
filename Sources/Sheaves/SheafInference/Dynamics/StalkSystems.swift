import CellularSheaves
import LinearAlgebra

/// What the energy ½‖δx‖² is on the stalk of one vertex, in orthonormal coordinates: with the blocks δ_ev of δ on it, the
/// gradient g_v = Σ_e δ_evᵀ (δx)_e and the Hessian L_vv = Σ_e δ_evᵀ δ_ev.
struct StalkSystems {
  /// δ_evᵀ, (d_v, d_e), with the place of the edge, for each vertex; a loop has one block, the difference of its two maps.
  private(set) var blocks: [[(edge: Range<Int>, map: Matrix)]]
  /// The pseudo-inverses of L_vv.
  private(set) var inverses: [Matrix]

  /// Eigenvalues of L_vv up to this share of the largest count as 0.
  private static let cut = 1e-12

  /// - Complexity: proportional to the entries of δ, and 10 d³ for each vertex.
  init(_ sheaf: CellularSheaf) throws(FactorizationError) {
    let (vertices, edges) = (
      sheaf.complex.cells(ofDimension: 0), sheaf.complex.cells(ofDimension: 1)
    )
    let owner = vertices.flatMap { v in sheaf.range(of: v).map { _ in v } }
    let adjoint = sheaf.coboundaryTransposed(0, in: .orthonormal)
    blocks = vertices.map { _ in [] }
    for edge in edges {
      let place = sheaf.range(of: edge)
      var own: [Int: Matrix] = [:]
      for i in sheaf.complex.incidences(of: edge) {
        let v = sheaf.complex.face(i)
        own[v] = Matrix(rows: sheaf.stalk(of: v), columns: place.count)
      }
      for j in place {
        adjoint.forEachEntry(ofColumn: j) { row, value in
          let v = owner[row]
          own[v]?[row - sheaf.range(of: v).lowerBound, j - place.lowerBound] = value
        }
      }
      for (v, map) in own { blocks[v].append((place, map)) }
    }
    inverses = []
    for v in vertices {
      var hessian = Matrix(rows: sheaf.stalk(of: v), columns: sheaf.stalk(of: v))
      for (_, map) in blocks[v] { hessian.addGram(map, transposed: false, keeping: 1) }
      inverses.append(try Self.pseudoInverse(hessian))
    }
  }

  private static func pseudoInverse(_ a: Matrix) throws(FactorizationError) -> Matrix {
    let pairs = try SymmetricEigendecomposition(a)
    let bound = cut * max(pairs.values.last ?? 0, 0)
    var scaled = pairs.vectors
    scaled.scaleColumns(by: pairs.values.map { $0 > bound ? 1 / $0 : 0 })
    return scaled * pairs.vectors.transposed
  }

  /// g_v for the discord δx.
  func gradient(_ v: Int, _ discord: Matrix) -> Matrix {
    var g = Matrix(rows: inverses[v].rows, columns: discord.columns)
    for (edge, map) in blocks[v] { g.add(map * discord.rows(edge)) }
    return g
  }

  /// Moves the stalk of a vertex: x_v gains d, and δx what follows.
  func move(_ v: Int, _ place: Range<Int>, by d: Matrix, _ x: inout Matrix, _ discord: inout Matrix)
  {
    x.addRows(place, of: d, keeping: 1)
    for (edge, map) in blocks[v] { discord.addRows(edge, of: map.transposed * d, keeping: 1) }
  }
}

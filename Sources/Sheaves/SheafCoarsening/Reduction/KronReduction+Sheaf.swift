import CellComplexes
import CellularSheaves
import LinearAlgebra
import SheafCohomology
import SparseFactorizations

extension KronReduction {
  /// A sheaf whose energy is the reduced one.
  public struct Reduced: Sendable {
    /// On the kept vertices, with their stalks, inner products and names.
    public let sheaf: CellularSheaf
    /// Whether all of it are edges with one or two ends; otherwise some cells join more vertices.
    public let isGraph: Bool
  }

  /// A cellular sheaf on the kept vertices with δ*δ = S, for degree 0.
  ///
  /// Two vertices with S_uv = −U Σ Vᵀ ≠ 0 are joined by an edge of stalk rank S_uv with the maps Σ^{1/2}Uᵀ and
  /// Σ^{1/2}Vᵀ; what is left, S_uu − Σ_v U Σ Uᵀ, becomes a half-open edge at u. That is so wherever what is left is
  /// positive semidefinite: for the constant sheaf, where it is 0 and the edges are the conductances of the reduced
  /// graph, and for multiples of orthogonal maps. Elsewhere the vertices of one connected part of S become the faces of
  /// one cell of dimension 1 with the stalk ℝ^{rank S} and the parts of a root of S as maps.
  ///
  /// - Parameter tolerance: couplings up to this times the largest diagonal element of S are left out.
  /// - Throws: `CoarseningError.quantity` for another degree; `FactorizationError`.
  /// - Complexity: a dense decomposition for each coupling; of each connected part where they do not do.
  public func reduced(tolerance: Double = 1e-12) throws -> Reduced {
    guard degree == 0 else {
      throw CoarseningError.quantity(
        name: "a reduced sheaf", found: "degree \(degree)", expected: "degree 0")
    }
    let parts = try CoupledStalks(self, tolerance: tolerance)
    let edges = try parts.edges() ?? parts.joints()
    let complex = sheaf.complex
    var builder = CellComplex.Builder()
    for _ in kept { builder.addCell() }
    var maps: [RestrictionMap] = []
    for edge in edges {
      builder.addCell()
      builder.setDimension(1)
      for (i, end) in edge.ends.enumerated() {
        builder.addFace(end.vertex, sign: edge.isDirected && i == 0 ? -1 : 1)
        let root = sheaf.innerProduct(of: kept[end.vertex]).root(end.map.columns)
        maps.append(.matrix(end.map * root))
      }
    }
    let names = kept.map(complex.name)
    let base = try builder.complex(
      names: names + edges.map { $0.ends.map { names[$0.vertex] }.joined(separator: "–") }
    ).complex
    let stalks = kept.map { sheaf.stalk(of: $0) } + edges.map(\.stalk)
    let weights: [InnerProduct]? =
      sheaf.isUnweighted
      ? nil : kept.map { sheaf.innerProduct(of: $0) } + edges.map { _ in .standard }
    return Reduced(
      sheaf: try CellularSheaf(base, stalks: stalks, weights: weights) { maps[$0] },
      isGraph: edges.allSatisfy { $0.ends.count <= 2 })
  }
}

/// S by the blocks of the kept vertices.
private struct CoupledStalks {
  /// A cell of dimension 1 with its maps, in orthonormal coordinates.
  struct Edge {
    var stalk: Int
    var ends: [(vertex: Int, map: Matrix)]
    /// Whether it is the difference of its two ends, not the sum of all.
    var isDirected = false
  }

  let s: Matrix
  let ranges: [Range<Int>]
  let bound: Double
  /// The pairs with a coupling.
  let pairs: [(Int, Int)]

  init(_ reduction: KronReduction, tolerance: Double) throws(FactorizationError) {
    let s = reduction.complement.matrix
    var start = 0
    let ranges = reduction.kept.map { cell in
      let d = reduction.sheaf.stalk(of: cell)
      defer { start += d }
      return start..<start + d
    }
    let bound = tolerance * (0..<s.rows).reduce(0) { max($0, s[$1, $1]) }
    var owner: [Int] = []
    for (v, range) in ranges.enumerated() { owner += range.map { _ in v } }
    var found: [Int: Set<Int>] = [:]
    for j in 0..<s.columns {
      reduction.triangle.forEachEntry(ofColumn: j) { i, value in
        if owner[i] != owner[j] && abs(value) > bound {
          found[min(owner[i], owner[j]), default: []].insert(max(owner[i], owner[j]))
        }
      }
    }
    (self.s, self.ranges, self.bound) = (s, ranges, bound)
    pairs = found.keys.sorted().flatMap { u in found[u]!.sorted().map { (u, $0) } }
  }

  private func block(_ u: Int, _ v: Int) -> Matrix {
    s[rows: Array(ranges[u]), columns: Array(ranges[v])]
  }

  /// Edges with one or two ends, nil where what is left of a diagonal block is not positive semidefinite.
  func edges() throws(FactorizationError) -> [Edge]? {
    var edges: [Edge] = []
    var left = ranges.indices.map { block($0, $0) }
    for (u, v) in pairs {
      let parts = try SingularValueDecomposition(block(u, v))
      let rank = parts.values.count { $0 > bound }
      var ends = (parts.left.columns(0..<rank).transposed, parts.right.columns(0..<rank).transposed)
      for k in 0..<rank {
        // −S_uv = Uᵀ Σ V: one sign is turned over, such that the larger of the maps' sums is positive.
        let sum = (0..<ends.1.columns).reduce(0) { $0 + ends.1[k, $1] }
        let sign: Double = sum < 0 ? -1 : 1
        let root = parts.values[k].squareRoot()
        for j in 0..<ends.0.columns { ends.0[k, j] *= -sign * root }
        for j in 0..<ends.1.columns { ends.1[k, j] *= sign * root }
      }
      left[u].addGram(ends.0, transposed: true, scale: -1)
      left[v].addGram(ends.1, transposed: true, scale: -1)
      edges.append(Edge(stalk: rank, ends: [(u, ends.0), (v, ends.1)], isDirected: true))
    }
    for (u, rest) in left.enumerated() {
      guard let root = try root(rest) else { return nil }
      if root.rows > 0 { edges.append(Edge(stalk: root.rows, ends: [(u, root)])) }
    }
    return edges
  }

  /// One cell for each connected part.
  func joints() throws(FactorizationError) -> [Edge] {
    let graph = SparseMatrix(
      rows: ranges.count, columns: ranges.count, entries: pairs.map { ($0.1, $0.0, 1) })
    var edges: [Edge] = []
    for part in graph.connectedComponents {
      let places = part.flatMap { Array(ranges[$0]) }
      // S is positive semidefinite: there is a root.
      guard let root = try root(s[rows: places, columns: places], isSemidefinite: true),
        root.rows > 0
      else { continue }
      var start = 0
      let ends = part.map { v -> (vertex: Int, map: Matrix) in
        defer { start += ranges[v].count }
        return (
          v, root[rows: Array(0..<root.rows), columns: Array(start..<start + ranges[v].count)]
        )
      }
      edges.append(Edge(stalk: root.rows, ends: ends))
    }
    return edges
  }

  /// R with RᵀR = A and full rows, nil for an A with an eigenvalue below 0 by more than rounding.
  private func root(
    _ a: Matrix, isSemidefinite: Bool = false
  ) throws(FactorizationError) -> Matrix? {
    let pairs = try SymmetricEigendecomposition(a)
    let rounding = max(bound, 1e-12 * (pairs.values.last ?? 0))
    if let least = pairs.values.first, least < -10 * rounding, !isSemidefinite { return nil }
    let kept = pairs.values.indices.filter { pairs.values[$0] > rounding }
    var root = Matrix(rows: kept.count, columns: a.columns)
    for (i, k) in kept.enumerated() {
      for j in 0..<a.columns { root[i, j] = pairs.values[k].squareRoot() * pairs.vectors[j, k] }
    }
    return root
  }
}

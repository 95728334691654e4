import CellComplexes
import CellularSheaves
import Foundation
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
  /// graph, and where each edge has one and the same multiple of orthogonal maps at both ends. In a connected part of S
  /// where it is not, whether anything was eliminated or not, the vertices become the faces of one cell of dimension 1
  /// with the stalk ℝ^{rank S} and the parts of a root of S as maps.
  ///
  /// - Parameter tolerance: couplings up to this times the roots of the diagonals of δ*δ at both ends are rounding.
  /// - Throws: `CoarseningError.quantity` for another degree; `FactorizationError`.
  /// - Complexity: a dense decomposition for each coupling; of each connected part where they do not do.
  public func reduced(tolerance: Double = 1e-12) throws -> Reduced {
    guard degree == 0 else {
      throw CoarseningError.quantity(
        name: "a reduced sheaf", found: "degree \(degree)", expected: "degree 0")
    }
    let parts = try CoupledStalks(self, tolerance: tolerance)
    let edges = try parts.edges()
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
    var names = kept.map(complex.name)
    var taken = Set(names)
    for edge in edges {
      // A half-open edge has one name and a dash; a name that is taken gets a prime.
      var name =
        edge.ends.map { names[$0.vertex] }.joined(separator: "–")
        + (edge.ends.count == 1 ? "–" : "")
      while !taken.insert(name).inserted { name += "′" }
      names.append(name)
    }
    let base = try builder.complex(names: names).complex
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

  private let s: Matrix
  private let ranges: [Range<Int>]
  /// The root of the largest diagonal element of δ*δ at each vertex, before the reduction.
  private let scales: [Double]
  private let tolerance: Double
  /// The pairs with a coupling.
  private let pairs: [(Int, Int)]

  init(_ reduction: KronReduction, tolerance: Double) throws(FactorizationError) {
    let n = Double(reduction.coordinates.count)
    guard 8 * n * n <= Double(ProcessInfo.processInfo.physicalMemory) / 4 else {
      throw .outOfMemory
    }
    var start = 0
    let ranges = reduction.kept.map { cell in
      let d = reduction.sheaf.stalk(of: cell)
      defer { start += d }
      return start..<start + d
    }
    let diagonal = reduction.complement.diagonal
    let scales = ranges.map { (diagonal[$0].max() ?? 0).squareRoot() }
    var owner: [Int] = []
    for (v, range) in ranges.enumerated() { owner += range.map { _ in v } }
    var found: [Int: Set<Int>] = [:]
    for j in owner.indices {
      reduction.triangle.forEachEntry(ofColumn: j) { i, value in
        let (u, v) = (owner[i], owner[j])
        if u != v && abs(value) > tolerance * scales[u] * scales[v] {
          found[min(u, v), default: []].insert(max(u, v))
        }
      }
    }
    s = reduction.complement.matrix
    (self.ranges, self.scales, self.tolerance) = (ranges, scales, tolerance)
    pairs = found.keys.sorted().flatMap { u in found[u]!.sorted().map { (u, $0) } }
  }

  private func block(_ u: Int, _ v: Int) -> Matrix {
    s[rows: Array(ranges[u]), columns: Array(ranges[v])]
  }

  /// The cells of dimension 1, part by part.
  func edges() throws(FactorizationError) -> [Edge] {
    let graph = SparseMatrix(
      rows: ranges.count, columns: ranges.count, entries: pairs.map { ($0.1, $0.0, 1) })
    var number = [Int](repeating: 0, count: ranges.count)
    let parts = graph.connectedComponents
    for (k, part) in parts.enumerated() { for v in part { number[v] = k } }
    var own = [[(Int, Int)]](repeating: [], count: parts.count)
    for pair in pairs { own[number[pair.0]].append(pair) }
    var edges: [Edge] = []
    for (part, pairs) in zip(parts, own) {
      if let own = try self.edges(part, pairs) {
        edges += own
      } else {
        edges += try joint(part)
      }
    }
    return edges
  }

  /// Edges with one or two ends, nil where what is left of a diagonal block is not positive semidefinite.
  private func edges(
    _ part: [Int], _ pairs: [(Int, Int)]
  ) throws(FactorizationError) -> [Edge]? {
    var edges: [Edge] = []
    var left = Dictionary(uniqueKeysWithValues: part.map { ($0, block($0, $0)) })
    for (u, v) in pairs {
      let values = try SingularValueDecomposition(block(u, v))
      let rank = values.values.count { $0 > tolerance * scales[u] * scales[v] }
      var ends = (
        values.left.columns(0..<rank).transposed, values.right.columns(0..<rank).transposed
      )
      for k in 0..<rank {
        // −S_uv = Uᵀ Σ V: one sign is turned over, such that the second map's sum is positive.
        let sum = (0..<ends.1.columns).reduce(0) { $0 + ends.1[k, $1] }
        let sign: Double = sum < 0 ? -1 : 1
        let root = values.values[k].squareRoot()
        for j in 0..<ends.0.columns { ends.0[k, j] *= -sign * root }
        for j in 0..<ends.1.columns { ends.1[k, j] *= sign * root }
      }
      left[u]!.addGram(ends.0, transposed: true, scale: -1)
      left[v]!.addGram(ends.1, transposed: true, scale: -1)
      edges.append(Edge(stalk: rank, ends: [(u, ends.0), (v, ends.1)], isDirected: true))
    }
    for u in part {
      let pairs = try SymmetricEigendecomposition(left[u]!)
      let rounding = tolerance * scales[u] * scales[u]
      if let least = pairs.values.first, least < -10 * rounding { return nil }
      let root = Self.root(pairs, above: rounding)
      if root.rows > 0 { edges.append(Edge(stalk: root.rows, ends: [(u, root)])) }
    }
    return edges
  }

  /// One cell for a connected part.
  private func joint(_ part: [Int]) throws(FactorizationError) -> [Edge] {
    let places = part.flatMap { Array(ranges[$0]) }
    let units = part.flatMap { v in
      [Double](repeating: scales[v] > 0 ? scales[v] : 1, count: ranges[v].count)
    }
    // In coordinates in which δ*δ had a diagonal of at most one, what is rounding is the same for all.
    var scaled = s[rows: places, columns: places]
    scaled.scaleRows(by: units.map { 1 / $0 })
    scaled.scaleColumns(by: units.map { 1 / $0 })
    var root = Self.root(try SymmetricEigendecomposition(scaled), above: tolerance)
    root.scaleColumns(by: units)
    guard root.rows > 0 else { return [] }
    var start = 0
    let ends = part.map { v -> (vertex: Int, map: Matrix) in
      defer { start += ranges[v].count }
      return (v, root[rows: Array(0..<root.rows), columns: Array(start..<start + ranges[v].count)])
    }
    return [Edge(stalk: root.rows, ends: ends)]
  }

  /// R with RᵀR = A and full rows, of the eigenvalues above a bound.
  private static func root(_ pairs: SymmetricEigendecomposition, above bound: Double) -> Matrix {
    let kept = pairs.values.indices.filter { pairs.values[$0] > bound }
    var root = Matrix(rows: kept.count, columns: pairs.vectors.rows)
    for (i, k) in kept.enumerated() {
      for j in 0..<root.columns { root[i, j] = pairs.values[k].squareRoot() * pairs.vectors[j, k] }
    }
    return root
  }
}

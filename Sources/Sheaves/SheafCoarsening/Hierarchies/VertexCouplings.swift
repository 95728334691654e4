import CellComplexes
import CellularSheaves
import LinearAlgebra

/// How strongly the vertices of a sheaf are coupled with one another: w_uv = Σ ‖F_ueᵀ F_ve‖ over the edges e between u and
/// v, in orthonormal coordinates, with all maps divided by the largest magnitude of an entry; for the constant sheaf ℝ the
/// number of edges.
public struct VertexCouplings: Sendable {
  /// w, symmetric, without a diagonal.
  public let weights: SparseMatrix

  /// The couplings of a sheaf's vertices, numbered from 0.
  ///
  /// - Complexity: a product of maps for each pair of faces of each edge.
  public init(_ sheaf: CellularSheaf) {
    let complex = sheaf.complex
    let vertices = complex.cells(ofDimension: 0)
    let given = sheaf.coboundaryTransposed(0, in: .orthonormal)
    let largest = given.maximumMagnitude
    let rows = largest > 0 && largest.isFinite ? given.mapValues { $0 / largest } : given
    // The vertex of each coordinate; entries of ‖·‖² gathered edge by edge.
    var owner: [Int32] = []
    for vertex in vertices {
      owner += [Int32](repeating: Int32(vertex), count: sheaf.stalk(of: vertex))
    }
    var entries: [(row: Int, column: Int, value: Double)] = []
    for edge in complex.cells(ofDimension: 1) {
      var maps: [Int: [Int: [(Int, Double)]]] = [:]
      for (r, column) in sheaf.range(of: edge).enumerated() {
        rows.forEachEntry(ofColumn: column) { i, value in
          maps[Int(owner[i]), default: [:]][i, default: []].append((r, value))
        }
      }
      let ends = maps.keys.sorted()
      for (a, u) in ends.enumerated() {
        for v in ends.dropFirst(a + 1) {
          var square = 0.0
          for x in maps[u]!.values {
            for y in maps[v]!.values {
              let terms = Dictionary(y, uniquingKeysWith: +)
              let dot = x.reduce(0) { $0 + $1.1 * (terms[$1.0] ?? 0) }
              square += dot * dot
            }
          }
          if square > 0 { entries += [(u, v, square.squareRoot()), (v, u, square.squareRoot())] }
        }
      }
    }
    weights = SparseMatrix(rows: vertices.count, columns: vertices.count, entries: entries)
  }

  init(weights: SparseMatrix) { self.weights = weights }

  /// The number of vertices.
  public var count: Int { weights.rows }

  /// Σ_v w_uv.
  var degrees: [Double] {
    (0..<count).map { j in
      var sum = 0.0
      weights.forEachEntry(ofColumn: j) { sum += $1 }
      return sum
    }
  }

  /// The couplings of the parts of a partition, those within parts left out.
  func merged(_ labels: [Int], parts: Int) -> VertexCouplings {
    var entries: [(row: Int, column: Int, value: Double)] = []
    for j in 0..<count {
      weights.forEachEntry(ofColumn: j) { i, value in
        if labels[i] != labels[j] { entries.append((labels[i], labels[j], value)) }
      }
    }
    return VertexCouplings(weights: SparseMatrix(rows: parts, columns: parts, entries: entries))
  }

  /// The lower triangle of the graph Laplacian diag(degrees) − w.
  var laplacian: SparseMatrix {
    let degrees = degrees
    var builder = SparseMatrix.ColumnBuilder(rows: count)
    for j in 0..<count {
      builder.append(row: j, degrees[j])
      weights.forEachEntry(ofColumn: j) { if $0 > j { builder.append(row: $0, -$1) } }
      builder.endColumn()
    }
    return builder.matrix
  }
}

import CellComplexes
import CellularSheaves
import LinearAlgebra

/// The columns of δᵀ in orthonormal coordinates, and for each the level from which on all the vertices of its edge are in
/// one part of a hierarchy, and that part.
///
/// It is the edge that counts, not the entries of the column: otherwise what is within a part would hang on the basis of
/// the edge's stalk.
struct ProjectedEnergy {
  /// (row, value) of each column.
  var columns: [[(row: Int, value: Double)]]
  /// The columns that first lie in one part at each level, by the part.
  let inside: [[[Int]]]

  init(_ sheaf: CellularSheaf, _ hierarchy: VertexHierarchy) {
    let rows = sheaf.coboundaryTransposed(0, in: .orthonormal)
    let complex = sheaf.complex
    columns = (0..<rows.columns).map { j in
      var column: [(row: Int, value: Double)] = []
      rows.forEachEntry(ofColumn: j) { column.append(($0, $1)) }
      return column
    }
    var inside = hierarchy.counts.map { [[Int]](repeating: [], count: $0) }
    for edge in complex.cells(ofDimension: 1) {
      let vertices = complex.incidences(of: edge).map { complex.face($0) }
      guard let first = vertices.first else { continue }
      let level = hierarchy.labels.firstIndex { labels in
        vertices.allSatisfy { labels[$0] == labels[first] }
      }
      guard let level else { continue }
      inside[level][hierarchy.labels[level][first]] += sheaf.range(of: edge)
    }
    self.inside = inside
  }

  /// Σ b bᵀ of some columns on some coordinates, which have all their entries.
  func gram(_ chosen: [Int], on places: [Int: Int]) -> Matrix {
    var result = Matrix(rows: places.count, columns: places.count)
    for j in chosen {
      for (row, value) in columns[j] {
        for (other, factor) in columns[j] {
          result[places[row]!, places[other]!] += value * factor
        }
      }
    }
    return result
  }
}

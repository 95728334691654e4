import CellComplexes
import CellularSheaves
import LinearAlgebra

/// The columns of δᵀ in orthonormal coordinates, and for each the level from which on all its vertices are in one part of
/// a hierarchy, and that part.
struct ProjectedEnergy {
  /// (row, value) of each column.
  var columns: [[(row: Int, value: Double)]]
  /// The columns that first lie in one part at each level, by the part.
  let inside: [[[Int]]]
  /// The part of each coordinate at each level.
  let coordinates: [[Int]]

  init(_ sheaf: CellularSheaf, _ hierarchy: VertexHierarchy) {
    let rows = sheaf.coboundaryTransposed(0, in: .orthonormal)
    var owner: [Int] = []
    for vertex in sheaf.complex.cells(ofDimension: 0) {
      owner += [Int](repeating: vertex, count: sheaf.stalk(of: vertex))
    }
    coordinates = hierarchy.labels.map { level in owner.map { level[$0] } }
    var columns: [[(row: Int, value: Double)]] = []
    var inside = hierarchy.counts.map { [[Int]](repeating: [], count: $0) }
    for j in 0..<rows.columns {
      var column: [(row: Int, value: Double)] = []
      rows.forEachEntry(ofColumn: j) { column.append(($0, $1)) }
      columns.append(column)
      guard let first = column.first else { continue }
      for (level, part) in coordinates.enumerated() {
        let mine = part[first.row]
        if column.allSatisfy({ part[$0.row] == mine }) {
          inside[level][mine].append(j)
          break
        }
      }
    }
    (self.columns, self.inside) = (columns, inside)
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

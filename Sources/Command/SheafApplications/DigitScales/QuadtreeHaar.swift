import CellComplexes
import CellularSheaves
import LinearAlgebra
import SheafCoarsening

/// Haar's wavelets of the quadtree of 8 × 8 pixels: sheaf wavelets of the constant sheaf on the grid.
///
/// Edges across have the weight 1, edges down the weight 2: the four scaling functions of a block's quarters make a square, whose
/// energy then has four different eigenvalues, with the eigenvectors constant, horizontal, vertical and diagonal. With equal weights
/// horizontal and vertical would be any two of a plane.
struct QuadtreeHaar {
  /// Blocks of 2 × 2, of 4 × 4 and all.
  let hierarchy = VertexHierarchy.blocks(height: 8, width: 8)
  let wavelets: SheafWavelets
  /// The elements of the basis, one a column.
  let vectors: Matrix
  /// The coefficients of each level and orientation; that of the mean is in none.
  let groups: [[Int]]

  init() throws {
    let pixels = (0..<8).flatMap { i in (0..<8).map { (i, $0) } }
    let across = pixels.filter { $0.1 < 7 }.map { (8 * $0.0 + $0.1, Optional(8 * $0.0 + $0.1 + 1)) }
    let down = pixels.filter { $0.0 < 7 }.map { (8 * $0.0 + $0.1, Optional(8 * $0.0 + $0.1 + 8)) }
    let grid = try CellComplex.graph(vertices: 64, edges: across + down)
    let sheaf = try CellularSheaf(
      grid, stalks: [Int](repeating: 1, count: grid.count),
      weights: [InnerProduct](repeating: .standard, count: 64 + across.count)
        + [InnerProduct](repeating: .scalar(2), count: down.count)
    ) { _ in .identity }
    let wavelets = try SheafWavelets(sheaf, hierarchy)
    self.wavelets = wavelets
    vectors = wavelets.synthesise(.identity(64))
    var groups: [[Int]] = []
    for level in 1...3 {
      let places = wavelets.elements.indices.filter {
        !wavelets.elements[$0].isScaling && wavelets.elements[$0].level == level
      }
      // Each block has three, by ascending frequency.
      groups += (0..<3).map { k in places.enumerated().filter { $0.offset % 3 == k }.map(\.element)
      }
    }
    self.groups = groups
  }

  /// Soft thresholds for each image, level and orientation by BayesShrink, the mean over all 64 cyclic shifts (cycle spinning,
  /// Coifman, Donoho 1995).
  func spun(_ noisy: Matrix, noise: Double) -> Matrix {
    var sum = Matrix(rows: 64, columns: noisy.columns)
    for order in CyclicShifts.orders {
      var c = Moments.product(vectors, noisy.rows(order), .left)
      for j in 0..<c.columns {
        for group in groups {
          let threshold = Shrinkage.bayesThreshold(group.map { c[$0, j] }, noise: noise)
          for i in group { c[i, j] = Shrinkage.soft(threshold: threshold)(c[i, j]) }
        }
      }
      sum.add((vectors * c).spread(to: order, of: 64), scale: 1 / 64)
    }
    return sum
  }
}

/// The 64 cyclic shifts of 8 × 8 pixels.
enum CyclicShifts {
  /// For each shift the pixel that comes to each place.
  static let orders: [[Int]] = (0..<64).map { shift in
    (0..<64).map { pixel in
      (pixel / 8 + shift / 8) % 8 * 8 + (pixel % 8 + shift % 8) % 8
    }
  }
}

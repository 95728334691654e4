import CellComplexes

/// The cubes of a box in the grid ℤᵈ, d = 1, 2 or 3, with all their faces: products of a vertex [x] or an edge [x, x + 1]
/// for each axis (Kaczynski, Mischaikow, Mrozek 2004, *Computational Homology*, ch. 2).
///
/// Cells are numbered by dimension, then by the axes along which they extend, then by their least vertices, the last
/// axis fastest, as the elements of an array in files. They have the orientation of products,
/// ∂(σ × τ) = ∂σ × τ + (−1)^{dim σ} σ × ∂τ: where a cell extends along j axes before another, its faces at the lower and
/// the upper end of that one have the incidence numbers −(−1)ʲ and (−1)ʲ.
public struct CubicalComplex: Sendable, Equatable {
  /// Its cells, called by their numbers.
  public let complex: CellComplex
  /// The number of vertices along each axis.
  public let vertexShape: [Int]
  private let blocks: [CubeBlock]

  /// What the pixels of an image are.
  public enum Pixels: Sendable, CaseIterable {
    /// Cubes of full dimension; two pixels are neighbours already where they share a vertex ("T-construction").
    case cubes
    /// Vertices; two pixels are neighbours where an edge joins them ("V-construction").
    case vertices
  }

  /// The complex of an image.
  ///
  /// - Parameters:
  ///   - shape: the number of pixels along each of 1, 2 or 3 axes, each at least 1.
  ///   - role: what the pixels are. They are the last cells or the first ones, in the order of the image.
  /// - Throws: `quantity` for another shape, or one with more than 2³¹ − 1 cells or incidences.
  /// - Complexity: proportional to the number of cells; 2ᵈ for each pixel.
  public init(pixels shape: [Int], as role: Pixels = .cubes) throws(PersistenceError) {
    try Self.cellCounts(pixels: shape, as: role)
    self.init(vertexShape: shape.map { role == .cubes ? $0 + 1 : $0 })
  }

  private init(vertexShape: [Int]) {
    let d = vertexShape.count
    var (blocks, start) = ([CubeBlock](), 0)
    for k in 0...d {
      for axes in Self.subsets(k, of: d) {
        let block = CubeBlock(axes: axes, start: start, vertexShape: vertexShape)
        blocks.append(block)
        start += block.count
      }
    }
    var builder = CellComplex.Builder()
    for block in blocks { block.addCells(to: &builder, faces: blocks) }
    complex = madeToFit { try builder.complex().complex }
    (self.vertexShape, self.blocks) = (vertexShape, blocks)
  }

  /// The sets of k of the axes 0, …, d − 1, in lexicographic order.
  private static func subsets(_ k: Int, of d: Int) -> [[Int]] {
    (0..<1 << d).map { mask in (0..<d).filter { mask >> $0 & 1 == 1 } }
      .filter { $0.count == k }.sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// The number of cells of each dimension.
  @discardableResult static func cellCounts(
    pixels shape: [Int], as role: Pixels
  ) throws(PersistenceError) -> [Double] {
    guard (1...3).contains(shape.count), shape.allSatisfy({ $0 > 0 }) else {
      throw .quantity(
        name: "the shape of an image", found: "\(shape)",
        expected: "the numbers of pixels along 1, 2 or 3 axes, each at least 1")
    }
    var counts = [1.0]
    for n in shape {
      let (vertices, edges) =
        role == .cubes ? (Double(n) + 1, Double(n)) : (Double(n), Double(n) - 1)
      counts.append(0)
      for k in counts.indices.reversed() {
        counts[k] = counts[k] * vertices + (k > 0 ? counts[k - 1] * edges : 0)
      }
    }
    let incidences = counts.enumerated().reduce(0) { $0 + 2 * Double($1.offset) * $1.element }
    let total = counts.reduce(0, +)
    guard max(total, incidences) < Double(Int32.max) else {
      throw .quantity(
        name: "an image of shape \(shape)", found: "\(max(total, incidences)) cells or incidences",
        expected: "at most \(Int32.max)")
    }
    return counts
  }

  /// The cell with a least vertex that extends along some axes, if it is there.
  ///
  /// - Parameters:
  ///   - corner: a whole number for each axis, from 0 on.
  ///   - axes: ascending.
  public func cell(at corner: [Int], along axes: [Int] = []) -> Int? {
    precondition(corner.count == vertexShape.count, "\(corner) in \(vertexShape.count) dimensions")
    return blocks.first { $0.axes == axes }?.cell(at: corner)
  }

  /// The least vertex of a cell, and the axes along which it extends.
  public func position(of cell: Int) -> (corner: [Int], axes: [Int]) {
    precondition((0..<complex.count).contains(cell), "cell \(cell) of \(complex.count)")
    let block = blocks.last { $0.start <= cell && $0.count > 0 }!
    return (block.corner(of: cell), block.axes)
  }
}

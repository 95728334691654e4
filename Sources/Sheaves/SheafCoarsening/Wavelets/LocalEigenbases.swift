import CellComplexes
import CellularSheaves
import Foundation
import LinearAlgebra

/// An orthonormal basis of the 0-cochains by parts of the vertices, each with a basis of its own.
public struct PartedBasis: Sendable {
  /// A part with its basis.
  public struct Block: Sendable {
    /// The level of the hierarchy, and the number of the part there.
    public let level: Int
    public let part: Int
    /// Its coordinates of C⁰.
    public let coordinates: [Int]
    /// The eigenvectors of the energy of the edges within it, ascending, in orthonormal coordinates.
    public let vectors: Matrix
    /// The eigenvalues.
    public let frequencies: [Double]
  }

  /// The parts, which cover every vertex once.
  public let blocks: [Block]
  private let sheaf: CellularSheaf

  init(_ sheaf: CellularSheaf, _ blocks: [Block]) { (self.sheaf, self.blocks) = (sheaf, blocks) }

  /// The coefficients of cochains, block by block.
  public func analyse(_ cochains: Matrix) -> Matrix {
    let values = sheaf.orthonormal(cochains, degree: 0)
    return Matrix(
      stacking: blocks.map { block in
        var part = Matrix(rows: block.coordinates.count, columns: cochains.columns)
        part.setProduct(block.vectors, values.gathered(block.coordinates), transposing: .left)
        return part
      }, columns: cochains.columns)
  }

  /// The cochains with given coefficients.
  public func synthesise(_ coefficients: Matrix) -> Matrix {
    let n = sheaf.cochainDimension(0)
    precondition(coefficients.rows == n, "coefficients \(coefficients.shape) of \(n) elements")
    var values = Matrix(rows: n, columns: coefficients.columns)
    var start = 0
    for block in blocks {
      let end = start + block.coordinates.count
      values.add(
        (block.vectors * coefficients.rows(start..<end)).spread(to: block.coordinates, of: n))
      start = end
    }
    return sheaf.given(values, degree: 0)
  }
}

/// The eigenbases of all parts of a hierarchy, from which the best basis for some cochains is chosen: the hierarchical
/// Laplacian eigentransform (Irion, Saito 2014) of a sheaf, with the choice of Coifman and Wickerhauser 1992.
///
/// Each part has the eigenvectors of the energy of the edges within it, a basis of all cochains on its vertices. A basis is
/// taken from parts that cover every vertex once; the one of least cost is found from the finest level upwards, for a
/// cost that adds up over coefficients.
public struct LocalEigenbases: Sendable {
  /// What is to be small.
  public enum Cost: Sendable, Equatable {
    /// Σ |c|: few large coefficients.
    case absolute
    /// −Σ p log p, p = c²/‖cochain‖².
    case entropy
    /// The number of coefficients above a bound.
    case count(above: Double)
  }

  private let sheaf: CellularSheaf
  private let hierarchy: VertexHierarchy
  /// By level and part, nil for parts that are too large.
  private let blocks: [[PartedBasis.Block?]]

  /// The eigenbases of the parts.
  ///
  /// - Parameter maximumOrder: parts with more coordinates than this have none, but for single vertices.
  /// - Throws: `CoarseningError.partition`; `FactorizationError`.
  /// - Complexity: the cube of the number of coordinates, Σ over the parts.
  public init(
    _ sheaf: CellularSheaf, _ hierarchy: VertexHierarchy, maximumOrder: Int = 2000
  ) throws {
    try hierarchy.check(sheaf)
    let energy = ProjectedEnergy(sheaf, hierarchy)
    var blocks: [[PartedBasis.Block?]] = []
    var inside: [[Int]] = []
    for level in 0..<hierarchy.levels {
      inside =
        level == 0
        ? energy.inside[0]
        : hierarchy.children(level).enumerated().map { part, below in
          below.flatMap { inside[$0] } + energy.inside[level][part]
        }
      blocks.append(
        try hierarchy.members(level).enumerated().map { part, members in
          let coordinates = members.flatMap { Array(sheaf.range(of: $0)) }
          guard level == 0 || coordinates.count <= maximumOrder else { return nil }
          let places = Dictionary(uniqueKeysWithValues: coordinates.enumerated().map { ($1, $0) })
          let pairs = try SymmetricEigendecomposition(energy.gram(inside[part], on: places))
          return PartedBasis.Block(
            level: level, part: part, coordinates: coordinates, vectors: pairs.vectors,
            frequencies: pairs.values.map { max($0, 0) })
        })
    }
    (self.sheaf, self.hierarchy, self.blocks) = (sheaf, hierarchy, blocks)
  }

  /// The basis of least cost for cochains, the cost added up over them.
  ///
  /// - Parameter cochains: of degree 0, one per column.
  public func best(for cochains: Matrix, by cost: Cost = .absolute) -> PartedBasis {
    let values = sheaf.orthonormal(cochains, degree: 0)
    let norms = (0..<values.columns).map { values.sumOfSquares(column: $0) }
    var chosen: [(cost: Double, blocks: [PartedBasis.Block])] = []
    for (level, row) in blocks.enumerated() {
      let children = level == 0 ? [] : hierarchy.children(level)
      chosen = row.enumerated().map { part, block in
        let below = level == 0 ? nil : Self.sum(children[part].map { chosen[$0] })
        guard let block else { return below! }
        var coefficients = Matrix(rows: block.coordinates.count, columns: cochains.columns)
        coefficients.setProduct(
          block.vectors, values.gathered(block.coordinates), transposing: .left)
        let own = cost.sum(coefficients, norms)
        // Of equal costs the larger part: fewer, smoother elements.
        if let below, below.cost < own { return below }
        return (own, [block])
      }
    }
    return PartedBasis(sheaf, Self.sum(chosen).blocks)
  }

  private static func sum(
    _ parts: [(cost: Double, blocks: [PartedBasis.Block])]
  ) -> (cost: Double, blocks: [PartedBasis.Block]) {
    (parts.reduce(0) { $0 + $1.cost }, parts.flatMap(\.blocks))
  }
}

extension LocalEigenbases.Cost {
  /// Added up over coefficients.
  func sum(_ coefficients: Matrix, _ norms: [Double]) -> Double {
    var result = 0.0
    for j in 0..<coefficients.columns {
      for i in 0..<coefficients.rows {
        let c = coefficients[i, j]
        switch self {
        case .absolute: result += abs(c)
        case .count(let bound): result += abs(c) > bound ? 1 : 0
        case .entropy:
          let p = norms[j] > 0 ? c * c / norms[j] : 0
          if p > 0 { result -= p * log(p) }
        }
      }
    }
    return result
  }
}

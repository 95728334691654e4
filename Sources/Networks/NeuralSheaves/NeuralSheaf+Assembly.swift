import CellularSheaves
import LinearAlgebra

/// The neural sheaf of one sample as a general cellular sheaf, with all its matrices.
///
/// Cost: order (dim C⁰)³ for a Laplacian; for small networks, tests and spectra.
extension NeuralSheaf {
  /// The cellular sheaf on a fixed pattern.
  ///
  /// The stalk of a vertex is followed by one constant-one coordinate for every row of an offset
  /// that leaves it: (x, 1), z₁, (a₁, 1), …. The edge of an operation has the map [R_π | diag c_π]
  /// from its source and the projection onto its rows, off the ones, from its target; its
  /// orientation makes the coboundary actual − predicted.
  ///
  /// - Parameter patterns: of one sample, one per edge.
  public func cellularSheaf(at patterns: [ActivationPattern]) -> CellularSheaf {
    let stalks = augmentedDimensions
    var ones = network.vertices.map { $0.dimension }
    let edges = network.edges.enumerated().map { e, edge -> [CellularSheaf.Incidence] in
      let operation = edge.operation
      let rows = operation.targetRows
      var forward = Matrix(rows: rows.count, columns: stalks[edge.source])
      for (p, row) in rows.enumerated() {
        let branch = operation.isStateDependent ? patterns[e][row, 0] : 0
        operation.forEachEntry(ofRow: row, branch: branch) { forward[p, $0] += $1 }
      }
      if operation.hasOffset {
        var offset = Matrix(rows: operation.targetDimension, columns: 1)
        operation.apply(
          Matrix(rows: operation.sourceDimension, columns: 1), at: patterns[e], into: &offset)
        forward.setBlock(
          row: 0, column: ones[edge.source], to: .diagonal(Array(offset.column(0)[rows])))
        ones[edge.source] += rows.count
      }
      var projection = Matrix(rows: rows.count, columns: stalks[edge.target])
      projection.setBlock(row: 0, column: rows.lowerBound, to: .identity(rows.count))
      return [
        .init(vertex: edge.source, sign: -1, map: forward),
        .init(vertex: edge.target, sign: 1, map: projection),
      ]
    }
    return CellularSheaf(vertexStalks: stalks, edges: edges)
  }

  /// The places in C⁰ of the free coordinates ω, in order.
  public var freeCoordinates: [Int] { coordinates { $0 > 0 ? .stalk : .none } }

  /// The places in C⁰ of the boundary coordinates U: the input and the constant ones.
  public var boundaryCoordinates: [Int] { coordinates { $0 > 0 ? .ones : .all } }

  /// The boundary values (x, 1, …) of a sample, in the order of `boundaryCoordinates`.
  public func boundaryValues(_ input: [Double]) -> Matrix {
    let ones = boundaryCoordinates.count - network.inputDimension
    return Matrix(column: input + [Double](repeating: 1, count: ones))
  }

  /// The full Laplacian L = δᵀδ of one sample.
  public func laplacian(at patterns: [ActivationPattern]) -> Matrix {
    cellularSheaf(at: patterns).laplacian
  }

  /// L[Ω,Ω] of one sample: positive definite with determinant 1, for every pattern.
  public func restrictedLaplacian(at patterns: [ActivationPattern]) -> Matrix {
    laplacian(at: patterns)[rows: freeCoordinates, columns: freeCoordinates]
  }

  /// L[Ω,U] of one sample.
  public func boundaryLaplacian(at patterns: [ActivationPattern]) -> Matrix {
    laplacian(at: patterns)[rows: freeCoordinates, columns: boundaryCoordinates]
  }

  /// The dimension of each vertex's stalk with its constant-one coordinates.
  public var augmentedDimensions: [Int] {
    var dimensions = network.vertices.map { $0.dimension }
    for edge in network.edges where edge.operation.hasOffset {
      dimensions[edge.source] += edge.operation.targetRows.count
    }
    return dimensions
  }

  private enum Part { case none, stalk, ones, all }

  private func coordinates(_ part: (Int) -> Part) -> [Int] {
    var start = 0
    var result: [Int] = []
    for (v, total) in augmentedDimensions.enumerated() {
      let middle = start + network.vertices[v].dimension
      switch part(v) {
      case .none: break
      case .stalk: result += start..<middle
      case .ones: result += middle..<start + total
      case .all: result += start..<start + total
      }
      start += total
    }
    return result
  }
}

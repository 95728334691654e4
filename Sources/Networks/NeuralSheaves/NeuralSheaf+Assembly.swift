import CellComplexes
import CellularSheaves
import LinearAlgebra

/// The neural sheaf of one sample as a general cellular sheaf on the graph of the network.
extension NeuralSheaf {
  /// The cellular sheaf on a fixed pattern.
  ///
  /// The stalk of a vertex is followed by one constant-one coordinate for every row of an offset
  /// that leaves it: (x, 1), z₁, (a₁, 1), …. The edge of an operation has the map [R_π | diag c_π]
  /// from its source and the projection onto its rows, off the ones, from its target, both as sparse matrices; its
  /// orientation makes the coboundary actual − predicted.
  ///
  /// Relative to `boundaryCoordinates` H⁰ and H¹ vanish, for every pattern (Bosca, Ghrist 2026, §3): δ_Ω is unit lower
  /// triangular.
  ///
  /// - Parameter patterns: of one sample, one per edge.
  /// - Complexity: proportional to the entries of the operations' rows.
  public func cellularSheaf(at patterns: [ActivationPattern]) -> CellularSheaf {
    let stalks = augmentedDimensions
    var ones = network.vertices.map { $0.dimension }
    let maps = network.edges.enumerated().flatMap { e, edge -> [RestrictionMap] in
      let operation = edge.operation
      let rows = operation.targetRows
      var offset: [Double] = []
      if operation.hasOffset {
        var values = Matrix(rows: operation.targetDimension, columns: 1)
        operation.apply(
          Matrix(rows: operation.sourceDimension, columns: 1), at: patterns[e], into: &values)
        offset = Array(values.column(0)[rows])
      }
      // By rows, as operations say their entries.
      var forward = SparseMatrix.ColumnBuilder(rows: stalks[edge.source])
      var projection = SparseMatrix.ColumnBuilder(rows: stalks[edge.target])
      for (p, row) in rows.enumerated() {
        let branch = operation.isStateDependent ? patterns[e][row, 0] : 0
        operation.forEachEntry(ofRow: row, branch: branch) { forward.append(row: $0, $1) }
        if !offset.isEmpty { forward.append(row: ones[edge.source] + p, offset[p]) }
        forward.endColumn()
        projection.append(row: row, 1)
        projection.endColumn()
      }
      if !offset.isEmpty { ones[edge.source] += rows.count }
      return [.sparse(forward.matrix.transposed), .sparse(projection.matrix.transposed)]
    }
    do {
      let complex = try CellComplex.graph(
        vertices: network.vertices.count, edges: network.edges.map { ($0.source, $0.target) },
        names: network.vertices.map(\.name)
          + network.edges.map {
            "\(network.vertices[$0.source].name)→\(network.vertices[$0.target].name)"
          })
      return try CellularSheaf(
        complex, stalks: stalks + network.edges.map { $0.operation.targetRows.count }
      ) { maps[$0] }
    } catch {
      preconditionFailure("\(error)")
    }
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

  /// The full Laplacian L = δᵀδ of one sample, with all its zeros.
  ///
  /// - Complexity: memory (dim C⁰)²; for small networks, tests and dense spectra.
  public func laplacian(at patterns: [ActivationPattern]) -> Matrix {
    cellularSheaf(at: patterns).coboundaryTransposed(0).outerGram.symmetrized.dense
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

import CellComplexes
import LinearAlgebra

/// Signals on the vertices of a graph: for each vertex v a matrix X_v of its values in N samples, (d_v, N).
public struct VertexSignals: Sendable {
  /// The graph; its edges are the candidates that maps are learned for.
  public let graph: CellComplex
  /// X_v for each vertex.
  public let values: [Matrix]
  /// N.
  public let count: Int

  /// Signals on a graph.
  ///
  /// - Parameters:
  ///   - graph: of dimension 1 at most; every edge goes from a vertex (sign −1) to another one (sign 1).
  ///   - values: (d_v, N) for each vertex, in the order of the vertices.
  /// - Throws: `graph`, `edge` and `vertex` for what is not so, and for a value that is not finite.
  public init(_ graph: CellComplex, _ values: [Matrix]) throws(LearningError) {
    let vertices = graph.cells(ofDimension: 0)
    guard graph.dimension <= 1 else {
      throw .graph(found: "dimension \(graph.dimension)", expected: "a graph, of dimension 1")
    }
    guard values.count == vertices.count else {
      throw .graph(
        found: "\(values.count) matrices of signals",
        expected: "\(vertices.count), one for each vertex")
    }
    for edge in graph.cells(ofDimension: 1) {
      let ends = graph.incidences(of: edge)
      guard ends.count == 2, Set(ends.map(graph.face)).count == 2,
        ends.reduce(0, { $0 + graph.sign($1) }) == 0
      else {
        throw .edge(
          graph.name(edge),
          found: "ends "
            + ends.map { "\(graph.sign($0) > 0 ? "+" : "−")\"\(graph.name(graph.face($0)))\"" }
            .joined(separator: ", "), expected: "two different vertices with signs −1 and 1")
      }
    }
    let count = values.first?.columns ?? 0
    for (v, x) in zip(vertices, values) {
      guard x.columns == count && count > 0 else {
        throw .vertex(
          graph.name(v), found: "\(x.columns) samples",
          expected: count > 0 ? "\(count), as of vertex \"\(graph.name(0))\"" : "at least 1")
      }
      if let (row, column) = x.firstNonFinite {
        throw .vertex(
          graph.name(v), found: "\(x[row, column]) in coordinate \(row) of sample \(column)",
          expected: "finite numbers")
      }
    }
    (self.graph, self.values, self.count) = (graph, values, count)
  }

  private init(unchecked graph: CellComplex, _ values: [Matrix], _ count: Int) {
    (self.graph, self.values, self.count) = (graph, values, count)
  }

  /// Some of the samples, in the order of the list.
  public func samples(_ indices: [Int]) -> VertexSignals {
    VertexSignals(unchecked: graph, values.map { $0.columns(indices) }, indices.count)
  }

  /// d_v for each vertex.
  public var stalks: [Int] { values.map(\.rows) }

  /// Whether all vertices have stalks of one dimension.
  public var haveEqualStalks: Bool { Set(stalks).count <= 1 }

  /// The mean of each vertex over the samples, (d_v, 1).
  public var means: [Matrix] {
    values.map { x in
      Matrix(
        column: (0..<x.rows).map { i in
          (0..<count).reduce(0) { $0 + x[i, $1] } / Double(count)
        })
    }
  }

  /// These signals with a column subtracted from each sample of each vertex.
  func subtracting(_ means: [Matrix]) -> VertexSignals {
    var parts = values
    for v in parts.indices {
      for j in 0..<count {
        for i in 0..<parts[v].rows { parts[v][i, j] -= means[v][i, 0] }
      }
    }
    return VertexSignals(unchecked: graph, parts, count)
  }
}

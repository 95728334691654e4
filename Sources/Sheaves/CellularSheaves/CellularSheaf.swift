import LinearAlgebra

/// A cellular sheaf on a graph, its restriction maps given as matrices.
///
/// Every vertex v has a stalk F(v) = ℝ^{d_v}, every edge e a stalk F(e) = ℝ^{d_e}, and every
/// incidence v ⊴ e a restriction map F(v) → F(e) (Curry 2014; Hansen, Ghrist 2019, §3). The
/// coboundary is (δc)_e = Σ_{v ⊴ e} [v : e] F_{v ⊴ e} c_v, the Laplacian L = δᵀδ.
public struct CellularSheaf: Sendable {
  /// One end of an edge: the vertex, its incidence number [v : e] = ±1 and the restriction map.
  public struct Incidence: Sendable {
    /// The vertex.
    public let vertex: Int
    /// [v : e], +1 or −1.
    public let sign: Double
    /// F_{v ⊴ e}, of shape (d_e, d_v).
    public let map: Matrix

    /// An incidence; `sign` must be 1 or −1.
    public init(vertex: Int, sign: Double, map: Matrix) {
      precondition(abs(sign) == 1, "an incidence number is 1 or -1, not \(sign)")
      self.vertex = vertex
      self.sign = sign
      self.map = map
    }
  }

  /// The dimension d_v of each vertex stalk.
  public let vertexStalks: [Int]
  /// The incidences of each edge.
  public let edges: [[Incidence]]
  /// The dimension d_e of each edge stalk.
  public let edgeStalks: [Int]

  /// A sheaf from its stalks and restriction maps.
  ///
  /// - Parameters:
  ///   - vertexStalks: d_v for each vertex.
  ///   - edges: the incidences of each edge, at least one; all maps of an edge have d_e rows.
  public init(vertexStalks: [Int], edges: [[Incidence]]) {
    for (e, ends) in edges.enumerated() {
      precondition(!ends.isEmpty, "edge \(e) has no vertex")
      for end in ends {
        precondition(vertexStalks.indices.contains(end.vertex), "edge \(e): no such vertex")
        precondition(
          end.map.columns == vertexStalks[end.vertex] && end.map.rows == ends[0].map.rows,
          "edge \(e): restriction map \(end.map.shape) from a stalk of dimension "
            + "\(vertexStalks[end.vertex]) to one of dimension \(ends[0].map.rows)")
      }
    }
    self.vertexStalks = vertexStalks
    self.edges = edges
    edgeStalks = edges.map { $0[0].map.rows }
  }

  /// The place of each vertex stalk in C⁰ = ⊕ F(v).
  public var vertexRanges: [Range<Int>] { Self.ranges(vertexStalks) }

  /// The place of each edge stalk in C¹ = ⊕ F(e).
  public var edgeRanges: [Range<Int>] { Self.ranges(edgeStalks) }

  /// The coboundary δ : C⁰ → C¹ as a dense matrix of shape (dim C¹, dim C⁰).
  public var coboundary: Matrix {
    let (rows, columns) = (edgeRanges, vertexRanges)
    var delta = Matrix(rows: edgeStalks.reduce(0, +), columns: vertexStalks.reduce(0, +))
    for (e, ends) in edges.enumerated() {
      for end in ends {
        let (r, c) = (rows[e].lowerBound, columns[end.vertex].lowerBound)
        for j in 0..<end.map.columns {
          for i in 0..<end.map.rows { delta[r + i, c + j] += end.sign * end.map[i, j] }
        }
      }
    }
    return delta
  }

  /// The Laplacian L = δᵀδ, dense, of order dim C⁰.
  public var laplacian: Matrix {
    let delta = coboundary
    var l = Matrix(rows: delta.columns, columns: delta.columns)
    l.addGram(delta, transposed: true, keeping: 0)
    return l
  }

  private static func ranges(_ dimensions: [Int]) -> [Range<Int>] {
    var start = 0
    return dimensions.map { d in
      defer { start += d }
      return start..<start + d
    }
  }
}

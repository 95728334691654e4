import CellComplexes
import LinearAlgebra

/// Elastic network models of points in space, such as the Cα atoms of a protein, as sheaves on the graph of contacts.
extension CellularSheaf {
  /// The Gaussian network model: the constant sheaf ℝ on the graph that joins points within a distance. Its Laplacian is
  /// the Kirchhoff matrix of contacts; the diagonal of the pseudo-inverse goes with the mobility of the points (Bahar,
  /// Atilgan, Erman 1997).
  ///
  /// - Parameter points: one per column, (d, n).
  public static func gaussianNetwork(
    points: Matrix, cutoff: Double
  ) throws(CellComplexError) -> CellularSheaf {
    .constant(
      1,
      on: try SimplicialComplex.vietorisRips(
        points: points, radius: cutoff, maximumDimension: 1
      ).complex)
  }

  /// The anisotropic network model: displacements ℝᵈ of the points, extensions ℝ of the bonds, both maps of a bond being
  /// the projection on its direction (Atilgan et al. 2001; Hansen, Ghrist 2019, §3.2). Its Laplacian is the stiffness
  /// matrix of springs of unit stiffness, its coboundary the rigidity matrix; H⁰ are the infinitesimal motions that keep
  /// all lengths, the rigid ones included, and H¹ the self-stresses.
  ///
  /// - Parameter points: one per column, (d, n), no two joined ones equal.
  public static func anisotropicNetwork(points: Matrix, cutoff: Double) throws -> CellularSheaf {
    let complex = try SimplicialComplex.vietorisRips(
      points: points, radius: cutoff, maximumDimension: 1
    ).complex
    return try framework(points: points, complex)
  }

  /// The sheaf of a framework of bars: the same on a graph of the caller's, its vertices being the points.
  public static func framework(points: Matrix, _ graph: CellComplex) throws -> CellularSheaf {
    let (d, n) = (points.rows, points.columns)
    guard graph.dimension <= 1, graph.cells(ofDimension: 0).count == n else {
      throw SheafError.quantity(
        name: "a framework", found: "\(n) points and the cells \(graph.cellCounts)",
        expected: "a graph with a vertex for each point")
    }
    var maps: [RestrictionMap] = []
    var choice: [Int32] = []
    for bar in graph.cells(ofDimension: 1) {
      let ends = graph.incidences(of: bar).map { graph.face($0) }
      var direction = Matrix(rows: 1, columns: d)
      if ends.count == 2 {
        for i in 0..<d { direction[0, i] = points[i, ends[1]] - points[i, ends[0]] }
      }
      let length = direction.sumOfSquares.squareRoot()
      guard length > 0 && length.isFinite else {
        throw SheafError.quantity(
          name: "bar \"\(graph.name(bar))\"", found: "length \(length)",
          expected: "two ends at a positive distance")
      }
      direction.scale(by: 1 / length)
      choice += ends.map { _ in Int32(maps.count) }
      maps.append(.matrix(direction))
    }
    return try CellularSheaf(
      graph, stalks: (0..<graph.count).map { $0 < n ? d : 1 }, maps: maps, choice: choice)
  }
}

import CellComplexes
import CellularSheaves
import LinearAlgebra

/// How a sheaf is learned from signals on the vertices of a graph: the maps of each edge, which edges are kept, and their
/// weights.
public struct MapLearning: Sendable, Equatable {
  /// The maps.
  public var family: MapFamily
  /// Whether the mean of each vertex is subtracted, and kept with the result.
  public var centring = true
  /// Which edges are kept.
  public var selection = EdgeSelection.all
  /// The weights of the edges that are.
  public var weighting = EdgeWeighting.residualVariance()

  /// The usual choices for a family of maps.
  public init(_ family: MapFamily) { self.family = family }

  /// Learns a sheaf.
  ///
  /// - Throws: `edge` where the family needs stalks of one dimension and an edge has not; `vertex` where a covariance that
  ///   canonical correlations need is singular; `edge` where numbers overflow; `factorization`.
  /// - Complexity: for each edge products of (d, N) with (N, d) and a decomposition of order d, or 2d for `joint`.
  public func fit(_ signals: VertexSignals) throws(LearningError) -> LearnedSheaf {
    check()
    let means =
      centring ? signals.means : signals.stalks.map { Matrix(rows: $0, columns: 1) }
    let centred = signals.subtracting(means)
    let fits = try edgeFits(centred)
    var kept = selection.kept(fits)
    var weights: [Double]
    var status = SolutionStatus.converged
    switch weighting {
    case .unit: weights = kept.map { _ in 1 }
    case .residualVariance(let floor): weights = kept.map { 1 / fits[$0].variance(floor: floor) }
    case .logDegree(let alpha, let beta, let tolerance):
      let program = LogDegreeWeights(
        distances: kept.map { fits[$0].discrepancy },
        edges: kept.map { (fits[$0].first, fits[$0].second) }, alpha: alpha, beta: beta,
        tolerance: tolerance)
      status = program.status
      weights = program.weights
      let positive = weights.indices.filter { weights[$0] > 0 }
      (kept, weights) = (positive.map { kept[$0] }, positive.map { weights[$0] })
    }
    for (i, w) in zip(kept, weights) where !(w > 0 && w.isFinite) {
      throw .edge(
        signals.graph.name(fits[i].edge), found: "a weight of \(w)",
        expected: "a positive finite number: the signals are too large or too small")
    }
    return LearnedSheaf(
      sheaf: sheaf(on: signals, kept.map { fits[$0] }, weights), fits: fits, kept: kept,
      weights: weights, means: means, weightStatus: status)
  }

  private func check() {
    switch family {
    case .canonical(let rank, let ridge):
      precondition(rank >= 1 && ridge >= 0 && ridge.isFinite, "rank \(rank), ridge \(ridge)")
    case .joint(let rank): precondition(rank >= 1, "rank \(rank)")
    case .identity, .scalar, .diagonal, .orthogonal: break
    }
    if case .residualVariance(let floor) = weighting {
      precondition(floor > 0 && floor.isFinite, "a floor of \(floor)")
    }
  }

  private func edgeFits(_ signals: VertexSignals) throws(LearningError) -> [EdgeFit] {
    let (graph, values) = (signals.graph, signals.values)
    var whitenings: [Matrix] = []
    if case .canonical(_, let ridge) = family {
      for (v, x) in values.enumerated() {
        whitenings.append(try Self.whitening(x, ridge, graph.name(v)))
      }
    }
    var fits: [EdgeFit] = []
    for edge in graph.cells(ofDimension: 1) {
      let ends = graph.incidences(of: edge).sorted { graph.sign($0) < graph.sign($1) }
        .map(graph.face)
      let (u, v) = (ends[0], ends[1])
      let (x, y) = (values[u], values[v])
      guard x.rows == y.rows || !family.needsEqualStalks else {
        throw .edge(
          graph.name(edge), found: "stalks of dimensions \(x.rows) and \(y.rows)",
          expected: "equal ones for maps of the family \(family)")
      }
      let maps = try LearningError.wrapping { () throws(FactorizationError) in
        try self.maps(x, y, whitenings.isEmpty ? nil : (whitenings[u], whitenings[v]))
      }
      let stalk = maps.0.shape?.rows ?? x.rows
      let fit = EdgeFit(edge: edge, ends: (u, v), stalk: stalk, maps: maps, x, y)
      guard fit.residual.isFinite && fit.power.isFinite else {
        throw .edge(
          graph.name(edge), found: "a residual of \(fit.residual) from signals of \(fit.power)",
          expected: "finite numbers: the signals are too large or too small to be squared")
      }
      fits.append(fit)
    }
    return fits
  }

  private func maps(
    _ x: Matrix, _ y: Matrix, _ whitenings: (Matrix, Matrix)?
  ) throws(FactorizationError) -> (RestrictionMap, RestrictionMap) {
    switch family {
    case .identity: return (.identity, .identity)
    case .scalar(let normalization): return MultiplierFit.scalar(x, y, normalization)
    case .diagonal(let normalization): return MultiplierFit.diagonal(x, y, normalization)
    case .orthogonal(let reflections):
      return (.matrix(try ProcrustesFit.map(x, y, reflections: reflections)), .identity)
    case .canonical(let rank, _):
      let maps = try CanonicalFit.canonical(
        x, y, whitenings: whitenings ?? (.identity(x.rows), .identity(y.rows)), rank: rank)
      return (.matrix(maps.0), .matrix(maps.1))
    case .joint(let rank):
      let maps = try CanonicalFit.joint(x, y, rank: rank)
      return (.matrix(maps.0), .matrix(maps.1))
    }
  }

  private static func whitening(
    _ x: Matrix, _ ridge: Double, _ name: String
  ) throws(LearningError) -> Matrix {
    do {
      return try CanonicalFit.whitening(x, ridge: ridge)
    } catch let error as CanonicalFit.Singular {
      throw .vertex(
        name, found: "a covariance of rank \(error.rank) from \(x.columns) samples",
        expected: "rank \(x.rows), or a ridge that is not 0")
    } catch {
      throw .factorization(error as? FactorizationError ?? .noConvergence)
    }
  }

  /// The vertices with these edges.
  private func sheaf(
    on signals: VertexSignals, _ fits: [EdgeFit], _ weights: [Double]
  ) -> CellularSheaf {
    let graph = signals.graph
    let vertices = graph.cells(ofDimension: 0)
    let part = graph.part(Set(vertices).union(fits.map(\.edge)))
    let cellOf = part.complex.cellsOfIncidences
    return madeToFit {
      try CellularSheaf(
        part.complex, stalks: signals.stalks + fits.map(\.stalk),
        weights: vertices.map { _ in .standard } + weights.map { .scalar($0) }
      ) { i in
        let fit = fits[cellOf[i] - vertices.count]
        return part.complex.face(i) == fit.first ? fit.firstMap : fit.secondMap
      }
    }
  }
}

import CellComplexes
import CellularSheaves
import LinearAlgebra
import NeuralSheaves
import SheafPersistence

/// The cells that discord lets in one by one.
public enum DiscordCells: Sendable, CaseIterable {
  /// The edges of the network.
  case operations
  /// Each coordinate of each edge's stalk as an edge of its own.
  case coordinates
}

extension NeuralSheaf {
  /// The sheaf of one sample on the pattern of a state, its edges appearing with their discord γ‖ρ_e‖² and its vertices each with the first
  /// edge that has it.
  ///
  /// H⁰(X_a; F) are the sections over the parts of the network whose discord is a at most: what satisfies all these operations exactly, offsets on
  /// the constant ones. A bar [b, d) is a section of a part that is there from discord b on and is no restriction of one from d on.
  ///
  /// *What it can tell.* Any rows of δ are independent, since δ_Ω is unit triangular; so H¹(X_a; F) = 0 for all a, whatever the weights and the pattern are. Hence every
  /// coordinate of a vertex begins a bar when the vertex appears, every coordinate of an edge ends one at its discord, and dim U bars do not end (those without
  /// length are left out): births and deaths are the discords over again, with multiplicities. What depends on the network is which birth goes with
  /// which death. When an edge a → z joins two parts and z is in the younger one, n_z bars of that part end; when a is, only rank R of its bars do, and n_z − rank R
  /// of the older part: weights of low rank and neurons that pass nothing on show there. Where ranks are full, `regions` says as
  /// much at a fraction of the cost.
  ///
  /// Relative to the input and the output, dim H¹(X_a, U ∪ out; F) is n_{k+1} less the rank of the rows Q_e = ∂z_{k+1}/∂ρ_e of the edges that
  /// are missing: mostly 0 until the last of them appears. There are no other bars, and none is worth a computation.
  ///
  /// - Parameters:
  ///   - state: such as an equilibrium with the output clamped; a forward pass has discord 0 everywhere.
  ///   - j: the sample.
  ///   - stiffness: Γ.
  /// - Throws: `notFinite`.
  /// - Complexity: that of the sheaf; its barcode reduces a matrix with a column for each coordinate of a vertex.
  public func discordFiltration(
    at state: SheafState, sample j: Int = 0, cells: DiscordCells = .operations,
    stiffness: Stiffness = .uniform
  ) throws(PersistenceError) -> SheafFiltration {
    let state = state.samples([j])
    let sheaf = cellularSheaf(at: patterns(at: state))
    let rho = discrepancy(state)
    let squares = network.edges.map { edge in
      edge.operation.targetRows.map { i in
        stiffness.value(edge.target, row: i) * rho[edge.target][i, 0] * rho[edge.target][i, 0]
      }
    }
    var values = [Double](repeating: .infinity, count: network.vertices.count)
    for (e, edge) in network.edges.enumerated() {
      let value: Double =
        switch cells {
        case .operations: squares[e].reduce(0, +)
        case .coordinates: squares[e].min() ?? 0
        }
      for v in [edge.source, edge.target] { values[v] = min(values[v], value) }
    }
    // A network of one vertex.
    for v in values.indices where values[v] == .infinity { values[v] = 0 }
    switch cells {
    case .operations:
      return try SheafFiltration(sheaf, values: values + squares.map { $0.reduce(0, +) })
    case .coordinates:
      return try SheafFiltration(
        sheaf.splittingEdges(of: network), values: values + squares.flatMap { $0 })
    }
  }
}

extension SheafFiltration {
  /// The same filtration with constant coefficients: its H⁰ are the connected parts of X_a, and a bar [b, d) is a part of the network around an edge whose
  /// discord b is the least near it, until it joins a part of less discord over an edge of discord d. On a chain these are the valleys of the
  /// discord's profile along the network, and the barriers between them.
  public var regions: SheafFiltration {
    do {
      return try SheafFiltration(.constant(on: sheaf.complex), values: values)
    } catch {
      preconditionFailure("values of a filtration: \(error)")
    }
  }
}

extension CellularSheaf {
  /// The sheaf of a network with each coordinate of an edge's stalk on an edge of its own.
  fileprivate func splittingEdges(of network: Network) -> CellularSheaf {
    let n = network.vertices.count
    var (ends, names, maps) = ([(Int, Int?)](), [String](), [RestrictionMap]())
    for (e, edge) in network.edges.enumerated() {
      let parts = complex.incidences(of: n + e).map { map($0).dense(0).rowsAsMaps }
      for (p, row) in edge.operation.targetRows.enumerated() {
        ends.append((edge.source, edge.target))
        names.append("\(complex.name(n + e))[\(row)]")
        maps += parts.map { $0[p] }
      }
    }
    do {
      return try CellularSheaf(
        try .graph(vertices: n, edges: ends, names: (0..<n).map { complex.name($0) } + names),
        stalks: (0..<n).map { stalk(of: $0) } + ends.map { _ in 1 }
      ) { maps[$0] }
    } catch {
      preconditionFailure("\(error)")
    }
  }
}

extension Matrix {
  /// Each row as a map.
  fileprivate var rowsAsMaps: [RestrictionMap] {
    let columns = transposed
    return (0..<rows).map { i in
      var builder = SparseMatrix.ColumnBuilder(rows: 1)
      for x in columns.column(i) {
        if x != 0 { builder.append(row: 0, x) }
        builder.endColumn()
      }
      return .sparse(builder.matrix)
    }
  }
}

import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// What the coordinates of a pinned energy are to its reduced energy
///
///     F(a) = min_y E(a, y):
///
/// which of them y is, and how the minimum falls into cells that see one another through a alone.
///
/// A coordinate y_i is *inner* if its one edge is affine and one row of a state-dependent operation is all that
/// reads it: E holds it by ½c(y_i − u_i)², c the stiffness and u_i the prediction of its edge, and by that row.
/// A coordinate between an activation and a window of a maximum is inner as well where the activation is convex
/// (for a minimum: concave). All others that are free are *outer*: what F is a function of. Where a row
/// reads an outer coordinate s, it reads a copy y of it instead, bound to it by ½c(y − s − λ/c)², with λ a
/// multiplier that makes y = s in the end (the augmented Lagrangian).
///
/// So every row is a cell: min over its y of ½γ(t − P(y))² + Σ ½c_i(y_i − u_i)².
struct Elimination: Sendable {
  /// What a coordinate is.
  enum Role: UInt8, Sendable {
    /// A variable of F.
    case outer
    /// Minimised out.
    case inner
    /// Held by a pin, its edge being there.
    case held
    /// A coordinate of the input that is held.
    case given
  }

  /// What a read of a row is bound to.
  enum Binding: UInt8, Sendable {
    /// The prediction of an inner coordinate.
    case prediction
    /// An outer coordinate, through a multiplier.
    case copy
    /// A held coordinate: y is its value.
    case value
  }

  /// The rows of one state-dependent edge, or of a maximum together with the activation that it reads.
  struct Cells: Sendable {
    /// The vertex whose values or predictions are read.
    let source: Int
    /// The vertex between, that the activation gives to the maximum; −1 without one.
    let middle: Int
    /// The vertex of the rows.
    let target: Int
    /// Its coordinates.
    let rows: Range<Int>
    /// 1 for a maximum, −1 for a minimum, 0 for functions of one coordinate.
    let sign: Double
    /// The number of the first row among all.
    let firstRow: Int
    /// The reads of each row: those of row q are `readStarts[q]..<readStarts[q + 1]`, numbered through.
    let readStarts: [Int]

    var isWindow: Bool { sign != 0 }
  }

  let roles: [[Role]]
  /// The number of coordinate 0 of each vertex.
  let starts: [Int]
  /// By vertex with held coordinates: the place of each among them.
  let heldPlaces: [[Int32]]
  /// γ by vertex and coordinate.
  let gamma: [[Double]]
  /// Whether a vertex is the target of state-dependent operations.
  let hasRows: [Bool]
  let cells: [Cells]
  /// By edge: its cells, or −1 for an affine edge; −2 for an activation that a maximum has taken in.
  let cellsOfEdge: [Int]
  let rowCount: Int
  let readCount: Int
  /// By read: the coordinate of the cells' source, c, and what it is bound to.
  let sources: [Int32]
  let weights: [Double]
  let bindings: [Binding]
  /// By read of a maximum that has taken in an activation: γ of the coordinate between; else 0.
  let middleWeights: [Double]
  /// By read: its coordinate between.
  let middles: [Int32]
  /// By read: the pieces of its function, `pieces[start..<start + count]`; none for the identity.
  let pieceStarts: [Int32]
  let pieceCounts: [UInt16]
  let pieces: [AffinePiece]
  let hasCopies: Bool

  /// Copies are bound by so many times the stiffness of their row.
  static let copyWeight = 10.0

  init(_ energy: PinnedEnergy, _ flat: FlatNetwork) {
    let network = energy.sheaf.network
    let pins = energy.pins
    let gamma = network.vertices.indices.map { v in
      energy.stiffness[v] ?? [Double](repeating: 1, count: network.vertices[v].dimension)
    }
    let hasRows = network.vertices.indices.map { v in
      network.edges[network.incoming[v]].contains { $0.operation.isStateDependent }
    }
    func readers(_ v: Int, _ i: Int) -> Int {
      flat.readerStarts[flat.starts[v] + i + 1] - flat.readerStarts[flat.starts[v] + i]
    }
    let isReadByRows = network.vertices.indices.map { v in
      v != 0 && v != network.lastVertex && !network.outgoing[v].isEmpty
        && network.outgoing[v].allSatisfy { network.edges[$0].operation.isStateDependent }
    }
    var roles = network.vertices.indices.map { v -> [Role] in
      let isInner = isReadByRows[v] && !hasRows[v]
      var roles = (0..<network.vertices[v].dimension).map { i in
        isInner && readers(v, i) <= 1 ? Role.inner : .outer
      }
      for soft in pins.soft(v) { for i in soft.rows { roles[i] = .outer } }
      for i in pins.held(v) { roles[i] = v == 0 ? .given : .held }
      return roles
    }
    // Activations that a maximum takes in.
    let signs = network.edges.map { Self.sign($0.operation) }
    var taken: [Int: Int] = [:]
    for (e, edge) in network.edges.enumerated() where signs[e] != 0 {
      let a = edge.source
      guard isReadByRows[a], network.outgoing[a] == [e], network.incoming[a].count == 1,
        !pins.concern(a), let first = network.incoming[a].first,
        network.edges[first].operation.isStateDependent, signs[first] == 0
      else { continue }
      let (operation, z) = (network.edges[first].operation, network.edges[first].source)
      let isFit = operation.targetRows.allSatisfy { row in
        let pieces = operation.pieces(ofRow: row)
        let source = operation.branch(0, ofRow: row).source
        return readers(a, row) <= 1 && roles[z][source] == .inner
          && zip(pieces, pieces.dropFirst()).allSatisfy { signs[e] * ($1.slope - $0.slope) >= 0 }
      }
      guard isFit else { continue }
      taken[e] = first
      roles[a] = roles[a].map { _ in .inner }
    }
    var cells: [Cells] = []
    var cellsOfEdge = [Int](repeating: -1, count: network.edges.count)
    for first in taken.values { cellsOfEdge[first] = -2 }
    var (sources, weights, bindings): ([Int32], [Double], [Binding]) = ([], [], [])
    var (middleWeights, middles): ([Double], [Int32]) = ([], [])
    var (pieceStarts, counts, pieces): ([Int32], [UInt16], [AffinePiece]) = ([], [], [])
    var known: [[AffinePiece]: Int32] = [:]
    var rowCount = 0
    func place(_ list: [AffinePiece]) -> Int32 {
      if let start = known[list] { return start }
      let start = Int32(pieces.count)
      pieces += list
      known[list] = start
      return start
    }
    for (e, edge) in network.edges.enumerated()
    where edge.operation.isStateDependent && cellsOfEdge[e] != -2 {
      let operation = edge.operation
      let inner = taken[e].map { network.edges[$0] }
      let source = inner?.source ?? edge.source
      var readStarts = [sources.count]
      for row in operation.targetRows {
        var seen: [Int] = []
        for b in 0..<operation.branchCount(ofRow: row) {
          let s = operation.branch(b, ofRow: row).source
          if !seen.contains(s) { seen.append(s) }
        }
        for s in seen {
          let y = inner.map { $0.operation.branch(0, ofRow: s).source } ?? s
          let list =
            inner.map { $0.operation.pieces(ofRow: s) }
            ?? (signs[e] == 0 ? operation.pieces(ofRow: row) : [])
          sources.append(Int32(y))
          middles.append(inner == nil ? -1 : Int32(s))
          middleWeights.append(inner == nil ? 0 : gamma[edge.source][s])
          pieceStarts.append(place(list))
          counts.append(UInt16(list.count))
          switch roles[source][y] {
          case .inner:
            bindings.append(.prediction)
            weights.append(gamma[source][y])
          case .outer:
            bindings.append(.copy)
            weights.append(Self.copyWeight * gamma[edge.target][row])
          case .held, .given:
            bindings.append(.value)
            weights.append(.infinity)
          }
        }
        readStarts.append(sources.count)
      }
      cellsOfEdge[e] = cells.count
      cells.append(
        Cells(
          source: source, middle: inner == nil ? -1 : edge.source, target: edge.target,
          rows: operation.targetRows, sign: signs[e], firstRow: rowCount, readStarts: readStarts))
      rowCount += operation.targetRows.count
    }
    self.starts = flat.starts
    heldPlaces = network.vertices.indices.map { v in
      let held = v == 0 ? [] : pins.held(v)
      guard !held.isEmpty else { return [] }
      var places = [Int32](repeating: -1, count: network.vertices[v].dimension)
      for (p, i) in held.enumerated() { places[i] = Int32(p) }
      return places
    }
    (self.roles, self.gamma, self.hasRows) = (roles, gamma, hasRows)
    (self.cells, self.cellsOfEdge) = (cells, cellsOfEdge)
    (self.rowCount, readCount) = (rowCount, sources.count)
    (self.sources, self.weights, self.bindings) = (sources, weights, bindings)
    (self.middleWeights, self.middles) = (middleWeights, middles)
    (self.pieceStarts, pieceCounts, self.pieces) = (pieceStarts, counts, pieces)
    hasCopies = bindings.contains(.copy)
  }

  /// The first edge that the reduced energy does not know: one that takes the largest of several coordinates other
  /// than as they are.
  static func unknownEdge(of network: Network) -> Int? {
    network.edges.firstIndex { edge in
      sign(edge.operation) != 0
        && edge.operation.targetRows.contains { row in
          (0..<edge.operation.branchCount(ofRow: row)).contains { b in
            let f = edge.operation.branch(b, ofRow: row)
            return f.slope != 1 || f.offset != 0
          }
        }
    }
  }

  /// 0 for an operation whose rows read one coordinate each, 1 for a maximum, −1 for a minimum.
  private static func sign(_ operation: any NetworkOperation) -> Double {
    guard operation.isStateDependent else { return 0 }
    for row in operation.targetRows {
      let count = operation.branchCount(ofRow: row)
      guard count > 1 else { continue }
      let first = operation.branch(0, ofRow: row).source
      guard (1..<count).contains(where: { operation.branch($0, ofRow: row).source != first })
      else { continue }
      var sign = 0.0
      operation.forEachBoundary(ofRow: row, branch: 0) { if $0.other != nil { sign = $0.sign } }
      if sign != 0 { return sign }
    }
    // Windows of one place are maxima of one coordinate.
    return 0
  }
}

import CellComplexes
import CellularSheaves
import LinearAlgebra

/// Transport along the edges of a sheaf on a graph whose maps are invertible, F_{v ⊴ e}⁻¹ F_{u ⊴ e} : F(u) → F(v), and
/// around a basis of its cycles.
///
/// Once around a cycle it is an automorphism of the stalk at the root, the holonomy. Sections over a component are the
/// vectors at its root that every holonomy leaves as they are: H⁰ is the invariants of the monodromy
/// (Hansen, Ghrist 2019, §3.5; Steenrod 1943).
public struct Holonomy: Sendable {
  /// A cycle: an edge that is not in the spanning forest, with the ways through the forest from a root to its ends.
  public struct Cycle: Sendable {
    /// The edge that closes it.
    public let edge: Int
    /// Where it begins: the root of the component.
    public let root: Int
    /// The transport around it, of the stalk at the root.
    public let transport: Matrix
  }

  /// An edge on a way, with whether it is passed from its first face (tail, sign −1) to its second.
  public typealias Passage = (edge: Int, isForward: Bool)

  /// The sheaf.
  public let sheaf: CellularSheaf
  /// The roots of the components.
  public let roots: [Int]
  /// A basis of the cycles: one for each edge outside a spanning forest.
  public let cycles: [Cycle]
  /// F(root) → F(v) along the forest, for each vertex.
  public let transports: [Matrix]

  private let steps: [Step]
  /// How the forest comes to each vertex, nil for roots.
  private let parents: [Passage?]

  /// The holonomy of a sheaf.
  ///
  /// - Throws: `quantity` for an edge without two ends or a map without inverse.
  /// - Complexity: a dense solve and product for each edge.
  public init(_ sheaf: CellularSheaf) throws {
    self.sheaf = sheaf
    let edges = sheaf.complex.cells(ofDimension: 1)
    let steps = try edges.map { try Step(edge: $0, of: sheaf) }
    var neighbors = [[Int]](
      repeating: [], count: sheaf.complex.cells(ofDimension: 0).count)
    for (edge, step) in zip(edges, steps) {
      neighbors[step.tail].append(edge)
      neighbors[step.head].append(edge)
    }
    var (parents, roots) = ([Passage?](repeating: nil, count: neighbors.count), [Int]())
    var transports = [Matrix?](repeating: nil, count: neighbors.count)
    var root = [Int](repeating: 0, count: neighbors.count)
    var isInForest = [Bool](repeating: false, count: steps.count)
    for start in neighbors.indices where transports[start] == nil {
      roots.append(start)
      transports[start] = .identity(sheaf.stalk(of: start))
      root[start] = start
      var (order, next) = ([start], 0)
      while next < order.count {
        let u = order[next]
        next += 1
        for edge in neighbors[u] {
          let step = steps[edge - edges.lowerBound]
          let isForward = step.tail == u
          let v = isForward ? step.head : step.tail
          guard transports[v] == nil else { continue }
          transports[v] = (isForward ? step.forward : step.back) * transports[u]!
          (parents[v], root[v]) = ((edge, isForward), start)
          isInForest[edge - edges.lowerBound] = true
          order.append(v)
        }
      }
    }
    let all = transports.map { $0! }
    cycles = try edges.filter { !isInForest[$0 - edges.lowerBound] }.map { edge in
      let step = steps[edge - edges.lowerBound]
      return Cycle(
        edge: edge, root: root[step.tail],
        transport: try all[step.head].solve(step.forward * all[step.tail]))
    }
    (self.roots, self.transports, self.steps, self.parents) = (roots, all, steps, parents)
  }

  /// The edges of a cycle in order, from the root back to it.
  ///
  /// - Complexity: the depth of the forest.
  public func path(of cycle: Cycle) -> [Passage] {
    let step = step(cycle.edge)
    let back = way(to: step.head).reversed().map { (edge: $0.edge, isForward: !$0.isForward) }
    return way(to: step.tail) + [(cycle.edge, true)] + back
  }

  private func step(_ edge: Int) -> Step {
    steps[edge - sheaf.complex.cells(ofDimension: 1).lowerBound]
  }

  private func way(to vertex: Int) -> [Passage] {
    var (v, path) = (vertex, [Passage]())
    while let parent = parents[v] {
      path.append(parent)
      v = parent.isForward ? step(parent.edge).tail : step(parent.edge).head
    }
    return path.reversed()
  }

  /// The dimension of H⁰ as the invariants of the holonomies, Σ over components of dim ∩ ker(transport − 1).
  ///
  /// - Parameter tolerance: pivots of transport − 1 up to this times the larger of 1 and its norm count as 0.
  public func invariantDimension(tolerance: Double = 1e-9) throws -> Int {
    let byRoot = Dictionary(grouping: cycles, by: \.root)
    return try roots.reduce(0) { sum, root in
      let d = sheaf.stalk(of: root)
      let parts = byRoot[root, default: []].map { cycle in
        var m = cycle.transport
        m.add(.identity(d), scale: -1)
        return m
      }
      let stacked = Matrix(stacking: parts, columns: d)
      let scale = max(1, stacked.sumOfSquares.squareRoot())
      return sum + d - (try PivotedQR(stacked, tolerance: tolerance * scale).rank)
    }
  }

  /// The obstruction to solving δ x = b along a cycle: the sum of b's values transported to the root, in the cokernel of
  /// transport − 1, as the component orthogonal to its image; 0 exactly where b is a coboundary on the cycle.
  ///
  /// - Parameters:
  ///   - cochain: b of degree 1, in the coordinates of the stalks.
  ///   - tolerance: as for `invariantDimension`.
  public func obstruction(
    of cochain: [Double], around cycle: Cycle, tolerance: Double = 1e-9
  ) throws -> [Double] {
    let complex = sheaf.complex
    let d = sheaf.stalk(of: cycle.root)
    // x at the end of each edge is its transport of x at the beginning plus a value; once around x = T x + s.
    var shift = Matrix(rows: d, columns: 1)
    for (edge, isForward) in path(of: cycle) {
      let ends = complex.incidences(of: edge).sorted { complex.sign($0) < complex.sign($1) }
      let (a, b) = (
        sheaf.map(ends[0]).dense(sheaf.stalk(of: complex.face(ends[0]))),
        sheaf.map(ends[1]).dense(sheaf.stalk(of: complex.face(ends[1])))
      )
      let value = Matrix(column: Array(cochain[sheaf.range(of: edge)]))
      // F_v x_v − F_u x_u = b_e.
      if isForward {
        var right = a * shift
        right.add(value)
        shift = try b.solve(right)
      } else {
        var right = b * shift
        right.add(value, scale: -1)
        shift = try a.solve(right)
      }
    }
    var m = cycle.transport
    m.scale(by: -1)
    m.add(.identity(d))
    let scale = max(1, m.sumOfSquares.squareRoot())
    let qr = try PivotedQR(m, tolerance: tolerance * scale)
    qr.applyQTranspose(&shift)
    for i in 0..<qr.rank { shift[i, 0] = 0 }
    qr.applyQ(&shift)
    return shift.column(0)
  }
}

/// The transport along an edge, either way.
private struct Step: Sendable {
  let tail: Int
  let head: Int
  let forward: Matrix
  let back: Matrix

  init(edge: Int, of sheaf: CellularSheaf) throws {
    let complex = sheaf.complex
    func failure(_ found: String, _ expected: String) -> SheafError {
      .quantity(name: "edge \"\(complex.name(edge))\"", found: found, expected: expected)
    }
    let ends = Array(complex.incidences(of: edge))
    guard ends.count == 2, complex.sign(ends[0]) != complex.sign(ends[1]) else {
      throw failure(
        "\(ends.count) incidences",
        "two ends of opposite sign, to transport from one to the other")
    }
    let (first, second) =
      complex.sign(ends[0]) < 0 ? (ends[0], ends[1]) : (ends[1], ends[0])
    (tail, head) = (complex.face(first), complex.face(second))
    let a = sheaf.map(first).dense(sheaf.stalk(of: tail))
    let b = sheaf.map(second).dense(sheaf.stalk(of: head))
    guard a.rows == a.columns && b.rows == b.columns else {
      throw failure("maps of shapes \(a.shape) and \(b.shape)", "invertible maps")
    }
    do {
      (forward, back) = (try b.solve(a), try a.solve(b))
    } catch {
      throw failure("a singular map", "invertible maps")
    }
  }
}

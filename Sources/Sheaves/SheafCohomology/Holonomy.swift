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
    /// The edges in order, with whether each is passed from its first face (tail, sign −1) to its second.
    public let path: [(edge: Int, isForward: Bool)]
    /// The transport around it, of the stalk at the root.
    public let transport: Matrix
  }

  /// The sheaf.
  public let sheaf: CellularSheaf
  /// The roots of the components.
  public let roots: [Int]
  /// A basis of the cycles: one for each edge outside a spanning forest.
  public let cycles: [Cycle]
  /// F(root) → F(v) along the forest, for each vertex.
  public let transports: [Matrix]

  /// The holonomy of a sheaf.
  ///
  /// - Throws: `quantity` for an edge without two ends or a map that is not square; `singular` for one without inverse.
  /// - Complexity: a dense solve and product for each edge; paths as long as the forest is deep.
  public init(_ sheaf: CellularSheaf) throws {
    self.sheaf = sheaf
    let complex = sheaf.complex
    let edges = complex.cells(ofDimension: 1)
    var steps: [Int: (tail: Int, head: Int, transport: Matrix, back: Matrix)] = [:]
    var neighbors = [[Int]](repeating: [], count: complex.cells(ofDimension: 0).count)
    for edge in edges {
      let ends = Array(complex.incidences(of: edge))
      guard ends.count == 2, complex.sign(ends[0]) != complex.sign(ends[1]) else {
        throw SheafError.quantity(
          name: "edge \"\(complex.name(edge))\"", found: "\(ends.count) incidences",
          expected: "two ends of opposite sign, to transport from one to the other")
      }
      let (tail, head) = complex.sign(ends[0]) < 0 ? (ends[0], ends[1]) : (ends[1], ends[0])
      let (u, v) = (complex.face(tail), complex.face(head))
      let (a, b) = (
        sheaf.map(tail).dense(sheaf.stalk(of: u)), sheaf.map(head).dense(sheaf.stalk(of: v))
      )
      guard a.rows == a.columns && b.rows == b.columns else {
        throw SheafError.quantity(
          name: "edge \"\(complex.name(edge))\"", found: "maps of shapes \(a.shape) and \(b.shape)",
          expected: "invertible maps")
      }
      do {
        steps[edge] = (u, v, try b.solve(a), try a.solve(b))
      } catch {
        throw SheafError.quantity(
          name: "edge \"\(complex.name(edge))\"", found: "a singular map",
          expected: "invertible maps")
      }
      neighbors[u].append(edge)
      neighbors[v].append(edge)
    }
    var (parents, roots) = (
      [(edge: Int, isForward: Bool)?](repeating: nil, count: neighbors.count), [Int]()
    )
    var (transports, order) = ([Matrix?](repeating: nil, count: neighbors.count), [Int]())
    var (isTree, root) = (Set<Int>(), [Int](repeating: 0, count: neighbors.count))
    for start in neighbors.indices where transports[start] == nil {
      roots.append(start)
      transports[start] = .identity(sheaf.stalk(of: start))
      root[start] = start
      order = [start]
      var next = 0
      while next < order.count {
        let u = order[next]
        next += 1
        for edge in neighbors[u] {
          let step = steps[edge]!
          let isForward = step.tail == u
          let v = isForward ? step.head : step.tail
          guard transports[v] == nil else { continue }
          transports[v] = (isForward ? step.transport : step.back) * transports[u]!
          (parents[v], root[v]) = ((edge, isForward), start)
          isTree.insert(edge)
          order.append(v)
        }
      }
    }
    func way(to vertex: Int) -> [(edge: Int, isForward: Bool)] {
      var (v, path) = (vertex, [(edge: Int, isForward: Bool)]())
      while let parent = parents[v] {
        path.append(parent)
        v = parent.isForward ? steps[parent.edge]!.tail : steps[parent.edge]!.head
      }
      return path.reversed()
    }
    let all = transports.map { $0! }
    cycles = try edges.filter { !isTree.contains($0) }.map { edge in
      let step = steps[edge]!
      let back = way(to: step.head).reversed().map { (edge: $0.edge, isForward: !$0.isForward) }
      let around = try all[step.head].solve(step.transport * all[step.tail])
      return Cycle(
        edge: edge, root: root[step.tail], path: way(to: step.tail) + [(edge, true)] + back,
        transport: around)
    }
    (self.roots, self.transports) = (roots, all)
  }

  /// The dimension of H⁰ as the invariants of the holonomies, Σ over components of dim ∩ ker(transport − 1).
  ///
  /// - Parameter tolerance: pivots of transport − 1 up to this times the larger of 1 and its norm count as 0.
  public func invariantDimension(tolerance: Double = 1e-9) throws -> Int {
    try roots.reduce(0) { sum, root in
      let d = sheaf.stalk(of: root)
      let parts = cycles.filter { $0.root == root }.map { cycle in
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
    for (edge, isForward) in cycle.path {
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

import CellComplexes
import CellularSheaves
import LinearAlgebra
import Testing

@testable import SheafCohomology

/// H⁰ is the invariants of the holonomy.
struct HolonomyTests {
  static let seeds = Array(UInt64(0)..<60)

  /// An invertible sheaf on a graph: F_{v ⊴ e} = B_e T_v⁻¹, so that the holonomy is trivial; then some maps are changed.
  static func sheaf(
    _ g: inout RandomGenerator, dimension d: Int, isOrthogonal: Bool, twists: Int
  ) throws -> CellularSheaf {
    let graph = g.graph(vertices: 7, edges: 9)
    let bases = (0..<graph.count).map { _ in isOrthogonal ? g.orthogonal(d) : g.invertible(d) }
    let straight = try CellularSheaf.constant(d, on: graph).changingBases(bases)
    var chosen = Set(g.permutation(graph.incidenceCount).prefix(twists))
    return try CellularSheaf(graph, stalks: straight.stalks) { i in
      guard chosen.remove(i) != nil else { return straight.map(i) }
      // A twist of the stalk of the edge that leaves a random subspace as it is.
      var twist = Matrix.identity(d)
      if g.uniform() < 0.7 {
        twist.add(g.normalMatrix(rows: d, columns: 1) * g.normalMatrix(rows: 1, columns: d))
      } else {
        twist = isOrthogonal ? g.orthogonal(d) : g.invertible(d)
      }
      return .matrix(twist * straight.map(i).dense(d))
    }
  }

  @Test func sectionsAreInvariants() throws {
    let tally = try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let d = Int(seed % 4) + 1
      let sheaf = try Self.sheaf(
        &g, dimension: d, isOrthogonal: seed % 2 == 0, twists: Int(seed % 5))
      let holonomy = try Holonomy(sheaf)
      let complex = sheaf.complex
      let sections = try sheaf.globalSections()
      let invariants = try holonomy.invariantDimension()
      tally.expect(invariants == sections.columns, "\(seed): \(invariants), \(sections.columns)")
      // As many cycles as edges beside a forest; roots for components.
      let components = try RealCohomology(.constant(1, on: complex)).betti
      tally.expect(
        holonomy.roots.count == components[0] && holonomy.cycles.count == components[1],
        "\(seed), cycles")
      if seed % 5 == 0 {
        tally.expect(
          holonomy.cycles.allSatisfy { $0.transport.minus(.identity(d)).maximumMagnitude < 1e-9 }
            && sections.columns == components[0] * d, "\(seed), trivial")
      }
      // A section's value at a vertex is the transport of that at the root, and each cycle leaves it.
      for cycle in holonomy.cycles {
        let x = sections.rows(sheaf.range(of: cycle.root))
        tally.expect(
          (cycle.transport * x).minus(x).maximumMagnitude < 1e-8, "\(seed), edge \(cycle.edge)")
        // The path begins and ends at the root and each edge follows the one before.
        var (place, transport) = (cycle.root, Matrix.identity(d))
        var isPath = true
        for (edge, isForward) in holonomy.path(of: cycle) {
          let ends = complex.incidences(of: edge).sorted { complex.sign($0) < complex.sign($1) }
          let (a, b) = isForward ? (ends[0], ends[1]) : (ends[1], ends[0])
          isPath = isPath && complex.face(a) == place
          transport = try sheaf.map(b).dense(d).solve(sheaf.map(a).dense(d) * transport)
          place = complex.face(b)
        }
        tally.expect(isPath && place == cycle.root, "\(seed), path of \(cycle.edge)")
        tally.expect(
          transport.minus(cycle.transport).maximumMagnitude
            < 1e-8 * max(1, transport.maximumMagnitude), "\(seed), transport of \(cycle.edge)")
      }
    }
    tally.check(atLeast: 4 * Self.seeds.count)
  }

  /// Transport by 1 + h has no invariants, however near: singular values are compared, not their squares.
  @Test func nearInvariantsAreNone() throws {
    for (h, count) in [(1e-3, 0), (1e-6, 0), (1e-12, 1), (0, 1)] {
      let sheaf = try CellularSheaf.cycle(4, transport: Matrix([[1 + h]]))
      #expect(try Holonomy(sheaf).invariantDimension() == count, "\(h)")
    }
  }

  /// On a cycle, b is a coboundary exactly where its obstruction is 0, and a coboundary more changes nothing.
  @Test func obstructionVanishesOnCoboundaries() throws {
    let tally = try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      // Two vertices at least: the maps at the ends of a loop may cancel but for rounding, and then nothing is there to
      // compare that with.
      let (n, d) = (Int(seed % 3) + 2, Int(seed / 3 % 3) + 1)
      // A transport with an eigenvalue 1 mostly, in random bases.
      var transport = g.invertible(d)
      if seed % 4 != 0 {
        let base = g.invertible(d)
        var diagonal = (0..<d).map { _ in g.uniform(-2, 3) }
        diagonal[0] = 1
        transport = base * Matrix.diagonal(diagonal) * (try base.solve(.identity(d)))
      }
      // The edges run either way.
      let edges = (0..<n).map { i -> (Int, Int?) in
        g.uniform() < 0.5 ? (i, (i + 1) % n) : ((i + 1) % n, i)
      }
      let cycleGraph = try CellComplex.graph(vertices: n, edges: edges)
      let twisted = g.integer(0...2 * n - 1)
      let plain = try CellularSheaf(cycleGraph, stalks: [Int](repeating: d, count: 2 * n)) {
        $0 == twisted ? .matrix(transport) : .identity
      }
      let sheaf = try plain.changingBases(plain.stalks.map { g.invertible($0) })
      let holonomy = try Holonomy(sheaf)
      tally.expect(holonomy.cycles.count == 1, "\(seed), cycles")
      let cycle = holonomy.cycles[0]
      let delta = sheaf.coboundary(0)
      let coboundary = delta(g.normalMatrix(rows: n * d, columns: 1))
      let b = g.normalMatrix(rows: n * d, columns: 1)
      func norm(_ m: Matrix) throws -> Double {
        Matrix(column: try holonomy.obstruction(of: m.column(0), around: cycle)).maximumMagnitude
      }
      let (zero, other) = (try norm(coboundary), try norm(b))
      tally.expect(zero < 1e-8, "\(seed), coboundary: \(zero)")
      let hodge = try HodgeDecomposition(of: b, in: sheaf, degree: 1)
      let isCoboundary = hodge.norms[0].harmonic < 1e-9
      tally.expect(
        (other < 1e-7) == isCoboundary, "\(seed): \(other), \(hodge.norms[0].harmonic)")
      var sum = b
      sum.add(coboundary)
      let difference = zip(
        try holonomy.obstruction(of: b.column(0), around: cycle),
        try holonomy.obstruction(of: sum.column(0), around: cycle)
      ).reduce(0) { max($0, abs($1.0 - $1.1)) }
      tally.expect(difference < 1e-7, "\(seed), class: \(difference)")
    }
    tally.check(atLeast: 4 * Self.seeds.count)
    // By hand: around a cycle of identities it is the sum.
    let holonomy = try Holonomy(.constant(1, on: .cycle(3)))
    let sum = try holonomy.obstruction(of: [1, 2, 4], around: holonomy.cycles[0])
    #expect(abs(abs(sum[0]) - 7) < 1e-12)
  }

  @Test func whatHasNoTransportIsNamed() throws {
    func refused(_ sheaf: CellularSheaf) -> String { message { _ = try Holonomy(sheaf) } }
    let half = try CellComplex.graph(vertices: 1, edges: [(0, nil)], names: ["a", "e"])
    #expect(refused(.constant(1, on: half)).contains("edge \"e\": found 1 incidences"))
    let path = try CellComplex.graph(vertices: 2, edges: [(0, 1)], names: ["a", "b", "e"])
    let wide = try CellularSheaf(path, stalks: [2, 2, 1]) { _ in .matrix(Matrix([[1, 0]])) }
    #expect(refused(wide).contains("(1, 2) and (1, 2)"))
    let singular = try CellularSheaf(path, stalks: [1, 1, 1]) { .scalar(Double($0)) }
    #expect(refused(singular).contains("edge \"e\": found a singular map"))
  }
}

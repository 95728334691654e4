import CellComplexes
import CellularSheaves
import Foundation
import LinearAlgebra
import Testing

@testable import SheafCohomology

/// Spectra in closed form.
struct LaplacianSpectrumTests {
  /// All eigenvalues, and the smallest by iterations, with their multiplicities; against a list in any order.
  static func check(
    _ sheaf: CellularSheaf, degree k: Int = 0, _ expected: [Double], _ name: String,
    smallest: [Int] = [1, 3, 6]
  ) throws {
    let expected = expected.sorted()
    let laplacian = SheafLaplacian(sheaf, degree: k)
    let scale = max(expected.last ?? 0, 1)
    func distance(_ a: [Double]) -> Double {
      zip(a, expected).reduce(0) { max($0, abs($1.0 - $1.1)) }
    }
    let all = try LaplacianSpectrum(all: laplacian, vectors: true)
    #expect(all.values.count == expected.count && distance(all.values) < 1e-12 * scale, "\(name)")
    #expect((all.residuals.max() ?? 0) < 1e-12, "\(name)")
    for count in smallest where 3 * count <= expected.count {
      let some = try LaplacianSpectrum(smallest: count, of: laplacian, denseOrder: 0)
      #expect(
        some.values.count == count && distance(some.values) < 1e-9 * scale,
        "\(name), \(count) of \(expected.count): \(some.values), expected \(expected.prefix(count))"
      )
      #expect(some.isConfirmed && some.status == .converged, "\(name), \(count)")
      #expect((some.residuals.max() ?? 0) < 1e-9, "\(name), \(count)")
      var gram = Matrix(rows: count, columns: count)
      gram.addGram(some.vectors, transposed: true, keeping: 0)
      #expect(
        gram.minus(.identity(count)).maximumMagnitude < 1e-9, "\(name), \(count), orthonormal")
    }
  }

  /// λ_j of the path: x_i = cos(j(i + ½)π/n) has x_{i−1} + x_{i+1} = 2 cos(jπ/n) x_i, and meets itself at the ends.
  static func path(_ n: Int) -> [Double] {
    (0..<n).map { 2 - 2 * cos(.pi * Double($0) / Double(n)) }
  }

  /// Of the cycle: x_i = exp(2πi·ij/n).
  static func cycle(_ n: Int) -> [Double] {
    (0..<n).map { 2 - 2 * cos(2 * .pi * Double($0) / Double(n)) }
  }

  @Test(arguments: [2, 3, 20, 61]) func pathsAndCycles(n: Int) throws {
    let path = CellularSheaf.constant(1, on: .path(n))
    try Self.check(path, Self.path(n), "path \(n)", smallest: [1, 2, 5, 6, 11, 20])
    // On the edges the same without the 0: δδᵀ beside δᵀδ.
    try Self.check(path, degree: 1, Array(Self.path(n).dropFirst()), "edges of path \(n)")
    let cycle = CellularSheaf.constant(1, on: .cycle(n))
    try Self.check(cycle, Self.cycle(n), "cycle \(n)", smallest: [1, 2, 3, 4, 5, 6, 20])
    try Self.check(cycle, degree: 1, Self.cycle(n), "edges of cycle \(n)")
    try Self.check(
      .constant(3, on: .cycle(n)), (0..<3).flatMap { _ in Self.cycle(n) }, "thrice cycle \(n)")
  }

  /// The sums of the spectra of paths, or of cycles: L of a product is L ⊗ 1 + 1 ⊗ L.
  @Test func grids() throws {
    for (m, n) in [(6, 9), (8, 8)] {
      let sums = Self.path(m).flatMap { a in Self.path(n).map { a + $0 } }
      try Self.check(.constant(1, on: .grid([m, n])), sums, "grid", smallest: [1, 4, 7, 16])
      let torus = Self.cycle(m).flatMap { a in Self.cycle(n).map { a + $0 } }
      let sheaf = CellularSheaf.constant(1, on: .grid([m, n], isPeriodic: true))
      try Self.check(sheaf, torus, "torus", smallest: [1, 5, 9, 16])
      // On a flat torus the Laplacian of 1-cochains acts on either coordinate alone.
      try Self.check(sheaf, degree: 1, torus + torus, "edges of the torus", smallest: [1, 2, 9])
      try Self.check(sheaf, degree: 2, torus, "squares of the torus")
    }
    let cube = CellularSheaf.constant(1, on: .grid([2, 2, 2, 2, 2]))
    // Σ of five of 0 or 2: 2k with multiplicity C(5, k).
    let expected = [1, 5, 10, 10, 5, 1].enumerated().flatMap { k, count in
      [Double](repeating: Double(2 * k), count: count)
    }
    try Self.check(cube, expected, "cube", smallest: [1, 4, 7, 10])
  }

  /// n − 1 times n; the icosahedron's adjacency has 5, √5 thrice, −1 five times and −√5 thrice.
  @Test func completeGraphsAndTheIcosahedron() throws {
    for n in [3, 10, 31] {
      try Self.check(
        .constant(1, on: Spaces.complete(n)), [0] + [Double](repeating: Double(n), count: n - 1),
        "complete \(n)", smallest: [1, 2, 3, 10])
    }
    let root = 5.0.squareRoot()
    let values =
      [0] + [5 - root, 5 - root, 5 - root] + [Double](repeating: 6, count: 5)
      + [5 + root, 5 + root, 5 + root]
    let sheaf = CellularSheaf.constant(1, on: Spaces.icosahedron)
    #expect(sheaf.complex.cellCounts == [12, 30])
    try Self.check(sheaf, values, "icosahedron", smallest: [1, 2, 3, 4])
    let all = try LaplacianSpectrum(all: SheafLaplacian(sheaf, degree: 0))
    #expect(all.multiplicities().map(\.count) == [1, 3, 5, 3])
    // Normalised: a fifth of it.
    let normalized = try LaplacianSpectrum(
      all: SheafLaplacian(sheaf, degree: 0, isNormalized: true))
    #expect(zip(normalized.values, values.sorted()).allSatisfy { abs($0 - $1 / 5) < 1e-12 })
  }

  /// A cycle with a rotation by φ as transport: 2 − 2cos((2πj ± φ)/n), as a wave that takes up φ once around.
  @Test func twistedCycles() throws {
    let n = 30
    for phi in [0.7, Double.pi, 2] {
      let rotation = Matrix([[cos(phi), -sin(phi)], [sin(phi), cos(phi)]])
      let values = (0..<n).flatMap { j -> [Double] in
        let angle = 2 * Double.pi * Double(j)
        return [angle + phi, angle - phi].map { 2 - 2 * cos($0 / Double(n)) }
      }
      try Self.check(
        .cycle(n, transport: rotation), values, "rotation \(phi)", smallest: [1, 2, 4, 7, 20])
    }
    let moebius = (0..<n).map { 2 - 2 * cos(.pi * Double(2 * $0 + 1) / Double(n)) }
    try Self.check(
      .cycle(n, transport: Matrix([[-1]])), moebius, "Möbius", smallest: [1, 2, 5, 10])
  }

  /// The smallest eigenvalues of random sheaves with weights are those of the dense decomposition.
  @Test func smallestAreThoseOfAllEigenvalues() throws {
    try Tally.over(Array(0..<24)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let sheaf: CellularSheaf
      if seed % 2 == 0 {
        sheaf = g.weightedSheaf(
          on: g.simplicial(vertices: 9, facets: 9, dimension: 2).complex, summands: 3)
      } else {
        let graph = g.graph(vertices: 20, edges: 35, halfOpen: true)
        let stalks = (0..<graph.count).map { _ in g.integer(0...3) }
        sheaf = try .random(on: graph, stalks: stalks, using: &g).weighted(g.weights(stalks))
      }
      for isNormalized in [false, true] {
        for k in 0...1 {
          let laplacian = SheafLaplacian(sheaf, degree: k, isNormalized: isNormalized)
          let all = try LaplacianSpectrum(all: laplacian).values
          let scale = all.last ?? 0
          for count in [1, 5, 9] where 3 * count <= all.count {
            let some = try LaplacianSpectrum(smallest: count, of: laplacian, denseOrder: 0)
            let error = zip(some.values, all).reduce(0) { max($0, abs($1.0 - $1.1)) }
            tally.expect(
              some.values.count == count && error <= 1e-9 * scale && some.isConfirmed,
              "\(seed), degree \(k), \(count): \(error), \(some.isConfirmed)")
          }
          if isNormalized && k == 0 {
            tally.expect(
              all.allSatisfy { $0 > -1e-10 && $0 < (seed % 2 == 0 ? 9 : 2 + 1e-10) },
              "\(seed), normalised: \(scale)")
          }
        }
      }
    }.check(atLeast: 24 * 9)
  }

  /// Many equal values, of which only some are asked for: none is missing below them.
  @Test func someOfManyEqualValuesAreConfirmed() throws {
    for copies in [2, 20, 150] {
      // So many edges apart: 0 and 2, each so many times.
      let edges = try CellComplex.graph(
        vertices: 2 * copies, edges: (0..<copies).map { (2 * $0, 2 * $0 + 1) })
      try Self.check(
        .constant(1, on: edges), (0..<2 * copies).map { $0 < copies ? 0 : 2 }, "\(copies) edges",
        smallest: [1, 2, 5, copies / 2])
    }
    let n = 160
    try Self.check(
      .constant(1, on: Spaces.complete(n)), [0] + [Double](repeating: Double(n), count: n - 1),
      "complete \(n)", smallest: [1, 2, 5])
  }

  @Test func emptyAndZeroLaplacians() throws {
    let zero = SheafLaplacian(.constant(2, on: try .graph(vertices: 40, edges: [])), degree: 0)
    let some = try LaplacianSpectrum(smallest: 3, of: zero, denseOrder: 0)
    #expect(some.values == [0, 0, 0] && some.isConfirmed)
    let none = SheafLaplacian(.zero(on: .path(3)), degree: 0)
    #expect(try LaplacianSpectrum(all: none, vectors: true).values == [])
    #expect(try LaplacianSpectrum(smallest: 3, of: none).values == [])
    #expect(try LaplacianSpectrum(smallest: 0, of: zero).values == [])
  }

  /// ‖y‖² of the least flow: path lengths on a tree, j(n − j)/n on a cycle, 2/n between vertices of a complete graph.
  @Test func effectiveResistances() throws {
    func resistances(
      _ sheaf: CellularSheaf, _ pairs: [(Int, Int)], part: SheafLaplacian.Part = .hodge,
      isNormalized: Bool = false
    ) throws -> [Double] {
      var currents = Matrix(rows: sheaf.cochainDimension(0), columns: pairs.count)
      for (column, (i, j)) in pairs.enumerated() {
        currents[i, column] += 1
        if i != j { currents[j, column] -= 1 }
      }
      return try EffectiveResistance(
        SheafLaplacian(sheaf, degree: 0, part: part, isNormalized: isNormalized))(currents)
    }
    func near(_ a: [Double], _ b: [Double]) -> Bool {
      zip(a, b).allSatisfy { abs($0 - $1) < 1e-11 }
    }
    let path = CellularSheaf.constant(1, on: .path(9))
    #expect(near(try resistances(path, [(0, 8), (2, 5), (3, 4)]), [8, 3, 1]))
    let cycle = CellularSheaf.constant(1, on: .cycle(12))
    #expect(near(try resistances(cycle, [(0, 6), (2, 5), (11, 0)]), [3, 27 / 12.0, 11 / 12.0]))
    for n in [2, 7, 20] {
      let complete = CellularSheaf.constant(1, on: Spaces.complete(n))
      #expect(
        near(try resistances(complete, [(0, n - 1), (0, 1)]), [2 / Double(n), 2 / Double(n)]))
      // Normalised: D = n − 1, whose root is on both sides.
      let scaled = try resistances(complete, [(0, 1)], isNormalized: true)
      #expect(near(scaled, [2 * Double(n - 1) / Double(n)]))
    }
    // A source without a sink, and a sink in another component.
    let two = CellularSheaf.constant(1, on: try .graph(vertices: 4, edges: [(0, 1), (2, 3)]))
    #expect(try resistances(two, [(0, 0), (0, 2), (0, 1)])[0...1] == [.infinity, .infinity])
    // The lower part on vertices is 0; a grounded (half-open) end takes any current.
    #expect(try resistances(path, [(0, 8)], part: .down) == [.infinity])
    let grounded = CellularSheaf.constant(
      1, on: try .graph(vertices: 3, edges: [(0, 1), (1, 2), (2, nil)]))
    #expect(near(try resistances(grounded, [(0, 0), (1, 1), (2, 2)]), [3, 2, 1]))
    // ⟨b, L⁺ b⟩ on edges of a 2-complex, part by part.
    var g = RandomGenerator(case: 3)
    let sheaf = CellularSheaf.constant(
      1, on: try SimplicialComplex(facets: [[0, 1, 2], [1, 2, 3], [3, 4]]).complex)
    for part in SheafLaplacian.Part.allCases {
      let laplacian = SheafLaplacian(sheaf, degree: 1, part: part)
      let l = laplacian.laplacian.matrix.dense
      let b = l * g.normalMatrix(rows: l.rows, columns: 1)
      let expected = (b.transposed * (l.pseudoInverse * b))[0, 0]
      let found = try EffectiveResistance(laplacian)(b)[0]
      #expect(abs(found - expected) < 1e-10 * expected, "\(part)")
    }
  }

  /// Ubiquitin's 76 Cα atoms with their B-factors, from the Protein Data Bank's entry 1UBI (public domain): residue, x, y,
  /// z in Å and B in Å². The numbers are those of an independent implementation in NumPy.
  static let ubiquitin: (points: Matrix, factors: [Double]) = {
    let file = Reference.folder.appendingPathComponent("sheaves/ubiquitin.csv")
    let rows = known { try String(contentsOf: file, encoding: .utf8) }.split(separator: "\n")
      .dropFirst().map {
        $0.split(separator: ",").map { Double($0)! }
      }
    return (
      Matrix(rows: 3, columns: rows.count, columnMajor: rows.flatMap { $0[1...3] }),
      rows.map { $0[4] }
    )
  }()

  static func correlation(_ a: [Double], _ b: [Double]) -> Double {
    let (x, y) = (
      a.map { $0 - a.reduce(0, +) / Double(a.count) },
      b.map { $0 - b.reduce(0, +) / Double(b.count) }
    )
    func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    return dot(x, y) / (dot(x, x) * dot(y, y)).squareRoot()
  }

  @Test func ubiquitinMovesAsItsElasticNetworks() throws {
    let (points, factors) = Self.ubiquitin
    #expect(points.columns == 76)
    let gaussian = try CellularSheaf.gaussianNetwork(points: points, cutoff: 7)
    #expect(gaussian.complex.cellCounts == [76, 289])
    let laplacian = SheafLaplacian(gaussian, degree: 0)
    for spectrum in [
      try LaplacianSpectrum(all: laplacian),
      try LaplacianSpectrum(smallest: 4, of: laplacian, denseOrder: 0),
    ] {
      #expect(abs(spectrum.values[1] - 0.329471) < 1e-6 && abs(spectrum.values[0]) < 1e-9)
    }
    let inverse = laplacian.laplacian.matrix.dense.pseudoInverse
    let mobility = (0..<76).map { inverse[$0, $0] }
    #expect(abs(Self.correlation(mobility, factors) - 0.6126) < 5e-5)

    let anisotropic = try CellularSheaf.anisotropicNetwork(points: points, cutoff: 15)
    #expect(try HarmonicBasis(anisotropic, degree: 0).dimension == 6)
    let stiffness = SheafLaplacian(anisotropic, degree: 0)
    let modes = try LaplacianSpectrum(smallest: 8, of: stiffness, denseOrder: 0)
    #expect(modes.isConfirmed && modes.multiplicities(tolerance: 1e-6).first?.count == 6)
    let compliance = stiffness.laplacian.matrix.dense.pseudoInverse
    let traces = (0..<76).map { i in (0..<3).reduce(0) { $0 + compliance[3 * i + $1, 3 * i + $1] } }
    #expect(abs(Self.correlation(traces, factors) - 0.4888) < 5e-5)
  }
}

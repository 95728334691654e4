import CellComplexes
import CellularSheaves
import ExactAlgebra
import Foundation
import LinearAlgebra
import Testing

@testable import SheafCohomology

/// Harmonic extensions, projections, smoothing and heat flow against dense solutions.
struct HarmonicExtensionTests {
  static let seeds = Array(UInt64(0)..<60)

  /// A sheaf of whole numbers, a degree, and some of its coordinates.
  static func problem(
    _ g: inout RandomGenerator, _ seed: UInt64
  ) -> (sheaf: CellularSheaf, degree: Int, fixed: [Int]) {
    let sheaf: CellularSheaf
    switch seed % 3 {
    case 0:
      sheaf = g.integerSheaf(on: g.graph(vertices: 8, edges: 14, halfOpen: true), stalks: 0...3)
    case 1:
      sheaf = g.integerSheaf(
        on: g.simplicial(vertices: 6, facets: 5, dimension: 2).complex, summands: 3)
    default:
      sheaf = .constant(2, on: g.graph(vertices: 9, edges: 8))
    }
    let k = seed % 3 == 1 ? Int(seed / 3 % 2) : 0
    let share = [0.1, 0.3, 0.6][Int(seed / 3 % 3)]
    let fixed = g.permutation(sheaf.cochainDimension(k)).filter { _ in g.uniform() < share }
    return (sheaf, k, fixed)
  }

  /// x on the free coordinates of least ‖x‖ with L[Ω, Ω] x = −L[Ω, U] u, by eigenvectors; L = δᵀ W δ.
  static func dense(
    _ sheaf: CellularSheaf, _ k: Int, _ fixed: [Int], _ values: Matrix
  ) -> (cochains: Matrix, free: [Int]) {
    let delta = sheaf.coboundary(k).dense
    let laplacian = delta.transposed * (sheaf.weight(degree: k + 1) * delta)
    let free = (0..<laplacian.rows).filter { !fixed.contains($0) }
    let inside = laplacian[rows: free, columns: free]
    var x = inside.pseudoInverse * (laplacian[rows: free, columns: fixed] * values)
    x.scale(by: -1)
    var c = values.spread(to: fixed, of: laplacian.rows)
    c.add(x.spread(to: free, of: laplacian.rows))
    return (c, free)
  }

  @Test func extensionIsTheDenseSolution() throws {
    let tally = try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      var (sheaf, k, fixed) = Self.problem(&g, seed)
      let exact = sheaf
      if seed % 2 == 0 { sheaf = try sheaf.weighted(g.weights(sheaf.stalks)) }
      let values = g.normalMatrix(rows: fixed.count, columns: 3)
      let found = try HarmonicExtension(of: values, on: fixed, in: sheaf, degree: k)
      let (expected, free) = Self.dense(sheaf, k, fixed, values)
      let scale = max(1, expected.maximumMagnitude)
      tally.expect(
        found.cochains.minus(expected).maximumMagnitude < 1e-8 * scale,
        "\(seed), \(found.method): \(found.cochains.minus(expected).maximumMagnitude)")
      tally.expect(
        found.cochains.gathered(fixed) == values && found.status == .converged
          && found.residual < 1e-8, "\(seed), values held")
      let delta = sheaf.coboundary(k)
      for j in 0..<3 {
        let image = delta(found.cochains.columns(j..<j + 1)).column(0)
        let energy = sheaf.inner(image, image, degree: k + 1) / 2
        tally.expect(
          abs(found.energies[j] - energy) <= 1e-9 * max(1, energy), "\(seed), energy")
      }
      // The freedom is the exact kernel of δ on the free coordinates.
      let part = exact.coboundary(k).part(columns: free)
      let rank = try ExactCohomology(
        dimensions: [free.count, part.rows], coboundaries: [part], over: .rational
      ).ranks[0]
      tally.expect(found.freedom == free.count - rank, "\(seed), freedom \(found.freedom ?? -1)")
      let basis = found.basis.dense
      tally.expect(basis.columns == free.count - rank, "\(seed), basis")
      tally.expect(
        delta(basis).maximumMagnitude < 1e-9
          && basis.gathered(fixed).maximumMagnitude == 0, "\(seed), basis in the kernel")
      var gram = Matrix(rows: basis.columns, columns: basis.columns)
      gram.addGram(basis, transposed: true, keeping: 0)
      tally.expect(
        gram.minus(.identity(gram.rows)).maximumMagnitude < 1e-10, "\(seed), basis orthonormal")
      // Least norm: nothing of the freedom is in it.
      tally.expect(
        (basis.transposed * found.cochains).maximumMagnitude < 1e-8 * scale,
        "\(seed), least norm")
      tally.expect(found.freedom == 0 || found.method == .qr, "\(seed), method")
    }
    tally.check(atLeast: 11 * Self.seeds.count)
  }

  /// Where memory is short, conjugate gradients find the same energies, and the same cochains where there is no freedom;
  /// small parts that are singular are left to QR.
  @Test func conjugateGradientsAgree() throws {
    let unique = try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      var (sheaf, k, fixed) = Self.problem(&g, seed)
      if seed % 2 == 0 { sheaf = try sheaf.weighted(g.weights(sheaf.stalks)) }
      let values = g.normalMatrix(rows: fixed.count, columns: 2)
      let direct = try HarmonicExtension(of: values, on: fixed, in: sheaf, degree: k)
      var settings = HarmonicExtension.Settings()
      settings.memoryLimit = 0
      settings.tolerance = 1e-13
      let found = try HarmonicExtension(
        of: values, on: fixed, in: sheaf, degree: k, settings: settings)
      if fixed.count == sheaf.cochainDimension(k) { return }
      tally.expect(
        found.method == .conjugateGradients
          ? found.freedom == nil && found.condition == nil
          : found.method == .qr && found.freedom == direct.freedom,
        "\(seed), \(found.method)")
      tally.expect(
        found.status == .converged && found.residual < 1e-7,
        "\(seed), \(found.status), \(found.residual)")
      for (a, b) in zip(found.energies, direct.energies) {
        tally.expect(abs(a - b) <= 1e-9 * max(1, b), "\(seed), energies \(a), \(b)")
      }
      if direct.freedom == 0 {
        tally.expect(
          found.cochains.minus(direct.cochains).maximumMagnitude
            < 1e-6 * max(1, direct.cochains.maximumMagnitude), "\(seed), cochains")
      }
    }
    unique.check(atLeast: 3 * Self.seeds.count)
  }

  @Test func specialBoundaries() throws {
    let path = CellularSheaf.constant(1, on: .path(5))
    // Linear between the ends; energy ½ · 4 · (8/4)².
    let line = try HarmonicExtension(of: Matrix([[0], [8]]), on: [0, 4], in: path)
    #expect(line.cochains.minus(Matrix([[0], [2], [4], [6], [8]])).maximumMagnitude < 1e-12)
    #expect(abs(line.energies[0] - 8) < 1e-12 && line.freedom == 0)
    // Nothing held: 0, and the freedom of all sections.
    let nothing = try HarmonicExtension(of: Matrix(rows: 0, columns: 1), on: [], in: path)
    #expect(nothing.freedom == 1 && nothing.cochains.maximumMagnitude == 0)
    // All held.
    let all = try HarmonicExtension(
      of: Matrix(column: [1, 2, 3, 4, 5]), on: [0, 1, 2, 3, 4], in: path)
    #expect(all.freedom == 0 && all.energies == [2] && all.method == .cholesky)
    // A component of its own is free and stays 0.
    let two = CellularSheaf.constant(
      1, on: try .graph(vertices: 5, edges: [(0, 1), (1, 2), (3, 4)]))
    let free = try HarmonicExtension(of: Matrix([[1], [3]]), on: [0, 2], in: two)
    #expect(free.freedom == 1 && free.method == .qr)
    #expect(free.cochains.minus(Matrix(column: [1, 2, 3, 0, 0])).maximumMagnitude < 1e-12)
    // No column.
    #expect(
      try HarmonicExtension(of: Matrix(rows: 1, columns: 0), on: [0], in: path).energies == [])
    for bad in [Double.nan, .infinity] {
      #expect(throws: FactorizationError.notFinite) {
        try HarmonicExtension(of: Matrix([[bad]]), on: [0], in: path)
      }
    }
  }

  /// c − Aᵀ(A Aᵀ)⁺A c in orthonormal coordinates, A = δ there.
  @Test func nearestCocycleIsTheDenseProjection() throws {
    let tally = try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      var (sheaf, k, _) = Self.problem(&g, seed)
      if seed % 4 == 3 { sheaf = .constant(2, on: g.connectedGraph(vertices: 7, extra: 0)) }
      if seed % 2 == 0 { sheaf = try sheaf.weighted(g.weights(sheaf.stalks)) }
      let c = g.normalMatrix(rows: sheaf.cochainDimension(k), columns: 2)
      let found = try NearestCocycle(to: c, in: sheaf, degree: k)
      let a = sheaf.coboundary(k, in: .orthonormal).dense
      let tilde = sheaf.orthonormal(c, degree: k)
      var projected = tilde
      projected.add(
        a.transposed * ((a * a.transposed).pseudoInverse * (a * tilde)), scale: -1)
      let expected = sheaf.given(projected, degree: k)
      tally.expect(
        found.cocycles.minus(expected).maximumMagnitude < 1e-8, "\(seed), \(found.method)")
      tally.expect(
        sheaf.coboundary(k)(found.cocycles).maximumMagnitude < 1e-9 && found.residual < 1e-9,
        "\(seed), cocycles")
      for j in 0..<2 {
        let d = c.minus(found.cocycles).column(j)
        tally.expect(
          abs(found.distances[j] - sheaf.inner(d, d, degree: k).squareRoot()) < 1e-9,
          "\(seed), distance")
      }
      let again = try NearestCocycle(to: c, in: sheaf, degree: k, conditionLimit: 0)
      tally.expect(
        again.method == .qr && again.cocycles.minus(found.cocycles).maximumMagnitude < 1e-8,
        "\(seed), by QR")
      let sections = try sheaf.globalSections()
      tally.expect(
        try sheaf.coboundary(0)(sections).maximumMagnitude < 1e-9
          && sections.columns == RealCohomology(sheaf).betti.first ?? 0, "\(seed), sections")
    }
    tally.check(atLeast: 5 * Self.seeds.count)
    let path = CellularSheaf.constant(1, on: .path(3))
    #expect(try NearestCocycle(to: Matrix(column: [1, 2, 6]), in: path).method == .cholesky)
    #expect(throws: FactorizationError.notFinite) {
      try NearestCocycle(to: Matrix(column: [1, .nan, 6]), in: path)
    }
  }

  @Test func smoothingAndHeatAreTheirDefinitions() throws {
    let tally = try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      var (sheaf, k, _) = Self.problem(&g, seed)
      sheaf = try sheaf.weighted(g.weights(sheaf.stalks))
      let n = sheaf.cochainDimension(k)
      let y = g.normalMatrix(rows: n, columns: 2)
      for part in SheafLaplacian.Part.allCases {
        let laplacian = SheafLaplacian(sheaf, degree: k, part: part)
        let l = laplacian.laplacian.matrix.dense
        let ridge = [0, 0.3, 100][Int(seed % 3)]
        var system = l
        system.scale(by: ridge)
        system.add(.identity(n))
        let expected = sheaf.given(
          try system.solve(sheaf.orthonormal(y, degree: k)), degree: k)
        let found = try laplacian.smoothed(y, ridge: ridge)
        tally.expect(
          found.cochains.minus(expected).maximumMagnitude < 1e-9 && found.residual < 1e-10,
          "\(seed), \(part), ridge")
        let (s, t) = (g.uniform(0, 0.5), g.uniform(0, 3))
        func flow(_ time: Double) -> Matrix {
          sheaf.given(
            l.spectral { exp(-time * $0) } * sheaf.orthonormal(y, degree: k), degree: k)
        }
        for time in [0, 1e-200, 1e-12, s, t, 50] {
          let error = laplacian.heatFlow(y, time: time).minus(flow(time)).maximumMagnitude
          tally.expect(error < 1e-10, "\(seed), \(part), time \(time): \(error)")
        }
        // The semigroup law.
        let twice = laplacian.heatFlow(laplacian.heatFlow(y, time: s), time: t)
        tally.expect(
          twice.minus(laplacian.heatFlow(y, time: s + t)).maximumMagnitude < 1e-11,
          "\(seed), \(part), semigroup")
      }
      // It tends to the harmonic part.
      let limit = SheafLaplacian(sheaf, degree: k).heatFlow(y, time: 1e5)
      let harmonic = try HodgeDecomposition(of: y, in: sheaf, degree: k).harmonic
      tally.expect(limit.minus(harmonic).maximumMagnitude < 1e-6, "\(seed), limit")
    }
    tally.check(atLeast: 22 * Self.seeds.count)
    let path = SheafLaplacian(.constant(1, on: .path(2)), degree: 0)
    #expect(throws: FactorizationError.notFinite) {
      try path.smoothed(Matrix(column: [1, .nan]), ridge: 1)
    }
    // e^{−z} I_k(z): e⁻¹ I₀(1), e⁻¹ I₁(1), e^{−1000} I₀(1000) (Abramowitz, Stegun, tables 9.8 and the asymptotic series).
    let bessel = SheafLaplacian.scaledBessel(1)
    #expect(abs(bessel[0] - 0.465_759_607_593_640_4) < 1e-15)
    #expect(abs(bessel[1] - 0.207_910_415_349_708_4) < 1e-15)
    #expect(abs(SheafLaplacian.scaledBessel(1000)[0] - 0.012_617_240_455_891_257) < 1e-13)
  }
}

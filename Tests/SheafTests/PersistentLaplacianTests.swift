import CellComplexes
import CellularSheaves
import Foundation
import LinearAlgebra
import SheafCohomology
import SheafPersistence
import Testing

/// Persistent Laplacians against barcodes, definitions and spectra by hand.
@Suite struct PersistentLaplacianTests {
  /// The kernel has the dimension of the persistent Betti number over ℚ.
  @Test func kernelIsPersistentCohomology() throws {
    try Tally.over(Array(0..<500)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let filtration = g.filtration()
      let barcode = try filtration.barcode(over: .rational)
      let (a, b) = (Double(g.integer(0...3)), Double(g.integer(0...3)))
      for q in 0...2 {
        let laplacian = try PersistentLaplacian(
          filtration, degree: q, from: min(a, b), to: max(a, b))
        let (found, expected) = (
          try laplacian.betti(), barcode.rank(q, from: min(a, b), to: max(a, b))
        )
        tally.expect(
          found == expected, "seed \(seed), degree \(q), \(a) \(b): \(found), expected \(expected)")
      }
    }.check(atLeast: 1500)
  }

  /// Units of the cells change the spectrum and no Betti number.
  @Test func unitsHaveNoSayInTheKernel() throws {
    try Tally.over(Array(0..<100)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let filtration = g.filtration()
      let sheaf = filtration.sheaf
      let units = (0..<sheaf.complex.count).map { _ in pow(10, Double(g.integer(-2...2))) }
      let changed = try sheaf.changingBases(
        units.enumerated().map { cell, unit in
          .diagonal([Double](repeating: unit, count: sheaf.stalk(of: cell)))
        })
      // The maps are those of other units, the inner products standard.
      let plain = try CellularSheaf(
        sheaf.complex, stalks: (0..<sheaf.complex.count).map { sheaf.stalk(of: $0) }
      ) { changed.map($0) }
      let other = try SheafFiltration(plain, values: filtration.values)
      for q in 0...1 {
        let expected = try filtration.barcode(over: .rational).rank(q, from: 1, to: 2)
        let found = try PersistentLaplacian(other, degree: q, from: 1, to: 2).kernel()
        // A few are in doubt, and said to be.
        if found.isNarrow { continue }
        tally.expect(
          found.dimension == expected,
          "seed \(seed), degree \(q): \(found), expected \(expected)")
      }
    }.check(atLeast: 180)
  }

  /// ∂ as the definition has it: the adjoint on an orthonormal basis of the cochains whose image is 0 outside X_a.
  @Test func upperPartIsItsDefinition() throws {
    try Tally.over(Array(0..<100)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let complex = g.simplicial(vertices: 6, facets: 6, dimension: 2).complex
      let sheaf = g.weightedSheaf(on: complex, summands: 2)
      let values = (0..<complex.count).map { _ in Double(g.integer(0...2)) }
      let filtration = try SheafFiltration.lowerStar(
        sheaf, vertexValues: Array(values.prefix(complex.cells(ofDimension: 0).count)))
      for q in 0...1 {
        let laplacian = try PersistentLaplacian(filtration, degree: q, from: 1, to: 2)
        let adjoint = sheaf.coboundaryTransposed(q, in: .orthonormal).dense
        let kept = laplacian.coordinates
        let rest = (0..<adjoint.rows).filter { !kept.contains($0) }
        let outside = adjoint[rows: rest, columns: Array(0..<adjoint.columns)]
        var gram = Matrix(rows: adjoint.columns, columns: adjoint.columns)
        gram.addGram(outside, transposed: true)
        let pairs = try SymmetricEigendecomposition(gram)
        let zeros = pairs.values.count { $0 < 1e-9 * max(1, pairs.values.last ?? 0) }
        let image = adjoint.gathered(kept) * pairs.vectors.columns(0..<zeros)
        var expected = Matrix(rows: kept.count, columns: kept.count)
        expected.addGram(image)
        expected.add(laplacian.up.symmetrized.dense, scale: -1)
        tally.expect(
          expected.maximumMagnitude < 1e-7 * max(1, laplacian.scale),
          "seed \(seed), degree \(q): \(expected.maximumMagnitude)")
      }
    }.check(atLeast: 200)
  }

  /// From a value to itself it is the Hodge Laplacian of the subcomplex.
  @Test func equalValuesGiveTheHodgeLaplacian() throws {
    for seed in UInt64(0)..<50 {
      var g = RandomGenerator(case: seed)
      let filtration = g.filtration()
      let part = filtration.subsheaf(upTo: 1).sheaf
      for q in 0...2 {
        let found = try PersistentLaplacian(filtration, degree: q, from: 1, to: 1).spectrum().values
        let expected = try LaplacianSpectrum(all: SheafLaplacian(part, degree: q)).values
        #expect(found.count == expected.count)
        let isNear = zip(found, expected).allSatisfy {
          abs($0 - $1) < 1e-9 * max(1, expected.last!)
        }
        #expect(isNear, "SHEAF_SEED=\(Seeds.shift), seed \(seed), degree \(q)")
      }
    }
  }

  /// Two vertices at 0, joined at 1 by a path of two edges: in series their conductances 1 make 1/2, and
  /// (1/2)(1, −1; −1, 1) has the eigenvalues 0 and 1.
  ///
  /// A square at 0, its diagonal and two triangles at 1: of the two triangles' adjoints only the normed sum
  /// (t₁ + t₂)/√2 has no part on the diagonal; it has entries ±1/√2 on the four sides, so that the upper part is u uᵀ with
  /// |u|² = 2, u the loop. The lower part has the spectrum 0, 2, 2, 4 of the cycle, 0 on the loop: together 2, 2, 2, 4.
  @Test func spectraByHand() throws {
    let path = try CellComplex.graph(vertices: 3, edges: [(0, 2), (2, 1)])
    let joined = try SheafFiltration(.constant(on: path), values: [0, 0, 1, 1, 1])
    let pair = try PersistentLaplacian(joined, degree: 0, from: 0, to: 1).spectrum().values
    #expect(pair.count == 2 && abs(pair[0]) < 1e-15 && abs(pair[1] - 1) < 1e-15)

    let square = try SimplicialComplex(facets: [[0, 1, 2], [0, 2, 3]])
    let late = Set([[0, 2], [0, 1, 2], [0, 2, 3]])
    let values = (0..<square.complex.count).map {
      late.contains(square.simplices[$0].map(Int.init)) ? 1.0 : 0
    }
    let filled = try SheafFiltration(.constant(on: square.complex), values: values)
    for (b, expected) in [(0.0, [0.0, 2, 2, 4]), (1, [2, 2, 2, 4])] {
      let found = try PersistentLaplacian(filled, degree: 1, from: 0, to: b).spectrum().values
      #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-14 }, "\(found)")
    }
    let curve = try PersistentSpectrumCurve(filled, degree: 1, at: [0, 1], offset: 1)
    #expect(curve.betti == [0, 0] && curve.positive[0].count == 3)
  }

  /// Two charges: δ = (−q₁/r, q₀/r), so L₀ = δᵀδ has the eigenvalues 0 and (q₀² + q₁²)/r². Three at the corners of a
  /// right triangle of sides 1, 1, √2: the map from edge ij to the triangle is q_k/(r_ik r_jk), so that L₂ is
  /// (q₂/√2)² + (q₁/√2)² + (q₀/1)² for the right angle at 0.
  @Test func chargedPointsByHand() throws {
    let points = Matrix(rows: 2, columns: 3, columnMajor: [0, 0, 1, 0, 0, 1])
    let charges = [0.5, -2, 3.0]
    let triangle = try SimplicialComplex(facets: [[0, 1, 2]])
    let sheaf = try CellularSheaf.chargedPoints(points, charges: charges, on: triangle)
    try sheaf.check()
    let top = try LaplacianSpectrum(all: SheafLaplacian(sheaf, degree: 2)).values
    #expect(abs(top[0] - (9.0 / 2 + 4.0 / 2 + 0.25)) < 1e-14)
    let bar = try SimplicialComplex(facets: [[0, 1]])
    let pair = try CellularSheaf.chargedPoints(
      Matrix(rows: 1, columns: 2, columnMajor: [0, 4]), charges: [3, 1], on: bar)
    let values = try LaplacianSpectrum(all: SheafLaplacian(pair, degree: 0)).values
    #expect(abs(values[0]) < 1e-15 && abs(values[1] - 10.0 / 16) < 1e-15)
    let far = try CellularSheaf.chargedPoints(
      Matrix(rows: 1, columns: 2, columnMajor: [0, 1e200]), charges: [3, 1], on: bar)
    #expect(far.map(0).dense(1)[0, 0] > 0)
    #expect(throws: SheafError.self) {
      try CellularSheaf.chargedPoints(points, charges: [1], on: triangle)
    }
    #expect(throws: SheafError.self) {
      try CellularSheaf.chargedPoints(Matrix(rows: 2, columns: 3), charges: charges, on: triangle)
    }
  }

  /// Isomorphic to the constant sheaf where no charge is 0: the same barcode.
  @Test func chargesKeepTheBarcode() throws {
    for seed in UInt64(0)..<30 {
      var g = RandomGenerator(case: seed)
      let points = Matrix(
        rows: 2, columns: 9, columnMajor: (0..<18).map { _ in g.uniform() })
      let rips = try SheafFiltration.vietorisRips(points: points, radius: 0.6, maximumDimension: 2)
      let sheaf = try CellularSheaf.chargedPoints(
        points, charges: (0..<9).map { _ in g.uniform(0.5, 2) }, on: rips.complex)
      let charged = try SheafFiltration(sheaf, values: rips.filtration.values)
      let (found, expected) = try (
        charged.barcode(over: .real(), maximumDegree: 1),
        rips.filtration.barcode(over: .rational, maximumDegree: 1)
      )
      #expect(
        found.intervals == expected.intervals, "SHEAF_SEED=\(Seeds.shift), seed \(seed)")
    }
  }
}

import CellComplexes
import CellularSheaves
import LinearAlgebra
import Testing

@testable import SheafCohomology

/// C^k = im δ ⊕ im δ* ⊕ (ker δ ∩ ker δ*), orthogonally in the inner product of the weights.
struct HodgeTests {
  static let seeds = Array(UInt64(0)..<60)

  @Test func partsAreExactCoexactAndHarmonic() throws {
    let tally = try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let complex =
        seed % 3 == 0
        ? g.graph(vertices: 6, edges: 10, halfOpen: true)
        : seed % 3 == 1
          ? g.simplicial(vertices: 6, facets: 5, dimension: 3).complex
          : .grid([3, 3], isPeriodic: seed % 2 == 0)
      let sheaf = g.weightedSheaf(on: complex, summands: 3)
      let betti = try RealCohomology(sheaf, tolerance: 1e-8)
      for k in 0...complex.dimension {
        let n = sheaf.cochainDimension(k)
        let c = g.normalMatrix(rows: n, columns: 2)
        let hodge = try HodgeDecomposition(of: c, in: sheaf, degree: k)
        let parts = [hodge.exact, hodge.coexact, hodge.harmonic]
        let (delta, before) = (sheaf.coboundary(k).dense, sheaf.coboundary(k - 1).dense)
        // δ* = W_{k−1}⁻¹ δᵀ W_k, by the definition of the adjoint.
        func codifferential(_ x: Matrix) throws -> Matrix {
          let image = before.transposed * (sheaf.weight(degree: k) * x)
          return image.rows == 0 ? image : try sheaf.weight(degree: k - 1).solve(image)
        }
        var sum = parts[0]
        sum.add(parts[1])
        sum.add(parts[2])
        tally.expect(sum.minus(c).maximumMagnitude < 1e-9, "\(seed), degree \(k), sum")
        for j in 0..<2 {
          for a in 0..<3 {
            for b in 0..<a {
              let product = sheaf.inner(parts[a].column(j), parts[b].column(j), degree: k)
              tally.expect(abs(product) < 1e-9, "\(seed), degree \(k), \(a) ⟂ \(b): \(product)")
            }
          }
          let norms = hodge.norms[j]
          for (norm, part) in zip([norms.exact, norms.coexact, norms.harmonic], parts) {
            let square = sheaf.inner(part.column(j), part.column(j), degree: k)
            tally.expect(abs(norm * norm - square) < 1e-9, "\(seed), degree \(k), norm")
          }
        }
        tally.expect(
          try (delta * hodge.harmonic).maximumMagnitude < 1e-8
            && (delta * hodge.exact).maximumMagnitude < 1e-8
            && codifferential(hodge.harmonic).maximumMagnitude < 1e-8
            && codifferential(hodge.coexact).maximumMagnitude < 1e-8,
          "\(seed), degree \(k), kernels")
        // δ a and δ* b: what is left of them beside the ranges, by dense projections.
        let isExact = try Self.distance(hodge.exact, toRangeOf: before) < 1e-8
        let adjoint = try sheaf.weight(degree: k).solve(
          delta.transposed * sheaf.weight(degree: k + 1))
        let isCoexact = try Self.distance(hodge.coexact, toRangeOf: adjoint) < 1e-8
        tally.expect(isExact && isCoexact, "\(seed), degree \(k), ranges")
        let basis = try HarmonicBasis(sheaf, degree: k)
        if betti.isNarrow || basis.isNarrow || hodge.isNarrow { continue }
        tally.expect(basis.dimension == betti.betti[k], "\(seed), degree \(k), dimension")
        // The harmonic part is the projection onto the harmonic basis.
        let projected = basis.cochains * basis.classes(of: c)
        tally.expect(
          projected.minus(hodge.harmonic).maximumMagnitude < 1e-7, "\(seed), degree \(k), basis")
        // Classes of cocycles are those of their harmonic parts: coboundaries have none.
        if k > 0 {
          let coboundary = sheaf.coboundary(k - 1)(
            g.normalMatrix(rows: sheaf.cochainDimension(k - 1), columns: 1))
          tally.expect(
            basis.classes(of: coboundary).maximumMagnitude < 1e-8, "\(seed), degree \(k), class")
        }
        let harmonic = basis.cochains
        tally.expect(
          (0..<harmonic.columns).allSatisfy { i in
            (0...i).allSatisfy {
              abs(
                sheaf.inner(harmonic.column(i), harmonic.column($0), degree: k) - (i == $0 ? 1 : 0))
                < 1e-9
            }
          }, "\(seed), degree \(k), orthonormal")
      }
    }
    tally.check(atLeast: 60 * 30)
    #expect(throws: FactorizationError.notFinite) {
      try HodgeDecomposition(
        of: Matrix(column: [1, .nan]), in: .constant(1, on: .path(2)), degree: 0)
    }
  }

  /// ‖x − A A⁺ x‖.
  private static func distance(_ x: Matrix, toRangeOf a: Matrix) throws -> Double {
    let qr = try PivotedQR(a, tolerance: 1e-9)
    var rest = x
    qr.applyQTranspose(&rest)
    return rest.rows(qr.rank..<rest.rows).maximumMagnitude
  }

  /// A flow around a square with a diagonal: a source and sink are exact, the triangle that is filled is coexact, the
  /// other harmonic.
  @Test func flowsHaveTheirParts() throws {
    let space = try SimplicialComplex(facets: [[0, 1, 2], [0, 3], [2, 3]])
    let sheaf = CellularSheaf.constant(1, on: space.complex)
    func flow(_ edges: [([Int32], Double)]) -> Matrix {
      var c = Matrix(rows: 5, columns: 1)
      for (edge, value) in edges { c[space.simplices.cell(edge)! - 4, 0] = value }
      return c
    }
    let around = flow([([0, 1], 1), ([1, 2], 1), ([0, 2], -1)])
    let hodge = try HodgeDecomposition(of: around, in: sheaf, degree: 1)
    // Curl 3 over the one triangle, whose boundary has the norm √3.
    #expect(hodge.coexact.minus(around).maximumMagnitude < 1e-12)
    #expect(abs(hodge.norms[0].coexact - 3.0.squareRoot()) < 1e-12 && hodge.norms[0].exact < 1e-12)
    let potential = sheaf.coboundary(0)(Matrix(column: [1, 2, 4, 8]))
    let gradient = try HodgeDecomposition(of: potential, in: sheaf, degree: 1)
    #expect(gradient.exact.minus(potential).maximumMagnitude < 1e-12)
    let hole = try HodgeDecomposition(
      of: flow([([0, 2], 1), ([2, 3], 1), ([0, 3], -1)]), in: sheaf, degree: 1)
    #expect(hole.norms[0].harmonic > 1 && hole.norms[0].exact < 1e-12)
  }
}

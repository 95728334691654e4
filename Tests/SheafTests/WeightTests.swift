import CellComplexes
import CellularSheaves
import LinearAlgebra
import SheafCohomology
import Testing

/// Weights go along with what is made of a sheaf.
struct WeightTests {
  /// A change of bases is an isometry: the same eigenvalues in every degree.
  @Test func changesOfBasesAreIsometries() throws {
    for seed in UInt64(0)..<20 {
      var g = RandomGenerator(case: seed)
      let sheaf = g.weightedSheaf(
        on: g.simplicial(vertices: 5, facets: 4, dimension: 2).complex, summands: 2)
      let changed = try sheaf.changingBases(sheaf.stalks.map { g.invertible($0) })
      for k in 0...max(sheaf.complex.dimension, 0) {
        let (a, b) = try (
          LaplacianSpectrum(all: SheafLaplacian(sheaf, degree: k)).values,
          LaplacianSpectrum(all: SheafLaplacian(changed, degree: k)).values
        )
        let scale = max(a.last ?? 0, 1)
        #expect(
          zip(a, b).allSatisfy { abs($0 - $1) < 1e-7 * scale } && a.count == b.count,
          "seed \(seed), degree \(k)")
      }
    }
  }

  /// The kernel of a projection of F ⊕ G onto F is G with its weights.
  @Test func subsheavesKeepInnerProducts() throws {
    var g = RandomGenerator(case: 3)
    let complex = CellComplex.cycle(4)
    let (f, h) = (
      g.weightedSheaf(on: complex, summands: 2), g.weightedSheaf(on: complex, summands: 2)
    )
    let sum = try f.directSum(h)
    let projection = try SheafMorphism(
      from: sum, to: f,
      components: (0..<complex.count).map { cell in
        var m = Matrix(rows: f.stalk(of: cell), columns: sum.stalk(of: cell))
        m.setBlock(row: 0, column: 0, to: .identity(m.rows))
        return m
      })
    let kernel = try projection.kernel().source
    // The bases are orthonormal in coordinates: the weights keep their eigenvalues.
    for cell in 0..<complex.count {
      let n = h.stalk(of: cell)
      let a = try SymmetricEigendecomposition(kernel.innerProduct(of: cell).dense(n)).values
      let b = try SymmetricEigendecomposition(h.innerProduct(of: cell).dense(n)).values
      #expect(zip(a, b).allSatisfy { abs($0 - $1) < 1e-9 }, "cell \(cell)")
    }
    for k in 0...1 {
      let a = try LaplacianSpectrum(all: SheafLaplacian(kernel, degree: k)).values
      let b = try LaplacianSpectrum(all: SheafLaplacian(h, degree: k)).values
      #expect(a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) < 1e-8 * max(1, b.last!) })
    }
  }
}

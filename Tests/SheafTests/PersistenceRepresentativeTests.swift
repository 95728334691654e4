import CellComplexes
import CellularSheaves
import LinearAlgebra
import SheafPersistence
import Testing

/// The cochains that stand for bars.
@Suite struct PersistenceRepresentativeTests {
  /// x begins at the birth and δx at the death; the classes of the bars that contain a are a basis of H^q(X_a).
  @Test func cochainsOfBarsAreBasesAtEveryValue() throws {
    try Tally.over(Array(0..<200)) { seed, tally in
      var generator = RandomGenerator(case: 3000 + seed)
      let filtration = generator.filtration()
      for p in [2, 3, (1 << 31) - 1] {
        let field: SheafFiltration.Coefficients = p > 3 ? .rational : .prime(p)
        let barcode = try filtration.barcode(over: field, findingRepresentatives: true)
        Self.check(filtration, barcode, p) { tally.expect($0, "seed \(seed) over \(field): \($1)") }
        tally.expect(
          try filtration.barcode(over: field).intervals.map { [$0.birth, $0.death] }
            == barcode.intervals.map { [$0.birth, $0.death] },
          "seed \(seed) over \(field): other bars without representatives")
      }
    }.check(atLeast: 2000)
  }

  private static func check(
    _ filtration: SheafFiltration, _ barcode: Barcode, _ p: Int,
    _ expect: (Bool, String) -> Void
  ) {
    let sheaf = filtration.sheaf
    for bar in barcode.intervals {
      let x = dense(bar, filtration)
      let image = sheaf.coboundary(bar.degree).dense * Matrix(column: x)
      expect(first(x, bar.degree, filtration, p) == bar.birth, "\(bar): not born there")
      expect(
        first(image.elements, bar.degree + 1, filtration, p) == bar.death, "\(bar): no end there")
    }
    for a in filtration.steps {
      for q in 0...max(sheaf.complex.dimension, 0) {
        let low = filtration.coordinates(q, upTo: a)
        let classes = barcode[q].filter { $0.contains(a) }.map { bar in
          let x = dense(bar, filtration)
          return low.map { (Int(x[$0]) % p + p) % p }
        }
        let coboundaries = DenseResidues.transposed(
          DenseResidues.block(
            sheaf.coboundary(q - 1), rows: low, columns: filtration.coordinates(q - 1, upTo: a),
            modulo: p))
        expect(
          DenseResidues.rank(classes + coboundaries, modulo: p)
            == classes.count + DenseResidues.rank(coboundaries, modulo: p),
          "degree \(q) at \(a): dependent classes")
      }
    }
  }

  private static func dense(_ bar: PersistenceInterval, _ filtration: SheafFiltration) -> [Double] {
    var x = [Double](repeating: 0, count: filtration.sheaf.cochainDimension(bar.degree))
    for (i, value) in zip(bar.representative!.coordinates, bar.representative!.values) {
      x[i] = value
    }
    return x
  }

  /// The least value of a cell where a cochain is not 0.
  private static func first(
    _ cochain: [Double], _ q: Int, _ filtration: SheafFiltration, _ p: Int
  ) -> Double {
    let sheaf = filtration.sheaf
    return sheaf.complex.cells(ofDimension: q).filter { cell in
      sheaf.range(of: cell).contains { Int(cochain[$0]) % p != 0 }
    }.map { filtration.values[$0] }.min() ?? .infinity
  }

  /// Over ℝ, with weights, within rounding.
  @Test func cochainsOfRealBars() throws {
    try Tally.over(Array(0..<100)) { seed, tally in
      var generator = RandomGenerator(case: 4000 + seed)
      let whole = generator.filtration()
      let stalks = whole.sheaf.stalks
      let sheaf = try whole.sheaf.changingBases(stalks.map { generator.invertible($0) })
        .weighted(generator.weights(stalks))
      let filtration = try SheafFiltration(sheaf, values: whole.values)
      for bar in try filtration.barcode(
        over: .real(tolerance: 1e-10), findingRepresentatives: true
      ).intervals {
        let x = Self.dense(bar, filtration)
        let size = x.reduce(0) { max($0, abs($1)) }
        let image = sheaf.applyCoboundary(Matrix(column: x), degree: bar.degree).elements
        for (cochain, q, value) in [(x, bar.degree, bar.birth), (image, bar.degree + 1, bar.death)]
        {
          let rounded = cochain.map { abs($0) < 1e-8 * size ? 0 : $0.sign == .minus ? -1.0 : 1 }
          tally.expect(
            Self.first(rounded, q, filtration, 2) == value, "seed \(seed): \(bar), degree \(q)")
        }
      }
    }.check(atLeast: 200)
  }
}

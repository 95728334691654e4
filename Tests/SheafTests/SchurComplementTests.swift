import Foundation
import LinearAlgebra
import SparseFactorizations
import Testing

/// Schur complements against dense pseudo-inverses.
@Suite struct SchurComplementTests {
  /// B for n unknowns: rows of a graph's incidence matrix or of small random blocks, some unknowns in no column.
  private static func factor(_ g: inout RandomGenerator, unknowns n: Int) -> SparseMatrix {
    let columns = g.integer(n / 2...2 * n)
    let isGraph = g.uniform() < 0.5
    var entries: [(row: Int, column: Int, value: Double)] = []
    for j in 0..<columns {
      let (i, k) = (g.integer(0...n - 1), g.integer(0...n - 1))
      if isGraph {
        if i != k { entries += [(i, j, 1), (k, j, -1)] }
      } else {
        for row in Set([i, k, g.integer(0...n - 1)]).sorted() {
          entries.append((row, j, Double(g.integer(-2...2))))
        }
      }
    }
    return SparseMatrix(rows: n, columns: columns, entries: entries)
  }

  /// S and the energies of extensions against the definition; parts of all sizes, singular ones too.
  @Test func complementIsLeastEnergy() throws {
    try Tally.over(Array(0..<200)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let n = g.integer(1...(seed % 10 == 0 ? 150 : 30))
      let b = Self.factor(&g, unknowns: n)
      let share = g.uniform()
      let kept = g.permutation(n).filter { _ in g.uniform() < share }
      let schur = try SchurComplement(b, keeping: kept)
      let a = b.outerGram.symmetrized.dense
      let rest = (0..<n).filter { !kept.contains($0) }
      // A_EE⁺ by an eigendecomposition of numbers of moderate size.
      let inner = a[rows: rest, columns: rest]
      let pairs = try SymmetricEigendecomposition(inner)
      let zeros = pairs.values.count { $0 < 1e-9 * max(pairs.values.last ?? 0, 1) }
      var scaled = pairs.vectors
      for j in 0..<rest.count {
        for i in 0..<rest.count { scaled[i, j] *= j < zeros ? 0 : 1 / pairs.values[j] }
      }
      var inverse = Matrix(rows: rest.count, columns: rest.count)
      inverse.setProduct(scaled, pairs.vectors, transposing: .right)
      let coupling = a[rows: rest, columns: kept]
      var expected = a[rows: kept, columns: kept]
      var product = Matrix(rows: kept.count, columns: kept.count)
      product.setProduct(coupling, inverse * coupling, transposing: .left)
      expected.add(product, scale: -1)
      var difference = schur.matrix
      difference.add(expected, scale: -1)
      tally.expect(
        difference.maximumMagnitude < 1e-8 * max(1, a.maximumMagnitude),
        "seed \(seed), \(n) unknowns: \(difference.maximumMagnitude)")
      tally.expect(
        schur.freedom == zeros, "seed \(seed): freedom \(schur.freedom), expected \(zeros)")
      // An extension has the energy ⟨x, S x⟩, and no other has less.
      let x = Matrix(column: kept.map { _ in g.uniform(-1, 1) })
      let extended = try schur.extend(x)
      let energy = { (c: Matrix) in b.adjoint(c).sumOfSquares }
      var image = Matrix(rows: 1, columns: 1)
      image.setProduct(x, expected * x, transposing: .left)
      let scale = max(1, a.maximumMagnitude) * Double(n)
      tally.expect(
        abs(energy(extended) - image[0, 0]) < 1e-8 * scale
          && kept.indices.allSatisfy { extended[kept[$0], 0] == x[$0, 0] },
        "seed \(seed): energy \(energy(extended)), expected \(image[0, 0])")
      var other = extended
      for i in rest { other[i, 0] += g.uniform(-1, 1) }
      tally.expect(
        energy(other) >= energy(extended) - 1e-9 * scale,
        "seed \(seed): an extension of less energy")
    }.check(atLeast: 800)
  }

  /// S in other units of the unknowns is D S D, whatever is singular: units from 10⁻⁸ to 10⁸, parts small and large.
  @Test func unitsOfUnknownsHaveNoSay() throws {
    try Tally.over(Array(0..<100)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let n = g.integer(2...(seed % 5 == 0 ? 150 : 30))
      let b = Self.factor(&g, unknowns: n)
      let kept = Array(g.permutation(n).prefix(g.integer(1...max(n / 4, 1))))
      let units = (0..<n).map { _ in pow(10, Double(g.integer(-8...8))) }
      let (plain, scaled) = try (
        SchurComplement(b, keeping: kept),
        SchurComplement(b.scalingRows(by: units), keeping: kept)
      )
      tally.expect(
        scaled.freedom == plain.freedom, "seed \(seed): \(scaled.freedom), \(plain.freedom)")
      var back = scaled.matrix
      back.scaleRows(by: kept.map { 1 / units[$0] })
      back.scaleColumns(by: kept.map { 1 / units[$0] })
      back.add(plain.matrix, scale: -1)
      tally.expect(
        back.maximumMagnitude < 1e-8 * max(1, plain.diagonal.max() ?? 0),
        "seed \(seed): \(back.maximumMagnitude)")
    }.check(atLeast: 200)
  }

  /// A grid whose inner part is one large component, eliminated by the sparse factorisation; rows of A_KK that nothing
  /// else determines, and the conductance 1/n of a path.
  @Test func largePartsAreFactored() throws {
    let n = 40
    var entries: [(row: Int, column: Int, value: Double)] = []
    var column = 0
    for i in 0..<n {
      for j in 0..<n {
        for (k, l) in [(i + 1, j), (i, j + 1)] where k < n && l < n {
          entries += [(i * n + j, column, 1), (k * n + l, column, -1)]
          column += 1
        }
      }
    }
    let b = SparseMatrix(rows: n * n, columns: column, entries: entries)
    var g = RandomGenerator(case: 1)
    let kept = Array(g.permutation(n * n).prefix(60))
    let schur = try SchurComplement(b, keeping: kept)
    let s = schur.matrix
    // A reduced graph: rows add up to 0, couplings are negative.
    for i in 0..<60 {
      #expect(abs((0..<60).reduce(0) { $0 + s[i, $1] }) < 1e-12)
      #expect((0..<60).allSatisfy { $0 == i || s[i, $0] <= 1e-15 })
    }
    let rest = schur.eliminated
    let a = b.outerGram.symmetrized.dense
    var inner = a[rows: rest, columns: kept]
    try CholeskyFactorization(a[rows: rest, columns: rest]).solve(&inner)
    var expected = a[rows: kept, columns: kept]
    expected.addProduct(a[rows: rest, columns: kept], inner, transposing: .left, scale: -1)
    var difference = s
    difference.add(expected, scale: -1)
    #expect(difference.maximumMagnitude < 1e-12)
    let x = Matrix(rows: 60, columns: 3, columnMajor: (0..<180).map { _ in g.uniform(-1, 1) })
    let extended = try schur.extend(x)
    var values = inner * x
    values.scale(by: -1)
    values.add(extended.gathered(rest), scale: -1)
    #expect(values.maximumMagnitude < 1e-12)

    let path = SparseMatrix(
      rows: 1001, columns: 1000,
      entries: (0..<1000).flatMap { [($0, $0, 1.0), ($0 + 1, $0, -1.0)] }
    )
    let ends = try SchurComplement(path, keeping: [1000, 0]).matrix
    #expect(abs(ends[0, 0] - 0.001) < 1e-12 && abs(ends[0, 1] + 0.001) < 1e-12)
  }
}

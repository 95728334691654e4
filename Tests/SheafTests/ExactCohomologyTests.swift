import BigInt
import ExactAlgebra
import LinearAlgebra
import Testing

/// Cohomology of spaces whose cohomology is known, and the laws of its representatives.
struct ExactCohomologyTests {
  /// A cochain complex.
  struct Complex {
    var dimensions: [Int]
    var coboundaries: [SparseMatrix]

    func cohomology(
      over coefficients: ExactCohomology.Coefficients, representatives: Bool = false
    ) throws -> ExactCohomology {
      try ExactCohomology(
        dimensions: dimensions, coboundaries: coboundaries, over: coefficients,
        findingRepresentatives: representatives)
    }
  }

  /// The simplicial complex of these simplices and their faces.
  static func simplicial(_ facets: [[Int]]) -> Complex {
    let top = facets.map(\.count).max() ?? 1
    var cells = [[[Int]]](repeating: [], count: top)
    for bits in 1..<1 << top {
      for facet in facets {
        let face = facet.sorted().enumerated().filter { bits >> $0.offset & 1 == 1 }.map(\.element)
        if face.count == bits.nonzeroBitCount { cells[face.count - 1].append(face) }
      }
    }
    for k in cells.indices {
      cells[k] = Array(Set(cells[k])).sorted { $0.lexicographicallyPrecedes($1) }
    }
    var coboundaries: [SparseMatrix] = []
    for k in 1..<top {
      let place = Dictionary(
        uniqueKeysWithValues: cells[k - 1].enumerated().map { ($1, $0) })
      var entries: [(row: Int, column: Int, value: Double)] = []
      for (row, cell) in cells[k].enumerated() {
        for i in cell.indices {
          var face = cell
          face.remove(at: i)
          entries.append((row, place[face]!, i % 2 == 0 ? 1 : -1))
        }
      }
      coboundaries.append(
        SparseMatrix(rows: cells[k].count, columns: cells[k - 1].count, entries: entries))
    }
    return Complex(dimensions: cells.map(\.count), coboundaries: coboundaries)
  }

  /// A grid of squares with sides glued, the right one turned over for Klein's bottle.
  static func surface(_ n: Int, isTwisted: Bool) -> Complex {
    func vertex(_ i: Int, _ j: Int) -> Int {
      let wraps = i >= n
      let y = wraps && isTwisted ? n - j : j
      return (i % n) * n + ((y % n) + n) % n
    }
    var triangles: [[Int]] = []
    for i in 0..<n {
      for j in 0..<n {
        let (a, b, c, d) = (
          vertex(i, j), vertex(i + 1, j), vertex(i, j + 1), vertex(i + 1, j + 1)
        )
        triangles += [[a, b, d], [a, c, d]]
      }
    }
    return simplicial(triangles)
  }

  /// The six vertices of the projective plane, half an icosahedron.
  static let projectivePlane = simplicial([
    [0, 1, 2], [0, 2, 3], [0, 3, 4], [0, 4, 5], [0, 1, 5],
    [1, 2, 4], [2, 4, 5], [2, 3, 5], [1, 3, 5], [1, 3, 4],
  ])

  /// The lens space L(q, 1): one cell of each dimension, the 2-cell wound q times about the 1-cell.
  static func lensSpace(_ q: Double) -> Complex {
    func one(_ value: Double) -> SparseMatrix {
      SparseMatrix(rows: 1, columns: 1, entries: [(0, 0, value)])
    }
    return Complex(dimensions: [1, 1, 1, 1], coboundaries: [one(0), one(q), one(0)])
  }

  @Test func spacesHaveTheirCohomology() throws {
    let torus = Self.surface(5, isTwisted: false)
    let klein = Self.surface(5, isTwisted: true)
    let sphere = Self.simplicial([[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]])
    let cases: [(Complex, integer: [Int], modulo2: [Int], modulo3: [Int], torsion: [[BigInt]])] = [
      (sphere, [1, 0, 1], [1, 0, 1], [1, 0, 1], [[], [], []]),
      (torus, [1, 2, 1], [1, 2, 1], [1, 2, 1], [[], [], []]),
      (klein, [1, 1, 0], [1, 2, 1], [1, 1, 0], [[], [], [2]]),
      (Self.projectivePlane, [1, 0, 0], [1, 1, 1], [1, 0, 0], [[], [], [2]]),
      (Self.lensSpace(3), [1, 0, 0, 1], [1, 0, 0, 1], [1, 1, 1, 1], [[], [], [3], []]),
      (Self.lensSpace(12), [1, 0, 0, 1], [1, 1, 1, 1], [1, 1, 1, 1], [[], [], [12], []]),
    ]
    for (n, (complex, integer, modulo2, modulo3, torsion)) in cases.enumerated() {
      for representatives in [false, true] {
        func betti(_ c: ExactCohomology.Coefficients) throws -> [Int] {
          let h = try complex.cohomology(over: c, representatives: representatives)
          #expect(
            h.representatives.map(\.count) == (representatives ? h.betti : h.betti.map { _ in 0 }))
          #expect(
            h.torsion == (c == .integer ? torsion : torsion.map { _ in [] }), "case \(n), \(c)")
          return h.betti
        }
        #expect(try betti(.integer) == integer, "case \(n)")
        #expect(try betti(.rational) == integer, "case \(n)")
        #expect(try betti(.prime(2)) == modulo2, "case \(n)")
        #expect(try betti(.prime(3)) == modulo3, "case \(n)")
        #expect(try betti(.prime(2_147_483_647)) == integer, "case \(n)")
      }
    }
  }

  @Test func smallComplexes() throws {
    let none = Complex(dimensions: [], coboundaries: [])
    #expect(try none.cohomology(over: .integer, representatives: true).betti == [])
    let points = Complex(dimensions: [3], coboundaries: [])
    let h = try points.cohomology(over: .rational, representatives: true)
    #expect(h.betti == [3])
    #expect(h.representatives[0].map(\.coordinates) == [[0], [1], [2]])
    let empty = Complex(
      dimensions: [0, 2, 0],
      coboundaries: [
        SparseMatrix(rows: 2, columns: 0, entries: []),
        SparseMatrix(rows: 0, columns: 2, entries: []),
      ])
    for c in [ExactCohomology.Coefficients.prime(5), .rational, .integer] {
      #expect(try empty.cohomology(over: c, representatives: true).betti == [0, 2, 0])
    }
  }

  /// A random complex: two random maps composed to 0 by way of a random change of basis.
  ///
  /// δ_0 = P D₀ and δ_1 = D₁ P⁻¹ with D₁D₀ = 0, P of determinant 1.
  static func randomComplex(_ n: Int, using g: inout RandomGenerator) -> Complex {
    var (a, b) = (Matrix(rows: n, columns: n), Matrix(rows: n, columns: n))
    let cut = Int.random(in: 1..<n, using: &g)
    for i in 0..<n {
      for j in 0..<n {
        if i < cut && g.uniform() < 0.4 { a[i, j] = Double(Int.random(in: -3...3, using: &g)) }
        if j >= cut && g.uniform() < 0.4 { b[i, j] = Double(Int.random(in: -3...3, using: &g)) }
      }
    }
    for _ in 0..<2 * n {
      let (i, k) = (Int.random(in: 0..<n, using: &g), Int.random(in: 0..<n, using: &g))
      if i == k { continue }
      let c = Double(Int.random(in: -1...1, using: &g))
      // Rows of δ_0 and columns of δ_1, inversely.
      for j in 0..<n { a[i, j] += c * a[k, j] }
      for j in 0..<n { b[j, k] -= c * b[j, i] }
    }
    func sparse(_ m: Matrix) -> SparseMatrix {
      SparseMatrix(
        rows: (0..<n).map { i in (0..<n).map { ($0, m[i, $0]) } }, columns: n)
    }
    return Complex(dimensions: [n, n, n], coboundaries: [sparse(a), sparse(b)])
  }

  /// Whether the cocycles are ones and independent of one another and of the coboundaries, over GF(p).
  static func areBasis(
    _ cocycles: [SparseCocycle], degree k: Int, of complex: Complex, modulo p: Int
  ) throws -> Bool {
    let field = try PrimeField(p)
    var beside = SparseColumns<UInt32>(rows: complex.dimensions[k])
    var rank = 0
    if k > 0 {
      beside = try SparseColumns(complex.coboundaries[k - 1], over: field)
      rank = try UnitPivotElimination(beside, over: field).pivotCount
    }
    for cocycle in cocycles {
      let entries = zip(cocycle.coordinates, cocycle.values).map {
        (row: $0, value: field.element(Int($1 % BigInt(p))))
      }
      beside.append(entries.filter { $0.value != 0 })
    }
    return try UnitPivotElimination(beside, over: field).pivotCount == rank + cocycles.count
  }

  /// δ_k applied to a cocycle, without rounding.
  static func coboundary(_ cocycle: SparseCocycle, degree k: Int, in complex: Complex) throws
    -> [BigInt]
  {
    guard k < complex.coboundaries.count else { return [] }
    let matrix = try SparseColumns(
      clearingDenominatorsOf: complex.coboundaries[k], over: BigIntegers())
    var image = [BigInt](repeating: 0, count: matrix.rows)
    for (j, value) in zip(cocycle.coordinates, cocycle.values) {
      for (i, entry) in matrix.column(j) { image[i] += entry * value }
    }
    return image
  }

  @Test func representativesAreABasis() throws {
    try Tally.over(Array(0..<40)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let complex =
        seed % 4 == 0
        ? Self.surface(4 + Int(seed / 4), isTwisted: seed % 8 == 0)
        : Self.randomComplex(3 + Int(seed / 4), using: &g)
      for p in [2, 3, 101] {
        let h = try complex.cohomology(over: .prime(p), representatives: true)
        let plain = try complex.cohomology(over: .prime(p))
        tally.expect(
          h.betti == plain.betti && h.ranks == plain.ranks, "seed \(seed): ranks modulo \(p)")
        for (k, cocycles) in h.representatives.enumerated() {
          tally.expect(cocycles.count == h.betti[k], "seed \(seed): count in degree \(k)")
          tally.expect(
            try Self.areBasis(cocycles, degree: k, of: complex, modulo: p),
            "seed \(seed): basis in degree \(k) modulo \(p)")
          for cocycle in cocycles {
            let image = try Self.coboundary(cocycle, degree: k, in: complex)
            tally.expect(
              image.allSatisfy { $0 % BigInt(p) == 0 },
              "seed \(seed): cocycle of degree \(k) modulo \(p)")
          }
        }
      }
      let h = try complex.cohomology(over: .rational, representatives: true)
      let integral = try complex.cohomology(over: .integer)
      tally.expect(
        h.ranks == integral.ranks && h.betti == integral.betti, "seed \(seed): rational ranks")
      tally.expect(
        try complex.cohomology(over: .rational).ranks == h.ranks, "seed \(seed): without classes")
      for (k, cocycles) in h.representatives.enumerated() {
        tally.expect(
          try Self.areBasis(cocycles, degree: k, of: complex, modulo: 2_147_483_629),
          "seed \(seed): rational basis in degree \(k)")
        for cocycle in cocycles {
          let divisor = cocycle.values.reduce(BigInt(0)) { $0.greatestCommonDivisor(with: $1) }
          tally.expect(divisor == 1, "seed \(seed): common divisor \(divisor)")
          tally.expect(
            try Self.coboundary(cocycle, degree: k, in: complex).allSatisfy { $0 == 0 },
            "seed \(seed): rational cocycle of degree \(k)")
        }
      }
    }.check(atLeast: 400)
  }

  @Test func universalCoefficients() throws {
    try Tally.over(Array(0..<40)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let complex = Self.randomComplex(3 + Int(seed / 4), using: &g)
      let integral = try complex.cohomology(over: .integer)
      for p in [2, 3, 5, 7] {
        // dim H^k(GF(p)) = b_k + the torsion of H^k and of H^{k+1} that p divides.
        let divided = integral.torsion.map { $0.count { $0 % BigInt(p) == 0 } } + [0]
        let expected = integral.betti.indices.map {
          integral.betti[$0] + divided[$0] + divided[$0 + 1]
        }
        tally.expect(
          try complex.cohomology(over: .prime(p)).betti == expected, "seed \(seed) modulo \(p)")
      }
    }.check(atLeast: 160)
  }

  @Test func rationalRanksDoNotTrustOnePrime() throws {
    // The prime tried first divides the only entry.
    let p = 2_147_483_647.0
    let complex = Complex(
      dimensions: [1, 1],
      coboundaries: [SparseMatrix(rows: 1, columns: 1, entries: [(0, 0, p)])])
    #expect(try complex.cohomology(over: .prime(Int(p))).betti == [1, 1])
    #expect(try complex.cohomology(over: .rational).betti == [0, 0])
    #expect(try complex.cohomology(over: .integer).torsion == [[], [BigInt(p)]])
    // A row of determinant p beside a null column: 0 modulo p only after a pivot.
    let hidden = Complex(
      dimensions: [3, 2],
      coboundaries: [
        SparseMatrix(
          rows: 2, columns: 3, entries: [(0, 0, 2), (0, 1, 1), (1, 0, 1), (1, 1, (p + 1) / 2)])
      ])
    let h = try hidden.cohomology(over: .rational, representatives: true)
    #expect(h.betti == [1, 0])
    #expect(h.representatives[0] == [SparseCocycle(coordinates: [2], values: [1])])
  }

  @Test func fractionsAndLargeNumbersAreRational() throws {
    // Sections of x ↦ 3x ↦ … over a path, and numbers of 53 bits far apart.
    let entries: [(row: Int, column: Int, value: Double)] = [
      (0, 0, 0.1), (0, 1, -3), (1, 1, 0x1.fffffp-300), (1, 2, 7e90),
    ]
    let complex = Complex(
      dimensions: [3, 2], coboundaries: [SparseMatrix(rows: 2, columns: 3, entries: entries)])
    let h = try complex.cohomology(over: .rational, representatives: true)
    #expect(h.betti == [1, 0])
    let image = try Self.coboundary(h.representatives[0][0], degree: 0, in: complex)
    #expect(image.allSatisfy { $0 == 0 })
    #expect(h.representatives[0][0].values.map(\.bitWidth).max()! > 300)
  }

  @Test func messagesSayWhere() throws {
    func message(_ complex: Complex, _ c: ExactCohomology.Coefficients) -> String {
      do {
        _ = try complex.cohomology(over: c)
        return ""
      } catch { return "\(error)" }
    }
    var bad = Self.projectivePlane
    #expect(message(bad, .prime(6)) == "6 is not a prime number below 2³¹")
    var entries = [(row: Int, column: Int, value: Double)]()
    for j in 0..<bad.dimensions[0] {
      bad.coboundaries[0].forEachEntry(ofColumn: j) {
        entries.append(($0, j, $0 == 4 && j == 0 ? 2 * $1 : $1))
      }
    }
    bad.coboundaries[0] = SparseMatrix(rows: 15, columns: 6, entries: entries)
    for c in [ExactCohomology.Coefficients.prime(3), .rational, .integer] {
      #expect(message(bad, c).hasPrefix("δ1 δ0 is "))
      #expect(message(bad, c).contains("column 0, expected 0"))
    }
    let half = Complex(
      dimensions: [1, 1],
      coboundaries: [SparseMatrix(rows: 1, columns: 1, entries: [(0, 0, 0.5)])])
    #expect(
      message(half, .integer)
        == "δ0: the entry 0.5 in row 0, column 0 has no image in the integers")
    #expect(
      message(half, .prime(2))
        == "δ0: the entry 0.5 in row 0, column 0 has no image in the field of 2 elements")
    #expect(message(half, .prime(3)) == "")
    #expect(message(half, .rational) == "")
    #expect(
      message(Complex(dimensions: [1, 2], coboundaries: half.coboundaries), .rational)
        == "δ0 is 1 × 1, expected 2 × 1")
    #expect(
      message(Complex(dimensions: [1], coboundaries: half.coboundaries), .rational)
        == "1 coboundaries for 1 dimensions, expected 0")
    let infinite = Complex(
      dimensions: [1, 1],
      coboundaries: [SparseMatrix(rows: 1, columns: 1, entries: [(0, 0, .infinity)])])
    #expect(message(infinite, .rational).contains("has no image in the rational numbers"))
  }
}

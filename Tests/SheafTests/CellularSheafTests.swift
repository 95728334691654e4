import CellComplexes
import LinearAlgebra
import Testing

@testable import CellularSheaves

/// Sheaves, their coboundaries and operations against their definitions.
struct CellularSheafTests {
  static let seeds = Array(UInt64(0)..<40)

  /// A square of one cell, its boundary four edges between four vertices.
  static func square(_ map: (String, String) -> Double, sign: (String) -> Int = { _ in 1 }) throws
    -> CellularSheaf
  {
    var builder = CellComplex.Builder()
    for _ in 0..<4 { builder.addCell() }
    for i in 0..<4 { builder.addCell([(i, -1), ((i + 1) % 4, 1)]) }
    let names = ["a", "b", "c", "d", "ab", "bc", "cd", "da", "q"]
    builder.addCell((4..<8).map { ($0, sign(names[$0])) })
    let complex = try builder.complex(names: names).complex
    let cellOf = complex.cellsOfIncidences
    return try CellularSheaf(complex, stalks: [Int](repeating: 1, count: 9)) { i in
      .scalar(map(complex.name(complex.face(i)), complex.name(cellOf[i])))
    }
  }

  @Test func nonCommutingSquaresAreNamed() throws {
    try Self.square { _, _ in 1 }.check()
    let twisted = try Self.square { $0 == "b" && $1 == "bc" ? 2 : 1 }
    #expect(
      message { try twisted.check() }
        == "the maps from \"b\" to \"q\" by way of \"ab\" and \"bc\" differ by 1.0, expected one map"
    )
    // The same of matrices.
    let matrices = try CellularSheaf(twisted.complex, stalks: twisted.stalks) {
      .matrix(twisted.map($0).dense(1))
    }
    #expect(message { try matrices.check() } == message { try twisted.check() })
    // Maps that commute beside a sign that does not: δδ = ±2 at the ends of cd.
    let signs = try Self.square({ _, _ in 1 }, sign: { $0 == "cd" ? -1 : 1 })
    let open = message { try signs.check() }
    #expect(open.contains("from \"c\" to \"q\" has the norm 2.0"), "\(open)")
  }

  /// A torus of one square: the ways from the vertex to it are not relations of a poset; δδ = 0 is what is asked for.
  @Test func torusOfOneSquareIsASheaf() throws {
    let torus = Spaces.square(isTwisted: false)
    for complex in [torus, Spaces.square(isTwisted: true), Spaces.lens(3)] {
      try CellularSheaf.constant(2, on: complex).check()
    }
    // Line bundles by factors on the incidences a, a, b, b of the loops and a, b, a⁻¹, b⁻¹ of the square. With s at the
    // tails of a and t at that of b, δδ = (f_a − f_a⁻¹)(1 − s) + (f_b − f_b⁻¹)(1 − t).
    func bundle(_ factors: [Double]) throws -> CellularSheaf {
      try CellularSheaf(torus, stalks: [1, 1, 1, 1]) { .scalar(factors[$0]) }
    }
    try bundle([2, 1, 3, 1, 1, 2, 3, 1]).check()
    let bent = message { try bundle([2, 1, 3, 1, 1, 2, 2, 1]).check() }
    #expect(bent.contains("from \"0\" to \"3\" has the norm 1.0"), "\(bent)")
  }

  @Test func whatIsNoSheafIsNamed() throws {
    let path = try CellComplex.graph(vertices: 2, edges: [(0, 1)], names: ["a", "b", "ab"])
    func sheaf(
      _ map: RestrictionMap, stalks: [Int] = [2, 2, 1], weights: [InnerProduct]? = nil
    ) -> String {
      message {
        _ = try CellularSheaf(path, stalks: stalks, weights: weights) {
          $0 == 0 ? map : .matrix(Matrix([[1, 0]]))
        }
      }
    }
    #expect(
      sheaf(.matrix(Matrix([[1, 2, 3]])))
        == "cell \"ab\", face \"a\": the map is of shape (1, 3), expected (1, 2), the dimensions of the stalks"
    )
    #expect(sheaf(.identity).contains("(1, 2)"))
    #expect(sheaf(.sparse(Matrix([[1], [0]]).sparse)).contains("(2, 1), expected (1, 2)"))
    for bad in [Double.nan, .infinity] {
      #expect(sheaf(.matrix(Matrix([[1, bad]]))).contains("not finite"))
      #expect(sheaf(.sparse(Matrix([[1, bad]]).sparse)).contains("not finite"))
      #expect(sheaf(.scalar(bad), stalks: [1, 2, 1]).contains("not finite"))
    }
    #expect(sheaf(.identity, stalks: [-1, 2, 1]).contains("\"a\": found dimension -1"))
    let fine = RestrictionMap.matrix(Matrix([[1, 0]]))
    let cases: [(InnerProduct, String)] = [
      (.scalar(0), "0.0"), (.scalar(-1), "-1.0"), (.scalar(.nan), "nan"),
      (.scalar(.infinity), "inf"),
      (.diagonal([1]), "1 numbers"), (.diagonal([1, 0]), "0.0"),
      (.matrix(Matrix([[1, 2], [2, 1]])), "not positive definite"),
      (.matrix(Matrix([[1, 2], [0, 1]])), "symmetric"),
      (.matrix(Matrix([[1]])), "(1, 1)"),
      (.matrix(Matrix([[1, .nan], [.nan, 1]])), "not finite"),
    ]
    for (weight, found) in cases {
      let text = sheaf(fine, weights: [.standard, weight, .standard])
      #expect(text.contains("\"b\"") && text.contains(found), "\(text)")
    }
  }

  /// (δc)_τ = Σ [σ : τ] F c_σ, with loops, half-open edges, maps of all kinds and weights.
  @Test func coboundaryIsItsDefinition() throws {
    try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let graph = g.graph(vertices: 6, edges: 9, halfOpen: true)
      let stalks = (0..<graph.count).map { _ in g.integer(0...3) }
      let cellOf = graph.cellsOfIncidences
      let sheaf = try CellularSheaf(graph, stalks: stalks, weights: g.weights(stalks)) { i in
        let (m, n) = (stalks[cellOf[i]], stalks[graph.face(i)])
        switch g.integer(0...3) {
        case 0 where m == n: return .identity
        case 1 where m == n: return .scalar(g.normal())
        case 2: return .sparse(g.integerMatrix(rows: m, columns: n).sparse)
        default: return .matrix(g.normalMatrix(rows: m, columns: n))
        }
      }
      let delta = sheaf.coboundary(0).dense
      let c = g.normalMatrix(rows: sheaf.cochainDimension(0), columns: 1)
      let image = delta * c
      for edge in graph.cells(ofDimension: 1) {
        var expected = Matrix(rows: stalks[edge], columns: 1)
        for i in graph.incidences(of: edge) {
          let face = graph.face(i)
          expected.add(
            sheaf.map(i).dense(stalks[face]) * c.rows(sheaf.range(of: face)),
            scale: Double(graph.sign(i)))
        }
        tally.expect(
          image.rows(sheaf.range(of: edge)).minus(expected).maximumMagnitude < 1e-12,
          "\(seed), edge \(edge)")
      }
      // Orthonormal coordinates keep norms, and turn δ into R δ R⁻¹.
      let tilde = sheaf.orthonormal(c, degree: 0)
      let norm = sheaf.inner(c.column(0), c.column(0), degree: 0)
      tally.expect(abs(tilde.sumOfSquares - norm) <= 1e-12 * norm, "\(seed), norm")
      tally.expect(
        sheaf.given(tilde, degree: 0).minus(c).maximumMagnitude < 1e-12, "\(seed), there and back")
      let expected = sheaf.orthonormal(image, degree: 1)
      for (coordinates, x) in [
        (CellularSheaf.Coordinates.orthonormal, tilde), (.orthonormalAbove, c),
      ] {
        tally.expect(
          sheaf.coboundary(0, in: coordinates)(x).minus(expected).maximumMagnitude < 1e-12,
          "\(seed), \(coordinates)")
      }
      tally.expect(
        sheaf.coboundaryTransposed(0).dense == delta.transposed, "\(seed), transpose")
      tally.expect(
        sheaf.coboundary(-1).columns == 0 && sheaf.coboundary(-1).rows == sheaf.cochainDimension(0)
          && sheaf.coboundary(1).rows == 0
          && sheaf.coboundary(1).columns == sheaf.cochainDimension(1), "\(seed), ends")
    }.check(atLeast: 15 * Self.seeds.count)
  }

  /// W_k⁻¹ δᵀ W δ + δ W⁻¹ δᵀ W_k, symmetric in orthonormal coordinates.
  @Test func laplacianIsItsDefinition() throws {
    try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let sheaf = g.weightedSheaf(
        on: g.simplicial(vertices: 5, facets: 4, dimension: 2).complex, summands: 3)
      for k in 0...sheaf.complex.dimension {
        let n = sheaf.cochainDimension(k)
        let laplacian = SheafLaplacian(sheaf, degree: k)
        let expected = try sheaf.denseLaplacian(k)
        let found = sheaf.given(
          laplacian.laplacian(sheaf.orthonormal(.identity(n), degree: k)), degree: k)
        let scale = max(expected.maximumMagnitude, 1)
        tally.expect(
          found.minus(expected).maximumMagnitude < 1e-11 * scale, "\(seed), degree \(k)")
        for isNormalized in [false, true] {
          let parts = SheafLaplacian.Part.allCases.map {
            SheafLaplacian(sheaf, degree: k, part: $0, isNormalized: isNormalized)
          }
          for part in parts {
            let b = part.factor.dense
            tally.expect(
              part.laplacian.matrix.dense.minus(b * b.transposed).maximumMagnitude < 1e-11 * scale,
              "\(seed), factor of \(part.part)")
          }
          if isNormalized { continue }
          var sum = parts[0].laplacian.matrix.dense
          sum.add(parts[1].laplacian.matrix.dense)
          tally.expect(
            sum.minus(parts[2].laplacian.matrix.dense).maximumMagnitude < 1e-11 * scale,
            "\(seed), parts")
        }
      }
    }.check(atLeast: 8 * Self.seeds.count)
  }

  @Test func operationsAreBlocksAndKroneckerProducts() throws {
    try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let complex = g.simplicial(vertices: 5, facets: 4, dimension: 2).complex
      let (a, b) = (
        g.weightedSheaf(on: complex, summands: 3), g.weightedSheaf(on: complex, summands: 2)
      )
      let sum = try a.directSum(b)
      let product = try a.tensorProduct(b)
      try sum.check(tolerance: 1e-9)
      try product.check(tolerance: 1e-9)
      for cell in 0..<complex.count {
        let (m, n) = (a.stalk(of: cell), b.stalk(of: cell))
        tally.expect(
          sum.stalk(of: cell) == m + n && product.stalk(of: cell) == m * n, "\(seed), stalks")
        let (x, y) = (
          g.normalMatrix(rows: m, columns: 1), g.normalMatrix(rows: n, columns: 1)
        )
        let (u, v) = (
          a.innerProduct(of: cell).dense(m), b.innerProduct(of: cell).dense(n)
        )
        let (xx, yy) = ((x.transposed * (u * x))[0, 0], (y.transposed * (v * y))[0, 0])
        let both = Matrix(stacking: [x, y], columns: 1)
        let pair = Matrix(
          column: (0..<m).flatMap { i in (0..<n).map { x[i, 0] * y[$0, 0] } })
        let w = (
          sum.innerProduct(of: cell).dense(m + n), product.innerProduct(of: cell).dense(m * n)
        )
        tally.expect(
          abs((both.transposed * (w.0 * both))[0, 0] - xx - yy) <= 1e-11 * (xx + yy)
            && abs((pair.transposed * (w.1 * pair))[0, 0] - xx * yy) <= 1e-11 * xx * yy,
          "\(seed), weights of cell \(cell)")
        for i in complex.incidences(of: cell) {
          let face = complex.face(i)
          let (k, l) = (a.stalk(of: face), b.stalk(of: face))
          let (s, t) = (
            g.normalMatrix(rows: k, columns: 1), g.normalMatrix(rows: l, columns: 1)
          )
          let (fs, gt) = (a.map(i).dense(k) * s, b.map(i).dense(l) * t)
          let image = sum.map(i).dense(k + l) * Matrix(stacking: [s, t], columns: 1)
          let tensor =
            product.map(i).dense(k * l)
            * Matrix(column: (0..<k).flatMap { i in (0..<l).map { s[i, 0] * t[$0, 0] } })
          let expected = Matrix(
            column: (0..<m).flatMap { i in (0..<n).map { fs[i, 0] * gt[$0, 0] } })
          tally.expect(
            image.minus(Matrix(stacking: [fs, gt], columns: 1)).maximumMagnitude < 1e-11
              && tensor.minus(expected).maximumMagnitude < 1e-11, "\(seed), map \(i)")
        }
      }
      // The external product over a point is the sheaf itself, weights included.
      let point = CellularSheaf.constant(1, on: .path(1))
      let same = try a.externalProduct(point)
      for k in 0...complex.dimension {
        tally.expect(
          same.coboundary(k, in: .orthonormal).dense
            .minus(a.coboundary(k, in: .orthonormal).dense).maximumMagnitude < 1e-12,
          "\(seed), external product with a point")
      }
    }.check(atLeast: 20 * Self.seeds.count)
  }

  /// Sⁿ → Sᵐ by a matrix A of known rank, in random bases: a morphism, whose kernel and image have stalks of the
  /// dimensions that A says, and whose kernel's, source's and image's numbers of dimensions go together.
  @Test func kernelsAndImagesHaveTheirDimensions() throws {
    try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let complex = g.simplicial(vertices: 5, facets: 4, dimension: 2).complex
      let base = g.integerSheaf(on: complex, summands: 2)
      let (m, n, r) = (g.integer(1...3), g.integer(1...3), g.integer(0...2))
      let rank = min(m, n, r)
      let a = g.normalMatrix(rows: m, columns: rank) * g.normalMatrix(rows: rank, columns: n)
      func power(_ n: Int) throws -> (CellularSheaf, [Matrix]) {
        let sum = try base.tensorProduct(.constant(n, on: complex))
        let bases = sum.stalks.map { g.invertible($0) }
        return (try sum.changingBases(bases), bases)
      }
      let (source, sourceBases) = try power(n)
      let (target, targetBases) = try power(m)
      let components = try (0..<complex.count).map { cell in
        targetBases[cell] * Matrix.identity(base.stalk(of: cell)).kronecker(a)
          * (try sourceBases[cell].solve(.identity(source.stalk(of: cell))))
      }
      let morphism = try SheafMorphism(
        from: source, to: target, components: components, tolerance: 1e-8)
      let (kernel, image) = (try morphism.kernel(), try morphism.image())
      for cell in 0..<complex.count {
        let d = base.stalk(of: cell)
        tally.expect(
          kernel.source.stalk(of: cell) == (n - rank) * d
            && image.source.stalk(of: cell) == rank * d, "\(seed), cell \(cell)")
        tally.expect(
          (components[cell] * kernel.components[cell]).maximumMagnitude < 1e-9, "\(seed), kernel")
      }
      for k in 0...complex.dimension {
        let composite =
          morphism.matrix(k).dense * kernel.matrix(k).dense
        tally.expect(composite.maximumMagnitude < 1e-9, "\(seed), cochains")
        // φ δ = δ φ.
        tally.expect(
          (morphism.matrix(k + 1).dense * source.coboundary(k).dense)
            .minus(target.coboundary(k).dense * morphism.matrix(k).dense).maximumMagnitude < 1e-9,
          "\(seed), φδ = δφ")
      }
      try kernel.source.check(tolerance: 1e-8)
      try image.source.check(tolerance: 1e-8)
    }.check(atLeast: 20 * Self.seeds.count)
    // What does not commute is refused.
    let path = CellularSheaf.constant(1, on: .path(2))
    let bad = message {
      _ = try SheafMorphism(
        from: path, to: path, components: [Matrix([[1]]), Matrix([[2]]), Matrix([[1]])])
    }
    #expect(bad.contains("from \"1\" to \"2\""), "\(bad)")
    #expect(
      message {
        _ = try SheafMorphism(
          from: path, to: path, components: [Matrix([[1, 0]]), Matrix([[2]]), Matrix([[1]])])
      }.contains("(1, 2), expected (1, 1)"))
  }

  @Test func frameworksAreRefusedWhereBarsHaveNoDirection() throws {
    let points = Matrix([[0, 0, 1], [0, 0, 1]])
    #expect(
      message { _ = try CellularSheaf.framework(points: points, .path(3)) }.contains("length 0.0"))
    #expect(
      message { _ = try CellularSheaf.framework(points: points, .path(2)) }.contains("3 points"))
    let half = try CellComplex.graph(vertices: 3, edges: [(2, nil)])
    #expect(message { _ = try CellularSheaf.framework(points: points, half) }.contains("two ends"))
  }
}

extension Matrix {
  var sparse: SparseMatrix {
    SparseMatrix(
      rows: rows, columns: columns,
      entries: (0..<columns).flatMap { j in (0..<rows).map { ($0, j, self[$0, j]) } })
  }
}

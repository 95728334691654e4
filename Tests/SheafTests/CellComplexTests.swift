import CellComplexes
import LinearAlgebra
import Testing

/// Complexes against their definitions.
struct CellComplexTests {
  static let seeds = Array(UInt64(0)..<40)

  @Test func cellsAreSortedByDimension() throws {
    var builder = CellComplex.Builder()
    // A triangle, its face of all dimensions named before it is there.
    builder.addCell([(1, 1), (2, 1), (3, -1)])
    builder.addCell([(4, -1), (5, 1)])
    builder.addCell([(5, -1), (6, 1)])
    builder.addCell([(4, -1), (6, 1)])
    for _ in 0..<3 { builder.addCell() }
    let names = ["abc", "ab", "bc", "ac", "a", "b", "c"]
    let (complex, places) = try builder.complex(names: names)
    #expect(places == [6, 3, 4, 5, 0, 1, 2])
    #expect((0..<7).map(complex.name) == ["a", "b", "c", "ab", "bc", "ac", "abc"])
    #expect((0..<7).map { complex.dimension(of: $0) } == [0, 0, 0, 1, 1, 1, 2])
    #expect(complex.incidences(of: 6).map { complex.face($0) } == [3, 4, 5])
    #expect(complex.incidences(of: 6).map { complex.sign($0) } == [1, 1, -1])
    try complex.checkBoundaries()
    #expect(complex.isComplete().allSatisfy { $0 })
    #expect(complex.cofaces().of(1).map(\.cell) == [3, 4])
    #expect(complex.cellsByName()["bc"] == 4)
  }

  @Test func whatIsNoComplexIsNamed() {
    func build(_ faces: [[Int]]) -> String {
      message {
        var builder = CellComplex.Builder()
        for cell in faces { builder.addCell(cell.map { ($0, 1) }) }
        _ = try builder.complex(names: faces.indices.map { "c\($0)" })
      }
    }
    #expect(
      build([[1], [2], [0]]).contains("\"c0\" < \"c2\" < \"c1\" < \"c0\""),
      "\(build([[1], [2], [0]]))")
    #expect(build([[0]]).contains("circle"))
    #expect(build([[], [7]]) == "cell \"c1\" has the face \"7\", expected the id of a cell")
    let mixed = build([[], [0], [1, 0]])
    #expect(mixed.contains("\"c2\"") && mixed.contains("\"c0\" of dimension 0"), "\(mixed)")
    #expect(
      message { _ = try CellComplex.graph(vertices: 2, edges: [(0, 2)]) }.contains("\"2\""))
    #expect(
      message { _ = try SimplicialComplex(facets: [[0, 0]]) }.contains("different vertices"))
    #expect(message { _ = try SimplicialComplex(facets: [[0, 3]], vertices: 2) }.contains("to 1"))
    // An edge from a to b, one from b to a, and a disc on both with the wrong sign: 2 at either vertex.
    let open = message {
      var builder = CellComplex.Builder()
      for _ in 0..<2 { builder.addCell() }
      builder.addCell([(0, -1), (1, 1)])
      builder.addCell([(1, -1), (0, 1)])
      builder.addCell([(2, 1), (3, -1)])
      try builder.complex(names: ["a", "b", "e", "f", "d"]).complex.checkBoundaries()
    }
    #expect(open.contains("\"d\" contains \"a\"") && open.contains("-2"), "\(open)")
  }

  @Test func boundarySquaredIsZero() throws {
    try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let a = g.simplicial(vertices: 6, facets: 5, dimension: 3).complex
      let b = g.graph(vertices: 3, edges: 3)
      let product = a.product(b)
      for complex in [a, product, b.product(a), .grid([2, 3, 2], isPeriodic: seed % 2 == 0)] {
        try complex.checkBoundaries()
        for k in 1..<max(complex.dimension, 1) {
          let square = complex.boundary(from: k)
          tally.expect(
            (square.dense * complex.boundary(from: k + 1).dense).maximumMagnitude == 0,
            "\(seed), degree \(k)")
        }
      }
      tally.expect(
        product.eulerCharacteristic == a.eulerCharacteristic * b.eulerCharacteristic,
        "\(seed), Euler")
      // The product's cells are the pairs, their faces the pairs of faces.
      let pairs = a.productCells(with: b)
      tally.expect(
        pairs.count == product.count
          && pairs.indices.allSatisfy { cell in
            let (x, y) = pairs[cell]
            let faces = product.incidences(of: cell).map { pairs[product.face($0)] }
            let expected =
              a.incidences(of: x).map { (a.face($0), y) }
              + b.incidences(of: y).map { (x, b.face($0)) }
            return faces.elementsEqual(expected, by: ==)
          }, "\(seed), pairs")
    }.check(atLeast: 6 * Self.seeds.count)
  }

  @Test func starsAndLinksAreTheirDefinitions() throws {
    try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let simplicial = g.simplicial(vertices: 7, facets: 6, dimension: 3)
      let complex = simplicial.complex
      let sets = (0..<complex.count).map { Set(simplicial.simplices[$0]) }
      for _ in 0..<5 {
        let cell = g.integer(0...complex.count - 1)
        let s = sets[cell]
        tally.expect(
          complex.openStar([cell]) == Set(sets.indices.filter { sets[$0].isSuperset(of: s) }),
          "\(seed), star")
        tally.expect(
          complex.closure([cell]) == Set(sets.indices.filter { sets[$0].isSubset(of: s) }),
          "\(seed), closure")
        tally.expect(
          complex.link([cell])
            == Set(
              sets.indices.filter {
                sets[$0].isDisjoint(with: s) && sets.contains(sets[$0].union(s))
              }), "\(seed), link")
        tally.expect(complex.isClosed(complex.closure([cell])), "\(seed), closed")
        tally.expect(
          complex.isClosed(complex.openStar([cell]))
            == (complex.openStar([cell]).count == complex.count
              || complex.openStar([cell]) == [cell] && s.count == 1),
          "\(seed), open")
        tally.expect(
          simplicial.simplices.cell(simplicial.simplices[cell]) == cell, "\(seed), search")
      }
      for k in -1...4 {
        tally.expect(
          complex.skeleton(k) == Set(sets.indices.filter { sets[$0].count <= k + 1 }),
          "\(seed), skeleton \(k)")
      }
      let closed = complex.closure((0..<complex.count).filter { _ in g.uniform() < 0.2 })
      let (part, cells, incidences) = complex.part(closed)
      tally.expect(cells == closed.sorted(), "\(seed), cells of the part")
      tally.expect(
        incidences.enumerated().allSatisfy { i, origin in
          cells[part.face(i)] == complex.face(origin) && part.sign(i) == complex.sign(origin)
        } && incidences.count == part.incidenceCount, "\(seed), incidences of the part")
      tally.expect(
        cells.enumerated().allSatisfy {
          part.name($0) == complex.name($1)
            && part.dimension(of: $0) == complex.dimension(of: $1)
        }, "\(seed), names of the part")
    }.check(atLeast: 38 * Self.seeds.count)
  }

  @Test func openCellsAreNotComplete() throws {
    let half = try CellComplex.graph(vertices: 2, edges: [(0, 1), (1, nil), (0, 0)])
    #expect(half.isComplete() == [true, true, true, false, true])
    let square = CellComplex.grid([2, 2])
    // Without its vertices, an edge has no ends; no edge and no square is complete.
    let open = square.part(Set(square.cells(ofDimension: 0).upperBound..<square.count)).complex
    #expect(open.dimension == 2)
    #expect(open.isComplete() == [Bool](repeating: false, count: 5))
    // Without one vertex, two edges are open and with them the square.
    let less = square.part(Set(1..<square.count)).complex
    #expect(less.isComplete().count { !$0 } == 3)
    #expect(Spaces.lens(3).isComplete() == [true, true, true, true])
  }

  @Test func ripsComplexesAreCliquesOfNearPoints() throws {
    try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let (d, n) = (Int(seed % 5), 14)
      // Whole numbers: many distances are the radius itself.
      let points = Matrix(
        rows: d, columns: n,
        columnMajor: (0..<d * n).map { _ in
          seed % 2 == 0 ? Double(g.integer(-3...3)) : g.uniform(-3, 3)
        })
      let radius = seed % 2 == 0 ? 2 : g.uniform(0.5, 3)
      var distances = Matrix(rows: n, columns: n)
      for i in 0..<n {
        for j in 0..<n {
          distances[i, j] = Matrix(column: points.column(i)).minus(Matrix(column: points.column(j)))
            .sumOfSquares.squareRoot()
        }
      }
      let rips = try SimplicialComplex.vietorisRips(
        points: points, radius: radius, maximumDimension: 3)
      let cliques = (1..<1 << n).filter { $0.nonzeroBitCount <= 4 }.map { bits in
        (0..<n).filter { bits >> $0 & 1 == 1 }
      }.filter { set in
        set.allSatisfy { i in set.allSatisfy { distances[i, $0] <= radius } }
      }
      let found = (0..<rips.complex.count).map { rips.simplices[$0].map(Int.init) }
      tally.expect(Set(found) == Set(cliques) && found.count == cliques.count, "\(seed), cliques")
      let same = try SimplicialComplex.vietorisRips(
        distances: distances, radius: radius, maximumDimension: 3)
      tally.expect(same == rips, "\(seed), from distances")
      try rips.complex.checkBoundaries()
      let again = try SimplicialComplex(facets: rips.facets, vertices: n)
      tally.expect(again.simplices == rips.simplices, "\(seed), facets")
    }.check(atLeast: 3 * Self.seeds.count)
  }

  @Test func badPointsAreNamed() {
    func rips(_ x: Double, _ radius: Double) -> String {
      message {
        _ = try SimplicialComplex.vietorisRips(
          points: Matrix([[0, x]]), radius: radius, maximumDimension: 1)
      }
    }
    for radius in [-1, .nan, .infinity] { #expect(rips(1, radius).hasPrefix("radius")) }
    for x in [Double.nan, .infinity] { #expect(rips(x, 1).hasPrefix("point 1")) }
    for rows in [[[0.0, 1], [2, 0]], [[0, -1], [-1, 0]], [[0, .nan], [.nan, 0]]] {
      #expect(
        message {
          _ = try SimplicialComplex.vietorisRips(
            distances: Matrix(rows), radius: 1, maximumDimension: 1)
        }.hasPrefix("the distance of 0 and 1"))
    }
    #expect(
      message {
        _ = try SimplicialComplex.vietorisRips(
          distances: Matrix([[0, 1]]), radius: 1, maximumDimension: 1)
      }.contains("(1, 2)"))
  }

  @Test func nervesAreIntersections() throws {
    try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let cover = (0..<6).map { _ in (0..<10).filter { _ in g.uniform() < 0.35 } }
      let (nerve, elements) = SimplicialComplex.nerve(of: cover, maximumDimension: 3)
      let expected = (1..<1 << 6).filter { $0.nonzeroBitCount <= 4 }.map { bits in
        (0..<6).filter { bits >> $0 & 1 == 1 }
      }.filter { sets in
        sets.count == 1 || (0..<10).contains { e in sets.allSatisfy { cover[$0].contains(e) } }
      }
      let found = (0..<nerve.complex.count).map { nerve.simplices[$0].map(Int.init) }
      tally.expect(Set(found) == Set(expected) && found.count == expected.count, "\(seed)")
      for (sets, list) in zip(found, elements) {
        tally.expect(
          list == (0..<10).filter { e in sets.allSatisfy { cover[$0].contains(e) } },
          "\(seed), \(sets)")
      }
    }.check(atLeast: 5 * Self.seeds.count)
  }

  @Test func orderComplexesAreChains() throws {
    try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let n = 7
      // Relations from smaller to larger numbers, the elements renamed at random.
      let names = g.permutation(n)
      var below = [[Int]](repeating: [], count: n)
      for x in 0..<n {
        for y in 0..<x where g.uniform() < 0.35 { below[names[x]].append(names[y]) }
      }
      let poset = try FinitePoset(below: below)
      var less = [[Bool]](repeating: [Bool](repeating: false, count: n), count: n)
      for x in 0..<n { for y in below[x] { less[y][x] = true } }
      for z in 0..<n {
        for x in 0..<n { for y in 0..<n where less[x][z] && less[z][y] { less[x][y] = true } }
      }
      for x in 0..<n {
        tally.expect(
          Set(poset.lowerSets[x]) == Set((0..<n).filter { less[$0][x] }), "\(seed), below \(x)")
      }
      let order = poset.orderComplex()
      let chains = (1..<1 << n).map { bits in (0..<n).filter { bits >> $0 & 1 == 1 } }.filter {
        set in
        set.allSatisfy { a in set.allSatisfy { a == $0 || less[a][$0] || less[$0][a] } }
      }
      let found = (0..<order.complex.count).map { cell in
        order.simplices[cell].map { poset.linearExtension[Int($0)] }
      }
      tally.expect(
        Set(found.map { $0.sorted() }) == Set(chains) && found.count == chains.count,
        "\(seed), chains")
      tally.expect(
        found.allSatisfy { chain in zip(chain, chain.dropFirst()).allSatisfy { less[$0][$1] } },
        "\(seed), chains ascend")
      let complex = g.simplicial(vertices: 5, facets: 4, dimension: 2).complex
      tally.expect(
        complex.facePoset.ranks == (0..<complex.count).map { complex.dimension(of: $0) },
        "\(seed), ranks")
      tally.expect(
        complex.barycentricSubdivision.complex.eulerCharacteristic == complex.eulerCharacteristic,
        "\(seed), subdivision")
    }.check(atLeast: 11 * Self.seeds.count)
    #expect(try FinitePoset(below: [[], [0], [1, 0]]).ranks == nil)
    #expect(message { _ = try FinitePoset(below: [[1], [0]]) }.contains("circle"))
    #expect(message { _ = try FinitePoset(below: [[3]]) }.contains("\"3\""))
    #expect(message { _ = try FinitePoset(below: [[], []], names: ["a", "a"]) }.contains("\"a\""))
  }

  @Test func emptyComplexesAreComplexes() throws {
    let none = try CellComplex.graph(vertices: 0, edges: [])
    #expect(none.count == 0 && none.dimension == -1 && none.eulerCharacteristic == 0)
    #expect(none.product(.path(3)).count == 0 && CellComplex.path(3).product(none).count == 0)
    #expect(try SimplicialComplex(facets: []).cone.complex.cellCounts == [1])
    #expect(try SimplicialComplex(facets: []).suspension.complex.cellCounts == [2])
    #expect(
      try SimplicialComplex.vietorisRips(
        points: Matrix(rows: 2, columns: 0), radius: 1, maximumDimension: 2
      ).complex.count == 0)
    #expect(none.part([]).complex.count == 0 && none.isComplete() == [])
    #expect(try CellComplex.Builder().complex().complex.count == 0)
    #expect(CellComplex.path(4).part([]).complex.count == 0)
  }
}

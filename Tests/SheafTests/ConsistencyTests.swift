import CellComplexes
import CellularSheaves
import LinearAlgebra
import Testing

@testable import SheafInference

/// Consistency radii, the filtration by them and repairs.
struct ConsistencyTests {
  private static func radius(
    _ sheaf: CellularSheaf, _ values: [Int: [Double]], _ norm: Consistency.Norm
  ) throws -> Double {
    try Consistency(sheaf, Assignment(values: values), norm: norm).radius
  }

  /// A path of three vertices and the constant sheaf, by hand.
  @Test func radiiOfAPathAreKnown() throws {
    let path = CellularSheaf.constant(1, on: .path(3))
    let cases: [([Int: [Double]], two: Double, infinity: Double)] = [
      ([0: [0], 1: [1], 2: [3]], 5, 1), ([0: [0], 2: [3]], 4.5, 0.75), ([0: [0], 1: [1]], 1, 0.5),
      // Edge 0–1 has the value 2: 2·2² + 2·1², and what follows on the other side.
      ([0: [0], 1: [1], 2: [3], 3: [2]], 14, 2),
      // Vertex 1 is free between the value 2 of an edge and vertex 2: (x − 2)²·2 + (x − 5)².
      ([0: [2], 2: [5], 3: [2]], 6, 1), ([1: [7]], 0, 0), ([:], 0, 0), ([3: [1], 4: [2]], 1, 0.5),
    ]
    for (values, two, infinity) in cases {
      #expect(abs(try Self.radius(path, values, .two) - two.squareRoot()) < 1e-9, "\(values)")
      #expect(abs(try Self.radius(path, values, .infinity) - infinity) < 1e-7, "\(values)")
    }
    let consistency = try Consistency(path, Assignment(values: [0: [0], 1: [1], 2: [3]]))
    #expect(consistency.links.map(\.discrepancy) == [1, 2] && consistency.links[1].ends == (1, 2))
    let local = consistency.localRadii
    #expect(abs(local[0]! - 1) < 1e-12 && abs(local[1]! - 5.0.squareRoot()) < 1e-12)
    #expect(local[4] == 2 && consistency.certificate == .global && consistency.values[1] == [1])
  }

  /// The 2-norm against a dense least-squares problem; weights, half-open edges, loops and edges with values.
  @Test func theRadiusIsTheLeastDiscrepancy() throws {
    try Tally.over(Array(0..<60)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let graph = g.graph(vertices: 5, edges: 7, halfOpen: seed % 2 == 0)
      let sheaf = g.weightedSheaf(on: graph, summands: 3)
      let readings = g.assignment(of: 0..<graph.count, on: sheaf, share: seed % 3 == 0 ? 0.8 : 0.4)
      let dense = try DenseFusion(sheaf, readings, .agreement)
      let terms = dense.terms.dropFirst(readings.cells.count)
      var gram = Matrix(rows: dense.unknowns, columns: dense.unknowns)
      for term in terms { gram.add(term.a.transposed * (term.precision * term.a)) }
      var x = Matrix(rows: dense.unknowns, columns: 1)
      var held = Set<Int>()
      for (cell, reading) in readings.readings {
        for (i, y) in reading.values.enumerated() {
          x[dense.starts[cell]! + i, 0] = y
          held.insert(dense.starts[cell]! + i)
        }
      }
      let free = (0..<dense.unknowns).filter { !held.contains($0) }
      if !free.isEmpty {
        let slope = gram * x
        var part = Matrix(rows: free.count, columns: free.count)
        for (i, a) in free.enumerated() {
          for (j, b) in free.enumerated() { part[i, j] = gram[a, b] }
        }
        let move =
          part.maximumMagnitude > 0
          ? part.pseudoInverse * Matrix(column: free.map { -slope[$0, 0] })
          : Matrix(rows: free.count, columns: 1)
        for (i, a) in free.enumerated() { x[a, 0] = move[i, 0] }
      }
      let square = (x.transposed * (gram * x))[0, 0]
      let found = try Consistency(sheaf, readings)
      tally.expect(
        close([found.radius * found.radius], [square]),
        "seed \(seed): \(found.radius * found.radius), \(square)")
      for (cell, reading) in readings.readings {
        tally.expect(found.values[cell] == reading.values, "seed \(seed)")
      }
    }.check(atLeast: 100)
  }

  /// Robinson's, by nested searches over the values of two free vertices.
  @Test func theLargestDiscrepancyIsLeast() throws {
    for seed in UInt64(0)..<12 {
      var g = RandomGenerator(case: seed)
      let graph = g.connectedGraph(vertices: 5, extra: 3)
      let maps = (0..<graph.incidenceCount).map { _ in g.uniform(0.5, 2) }
      let sheaf = try CellularSheaf(
        graph, stalks: [Int](repeating: 1, count: graph.count),
        weights: (0..<graph.count).map { _ in .scalar(g.uniform(0.3, 3)) }
      ) { .scalar(maps[$0]) }
      var readings = Assignment()
      for cell in [0, 1, 2, 6, 8] { readings.readings[cell] = .init([g.uniform(-3, 3)]) }
      func largest(_ a: Double, _ b: Double) -> Double {
        graph.cells(ofDimension: 1).reduce(0) { top, e in
          let s = sheaf.innerProduct(of: e).dense(1)[0, 0].squareRoot()
          let images = graph.incidences(of: e).map { i -> Double in
            let v = graph.face(i)
            return maps[i] * (v == 3 ? a : v == 4 ? b : readings.readings[v]!.values[0])
          }
          if let x = readings.readings[e]?.values[0] {
            return max(top, s * abs(images[0] - x), s * abs(images[1] - x))
          }
          return max(top, s * abs(images[0] - images[1]) / 2)
        }
      }
      func least(_ f: (Double) -> Double) -> Double {
        var (low, high) = (-50.0, 50.0)
        for _ in 0..<100 {
          let (a, b) = (low + (high - low) / 3, high - (high - low) / 3)
          if f(a) < f(b) { high = b } else { low = a }
        }
        return f((low + high) / 2)
      }
      let expected = least { a in least { b in largest(a, b) } }
      let found = try Consistency(sheaf, readings, norm: .infinity)
      #expect(abs(found.radius - expected) < 1e-6, "seed \(seed): \(found.radius), \(expected)")
      #expect(abs(largest(found.values[3]![0], found.values[4]![0]) - found.radius) < 1e-9)
    }
  }

  /// Parts of sections have the radius 0 in both norms, others not.
  @Test func partsOfSectionsAreConsistent() throws {
    for seed in UInt64(0)..<20 {
      var g = RandomGenerator(case: seed)
      let graph = g.connectedGraph(vertices: 6, extra: 2)
      let sheaf = g.weightedSheaf(on: graph, summands: 3)
      let dense = try DenseFusion(sheaf, Assignment(), .section)
      let x = dense.allowed * g.normalMatrix(rows: dense.allowed.columns, columns: 1)
      var readings = Assignment()
      for cell in 0..<graph.count where g.uniform() < 0.6 {
        readings.readings[cell] = .init((dense.image(of: cell)! * x).column(0))
      }
      for norm in Consistency.Norm.allCases {
        #expect(try Consistency(sheaf, readings, norm: norm).radius < 1e-7, "seed \(seed), \(norm)")
      }
      // Any values: consistent if and only if some section has them.
      let random = g.assignment(of: 0..<6, on: sheaf, share: 0.5)
      let distance = try Consistency(sheaf, random).distanceToSections().distance
      let cost = try DenseFusion(sheaf, random, .section).cost
      #expect(close([distance * distance], [2 * cost]), "seed \(seed): \(distance)")
      for norm in Consistency.Norm.allCases {
        let radius = try Consistency(sheaf, random, norm: norm).radius
        #expect(
          (radius < 1e-6) == (distance < 1e-6), "seed \(seed), \(norm): \(radius), \(distance)")
      }
    }
  }

  /// A random sheaf of numbers with values on some cells, up to `cells` of them, and who contradicts whom above a threshold.
  private static func contradictions(
    _ g: inout RandomGenerator, vertices n: Int, edges m: Int, norm: Consistency.Norm,
    threshold: Double
  ) throws -> (consistency: Consistency, cells: [Int], pairs: [(Int, Int)]) {
    let graph = g.graph(vertices: n, edges: m)
    let maps = (0..<graph.incidenceCount).map { _ in g.uniform(0.5, 1.5) }
    let sheaf = try CellularSheaf(graph, stalks: [Int](repeating: 1, count: graph.count)) {
      .scalar(maps[$0])
    }
    var readings = Assignment()
    for v in 0..<n where v < 2 || g.uniform() < 0.8 {
      readings.readings[v] = .init([g.uniform(0, 2)])
    }
    for e in graph.cells(ofDimension: 1) where g.uniform() < 0.2 {
      readings.readings[e] = .init([g.uniform(0, 2)])
    }
    let found = try Consistency(sheaf, readings, norm: norm)
    var pairs: [(Int, Int)] = []
    for e in graph.cells(ofDimension: 1) {
      let ends = graph.incidences(of: e).map {
        (
          cell: graph.face($0),
          image: maps[$0] * (readings.readings[graph.face($0)]?.values[0] ?? .nan)
        )
      }
      if let x = readings.readings[e]?.values[0] {
        for end in ends where abs(end.image - x) * (norm == .two ? 2.0.squareRoot() : 1) > threshold
        {
          pairs.append((end.cell, e))
        }
        // The larger of the two links is at least this, whatever the edge's value.
        let least = norm == .two ? 0.5.squareRoot() : 0.5
        if abs(ends[0].image - ends[1].image) * least > threshold {
          pairs.append((ends[0].cell, ends[1].cell))
        }
      } else if abs(ends[0].image - ends[1].image) * (norm == .two ? 1 : 0.5) > threshold {
        pairs.append((ends[0].cell, ends[1].cell))
      }
    }
    return (found, readings.cells, pairs)
  }

  /// The maximal consistent sets and the smallest repairs against all subsets of up to 12 cells.
  @Test(arguments: Consistency.Norm.allCases)
  func setsAndRepairsAreThoseOfAllSubsets(_ norm: Consistency.Norm) throws {
    var compared = 0
    for seed in UInt64(0)..<60 {
      var g = RandomGenerator(case: seed)
      let threshold = g.uniform(0.1, 0.8)
      let (found, cells, pairs) = try Self.contradictions(
        &g, vertices: 6, edges: 9, norm: norm, threshold: threshold)
      guard cells.count <= 12 else { continue }
      compared += 1
      let masks = pairs.map { 1 << cells.firstIndex(of: $0.0)! | 1 << cells.firstIndex(of: $0.1)! }
      let consistent = (0..<1 << cells.count).filter { set in masks.allSatisfy { set & $0 != $0 } }
      let isConsistent = Set(consistent)
      let maximal = consistent.filter { set in
        cells.indices.allSatisfy { set >> $0 & 1 == 1 || !isConsistent.contains(set | 1 << $0) }
      }
      let expected = maximal.map { set in
        cells.indices.filter { set >> $0 & 1 == 1 }.map { cells[$0] }
      }
      let sets = found.maximalConsistentSets(at: threshold)
      #expect(
        sets.isComplete && Set(sets.sets) == Set(expected) && sets.sets.count == expected.count,
        "seed \(seed): \(sets), \(expected)")
      let largest = consistent.map { $0.nonzeroBitCount }.max()!
      let repair = found.minimalRepair(at: threshold)
      #expect(
        repair.cells.count == cells.count - largest && repair.isMinimal,
        "seed \(seed): \(repair), \(cells.count - largest)")
      let kept = cells.indices.filter { !repair.cells.contains(cells[$0]) }.reduce(0) {
        $0 | 1 << $1
      }
      #expect(isConsistent.contains(kept), "seed \(seed)")
      let few = found.maximalConsistentSets(at: threshold, limit: 1)
      #expect(few.sets.count == 1 && few.isComplete == (expected.count == 1), "seed \(seed)")
    }
    #expect(compared >= 40)
  }

  /// On larger graphs what the search gives when it is cut short is a repair, of at most twice the size, and its bound is true.
  @Test func boundsOfRepairsAreTrue() throws {
    for seed in UInt64(0)..<20 {
      var g = RandomGenerator(case: seed)
      let (found, _, pairs) = try Self.contradictions(
        &g, vertices: 40, edges: 60, norm: .two, threshold: 0.3)
      let best = found.minimalRepair(at: 0.3)
      #expect(best.isMinimal, "seed \(seed)")
      for limit in [0, 1, 10] {
        let quick = found.minimalRepair(at: 0.3, maximumBranches: limit)
        #expect(
          quick.lowerBound <= best.cells.count && best.cells.count <= quick.cells.count,
          "seed \(seed)")
        #expect(quick.cells.count <= 2 * quick.lowerBound, "seed \(seed): \(quick)")
        let dropped = Set(quick.cells)
        #expect(
          pairs.allSatisfy { dropped.contains($0.0) || dropped.contains($0.1) }, "seed \(seed)")
      }
    }
  }

  /// Long chains of contradictions: a path of which each edge is one.
  @Test func longChainsAreRepaired() throws {
    let n = 5000
    let path = try Consistency(
      .constant(1, on: .path(n)),
      Assignment(values: Dictionary(uniqueKeysWithValues: (0..<n).map { ($0, [Double($0)]) })))
    let repair = path.minimalRepair(at: 0.5)
    #expect(repair.cells.count == n / 2 && repair.isMinimal)
    let sets = path.maximalConsistentSets(at: 0.5, limit: 2)
    #expect(sets.sets.count == 2 && !sets.isComplete)
    #expect(path.maximalConsistentSets(at: 1).sets == [Array(0..<n)])
  }

  /// Clusters are the components of what agrees.
  @Test func clustersAreConnectedParts() throws {
    let values = [0, 0.1, 0.2, 5, 5.1, 9.0]
    let path = try Consistency(
      .constant(1, on: .path(6)),
      Assignment(values: Dictionary(uniqueKeysWithValues: values.enumerated().map { ($0, [$1]) })))
    #expect(path.clusters(at: 0.15) == [[0, 1, 2], [3, 4], [5]])
    #expect(path.clusters(at: 10) == [[0, 1, 2, 3, 4, 5]])
    #expect(path.clusters(at: 0).count == 6 && path.thresholds.last == 4.8)
    #expect(try Consistency(.constant(1, on: .path(0)), Assignment()).clusters(at: 1) == [])
  }

  /// Three elements of a poset that meet in one without a value contradict each other in pairs.
  @Test func threeThatMeetContradictEachOther() throws {
    let poset = try FinitePoset(below: [[], [], [], [0, 1, 2]])
    let sheaf = try NonlinearSheaf(
      poset, stalks: [1, 1, 1, 1],
      maps: [[], [], [], [AffineMap(.identity), AffineMap(.identity), AffineMap(.identity)]])
    let found = try Consistency(
      sheaf, Assignment(values: [0: [0], 1: [0], 2: [9]]), norm: .infinity)
    #expect(abs(found.radius - 4.5) < 1e-7)
    #expect(found.minimalRepair(at: 1).cells.count == 1)
    #expect(Set(found.maximalConsistentSets(at: 1).sets) == [[0, 1], [2]])
  }
}

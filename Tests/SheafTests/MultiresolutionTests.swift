import CellComplexes
import CellularSheaves
import Foundation
import LinearAlgebra
import SheafCoarsening
import SheafCohomology
import Testing

/// Pyramids, wavelets and best bases: nothing lost, energies that add up, sections that have no details.
@Suite struct MultiresolutionTests {
  private static func hierarchy(
    _ sheaf: CellularSheaf, _ g: inout RandomGenerator
  ) throws -> VertexHierarchy {
    let couplings = VertexCouplings(sheaf)
    switch g.integer(0...2) {
    case 0: return .independentSets(couplings)
    case 1: return try .spectralBisection(couplings)
    default:
      let n = couplings.count
      let fine = (0..<n).map { _ in g.integer(0...n / 2) }
      return try VertexHierarchy(vertices: n, labels: [fine, fine.map { $0 / 3 }])
    }
  }

  private static func difference(_ a: Matrix, _ b: Matrix) -> Double {
    var result = a
    result.add(b, scale: -1)
    return result.maximumMagnitude
  }

  @Test func pyramidsReconstructAndSplitTheEnergy() throws {
    try Tally.over(Array(0..<60)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let n = g.integer(2...14)
      let sheaf = g.weightedSheaf(on: g.connectedGraph(vertices: n, extra: n), summands: 2)
      let pyramid = try SheafPyramid(sheaf, Self.hierarchy(sheaf, &g))
      let dimension = sheaf.cochainDimension(0)
      let c = g.normalMatrix(rows: dimension, columns: 3)
      let parts = try pyramid.analyse(c)
      tally.expect(
        parts.details.reduce(parts.coarse.rows) { $0 + $1.rows } == dimension,
        "seed \(seed): not as many numbers")
      let found = try pyramid.synthesise(parts)
      let size = max(1, parts.details.reduce(c.maximumMagnitude) { max($0, $1.maximumMagnitude) })
      tally.expect(
        Self.difference(found, c) < 1e-12 * size, "seed \(seed): \(Self.difference(found, c))")
      let image = sheaf.orthonormal(sheaf.applyCoboundary(c, degree: 0), degree: 1)
      for j in 0..<3 {
        let expected = image.sumOfSquares(column: j) / 2
        let sum = parts.detailEnergies.reduce(parts.coarseEnergies[j]) { $0 + $1[j] }
        tally.expect(
          abs(sum - expected) < 1e-8 * max(1, expected), "seed \(seed): \(sum), \(expected)")
      }
    }.check(atLeast: 300)
  }

  /// Orthonormal: perfect reconstruction, Parseval, and on the basis itself the identity.
  @Test func waveletsAreAnOrthonormalBasis() throws {
    try Tally.over(Array(0..<60)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let n = g.integer(2...14)
      let sheaf = g.weightedSheaf(on: g.graph(vertices: n, edges: 2 * n), summands: 2)
      let hierarchy = try Self.hierarchy(sheaf, &g)
      let wavelets = try SheafWavelets(
        sheaf, hierarchy, scalingDimension: g.uniform() < 0.5 ? nil : g.integer(0...3))
      let dimension = sheaf.cochainDimension(0)
      tally.expect(wavelets.elements.count == dimension, "seed \(seed): \(wavelets.elements.count)")
      let c = g.normalMatrix(rows: dimension, columns: 2)
      let coefficients = wavelets.analyse(c)
      tally.expect(
        Self.difference(wavelets.synthesise(coefficients), c) < 1e-12 * max(1, c.maximumMagnitude),
        "seed \(seed): \(Self.difference(wavelets.synthesise(coefficients), c))")
      let weighted = sheaf.weighted(c, degree: 0)
      var square = [0.0, 0.0]
      c.addColumnDots(weighted, into: &square)
      let powers = wavelets.powers(coefficients)
      for j in 0..<2 {
        let sum = powers.reduce(0) { $0 + $1[j] }
        tally.expect(abs(sum - square[j]) <= 1e-10 * square[j], "seed \(seed): \(sum) \(square[j])")
      }
      let basis = wavelets.synthesise(.identity(dimension))
      tally.expect(
        Self.difference(wavelets.analyse(basis), .identity(dimension)) < 1e-12,
        "seed \(seed): not orthonormal")
      let best = try LocalEigenbases(sheaf, hierarchy).best(for: c)
      let found = best.analyse(c)
      tally.expect(
        Self.difference(best.synthesise(found), c) < 1e-12 * max(1, c.maximumMagnitude)
          && abs(found.sumOfSquares - square[0] - square[1]) <= 1e-10 * found.sumOfSquares,
        "seed \(seed): the best basis")
    }.check(atLeast: 360)
  }

  /// The best basis costs no more than any partition by one level, single vertices and the whole included.
  @Test func theBestBasisCostsLeast() throws {
    try Tally.over(Array(0..<40)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let n = g.integer(3...12)
      // Different conductances: no eigenvalue is there twice.
      let graph = g.connectedGraph(vertices: n, extra: 3)
      let sheaf = try CellularSheaf(
        graph, stalks: [Int](repeating: 1, count: graph.count),
        weights: (0..<graph.count).map { $0 < n ? .standard : .scalar(g.uniform(0.5, 2)) }
      ) { _ in .identity }
      let hierarchy = try VertexHierarchy.spectralBisection(VertexCouplings(sheaf))
      let bases = try LocalEigenbases(sheaf, hierarchy)
      let c = g.normalMatrix(rows: n, columns: 2)
      let bound = g.uniform(0.1, 1)
      let costs: [(LocalEigenbases.Cost, (Double, Double) -> Double)] = [
        (.absolute, { c, _ in abs(c) }), (.count(above: bound), { c, _ in abs(c) > bound ? 1 : 0 }),
        (.entropy, { c, norm in c == 0 ? 0 : -c * c / norm * log(c * c / norm) }),
      ]
      for (name, cost) in costs {
        func sum(_ x: Matrix) -> Double {
          (0..<2).reduce(0) { sum, j in
            (0..<x.rows).reduce(sum) { $0 + cost(x[$1, j], c.sumOfSquares(column: j)) }
          }
        }
        let found = sum(bases.best(for: c, by: name).analyse(c))
        for level in 0..<hierarchy.levels {
          var expected = 0.0
          for members in hierarchy.members(level) {
            let l = SheafLaplacian(
              sheaf.restricted(to: Self.span(members, sheaf)).sheaf, degree: 0)
            var part = Matrix(rows: members.count, columns: 2)
            part.setProduct(
              try SymmetricEigendecomposition(l.laplacian.matrix.dense).vectors,
              c[rows: members, columns: [0, 1]], transposing: .left)
            expected += sum(part)
          }
          tally.expect(
            found <= expected + 1e-9 * abs(expected),
            "seed \(seed), level \(level), \(name): \(found) \(expected)")
        }
      }
    }.check(atLeast: 240)
  }

  /// A wavelet's frequency is ‖δψ‖² over the edges within its part, and it is 0 outside of the part.
  @Test func frequenciesAreEnergies() throws {
    try Tally.over(Array(0..<30)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let n = g.integer(3...12)
      let sheaf = g.weightedSheaf(on: g.connectedGraph(vertices: n, extra: n), summands: 2)
      let hierarchy = try Self.hierarchy(sheaf, &g)
      let wavelets = try SheafWavelets(sheaf, hierarchy)
      let basis = wavelets.synthesise(.identity(wavelets.elements.count))
      for (k, element) in wavelets.elements.enumerated() {
        let members = hierarchy.members(element.level)[element.part]
        let part = sheaf.restricted(to: Self.span(members, sheaf))
        let inside = sheaf.coordinates(members)
        let psi = basis.columns(k..<k + 1)
        let energy = 2 * part.sheaf.energies(psi.gathered(inside), degree: 0)[0]
        tally.expect(
          abs(energy - element.frequency) < 1e-8 * max(1, energy),
          "seed \(seed), element \(k): \(energy), \(element.frequency)")
        let isInside = Set(inside)
        tally.expect(
          (0..<psi.rows).allSatisfy { isInside.contains($0) || psi[$0, 0] == 0 },
          "seed \(seed), element \(k) outside of its part")
      }
    }.check(atLeast: 150)
  }

  /// Vertices with the edges whose ends are among them.
  private static func span(_ vertices: [Int], _ sheaf: CellularSheaf) -> Set<Int> {
    let complex = sheaf.complex
    let chosen = Set(vertices)
    return chosen.union(
      complex.cells(ofDimension: 1).filter { edge in
        complex.incidences(of: edge).allSatisfy { chosen.contains(complex.face($0)) }
      })
  }

  /// Global sections are scaling functions only, where s is at least the dimension of the local sections.
  @Test func sectionsHaveNoWaveletPart() throws {
    try Tally.over(Array(0..<40)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let n = g.integer(3...12)
      let graph = g.connectedGraph(vertices: n, extra: 3)
      // A constant sheaf in other bases: sections on every connected part have dimension 2.
      let sheaf = try CellularSheaf.constant(2, on: graph).changingBases(
        (0..<graph.count).map { _ in g.invertible(2) })
      let wavelets = try SheafWavelets(
        sheaf, .spectralBisection(VertexCouplings(sheaf)), scalingDimension: 2)
      let sections = try NearestCocycle(
        to: g.normalMatrix(rows: 2 * n, columns: 2), in: sheaf
      ).cocycles
      let coefficients = wavelets.analyse(sections)
      let largest = wavelets.elements.indices.filter { !wavelets.elements[$0].isScaling }.reduce(0)
      {
        max($0, abs(coefficients[$1, 0]), abs(coefficients[$1, 1]))
      }
      tally.expect(
        largest < 1e-9 * max(1, coefficients.maximumMagnitude), "seed \(seed): \(largest)")
    }.check(atLeast: 40)
  }

  /// On the constant sheaf of a path of four and parts of two the wavelets are Haar's.
  @Test func pathsHaveHaarsWavelets() throws {
    let sheaf = CellularSheaf.constant(on: .path(4))
    let wavelets = try SheafWavelets(
      sheaf, VertexHierarchy(vertices: 4, labels: [[0, 0, 1, 1]]))
    #expect(wavelets.elements.map(\.level) == [2, 2, 1, 1])
    let c = wavelets.analyse(Matrix(column: [4, 2, 5, 5]))
    let root = 0.5.squareRoot()
    #expect(abs(c[0, 0] - 8) < 1e-14 && abs(abs(c[1, 0]) - 2) < 1e-14)
    #expect(abs(abs(c[2, 0]) - 2 * root) < 1e-14 && abs(c[3, 0]) < 1e-14)
    // The frequency of (1, −1)/√2 is 2, that of (1, 1, −1, −1)/2 is 1.
    #expect(abs(wavelets.elements[2].frequency - 2) < 1e-14)
    #expect(abs(wavelets.elements[1].frequency - 1) < 1e-14)
  }

  /// Noise on a section of a long path becomes less, by about the ratio of the numbers of coefficients.
  @Test func shrinkageTakesNoiseAway() throws {
    try Tally.over(Array(0..<10)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let sheaf = CellularSheaf.constant(on: .path(256))
      let wavelets = try SheafWavelets(sheaf, .spectralBisection(VertexCouplings(sheaf)))
      let truth = Matrix(column: (0..<256).map { $0 < 128 ? 1 : 3 })
      var noisy = truth
      noisy.add(g.normalMatrix(rows: 256, columns: 1, deviation: 0.3))
      let before = Self.square(noisy, truth)
      for rule in [SheafWavelets.Rule.universal(isSoft: false), .bayes] {
        let after = Self.square(try wavelets.denoise(noisy, by: rule), truth)
        tally.expect(after < before / 4, "seed \(seed), \(rule): \(after) of \(before)")
      }
    }.check(atLeast: 20)
    // Too few wavelets to tell the noise from.
    let short = try SheafWavelets(
      .constant(on: .path(4)), VertexHierarchy.blocks(height: 1, width: 4))
    #expect(throws: CoarseningError.self) { try short.denoise(Matrix(column: [1, 2, 3, 4])) }
    // Mean square 9, noise 1: σ_x² = 8.
    #expect(abs(Shrinkage.bayesThreshold([3, -3, 3, -3], noise: 1) - 1 / 8.0.squareRoot()) < 1e-15)
    #expect(Shrinkage.bayesThreshold([0.5, -0.5], noise: 1) == .infinity)
    #expect(Shrinkage.soft(threshold: 1)(-3) == -2 && Shrinkage.hard(threshold: 1)(0.5) == 0)
    #expect(Shrinkage.wiener(variance: 3, noise: 1)(4) == 3)
  }

  private static func square(_ a: Matrix, _ b: Matrix) -> Double {
    var result = a
    result.add(b, scale: -1)
    return result.sumOfSquares
  }

  @Test func hierarchiesAreNested() throws {
    for seed in UInt64(0)..<40 {
      var g = RandomGenerator(case: seed)
      let sheaf = CellularSheaf.constant(
        on: g.graph(vertices: g.integer(1...30), edges: g.integer(0...50)))
      let couplings = VertexCouplings(sheaf)
      for hierarchy in [
        VertexHierarchy.independentSets(couplings), try .spectralBisection(couplings),
      ] {
        let same = try VertexHierarchy(
          vertices: couplings.count, labels: hierarchy.labels, closing: false)
        #expect(same == hierarchy, "SHEAF_SEED=\(Seeds.shift), seed \(seed)")
        let kept = hierarchy.representatives(couplings)
        for level in 1..<kept.count {
          #expect(Set(kept[level]).isSubset(of: kept[level - 1]))
          #expect(kept[level].count == hierarchy.counts[level])
        }
      }
    }
    // The hub stands for a star; with a strong edge elsewhere an end of that does.
    let star = try CellComplex.graph(vertices: 4, edges: [(1, 0), (1, 2), (1, 3)])
    let whole = try VertexHierarchy(vertices: 4, labels: [])
    #expect(whole.representatives(VertexCouplings(.constant(on: star)))[1] == [1])
    let weak = try CellularSheaf(star, stalks: [Int](repeating: 1, count: 7)) { i in
      .scalar(i < 2 ? 0 : 1)
    }
    #expect(VertexHierarchy.independentSets(VertexCouplings(weak)).counts == [4, 2])
    // A path with couplings 1, 4, 9, 1: vertex 2 is coupled most and chosen, then 0 and 4; 1 and 3 join 2.
    let row = try CellularSheaf(.path(5), stalks: [Int](repeating: 1, count: 9)) { i in
      .scalar([1, 1, 2, 2, 3, 3, 1, 1][i])
    }
    let sets = VertexHierarchy.independentSets(VertexCouplings(row), maximumLevels: 1)
    #expect(sets.labels[1] == [0, 1, 1, 1, 2])
    #expect(VertexHierarchy.blocks(height: 4, width: 6).counts == [24, 6, 2, 1])
    #expect(throws: CoarseningError.self) {
      try VertexHierarchy(vertices: 3, labels: [[0, 0, 1], [0, 1, 1]])
    }
    #expect(throws: CoarseningError.self) { try VertexHierarchy(vertices: 3, labels: [[0, 0]]) }
  }

  /// The spectrum of what is drawn is within what is said, which a dense pencil tells; leverages add up to the rank.
  @Test func sparserSheavesKeepTheSpectrum() throws {
    try Tally.over(Array(0..<20)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let n = g.integer(20...40)
      let graph = known {
        try CellComplex.graph(
          vertices: n, edges: (0..<n).flatMap { i in (0..<i).map { (i, $0) } })
      }
      let sheaf =
        seed % 2 == 0 ? CellularSheaf.constant(on: graph) : g.weightedSheaf(on: graph, summands: 1)
      let sparser = try Sparsification(sheaf, within: 0.7, using: &g)
      let l = SheafLaplacian(sheaf, degree: 0).laplacian.matrix.dense
      let drawn = SheafLaplacian(sparser.sheaf, degree: 0).laplacian.matrix.dense
      let pairs = try SymmetricEigendecomposition(l)
      let zeros = pairs.values.count { $0 < 1e-9 * pairs.values.last! }
      let rank = pairs.values.count - zeros
      tally.expect(
        abs(sparser.leverages.reduce(0, +) - Double(rank)) < 1e-8 * Double(n),
        "seed \(seed): leverages \(sparser.leverages.reduce(0, +)), rank \(rank)")
      var half = pairs.vectors.columns(zeros..<pairs.values.count)
      half.scaleColumns(by: pairs.values.dropFirst(zeros).map { 1 / $0.squareRoot() })
      var pencil = Matrix(rows: rank, columns: rank)
      pencil.setProduct(half, drawn * half, transposing: .left)
      let values = try SymmetricEigendecomposition(pencil.symmetrized, vectors: false).values
      let deviation = max(values.last! - 1, 1 - values.first!)
      tally.expect(
        deviation <= sparser.deviation && sparser.deviation <= 0.7
          && abs(deviation - sparser.deviation) < 0.02,
        "seed \(seed): \(deviation), said \(sparser.deviation)")
      tally.expect(
        seed % 2 == 1
          || sparser.sheaf.complex.cells(ofDimension: 1).count < graph.cells(ofDimension: 1).count,
        "seed \(seed): nothing was left out")
    }.check(atLeast: 60)
  }
}

import CellComplexes
import CellularSheaves
import LinearAlgebra
import Testing

@testable import SheafCohomology

/// Long exact sequences: composites are 0 and ranks add up.
struct ExactSequenceTests {
  static let seeds = Array(UInt64(0)..<40)

  static func sheaf(_ g: inout RandomGenerator, _ seed: UInt64) -> CellularSheaf {
    switch seed % 4 {
    case 0: g.integerSheaf(on: g.graph(vertices: 7, edges: 11, halfOpen: true), stalks: 0...3)
    case 1:
      g.weightedSheaf(on: g.simplicial(vertices: 6, facets: 5, dimension: 3).complex, summands: 3)
    case 2: .constant(2, on: Spaces.torus.complex)
    default: g.integerSheaf(on: .grid([3, 3], isPeriodic: true), summands: 3)
    }
  }

  private static func judge(
    _ sequence: LongExactSequence, _ name: String, _ tally: inout Tally
  ) throws {
    let (composite, terms) = try sequence.defects()
    tally.expect(composite < 1e-8, "\(name): composite \(composite)")
    tally.expect(terms.isEmpty, "\(name): \(terms) of \(sequence.terms.map(\.dimension))")
    // Alternating dimensions of an exact sequence add up to 0.
    let sum = sequence.terms.enumerated().reduce(0) {
      $0 + ($1.offset % 2 == 0 ? 1 : -1) * $1.element.dimension
    }
    tally.expect(sum == 0, "\(name): Euler \(sum)")
  }

  @Test func pairsHaveExactSequences() throws {
    try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let sheaf = Self.sheaf(&g, seed)
      let complex = sheaf.complex
      for share in [0.05, 0.3] {
        let closed = complex.closure((0..<complex.count).filter { _ in g.uniform() < share })
        let sequence = try LongExactSequence(of: sheaf, relativeTo: closed)
        try Self.judge(sequence, "\(seed), \(closed.count) cells", &tally)
        let betti = try RealCohomology(sheaf).betti
        tally.expect(
          betti.indices.allSatisfy { sequence.terms[3 * $0 + 1].dimension == betti[$0] },
          "\(seed), H(X)")
        tally.expect(
          try betti.indices.allSatisfy {
            try sequence.terms[3 * $0].dimension
              == SheafCohomologyTests.padded(
                RealCohomology(sheaf.relative(to: closed).sheaf).betti, betti.count)[$0]
          }, "\(seed), H(X, A)")
      }
      for closed in [Set<Int>(), Set(0..<complex.count)] {
        try Self.judge(
          LongExactSequence(of: sheaf, relativeTo: closed), "\(seed), all or nothing", &tally)
      }
    }.check(atLeast: 16 * Self.seeds.count)
  }

  @Test func coversHaveExactSequences() throws {
    try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let sheaf = Self.sheaf(&g, seed)
      let complex = sheaf.complex
      for share in [0.2, 0.5] {
        let a = complex.closure((0..<complex.count).filter { _ in g.uniform() < share })
        let b = complex.closure((0..<complex.count).filter { !a.contains($0) })
        try Self.judge(
          LongExactSequence(mayerVietoris: sheaf, a, b), "\(seed), \(a.count) and \(b.count)",
          &tally)
      }
    }.check(atLeast: 6 * Self.seeds.count)
  }

  /// A disc and its boundary: 0 → 0 → ℝ → ℝ → 0 → 0 → ℝ ≅ ℝ → 0.
  @Test func discsHaveTheirSequence() throws {
    let disc = CellularSheaf.constant(1, on: try SimplicialComplex(facets: [[0, 1, 2]]).complex)
    let sequence = try LongExactSequence(of: disc, relativeTo: Set(0..<6))
    #expect(sequence.terms.map(\.dimension) == [0, 1, 1, 0, 0, 1, 1, 0, 0])
    #expect(
      sequence.terms.map(\.name).prefix(4) == ["H0(X,A)", "H0(X)", "H0(A)", "H1(X,A)"])
    #expect(abs(sequence.terms[5].map![0, 0]) > 0.1 && sequence.terms.last!.map == nil)
    // Two arcs that make a circle meet in two points.
    let circle = CellularSheaf.constant(1, on: .cycle(4))
    let arcs = try LongExactSequence(
      mayerVietoris: circle, circle.complex.closure([4, 5]), circle.complex.closure([6, 7]))
    #expect(arcs.terms.map(\.dimension) == [1, 2, 2, 1, 0, 0])
    #expect(try arcs.defects().terms == [])
  }

  /// What is not exact is told: a sequence with its maps taken away is not.
  @Test func defectsAreFound() throws {
    let disc = CellularSheaf.constant(1, on: try SimplicialComplex(facets: [[0, 1, 2]]).complex)
    let open = message { _ = try LongExactSequence(of: disc, relativeTo: [6]) }
    #expect(open.contains("without its face"))
    let cover = message { _ = try LongExactSequence(mayerVietoris: disc, [0], [1]) }
    #expect(cover.contains("2 of 7 cells"))
    // Singular values of different size are all counted, those of rounding are not.
    var g = RandomGenerator(case: 0)
    let terms = try (0..<30).map { _ -> Int in
      let (a, b) = (g.normalMatrix(rows: 20, columns: 7), g.normalMatrix(rows: 7, columns: 20))
      let sequence = LongExactSequence(terms: [
        .init(name: "A", dimension: 7, map: a * b), .init(name: "B", dimension: 7, map: nil),
      ])
      return try sequence.defects().terms.count
    }
    #expect(terms == [Int](repeating: 0, count: 30))
  }
}

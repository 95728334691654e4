import CellComplexes
import CellularSheaves
import Foundation
import LinearAlgebra
import SheafPersistence
import Testing

/// Distances of barcodes: against all matchings, and stability.
@Suite struct PersistenceDistanceTests {
  static func barcode(_ bars: [(Double, Double)]) -> Barcode {
    Barcode(bars.map { PersistenceInterval(degree: 0, birth: $0.0, death: $0.1) })
  }

  @Test func distancesByHand() {
    let a = Self.barcode([(0, 10), (1, 2), (0, .infinity)])
    let b = Self.barcode([(1, 8), (3, 3.5), (0.25, .infinity)])
    // 10 to 8, the others to the diagonal.
    #expect(a.bottleneckDistance(to: b, degree: 0) == 2)
    #expect(abs(a.wassersteinDistance(to: b, degree: 0) - 3) < 1e-14)
    #expect(
      abs(a.wassersteinDistance(to: b, degree: 0, power: 2) - 4.375.squareRoot()) < 1e-14)
    #expect(a.bottleneckDistance(to: Self.barcode([]), degree: 0) == .infinity)
    #expect(a.wassersteinDistance(to: Self.barcode([]), degree: 0) == .infinity)
    #expect(Self.barcode([(0, 3)]).bottleneckDistance(to: Self.barcode([]), degree: 0) == 1.5)
    #expect(a.bottleneckDistance(to: b, degree: 1) == 0)
    #expect(a.wassersteinDistance(to: b, degree: 1) == 0)
  }

  @Test func distancesAreLeastOverAllMatchings() throws {
    try Tally.over(Array(0..<300)) { seed, tally in
      var generator = RandomGenerator(case: seed)
      // On a grid every other time, where many costs are the same.
      func bars(_ count: Int) -> [(Double, Double)] {
        (0..<count).map { _ in
          let birth = seed % 2 == 0 ? Double(generator.integer(0...4)) : generator.uniform()
          let length = seed % 2 == 0 ? Double(generator.integer(1...4)) : generator.uniform(0.01, 1)
          return (birth, birth + length)
        }
      }
      let (a, b) = (bars(generator.integer(0...5)), bars(generator.integer(0...5)))
      let (first, second) = (Self.barcode(a), Self.barcode(b))
      let bottleneck = Self.least(a[...], b) { max($0, $1) }
      tally.expect(
        first.bottleneckDistance(to: second, degree: 0) == bottleneck,
        "seed \(seed): \(a) and \(b)")
      for p in [1.0, 2, 3] {
        let expected = pow(Self.least(a[...], b) { $0 + pow($1, p) }, 1 / p)
        let found = first.wassersteinDistance(to: second, degree: 0, power: p)
        tally.expect(
          abs(found - expected) < 1e-12 * max(expected, 1),
          "seed \(seed), power \(p): \(found), expected \(expected)")
        tally.expect(
          abs(second.wassersteinDistance(to: first, degree: 0, power: p) - found) < 1e-12,
          "seed \(seed), power \(p): not symmetric")
      }
    }.check(atLeast: 2000)
  }

  /// The least total over all matchings of a with b.
  static func least(
    _ a: ArraySlice<(Double, Double)>, _ b: [(Double, Double)], _ add: (Double, Double) -> Double
  ) -> Double {
    guard let p = a.first else { return b.reduce(0) { add($0, ($1.1 - $1.0) / 2) } }
    var best = add(least(a.dropFirst(), b, add), (p.1 - p.0) / 2)
    for j in b.indices {
      var rest = b
      let q = rest.remove(at: j)
      best = min(
        best, add(least(a.dropFirst(), rest, add), max(abs(p.0 - q.0), abs(p.1 - q.1))))
    }
    return best
  }

  /// Larger diagrams: permuted and moved by at most ε, the distance is no more; and it is no metric's less than the
  /// triangle inequality allows.
  @Test func movedBarsAreNear() throws {
    var generator = RandomGenerator(case: 7)
    let bars = (0..<300).map { _ -> (Double, Double) in
      let birth = generator.uniform()
      return (birth, birth + generator.uniform(0.1, 1))
    }
    let moved = bars.shuffled(using: &generator).map {
      ($0.0 + generator.uniform(-0.01, 0.01), $0.1 + generator.uniform(-0.01, 0.01))
    }
    let (a, b) = (Self.barcode(bars), Self.barcode(moved))
    let bottleneck = a.bottleneckDistance(to: b, degree: 0)
    #expect(bottleneck <= 0.01 && bottleneck > 0)
    let (one, two) = (
      a.wassersteinDistance(to: b, degree: 0),
      a.wassersteinDistance(to: b, degree: 0, power: 2)
    )
    #expect(one <= 3 && two <= one && bottleneck <= two)
  }

  /// The barcodes change by no more than the values do, in every degree.
  @Test func barcodesAreStable() throws {
    try Tally.over(Array(0..<200)) { seed, tally in
      var generator = RandomGenerator(case: 5000 + seed)
      let n = 8
      let complex = generator.simplicial(vertices: n, facets: 14, dimension: 3).complex
      let sheaf = generator.integerSheaf(on: complex, summands: 2)
      let values = (0..<n).map { _ in generator.uniform() }
      let size = [0.02, 0.2, 1][generator.integer(0...2)]
      let changed = values.map { $0 + generator.uniform(-size, size) }
      let change = zip(values, changed).reduce(0) { max($0, abs($1.0 - $1.1)) }
      for field in [SheafFiltration.Coefficients.prime(2), .prime(3), .rational] {
        let before = try SheafFiltration.lowerStar(sheaf, vertexValues: values)
          .barcode(over: field)
        let after = try SheafFiltration.lowerStar(sheaf, vertexValues: changed)
          .barcode(over: field)
        for q in 0...3 {
          let distance = before.bottleneckDistance(to: after, degree: q)
          tally.expect(
            distance <= change,
            "seed \(seed), degree \(q) over \(field): \(distance), values changed by \(change)")
        }
      }
    }.check(atLeast: 2400)
  }
}

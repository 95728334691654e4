import CellComplexes
import CellularSheaves
import Foundation
import LinearAlgebra
import SheafPersistence
import Testing

/// Densities of clouds, the filtrations that they make, and the filtration by discord.
@Suite struct PersistenceDensityTests {
  // MARK: Densities

  @Test func gaussianDensitiesAreMeansOfKernels() throws {
    try Tally.over(Array(0..<40)) { seed, tally in
      var generator = RandomGenerator(case: seed)
      let (d, n) = (generator.integer(1...4), generator.integer(1...12))
      let points = generator.normalMatrix(rows: d, columns: n)
      let h = generator.uniform(0.2, 2)
      let found = try PointDensity.gaussian(points: points, bandwidth: h)
      for x in 0..<n {
        // A product of normal densities along the axes.
        let expected =
          (0..<n).map { i in
            (0..<d).reduce(1.0) { product, k in
              let z = (points[k, x] - points[k, i]) / h
              return product * exp(-z * z / 2) / (h * (2 * Double.pi).squareRoot())
            }
          }.reduce(0, +) / Double(n)
        tally.expect(abs(found[x] - expected) <= 1e-12 * expected, "seed \(seed), point \(x)")
      }
    }.check(atLeast: 100)
  }

  @Test func distancesToTheMeasureAreThoseToTheNearest() throws {
    try Tally.over(Array(0..<60)) { seed, tally in
      var generator = RandomGenerator(case: seed)
      let (d, n) = (generator.integer(1...3), generator.integer(1...30))
      // Equal distances every other time.
      let points = Matrix(
        rows: d, columns: n,
        columnMajor: (0..<d * n).map { _ in
          seed % 2 == 0 ? generator.uniform() : Double(generator.integer(0...2))
        })
      let k = generator.integer(1...n)
      let found = try PointDensity.distanceToMeasure(points: points, mass: Double(k) / Double(n))
      for x in 0..<n {
        let squares = (0..<n).map { i in
          (0..<d).reduce(0) { $0 + pow(points[$1, x] - points[$1, i], 2) }
        }.sorted()
        let expected = (squares.prefix(k).reduce(0, +) / Double(k)).squareRoot()
        tally.expect(abs(found[x] - expected) <= 1e-12, "seed \(seed), point \(x), k = \(k)")
      }
    }.check(atLeast: 300)
    // k = ⌈m n⌉: two of four points from above a quarter on.
    let line = Matrix([[0, 1, 3, 7]])
    #expect(try PointDensity.distanceToMeasure(points: line, mass: 0.25) == [0, 0, 0, 0])
    #expect(
      try PointDensity.distanceToMeasure(points: line, mass: 0.3)
        == [1, 1, 4, 16].map { ($0 / 2).squareRoot() })
  }

  @Test func densePartsComeFirst() throws {
    let points = Matrix([[0, 0.1, 0.2, 2.5, 5, 5.1]])
    let sheaf = CellularSheaf.constant(on: .path(6))
    let density = try SheafFiltration.byDensity(sheaf, points: points, bandwidth: 0.5)
    let peaks = try density.barcode(over: .prime(2))[0]
    // Two peaks, the larger one first, joined by the point between them.
    #expect(peaks.count == 2 && peaks[0].death == .infinity && peaks[0].birth < peaks[1].birth)
    let values = try PointDensity.gaussian(points: points, bandwidth: 0.5).map { -$0 }
    #expect(Array(density.values.prefix(6)) == values)
    #expect(density.values[8] == values[3] && peaks[1].death == values[3])
    let measure = try SheafFiltration.byDistanceToMeasure(sheaf, points: points, mass: 0.4)
    #expect(
      Array(measure.values.prefix(6))
        == (try PointDensity.distanceToMeasure(points: points, mass: 0.4)))
  }

  // MARK: Weighted Rips

  /// Two balls meet when their radii add up to the distance, or when the later point is in the earlier ball already.
  @Test func ballsMeetWhereTheirRadiiReach() throws {
    try Tally.over(Array(0..<200)) { seed, tally in
      var generator = RandomGenerator(case: seed)
      let weights = [generator.uniform(), seed % 3 == 0 ? 0 : generator.uniform()]
      let distance = generator.uniform(0, 2)
      let points = Matrix([[0, distance]])
      var last = Double.infinity
      for growth in SheafFiltration.BallGrowth.allCases {
        let t = try SheafFiltration.weightedRips(
          points: points, weights: weights, growth: growth, upTo: 10, maximumDimension: 1
        ).filtration.values[2]
        let radii = weights.map { f in
          switch growth {
          case .linear: t - f
          case .quadratic: max(t * t - f * f, 0).squareRoot()
          case .immediate: t
          }
        }
        let isReached = abs(radii[0] + radii[1] - distance) < 1e-7
        let isLater = t == weights.max()! && radii[0] + radii[1] >= distance - 1e-7
        tally.expect(isReached || isLater, "seed \(seed), \(growth): \(t)")
        tally.expect(t <= last + 1e-12, "seed \(seed), \(growth): smaller balls are faster")
        last = t
      }
    }.check(atLeast: 1200)
  }

  @Test func withoutWeightsItIsHalfOfRips() throws {
    try Tally.over(Array(0..<30)) { seed, tally in
      var generator = RandomGenerator(case: seed)
      let points = PersistenceRipsTests.cloud(&generator)
      let rips = try Barcode.vietorisRips(points: points, maximumDegree: 1)
      for growth in SheafFiltration.BallGrowth.allCases {
        let found = try SheafFiltration.weightedRips(
          points: points, weights: [Double](repeating: 0, count: points.columns), growth: growth,
          upTo: 10, maximumDimension: 2
        ).filtration.barcode(over: .prime(2), maximumDegree: 1)
        for q in 0...1 {
          let halves = Barcode(
            rips[q].map {
              PersistenceInterval(degree: q, birth: $0.birth / 2, death: $0.death / 2)
            })
          tally.expect(
            found.bottleneckDistance(to: halves, degree: q) < 1e-12,
            "seed \(seed), \(growth), degree \(q)")
        }
      }
    }.check(atLeast: 180)
  }

  /// A circle with points in the middle: they close the loop of Vietoris–Rips early, that of the DTM filtration late.
  @Test func pointsInTheMiddleHardlyMatter() throws {
    let n = 40
    var columns = (0..<n).flatMap { i -> [Double] in
      let angle = 2 * Double.pi * Double(i) / Double(n)
      return [cos(angle), sin(angle)]
    }
    columns += [0, 0, 0.2, 0.3, -0.3, 0.1]
    let points = Matrix(rows: 2, columns: n + 3, columnMajor: columns)
    let (filtration, complex) = try SheafFiltration.distanceToMeasureRips(
      points: points, mass: 0.1, upTo: 1.2, maximumDimension: 2)
    #expect(complex.vertexCount == n + 3)
    let weights = try PointDensity.distanceToMeasure(points: points, mass: 0.1)
    #expect(Array(filtration.values.prefix(n + 3)) == weights)
    func longest(_ barcode: Barcode) -> Double { barcode[1].map(\.length).max() ?? 0 }
    let measure = longest(try filtration.barcode(over: .prime(2), maximumDegree: 1))
    let rips = longest(try Barcode.vietorisRips(points: points)) / 2
    #expect(measure > 1.2 * rips, "\(measure) and \(rips)")
  }

  // MARK: Discord

  @Test func discordIsTheNormOfTheCoboundary() throws {
    try Tally.over(Array(0..<40)) { seed, tally in
      var generator = RandomGenerator(case: seed)
      let complex = generator.simplicial(vertices: 6, facets: 5, dimension: 2).complex
      let plain = generator.integerSheaf(on: complex, summands: 2)
      let weights = (0..<complex.count).map { _ in InnerProduct.scalar(generator.uniform(0.5, 2)) }
      let sheaf = try CellularSheaf(complex, stalks: plain.stalks, weights: weights) {
        plain.map($0)
      }
      for k in 0...1 where !complex.cells(ofDimension: k + 1).isEmpty {
        let c = generator.normalMatrix(rows: sheaf.cochainDimension(k), columns: 1).elements
        let found = try SheafFiltration.discord(sheaf, of: c, degree: k)
        let image = (sheaf.coboundary(k).dense * Matrix(column: c)).elements
        for cell in complex.cells(ofDimension: k + 1) {
          let part = image[sheaf.range(of: cell)]
          let square =
            part.reduce(0) { $0 + $1 * $1 }
            * sheaf.innerProduct(of: cell).dense(max(part.count, 1))[0, 0]
          tally.expect(
            abs(found.values[cell] - square.squareRoot()) < 1e-9 * (1 + square),
            "seed \(seed), degree \(k), cell \(cell)")
        }
        tally.expect(
          found.values[..<complex.cells(ofDimension: k + 1).lowerBound].allSatisfy { $0 == 0 },
          "seed \(seed): smaller cells")
        for cell in complex.cells(ofDimension: k + 2) {
          let last = complex.incidences(of: cell).map { found.values[complex.face($0)] }.max()
          tally.expect(found.values[cell] == last, "seed \(seed): cell \(cell)")
        }
      }
    }.check(atLeast: 300)
  }

  /// X_a is where the assignment agrees up to a: its components are the agreeing parts.
  @Test func agreeingPartsAreComponents() throws {
    let sheaf = CellularSheaf.constant(on: .path(5))
    let barcode = try SheafFiltration.discord(sheaf, of: [2, 2, 5, 5, 4]).barcode(over: .prime(2))
    #expect(
      barcode.intervals == [
        PersistenceInterval(degree: 0, birth: 0, death: 1),
        PersistenceInterval(degree: 0, birth: 0, death: 3),
        PersistenceInterval(degree: 0, birth: 0, death: .infinity),
      ])
    // A section agrees everywhere.
    #expect(
      try SheafFiltration.discord(sheaf, of: [7, 7, 7, 7, 7]).values.allSatisfy { $0 == 0 })
    // Without edges there is nothing to disagree on.
    let point = CellularSheaf.constant(on: .path(1))
    #expect(try SheafFiltration.discord(point, of: [3]).values == [0])
  }

  // MARK: Refusals

  @Test func badInputIsRefused() throws {
    func message(_ run: () throws -> Void) -> String {
      do {
        try run()
        return "nothing"
      } catch { return "\(error)" }
    }
    let points = Matrix([[0, 1, .nan]])
    let good = Matrix([[0, 1, 2]])
    let notFinite = "point 2: found a coordinate that is not finite, expected finite coordinates"
    #expect(message { _ = try PointDensity.gaussian(points: points, bandwidth: 1) } == notFinite)
    #expect(
      message { _ = try PointDensity.distanceToMeasure(points: points, mass: 1) } == notFinite)
    for h in [0, -1, Double.nan, .infinity] {
      #expect(
        message { _ = try PointDensity.gaussian(points: good, bandwidth: h) }
          == "bandwidth: found \(h), expected a finite number above 0")
    }
    let wide = Matrix(rows: 800, columns: 2)
    #expect(
      message { _ = try PointDensity.gaussian(points: wide, bandwidth: 0.01) }.contains(
        "800 dimensions"))
    for m in [0, 1.5, -1, Double.nan] {
      #expect(
        message { _ = try PointDensity.distanceToMeasure(points: good, mass: m) }
          == "mass: found \(m), expected a number above 0 and at most 1")
    }
    func weighted(_ weights: [Double], _ largest: Double, memory: Double = 1e9) -> String {
      message {
        _ = try SheafFiltration.weightedRips(
          points: good, weights: weights, upTo: largest, maximumDimension: 2, memoryLimit: memory)
      }
    }
    #expect(
      weighted([0, -1, 0], 1)
        == "the weight of point 1: found -1.0, expected a finite number from 0 on")
    #expect(weighted([0, 0, 0], .nan).contains("the largest value"))
    #expect(weighted([0, 0, 0], 10, memory: 200).contains("simplices need"))
    let sheaf = CellularSheaf.constant(on: .path(3))
    #expect(throws: PersistenceError.missing(cell: "2")) {
      try SheafFiltration.byDensity(sheaf, points: Matrix([[0, 1]]), bandwidth: 1)
    }
    // A number that is none, alone or beside others.
    #expect(
      message { _ = try SheafFiltration.sublevel(sheaf, normOf: [0, .nan, 0]) }
        == "cell \"1\" has the value nan, expected a finite number")
    #expect(
      message { _ = try SheafFiltration.discord(sheaf, of: [0, .infinity, 0]) }
        == "cell \"3\" has the value inf, expected a finite number")
  }
}

import Foundation
import LinearAlgebra
import SheafPersistence
import Testing

/// Persistence images and landscapes: against other programs, their definitions, and stability.
@Suite struct PersistenceVectorTests {
  /// A barcode of degree 1 with finite bars, on a grid every other time.
  static func barcode(_ generator: inout RandomGenerator, most: Int = 12) -> Barcode {
    let isGrid = generator.uniform() < 0.5
    return Barcode(
      (0..<generator.integer(0...most)).map { _ in
        let birth = isGrid ? Double(generator.integer(0...5)) : generator.uniform(-1, 3)
        let length = isGrid ? Double(generator.integer(1...5)) : generator.uniform(0.01, 2)
        return PersistenceInterval(degree: 1, birth: birth, death: birth + length)
      })
  }

  static let example = Barcode(
    [(0, 2), (0.5, 1.25), (1, 4), (1.5, 3), (2, 2.5), (2.25, 3.75)].map {
      PersistenceInterval(degree: 1, birth: $0.0, death: $0.1)
    })

  /// `PersistenceImager(birth_range=(-1, 3), pers_range=(0, 4.5), pixel_size=.5, weight='persistence',
  /// weight_params={'n': 1}, kernel_params={'sigma': .09 I})` of persim 0.4.1, sums of 2 × 3 pixels, transposed;
  /// the same numbers by `scipy.stats.norm.cdf`. gudhi 3.13's `PersistenceImage(bandwidth=.3)`, which takes the
  /// density at the middle of a pixel, comes within .7 % with 200 × 200 pixels for each.
  @Test func imageAsOfPersim() {
    let image = PersistenceImage(
      Self.example, degree: 1,
      grid: .init(births: -1...3, persistences: 0...4.5, columns: 4, rows: 3), deviation: 0.3)
    let expected = Matrix([
      [8.3146966480e-02, 7.5369833689e-01, 1.1032285002e+00, 8.6717982753e-01],
      [9.5183022014e-01, 1.7403861420e+00, 1.5805511565e+00, 6.3018941815e-01],
      [1.0722822590e-03, 7.4978469259e-01, 7.4935682395e-01, 6.4395097057e-04],
    ])
    for (found, value) in zip(image.vector, expected.elements) {
      #expect(abs(found - value) < 1e-9 * value, "\(found), expected \(value)")
    }
    #expect(image.grid.birthCenters == [-0.5, 0.5, 1.5, 2.5])
    #expect(image.grid.persistenceCenters == [0.75, 2.25, 3.75])
  }

  /// Over a range wide enough the image sums to the weights, and finer pixels sum to coarser ones.
  @Test func imagesSumToTheWeights() throws {
    try Tally.over(Array(0..<200)) { seed, tally in
      var generator = RandomGenerator(case: seed)
      let barcode = Self.barcode(&generator)
      let deviation = generator.uniform(0.05, 0.5)
      let weights: [PersistenceImage.Weight] = [.linear, .ramp(upTo: 1.5)]
      for weight in weights {
        let total = barcode[1].reduce(0) { $0 + weight($1.length) }
        let image = PersistenceImage(
          barcode, degree: 1,
          grid: .init(births: -20...20, persistences: -20...20, columns: 7, rows: 5),
          deviation: deviation, weight: weight)
        let sum = image.vector.reduce(0, +)
        tally.expect(
          abs(sum - total) <= 1e-13 * max(total, 1), "seed \(seed): \(sum), expected \(total)")
      }
      guard
        let grid = PersistenceImage.Grid(
          covering: [barcode], degree: 1, columns: 3, rows: 2, margin: 3 * deviation)
      else {
        tally.expect(barcode.intervals.isEmpty, "seed \(seed): no grid")
        return
      }
      let coarse = PersistenceImage(barcode, degree: 1, grid: grid, deviation: deviation)
      let fine = PersistenceImage(
        barcode, degree: 1,
        grid: .init(births: grid.births, persistences: grid.persistences, columns: 12, rows: 10),
        deviation: deviation)
      for i in 0..<2 {
        for j in 0..<3 {
          let sum = (0..<20).reduce(0) { $0 + fine.matrix[5 * i + $1 / 4, 4 * j + $1 % 4] }
          tally.expect(
            abs(sum - coarse.matrix[i, j]) < 1e-12, "seed \(seed), pixel \(i), \(j): \(sum)")
        }
      }
      for bar in barcode[1] {
        tally.expect(
          grid.births.contains(bar.birth) && grid.persistences.contains(bar.length),
          "seed \(seed): \(bar) not covered")
      }
    }.check(atLeast: 1000)
  }

  /// `Landscape(num_landscapes=4, resolution=9, sample_range=[0, 4])` of gudhi 3.13, which multiplies by √2.
  @Test func landscapeAsOfGudhi() {
    let found = PersistenceLandscape(Self.example, degree: 1)
      .samples(4, at: (0...8).map { Double($0) / 2 })
    #expect(
      found
        == Matrix([
          [0, 0.5, 1, 0.5, 1, 1.5, 1, 0.5, 0],
          [0, 0, 0.25, 0.5, 0.5, 0.5, 0.75, 0.25, 0],
          [0, 0, 0, 0, 0, 0.25, 0, 0, 0],
          [0, 0, 0, 0, 0, 0, 0, 0, 0],
        ]))
  }

  /// λ_k(t) is the k-th largest of the tents, at all critical points and between them.
  @Test func landscapesAreTheLargestTents() throws {
    try Tally.over(Array(0..<300)) { seed, tally in
      var generator = RandomGenerator(case: 1000 + seed)
      let barcode = Self.barcode(&generator)
      let landscape = PersistenceLandscape(barcode, degree: 1)
      let critical = landscape.functions.flatMap(\.places)
      for t in critical + critical.map({ $0 + 0.3 }) + [-5, 20] {
        let tents = barcode[1].map { max(0, min(t - $0.birth, $0.death - t)) }.sorted(by: >)
        for k in 1...(tents.count + 1) {
          let expected = k <= tents.count ? tents[k - 1] : 0
          tally.expect(
            abs(landscape.value(k, at: t) - expected) < 1e-13,
            "seed \(seed): λ_\(k)(\(t)) = \(landscape.value(k, at: t)), expected \(expected)")
        }
      }
      tally.expect(
        landscape.functions.allSatisfy {
          $0.values.first == 0 && $0.values.last == 0 && $0.values.contains { $0 > 0 }
            && zip($0.places, $0.places.dropFirst()).allSatisfy { $0 < $1 }
        }, "seed \(seed): \(landscape.functions)")
    }.check(atLeast: 10_000)
  }

  /// ∫ Σ λ_k = Σ (d − b)²/4 and ‖λ‖_∞ = max (d − b)/2; all norms against sums over a fine grid.
  @Test func normsOfLandscapes() throws {
    try Tally.over(Array(0..<100)) { seed, tally in
      var generator = RandomGenerator(case: 2000 + seed)
      let (first, second) = (Self.barcode(&generator), Self.barcode(&generator))
      let (a, b) = (
        PersistenceLandscape(first, degree: 1), PersistenceLandscape(second, degree: 1)
      )
      let area = first[1].reduce(0) { $0 + $1.length * $1.length / 4 }
      tally.expect(abs(a.norm(.one) - area) < 1e-12 * max(area, 1), "seed \(seed): \(a.norm(.one))")
      tally.expect(
        abs(a.norm(.maximum) - first[1].reduce(0) { max($0, $1.length / 2) }) < 1e-13,
        "seed \(seed): \(a.norm(.maximum))")
      let step = 1.0 / 256
      let places = (0...(12 * 256)).map { -1.5 + Double($0) * step }
      let count = max(a.functions.count, b.functions.count)
      let difference = a.samples(count, at: places).minus(b.samples(count, at: places)).elements
      let sums = (
        step * difference.reduce(0) { $0 + abs($1) }, step * difference.reduce(0) { $0 + $1 * $1 },
        difference.reduce(0) { max($0, abs($1)) }
      )
      tally.expect(
        abs(a.distance(to: b, .one) - sums.0) < 1e-2 * max(sums.0, 0.1)
          && abs(a.distance(to: b, .two) - sums.1.squareRoot())
            < 1e-2 * max(sums.1.squareRoot(), 0.1)
          && abs(a.distance(to: b, .maximum) - sums.2) < 2 * step,
        "seed \(seed): \(PersistenceLandscape.Norm.allCases.map { a.distance(to: b, $0) }), \(sums)"
      )
    }.check(atLeast: 300)
  }

  /// ‖λ(A) − λ(B)‖_∞ is at most the bottleneck distance, infinite bars being cut at any value.
  @Test func landscapesAreStable() throws {
    try Tally.over(Array(0..<200)) { seed, tally in
      var generator = RandomGenerator(case: 3000 + seed)
      let a = Self.barcode(&generator)
      let size = [0.05, 0.5, 3][generator.integer(0...2)]
      let moved = a[1].compactMap { bar -> PersistenceInterval? in
        let birth = bar.birth + generator.uniform(-size, size)
        let death = bar.death + generator.uniform(-size, size)
        return birth < death ? PersistenceInterval(degree: 1, birth: birth, death: death) : nil
      }
      let infinite = (0..<2).map { _ in generator.uniform(0, 2) }
      func barcode(_ bars: [PersistenceInterval], _ births: [Double]) -> Barcode {
        Barcode(bars + births.map { PersistenceInterval(degree: 1, birth: $0, death: .infinity) })
      }
      let pairs = [
        (a, Barcode(moved), nil), (a, Self.barcode(&generator), nil),
        (barcode(a[1], infinite), barcode(moved, infinite.map { $0 + size / 2 }), 1.5),
      ]
      for (first, second, infinity) in pairs {
        let distance = PersistenceLandscape(first, degree: 1, infinity: infinity).distance(
          to: PersistenceLandscape(second, degree: 1, infinity: infinity), .maximum)
        let bound = first.bottleneckDistance(to: second, degree: 1)
        tally.expect(distance <= bound + 1e-12, "seed \(seed): \(distance), bottleneck \(bound)")
      }
    }.check(atLeast: 600)
  }

  @Test func meansAreLinear() throws {
    try Tally.over(Array(0..<50)) { seed, tally in
      var generator = RandomGenerator(case: 4000 + seed)
      let landscapes = (0..<4).map { _ in
        PersistenceLandscape(Self.barcode(&generator), degree: 1)
      }
      let mean = PersistenceLandscape.mean(landscapes)
      for _ in 0..<20 {
        let (k, t) = (generator.integer(1...5), generator.uniform(-1, 6))
        let expected = landscapes.reduce(0) { $0 + $1.value(k, at: t) / 4 }
        tally.expect(abs(mean.value(k, at: t) - expected) < 1e-13, "seed \(seed): λ_\(k)(\(t))")
      }
      // Landscapes are not negative, and so integrals add up.
      let sum = landscapes.reduce(0) { $0 + $1.norm(.one) / 4 }
      tally.expect(abs(mean.norm(.one) - sum) < 1e-12 * max(1, sum), "seed \(seed): \(sum)")
    }.check(atLeast: 1000)
    #expect(PersistenceLandscape.mean([]).functions.isEmpty)
  }

  /// Infinite bars are left out, or end where the caller says.
  @Test func infiniteBars() {
    let barcode = Barcode([
      PersistenceInterval(degree: 1, birth: 1, death: .infinity),
      PersistenceInterval(degree: 1, birth: 4, death: .infinity),
      PersistenceInterval(degree: 0, birth: 0, death: 9),
    ])
    #expect(PersistenceLandscape(barcode, degree: 1).functions.isEmpty)
    let landscape = PersistenceLandscape(barcode, degree: 1, infinity: 3)
    #expect(landscape.functions.count == 1 && landscape.value(1, at: 2) == 1)
    let grid = PersistenceImage.Grid(
      covering: [barcode], degree: 1, columns: 1, rows: 1, margin: 9, infinity: 3)
    #expect(grid?.births == -8...10 && grid?.persistences == 0...11)
    #expect(
      PersistenceImage.Grid(covering: [barcode], degree: 1, columns: 1, rows: 1) == nil)
    let image = PersistenceImage(
      barcode, degree: 1, grid: .init(births: -9...9, persistences: -9...9, columns: 1, rows: 1),
      deviation: 0.5, infinity: 3)
    #expect(abs(image.matrix[0, 0] - 2) < 1e-14)
  }
}

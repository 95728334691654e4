import CellComplexes
import CellularSheaves
import LinearAlgebra
import Testing

@testable import SheafInference

/// What keeps readings apart, on few cells; and what a fusion says of itself where its answer is not the only one.
struct LocalizedObstructionTests {
  /// One reading of several that agree otherwise is the only one that changes, by what it is off.
  @Test func oneFaultIsFound() throws {
    for seed in UInt64(0)..<20 {
      var g = RandomGenerator(case: seed)
      let n = g.integer(4...9)
      let sheaf = CellularSheaf.constant(2, on: .path(n))
      let truth = [g.normal(), g.normal()]
      let fault = g.integer(0...n - 1)
      let error = [g.uniform(1, 3), g.uniform(-3, -1)]
      var readings = Assignment()
      for v in 0..<n {
        readings.readings[v] = .init(
          v == fault ? zip(truth, error).map { $0 + $1 } : truth, covariance: .scalar(0.25))
      }
      let found = try LocalizedObstruction(sheaf, readings)
      #expect(found.changes.map(\.cell) == [fault], "seed \(seed): \(found.changes)")
      #expect(close(found.changes[0].difference, error.map { -$0 }, 1e-6), "seed \(seed)")
      let size = (error[0] * error[0] + error[1] * error[1]).squareRoot() / 0.5
      #expect(close([found.total, found.lowerBound], [size, size], 1e-6), "seed \(seed)")
      #expect(close(found.value(of: fault)!, truth, 1e-6), "seed \(seed)")
    }
  }

  /// A fusion of what lies inside does not see what lies outside, and an edge with one end outside is not half-open.
  @Test func nothingLeaksFromOutside() throws {
    var g = RandomGenerator(case: 1)
    let sheaf = try CellularSheaf.random(
      on: .path(6), stalks: [Int](repeating: 2, count: 11), using: &g)
    var readings = Assignment()
    for v in 0..<6 { readings.readings[v] = .init([g.normal(), g.normal()]) }
    let (part, cells) = sheaf.inside([0, 1, 2])
    #expect(cells == [0, 1, 2, 6, 7] && part.complex.cellCounts == [3, 2])
    let settings = Fusion.Settings.of(.agreement)
    let inner = try Fusion(part, readings.restricted(to: cells), settings: settings)
    var other = readings
    for v in 3..<6 { other.readings[v] = .init([1e6, -1e6]) }
    let again = try Fusion(part, other.restricted(to: cells), settings: settings)
    let whole = try Fusion(sheaf, readings, settings: settings)
    for v in 0..<3 {
      #expect(inner.value(of: v)! == again.value(of: v)!)
      #expect(!close(inner.value(of: v)!, whole.value(of: v)!, 1e-6))
    }
  }

  /// Two distances leave two places, mirror images of each other; both are told.
  @Test func mirrorImagesAreTold() throws {
    let poset = try FinitePoset(below: [[], [0], [0]])
    let sheaf = try NonlinearSheaf(
      poset, stalks: [2, 1, 1],
      maps: [[], [DistanceMap(from: [0, 0])], [DistanceMap(from: [10, 0])]])
    let readings = Assignment([
      1: .init([5], covariance: .scalar(0.01)), 2: .init([8], covariance: .scalar(0.01)),
    ])
    let fusion = try Fusion(sheaf, readings)
    let x = fusion.value(of: 0)!
    // x² + y² = 25, (x − 10)² + y² = 64: x = 3.05.
    #expect(close([x[0], abs(x[1])], [3.05, (25 - 3.05 * 3.05).squareRoot()], 1e-6))
    let rival = try #require(fusion.rivals.first)
    #expect(fusion.rivals.count == 1 && close(rival.values[0]!, [x[0], -x[1]], 1e-6))
    // A third distance decides.
    let decided = try Fusion(
      NonlinearSheaf(
        FinitePoset(below: [[], [0], [0], [0]]), stalks: [2, 1, 1, 1],
        maps: sheaf.maps + [[DistanceMap(from: [5, 10])]]),
      Assignment(
        readings.readings.merging([3: .init([6.315], covariance: .scalar(0.01))]) { $1 }))
    #expect(decided.rivals.isEmpty && decided.value(of: 0)![1] > 0)
  }

  /// With outliers forgiven, and at bounds, the sum of squares is no χ².
  @Test func pValuesAreGivenWhereTheyAreOnes() throws {
    let sheaf = CellularSheaf.constant(1, on: .path(3))
    let readings = Assignment(values: [0: [0], 1: [0.5], 2: [30]])
    #expect(try Fusion(sheaf, readings).pValue != nil)
    #expect(
      try Fusion(sheaf, readings, settings: .of(.section) { $0.readingLoss = .huber }).pValue == nil
    )
    func bounded(_ value: Double) throws -> Double? {
      try Fusion(
        sheaf, readings,
        settings: .of(.section) {
          $0.constraints = [StalkConstraint("bound", [0: [1]], .atMost, value)]
        }
      ).pValue
    }
    #expect(try bounded(1) == nil && bounded(100) != nil)
  }

  /// Readings that agree exactly have no anomaly, whatever rounding leaves.
  @Test func roundingIsNoAnomaly() throws {
    for value in [1.0, 0.1, 1e6 / 3] {
      for n in 3...6 {
        let fusion = try Fusion(
          CellularSheaf.constant(1, on: .path(n)),
          Assignment(values: Dictionary(uniqueKeysWithValues: (0..<n).map { ($0, [value]) })))
        for entry in try Anomalies(fusion, scale: .estimated).entries {
          #expect(entry.pValue! > 0.5, "\(n) times \(value): \(entry)")
        }
      }
    }
  }

  /// Weights that leave readings no digits are refused, large ones tend to the section model.
  @Test func stiffnessHasALimit() throws {
    func fused(_ weight: Double) throws -> Fusion {
      let complex = CellComplex.path(3)
      let sheaf = try CellularSheaf(
        complex, stalks: [1, 1, 1, 1, 1],
        weights: (0..<5).map { $0 < 3 ? .standard : .scalar(weight) }
      ) { _ in .identity }
      return try Fusion(
        sheaf, Assignment(values: [0: [1], 2: [2]]), settings: .of(.agreement))
    }
    #expect(close(try fused(1e10).value(of: 1)!, [1.5], 1e-8))
    #expect(message { _ = try fused(1e14) }.contains("expected at most 1e13 times"))
  }
}

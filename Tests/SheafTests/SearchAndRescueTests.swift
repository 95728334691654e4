import ArrayFiles
import CellComplexes
import CellularSheaves
import Datasets
import Foundation
import LinearAlgebra
import SheafInference
import Testing

@testable import SheafApplications

@Suite struct SearchAndRescueTests {
  static let cases = SearchCase.all

  @Test func jacobiansAreThoseOfTheMaps() {
    for seed in UInt64(0)..<20 {
      var g = RandomGenerator(case: seed)
      let x = [
        g.uniform(-75, -65), g.uniform(-60, 60), g.uniform(0, 12_000), g.uniform(-600, 600),
        g.uniform(-600, 600), g.uniform(0.1, 2),
      ]
      let maps: [any SmoothMap] =
        [DeadReckoning()] + SearchSheaf.stations.map { RadioFix(station: $0) }
      for map in maps { #expect(map.jacobianDefect(at: x) < 1e-6, "seed \(seed), \(map)") }
    }
  }

  /// All ways to a bearing are one map, and a sheaf in which they are not is refused.
  @Test func waysAgree() throws {
    let sheaf = try SearchSheaf.sheaf()
    #expect(
      sheaf.poset.count == 10 && sheaf.poset.lowerSets[SearchCell.bearing1.rawValue].count == 3)
    var maps = sheaf.maps
    maps[SearchCell.finder1.rawValue] = [RadioFix(station: SearchSheaf.stations[1])]
    #expect(throws: SheafError.self) {
      try NonlinearSheaf(sheaf.poset, stalks: sheaf.stalks, maps: maps)
    }
  }

  /// The disagreements that the author's program prints, to its digits, and its radii.
  @Test func disagreementsInTheUnitsOfReadings() {
    let expected: [[Double]] = [
      [5.225, 11.517, 8.498, 35.259, 0.555, 0.127, 0.015, 0.212, 0.053, 0.038, 0.053],
      [4.094, 2.381, 6.338, 28.796, 0.489, 0.376, 0.120, 1.774, 2.107, 0.076, 0.044],
      [2.337, 0.407, 2.494, 240.878, 12.974, 0.042, 0.035, 9.780, 0.007, 0.030, 0.065],
    ]
    let radii = [35.2587, 28.7962, 240.8781]
    for (k, search) in Self.cases.enumerated() {
      let found = SearchResiduals(search)
      for (entry, value) in zip(found.entries, expected[k]) {
        #expect(abs(entry.value - value) < 5.1e-4, "\(search.name), \(entry.name): \(entry.value)")
      }
      #expect(found.entries.count == expected[k].count)
      #expect(abs(found.mixedRadius - radii[k]) < 5.1e-5)
    }
  }

  /// Five kilometres are as many along each axis.
  @Test func variancesAreKilometres() {
    let v = SearchUnits().variances(.satellite, [-64, 44])
    let east = Earth.distance([-64, 44], [-64 + v[0].squareRoot(), 44])
    let north = Earth.distance([-64, 44], [-64, 44 + v[1].squareRoot()])
    #expect(abs(east - 5) < 1e-9 && abs(north - 5) < 1e-9)
  }

  /// An ellipse of known axes and direction, and the points of its curve.
  @Test func ellipsesHaveTheirAxes() throws {
    let center = [-64.0, 44.0]
    let scale = [Earth.degree * Earth.cosine(44), Earth.degree]
    for azimuth in [0.0, 30, 71, 90, 140] {
      let a = azimuth * Double.pi / 180
      // 4 km along the azimuth, 2 across.
      let u = [sin(a), cos(a)]
      let w = [cos(a), -sin(a)]
      var c = Matrix(rows: 2, columns: 2)
      for i in 0..<2 {
        for j in 0..<2 { c[i, j] = (16 * u[i] * u[j] + 4 * w[i] * w[j]) / (scale[i] * scale[j]) }
      }
      let ellipse = try ErrorEllipse(center: center, covariance: c)
      #expect(abs(ellipse.axes[0] - 4) < 1e-9 && abs(ellipse.axes[1] - 2) < 1e-9)
      #expect(abs((ellipse.azimuth - azimuth).remainder(dividingBy: 180)) < 1e-6)
      let curve = ellipse.curve(probability: 0.95)
      for (x, y) in zip(curve.x, curve.y) {
        let d = [x - center[0], y - center[1]]
        var solved = Matrix(column: d)
        try CholeskyFactorization(c).solve(&solved)
        #expect(abs(d[0] * solved[0, 0] + d[1] * solved[1, 0] - 5.991465) < 1e-5)
      }
    }
  }

  @Test func fusedCrashes() throws {
    let expected: [(place: [Double], axes: [Double], azimuth: Double, chi: Double, p: Double)] = [
      ([-64.6157, 44.2418], [4.91, 4.45], 71.8, 6.66, 0.573),
      ([-64.6225, 44.2621], [4.91, 4.45], 71.6, 5.61, 0.691),
      ([-62.8296, 44.6072], [4.92, 4.58], 71.2, 108.49, 7.79e-20),
    ]
    let toSatellite = [1.33, 2.83, 9.39]
    let crossings = [2.4, 146.6, 3.1]
    for (k, search) in Self.cases.enumerated() {
      let found = try SearchFusion(search)
      let e = expected[k]
      for i in 0..<2 {
        #expect(abs(found.crash.center[i] - e.place[i]) < 5.1e-5)
        #expect(abs(found.crash.axes[i] - e.axes[i]) < 5.1e-3)
      }
      #expect(abs(found.crash.azimuth - e.azimuth) < 0.051)
      #expect(abs(found.fusion.chiSquared - e.chi) < 5.1e-3 && found.fusion.degreesOfFreedom == 8)
      #expect(abs(found.fusion.pValue! / e.p - 1) < 2e-3)
      #expect(
        abs(Earth.distance(found.crash.center, search.satellite) - toSatellite[k]) < 5.1e-3)
      let crossing = try SearchFusion.crossing(search)
      #expect(abs(Earth.distance(crossing, search.satellite) - crossings[k]) < 0.051)
    }
  }

  /// Each source left out: what the others say of it.
  @Test func leaveOneOutBlamesControl() throws {
    let expected: [[Double]] = [
      [4.14, 6.00, 0.05, 2.00, 1.86], [0.29, 0.96, 1.01, 4.11, 1.64],
      [1.78, 102.10, 13.98, 5.08, 51.54],
    ]
    for (k, search) in Self.cases.enumerated() {
      let refits = try SearchFusion(search).refits(search)
      #expect(refits.map(\.cell) == SearchCell.sources)
      #expect(refits.map(\.degreesOfFreedom) == [3, 5, 2, 2, 2])
      for (refit, value) in zip(refits, expected[k]) {
        #expect(abs(refit.statistic - value) < 5.1e-3, "\(search.name), \(refit.cell)")
      }
    }
    let third = try SearchFusion(Self.cases[2])
    let refits = try third.refits(Self.cases[2])
    #expect(refits.min { $0.pValue < $1.pValue }!.cell == .control)
    #expect(abs(refits[1].pValue / 1.905e-20 - 1) < 1e-3)
    #expect(abs(refits[4].pValue / 6.43e-12 - 1) < 1e-3)
    #expect(abs(refits[1].others.fusion.chiSquared - 0.85) < 5.1e-3)
    #expect(abs(refits[4].others.fusion.chiSquared - 63.74) < 5.1e-3)
    // Linear at the fusion of all, where the reference refitted: as far apart as the maps bend.
    let closed = try Anomalies(third.fusion).entries
    #expect(closed.max { $0.statistic < $1.statistic }!.cell == SearchCell.control.rawValue)
    #expect(abs(closed[1].statistic - refits[1].statistic) < 0.06 * refits[1].statistic)
  }

  /// The velocity of control is what disagrees; a copy of it outvotes the satellite.
  @Test func theVelocityIsWhatDisagrees() throws {
    let search = Self.cases[2]
    let repaired = try SearchFusion(
      search, [.flightPlan, .controlPosition, .finder1, .finder2, .satellite])
    #expect(abs(repaired.fusion.chiSquared - 0.85) < 5.1e-3)
    #expect(repaired.fusion.degreesOfFreedom == 6)
    #expect(abs(repaired.crash.center[0] + 62.7421) < 5.1e-5)
    #expect(abs(repaired.crash.center[1] - 44.5505) < 5.1e-5)
    let deviations = try #require(try repaired.deviations())
    #expect(abs(repaired.state[3] - 629.5) < 0.051 && abs(repaired.state[4] - 187.2) < 0.051)
    #expect(abs(deviations[3] - 22.7) < 0.051 && abs(deviations[4] - 8.7) < 0.051)

    let six = try SearchFusion(search, [.fieldOffice] + SearchCell.sources)
    #expect(abs(six.fusion.chiSquared - 200.35) < 5.1e-3)
    let refits = try six.refits(search)
    let blamed = refits.min { $0.pValue < $1.pValue }!
    #expect(blamed.cell == .satellite && abs(blamed.statistic - 116.89) < 5.1e-3)
    for (factor, chi) in [(0.5, 433.95), (2, 27.12)] {
      let found = try SearchFusion(search, units: SearchUnits().scaled(by: factor))
      #expect(abs(found.fusion.chiSquared - chi) < 5.1e-3)
    }
  }

  /// The report draws, and says as many things as there are tables for.
  @Test func reportIsWhole() throws {
    let report = try Application.searchAndRescue.run(1)
    #expect(report.tables.allSatisfy { t in t.rows.allSatisfy { $0.count == t.rows[0].count } })
    #expect(report.tables.count == 7 && report.figures.count == 1)
    #expect(abs(try #require(report.numbers["case 3, D of air-traffic control"]) - 102.1) < 0.01)
    #expect(Application.all.contains { $0.name == "el-nino" })
  }
}

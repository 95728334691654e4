import ArrayFiles
import CellComplexes
import CellularSheaves
import Datasets
import Foundation
import LinearAlgebra
import SheafInference
import Testing

@testable import SheafApplications

/// Numbers without another origin were computed by independent programs with NumPy 2.4 and SciPy 1.17: dense covariance matrices
/// and least squares written from the formulas, without sheaves, and the same random numbers.
@Suite struct ElNinoApplicationTests {
  static let series = MonthlySeries()

  /// The source holds the published table.
  @Test func readingsAreTheTable() throws {
    let path = Reference.folder.appendingPathComponent("inference/elnino.csv").path
    let table = try ArrayFile.read(path).samples
    #expect(ElNino.years == Array(1950...2010))
    #expect(table.rows == 13 && table.columns == 61)
    let temperatures = ElNino.temperatures
    #expect(temperatures.rows == 61 && temperatures.columns == 12)
    let readings = ElNino.series
    var compared = 0
    for year in 0..<61 {
      #expect(table[0, year] == Double(1950 + year))
      for m in 0..<12 {
        #expect(table[m + 1, year] == temperatures[year, m])
        #expect(table[m + 1, year] == readings[12 * year + m])
        compared += 1
      }
    }
    #expect(compared == 732)
  }

  /// The splits can be drawn by other programs.
  @Test func generatorIsReproducible() {
    var g = SplitMix64(seed: 0)
    #expect(g.next() == 0xe220_a839_7b1d_cdaf && g.next() == 0x6e78_9e6a_a1b9_65f4)
    var h = SplitMix64(seed: 0)
    #expect(h.shuffled(10) == [6, 3, 2, 9, 8, 1, 4, 7, 0, 5])
  }

  @Test func mapsAreThoseOfTheFormulas() {
    let maps = MonthMaps(learningFrom: Self.series)
    #expect(MonthMaps.bestPseudoYears(Self.series) == 30)
    let transport = [
      0.807753, 0.787369, 0.908995, 1.026429, 1.028424, 0.914137, 0.909615, 0.890638, 0.850751,
      0.964002, 0.958096, 0.93786,
    ]
    let variances = [
      0.161466, 0.197901, 0.245585, 0.281383, 0.235432, 0.182759, 0.164906, 0.148695, 0.157876,
      0.142895, 0.148977, 0.124524,
    ]
    for m in 0..<12 {
      #expect(abs(maps.transport[m] - transport[m]) < 1e-6, "map to month \(m + 1)")
      #expect(abs(maps.variances[m] - variances[m]) < 1e-6, "variance of month \(m + 1)")
    }
    #expect(abs(maps.rootVariance - 1.168013) < 1e-6)
    #expect(abs(maps.holonomy - 0.3331) < 5e-5)
    #expect(abs(maps.negativeLogLikelihood(Self.series.anomalies) - 389.29) < 5e-3)
  }

  @Test func likelihoodsAreThoseOfDenseCovariances() {
    let scaling = RotationHelix(fittedTo: Self.series, isRotating: false)
    let rotation = RotationHelix(fittedTo: Self.series, isRotating: true)
    #expect(
      abs(RotationHelix.negativeLogLikelihood(Self.series, scaling) - 431.640) < 1e-3)
    #expect(
      abs(RotationHelix.negativeLogLikelihood(Self.series, rotation) - 416.531) < 1e-3)
    #expect(abs(scaling.factor - 0.91478) < 1e-4 && abs(rotation.factor - 0.92395) < 1e-4)
    // A flat minimum: SciPy's simplex search ends at 41.96.
    #expect(abs(rotation.period - 41.96) < 0.05)
  }

  /// Without readings the covariances are those of the density that the sheaf stands for, between months as well.
  @Test func covariancesAreThoseOfTheDensity() throws {
    var settings = Fusion.Settings()
    settings.model = .agreement
    let helix = RotationHelix(fittedTo: Self.series, isRotating: true)
    let n = 30
    let fusion = try Fusion(helix.sheaf(n), Assignment(), settings: settings)
    let found = try #require(try fusion.covariance(ofCells: Array(0..<n)))
    for s in 0..<n {
      for t in 0..<n {
        let k = Double(abs(s - t))
        let expected = helix.variance * pow(helix.factor, k) * cos(k * helix.angle)
        #expect(abs(found[2 * s, 2 * t] - expected) < 1e-10, "months \(s), \(t)")
      }
      let own = try #require(try fusion.covariance(of: s))
      #expect(abs(own[0, 1] - found[2 * s, 2 * s + 1]) < 1e-12)
    }
    let maps = MonthMaps(learningFrom: Self.series)
    let prior = try Fusion(maps.sheaf(0..<732), Assignment(), settings: settings)
    for (t, expected) in maps.marginalVariances(732).enumerated() {
      let v = try #require(try prior.covariance(of: t))[0, 0]
      #expect(abs(v - expected) < 1e-10, "month \(t)")
    }
    #expect(try fusion.covariance(ofCells: [])?.rows == 0)
  }

  /// Q = δᵀWδ + the root, written out.
  static func precision(_ maps: MonthMaps, _ n: Int) -> Matrix {
    var q = Matrix(rows: n, columns: n)
    q[0, 0] = 1 / maps.rootVariance
    for t in 1..<n {
      let (rho, w) = (maps.transport[t % 12], 1 / maps.variances[t % 12])
      q[t, t] += w
      q[t - 1, t - 1] += w * rho * rho
      q[t, t - 1] -= w * rho
      q[t - 1, t] -= w * rho
    }
    return q
  }

  static func inverse(_ a: Matrix) throws -> Matrix {
    var x = Matrix.identity(a.rows)
    try CholeskyFactorization(a).solve(&x)
    return x
  }

  /// The values are −Q_mm⁻¹ Q_mo a_o and the variances the diagonal of Q_mm⁻¹.
  @Test func imputationIsTheConditionalMean() throws {
    for kind in RemovedMonths.allCases {
      let series = MonthlySeries(isObserved: kind.isObserved(732, seed: 3))
      let maps = MonthMaps(learningFrom: series)
      let (m, o) = (series.missing, series.observed)
      let found = try Imputation(
        maps.sheaf(0..<732),
        given: Dictionary(uniqueKeysWithValues: o.map { ($0, series.anomalies[$0]) }), wanted: m)
      let q = Self.precision(maps, 732)
      let covariance = try Self.inverse(q[rows: m, columns: m])
      let pull = q[rows: m, columns: o] * Matrix(column: o.map { series.anomalies[$0] })
      let expected = covariance * pull
      for (i, t) in m.enumerated() {
        #expect(abs(found.values[t] + expected[i, 0]) < 1e-10, "\(kind), month \(t)")
        #expect(
          abs(found.deviations[t]! - covariance[i, i].squareRoot()) < 1e-6, "\(kind), month \(t)")
      }
      for t in o { #expect(found.values[t] == series.anomalies[t]) }
    }
  }

  /// The errors of seed 0, and the share of months in the 95 % band.
  @Test(arguments: [
    (RemovedMonths.single, [1.2359, 0.5373, 0.3932, 0.3948, 0.3903, 0.3822], 67),
    (RemovedMonths.runs, [1.4983, 1.8092, 0.6305, 0.6298, 0.6401, 0.6558], 63),
  ])
  func errorsOfSeedZero(_ kind: RemovedMonths, _ errors: [Double], _ covered: Int) throws {
    let series = MonthlySeries(isObserved: kind.isObserved(732, seed: 0))
    #expect(series.missing.count == (kind == .single ? 73 : series.missing.count))
    let contest = try ImputationContest(series)
    for (method, expected) in zip(ImputationContest.Method.allCases, errors) {
      // The rotation's likelihood is flat: the reference stopped its search at 10⁻³.
      let tolerance = method == .rotation ? 2e-4 : 6e-5
      let found = try #require(contest.errors[method])
      #expect(abs(found - expected) < tolerance, "\(method.rawValue): \(found)")
    }
    let share = try #require(contest.coverages[.twelveMaps])
    #expect(abs(share - Double(covered) / Double(series.missing.count)) < 1e-12)
  }

  /// One month against all others: what stands out most is a cold blip of 1964, and not much.
  @Test func leavingOneMonthOutFindsNothing() throws {
    var settings = Fusion.Settings()
    settings.model = .agreement
    let a = Self.series.anomalies
    let fusion = try Fusion(
      MonthMaps(learningFrom: Self.series).sheaf(0..<732),
      Assignment(
        Dictionary(
          uniqueKeysWithValues: a.enumerated().map {
            ($0, Assignment.Reading([$1], covariance: .scalar(1e-4)))
          })), settings: settings)
    let entries = try Anomalies(fusion).entries
    let z = entries.map { $0.difference[0]! / $0.deviation[0]! }
    let top = z.indices.max { abs(z[$0]) < abs(z[$1]) }!
    #expect(MonthlySeries.name(top) == "1964-05" && abs(z[top] + 3.14) < 5e-3)
    #expect(abs(ReportText.deviation(z) - 0.894) < 1e-3)
    #expect(entries.allSatisfy { $0.qValue! > 0.98 })
  }

  /// The score of a window on a part of the helix is that of dense covariances of all of it.
  @Test func guardedScoresAreThoseOfDenseCovariances() throws {
    var isObserved = [Bool](repeating: true, count: 732)
    for t in 390..<400 { isObserved[t] = false }
    let series = MonthlySeries(isObserved: isObserved)
    let maps = MonthMaps(learningFrom: series)
    let marginal = maps.marginalVariances(732)
    let settings = GuardedScan.Settings()
    var k = try Self.inverse(Self.precision(maps, 732))
    for t in 0..<732 { k[t, t] += 1e-4 }
    for start in [0, 5, 11, 15, 100, 380, 460, 700, 723] {
      let b = Array(start..<start + 9)
      let far = (0..<732).filter { t in
        isObserved[t]
          && (t < start - 12 && t >= start - 72 || t >= start + 21 && t < start + 81)
      }
      let cross = k[rows: b, columns: far]
      let inverse = try Self.inverse(k[rows: far, columns: far])
      let gain = cross * inverse
      let predicted = gain * Matrix(column: far.map { series.anomalies[$0] })
      var c = k[rows: b, columns: b]
      c.add(gain * cross.transposed, scale: -1)
      let difference = b.indices.reduce(0) { $0 + series.anomalies[b[$1]] - predicted[$1, 0] }
      let expected = difference / c.elements.reduce(0, +).squareRoot()
      let found = try GuardedScan.score(series, start, maps, marginal, settings)
      #expect(abs(found - expected) < 1e-8, "window from \(start): \(found), \(expected)")
    }
  }

  @Test func guardedWindowsFindThreeEvents() throws {
    let scan = try GuardedScan(ElNino.series)
    #expect(
      scan.spans.map(GuardedScan.name) == [
        "1972-04..1973-02", "1982-06..1984-01", "1997-01..1998-10",
      ])
    #expect(scan.coldSpans.isEmpty && scan.rounds.count == 4)
    let tops = scan.rounds.map { $0.scores.max()! }
    for (found, expected) in zip(tops, [4.807, 5.636]) { #expect(abs(found - expected) < 1e-3) }
    #expect(abs(tops[3] - 5.754) < 1e-3)
    #expect(abs(scan.rounds[0].scale - 1.036) < 1e-3 && abs(scan.rounds[3].scale - 1.100) < 1e-3)
    #expect(abs(try #require(scan.threshold) - 2.673) < 1e-3)
    let peaks = scan.peaks(10)
    #expect(
      peaks.map { MonthlySeries.name($0.month) } == [
        "1997-08", "1982-11", "1972-06", "1957-03", "1986-12", "1965-04", "1991-10", "2006-07",
        "1969-04", "1951-05",
      ])
    let scores = [5.75, 4.96, 2.80, 2.29, 2.19, 1.92, 1.89, 1.69, 1.65, 1.55]
    for (peak, z) in zip(peaks, scores) { #expect(abs(peak.score - z) < 5.1e-3) }
    #expect(abs(peaks[2].q - 0.069) < 5e-4)
  }

  /// What needs no sheaf finds the same.
  @Test func runningMeanFindsThemAsWell() throws {
    var settings = GuardedScan.Settings()
    settings.statistic = .runningMean
    let scan = try GuardedScan(ElNino.series, settings: settings)
    #expect(
      scan.spans.map(GuardedScan.name) == [
        "1972-04..1973-02", "1982-06..1984-01", "1997-01..1998-11",
      ])
    #expect(abs(scan.rounds.last!.scale - 0.73) < 5e-3)
    let strong = WarmSpells.spells(ElNino.series, above: 1.7)
    #expect(
      strong.map { GuardedScan.name($0.months) } == [
        "1972-06..1972-08", "1982-10..1983-09", "1997-05..1998-06",
      ])
  }
}

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

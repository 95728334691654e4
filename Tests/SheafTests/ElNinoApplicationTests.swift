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

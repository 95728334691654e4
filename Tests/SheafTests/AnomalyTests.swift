import CellComplexes
import CellularSheaves
import Distributions
import LinearAlgebra
import Testing

@testable import SheafInference

/// Leave-one-out discrepancies.
struct AnomalyTests {
  private static func settings(_ model: FusionModel) -> Fusion.Settings {
    var settings = Fusion.Settings()
    settings.model = model
    return settings
  }

  /// The closed form is what a fusion without the reading says of it.
  @Test(arguments: FusionModel.allCases) func eachReadingIsComparedWithTheOthers(
    _ model: FusionModel
  ) throws {
    try Tally.over(Array(0..<40)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let graph = g.graph(vertices: 5, edges: 6, halfOpen: seed % 2 == 0)
      let sheaf = g.weightedSheaf(on: graph, summands: 3)
      let readings = g.assignment(of: 0..<graph.count, on: sheaf, share: seed % 4 == 0 ? 0.4 : 0.8)
      let fusion = try Fusion(sheaf, readings, settings: Self.settings(model))
      let found = try Anomalies(fusion)
      let estimated = try Anomalies(fusion, scale: .estimated)
      tally.expect(found.entries.map(\.cell) == readings.cells, "seed \(seed)")
      for (entry, scaled) in zip(found.entries, estimated.entries) {
        let name = "seed \(seed), cell \(entry.cell)"
        let others = try Fusion(
          sheaf, readings.without([entry.cell]), settings: Self.settings(model))
        let d = fusion.degreesOfFreedom - others.degreesOfFreedom
        tally.expect(entry.degreesOfFreedom == d, "\(name): \(entry.degreesOfFreedom), \(d)")
        tally.expect(
          close([entry.statistic], [fusion.chiSquared - others.chiSquared], 1e-6),
          "\(name): \(entry.statistic), \(fusion.chiSquared - others.chiSquared)")
        guard d > 0 else {
          tally.expect(entry.pValue == nil && entry.qValue == nil, name)
          continue
        }
        let p = ChiSquaredDistribution(degreesOfFreedom: Double(d)).upperTail(
          max(fusion.chiSquared - others.chiSquared, 0))
        tally.expect(close([entry.pValue ?? .nan], [p], 1e-6), name)
        let reading = readings.readings[entry.cell]!
        let n = reading.values.count
        var variance: Double?
        if others.degreesOfFreedom > 0 {
          let s = others.chiSquared / Double(others.degreesOfFreedom)
          variance = s
          let f = (fusion.chiSquared - others.chiSquared) / Double(d) / s
          let p = FDistribution(Double(d), Double(others.degreesOfFreedom)).upperTail(max(f, 0))
          tally.expect(
            close([scaled.pValue ?? .nan], [p], 1e-5),
            "\(name): \(String(describing: scaled.pValue)), \(p)")
        } else {
          tally.expect(scaled.pValue == nil, name)
        }
        guard let covariance = try others.covariance(of: entry.cell) else { continue }
        // All coordinates are told of.
        let difference = zip(reading.values, others.value(of: entry.cell)!).map { $0 - $1 }
        var sum = covariance
        sum.add(reading.covariance.dense(n))
        if model == .agreement && graph.dimension(of: entry.cell) == 1 {
          // The value of an edge scatters about the mean of the images, by W⁻¹/4; half-open ones end at 0.
          guard graph.incidences(of: entry.cell).count == 2 else { continue }
          sum.add(try sheaf.innerProduct(of: entry.cell).dense(n).solve(.identity(n)), scale: 0.25)
        }
        tally.expect(
          close(entry.difference.map { $0 ?? .nan }, difference, 1e-6),
          "\(name): \(entry.difference), \(difference)")
        let deviation = (0..<n).map { sum[$0, $0].squareRoot() }
        tally.expect(
          close(entry.deviation.map { $0 ?? .nan }, deviation, 1e-6),
          "\(name): \(entry.deviation), \(deviation)")
        if let variance {
          tally.expect(
            close(
              scaled.deviation.map { $0 ?? .nan }, deviation.map { $0 * variance.squareRoot() },
              1e-5), name)
        }
        let x = try sum.solve(Matrix(column: difference))
        let q = zip(x.column(0), difference).reduce(0) { $0 + $1.0 * $1.1 }
        tally.expect(close([q], [entry.statistic], 1e-6), name)
      }
      // A group of three, with and without the blocks of the inverse.
      let group = Set(readings.cells.prefix(3))
      let others = try Fusion(sheaf, readings.without(group), settings: Self.settings(model))
      if let entry = try Anomalies.group(group, in: fusion) {
        tally.expect(
          close([entry.statistic], [fusion.chiSquared - others.chiSquared], 1e-6)
            && entry.degreesOfFreedom == fusion.degreesOfFreedom - others.degreesOfFreedom,
          "seed \(seed), group \(group): \(entry.statistic), \(fusion.chiSquared - others.chiSquared)"
        )
      }
      var bare = Self.settings(model)
      bare.wantsCovariance = false
      let same = try Anomalies(Fusion(sheaf, readings, settings: bare))
      for (a, b) in zip(found.entries, same.entries) {
        tally.expect(close([a.statistic], [b.statistic], 1e-8), "seed \(seed), without covariances")
      }
    }.check(atLeast: 500)
  }

  /// A reading that nothing else tells of has no p-value; nor a coordinate of one.
  @Test func whatOthersDoNotTellIsNil() throws {
    // The edge sees the first coordinate only.
    let sheaf = try CellularSheaf(
      .graph(vertices: 3, edges: [(0, 1)]), stalks: [2, 1, 1, 1]
    ) { $0 == 0 ? .matrix(Matrix([[1, 0]])) : .identity }
    let found = try Anomalies(
      Fusion(sheaf, Assignment(values: [0: [1, 7], 1: [4], 2: [3]]))
    ).entries
    #expect(found[0].degreesOfFreedom == 1 && found[2].degreesOfFreedom == 0)
    #expect(
      found[0].difference[1] == nil && found[0].deviation[1] == nil && found[2].difference == [nil])
    #expect(close([try #require(found[0].difference[0])], [-3]) && found[2].pValue == nil)
    #expect(found[2].qValue == nil && found[2].statistic == 0)
    #expect(try Anomalies(Fusion(sheaf, Assignment())).entries.isEmpty)
    #expect(try Anomalies.group([9], in: Fusion(sheaf, Assignment())) == nil)
  }

  /// The weights of a robust loss are no fusion by least squares.
  @Test func robustFusionsAreRefused() throws {
    var settings = Fusion.Settings()
    settings.readingLoss = .studentT(degreesOfFreedom: 3)
    let fusion = try Fusion(
      .constant(1, on: .path(3)), Assignment(values: [0: [0], 1: [1], 2: [9]]), settings: settings)
    #expect(throws: InferenceError.self) { try Anomalies(fusion) }
    #expect(throws: InferenceError.self) { try Anomalies.group([0], in: fusion) }
  }

  /// Readings of very different precision are compared all the same.
  @Test func preciseReadingsAreCompared() throws {
    let found = try Anomalies(
      Fusion(
        .constant(1, on: .path(2)),
        Assignment([0: .init([0], covariance: .scalar(1e-7)), 1: .init([3])]))
    ).entries
    for entry in found {
      #expect(entry.degreesOfFreedom == 1 && close([entry.statistic], [9], 1e-4), "\(entry)")
    }
  }

  /// Without anomalies the p-values are uniform, with covariances known and up to a factor.
  @Test(arguments: Anomalies.Scale.allCases) func pValuesAreUniform(_ scale: Anomalies.Scale) throws
  {
    var g = RandomGenerator(case: 5)
    let graph = g.connectedGraph(vertices: 5, extra: 2)
    let stalks = (0..<graph.count).map { $0 < 5 ? 3 : 1 }
    let sheaf = try CellularSheaf.random(on: graph, stalks: stalks, using: &g)
    let covariances = (0..<5).map { _ in g.covariance(3) }
    let dense = try DenseFusion(sheaf, Assignment(), .section)
    var pValues: [Double] = []
    for k in 0..<1000 {
      let x = dense.allowed * g.normalMatrix(rows: dense.allowed.columns, columns: 1)
      var readings = Assignment()
      for v in 0..<5 {
        // The scale is not known: errors are three times as large.
        let factor = scale == .known ? 1.0 : 3
        readings.readings[v] = .init(
          zip((dense.image(of: v)! * x).column(0), g.error(covariances[v], 3)).map {
            $0 + factor * $1
          },
          covariance: covariances[v])
      }
      pValues.append(
        try #require(
          try Anomalies(Fusion(sheaf, readings), cells: [k % 5], scale: scale).entries[0].pValue))
    }
    let uniform = KolmogorovSmirnov.uniformPValue(pValues)
    print("\(scale): uniformity \(uniform)")
    #expect(uniform > 0.001)
  }

  /// Three of 100 readings are off by 6 standard deviations: 200 runs.
  @Test(arguments: Anomalies.Scale.allCases) func falseDiscoveriesAreFew(_ scale: Anomalies.Scale)
    throws
  {
    var g = RandomGenerator(case: 8)
    let n = 100
    let sheaf = CellularSheaf.constant(1, on: .path(n))
    var (rates, found): ([Double], Int) = ([], 0)
    for _ in 0..<200 {
      let planted = Set(g.permutation(n).prefix(3))
      let truth = g.uniform(-5, 5)
      let readings = Assignment(
        values: Dictionary(
          uniqueKeysWithValues: (0..<n).map {
            ($0, [truth + g.normal() + (planted.contains($0) ? (g.uniform() < 0.5 ? 6 : -6) : 0)])
          }))
      let entries = try Anomalies(Fusion(sheaf, readings), scale: scale).entries
      let reported = entries.filter { $0.qValue! <= 0.05 }.map(\.cell)
      let right = reported.count { planted.contains($0) }
      found += right
      rates.append(reported.isEmpty ? 0 : Double(reported.count - right) / Double(reported.count))
    }
    let mean = rates.reduce(0, +) / 200
    let error = (rates.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 199 / 200).squareRoot()
    let power = Double(found) / 600
    print("\(scale): false discoveries \(mean) ± \(error), power \(power)")
    #expect(mean <= 0.05 + 3 * error && power > 0.9)
  }
}

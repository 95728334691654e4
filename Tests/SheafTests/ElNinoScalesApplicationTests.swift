import LinearAlgebra
import Testing

@testable import SheafApplications

/// The anomalies at the scales of a month, a season and a year. Numbers are those of an independent program (NumPy 2.4): means over
/// blocks, no wavelets.
@Suite struct ElNinoScalesApplicationTests {
  static let report = Result { try ElNinoScalesReport(seeds: 1).report }

  private func expect(_ name: String, _ value: Double, _ tolerance: Double) throws {
    let found = try #require(try Self.report.get().numbers[name], "\(name)")
    #expect(abs(found - value) < tolerance, "\(name): \(found), expected \(value)")
  }

  @Test func energiesAreThoseOfMeans() throws {
    try expect("energy, month", 67.30947978142078, 1e-8)
    try expect("energy, season", 223.73473579234974, 1e-8)
    try expect("energy, year", 563.9410139344262, 1e-8)
    for (scale, values) in [
      ("month", [4.3232, 3.9155, 3.5599, 3.0106]),
      ("season", [31.2779, 17.9150, 17.4406, 16.0533]),
      ("year", [86.9329, 81.7897, 44.2311, 32.7079]),
    ] {
      for (i, value) in values.enumerated() {
        try expect("largest \(i + 1), \(scale)", value, 1e-4)
      }
    }
    for (name, share) in [
      ("month", 0.07887), ("season", 0.25644), ("year in 4 years", 0.5679),
      ("4 years in 20", 0.04473), ("20 years", 0.05205),
    ] { try expect("blocks, \(name)", share, 1e-5) }
  }

  @Test func yearsCarryTheEvents() throws {
    for (year, ranks) in [
      (1997, [3, 1, 1]), (1998, [12, 3, 3]), (1982, [9, 2, 17]), (1983, [2, 4, 2]),
      (1972, [6, 15, 5]), (1973, [10, 6, 37]),
    ] {
      for (scale, rank) in zip(ElNinoScalesReport.names, ranks) {
        try expect("rank of \(year), \(scale)", Double(rank), 0.5)
      }
    }
    for (event, energy, shares) in [
      ("1972-04..1973-02", 35.88776, [0.07031, 0.35537, 0.57433]),
      ("1982-06..1984-01", 129.38869, [0.03892, 0.21991, 0.74117]),
      ("1997-01..1998-10", 184.97332, [0.02376, 0.1774, 0.79884]),
    ] {
      try expect("\(event), energy", energy, 1e-5)
      for (scale, share) in zip(ElNinoScalesReport.names, shares) {
        try expect("\(event), share of \(scale)", share, 1e-5)
      }
    }
    for (scale, share) in zip(ElNinoScalesReport.names, [0.15238, 0.24883, 0.46707]) {
      try expect("events' share of \(scale)", share, 1e-5)
    }
  }

  @Test func runningMeansFindThemAsWell() throws {
    for (k, (month, mean)) in [("1997-06", 3.65), ("1982-10", 3.09), ("1972-02", 1.65)].enumerated()
    {
      try expect("running mean \(k + 1)", mean, 5.1e-3)
      let start = try #require(try Self.report.get().numbers["running mean \(k + 1), month"])
      #expect(MonthlySeries.name(Int(start)) == month)
    }
  }

  /// Of 80 draws in place of the program's 400, with maps that are not shrunken there.
  @Test func drawsAreNearThoseOfUnshrunkenMaps() throws {
    for (scale, share) in [("month", 0.076), ("season", 0.198), ("year", 0.726)] {
      try expect("share in draws, \(scale)", share, 0.015)
    }
  }

  /// Sections of the path, s = (1, ρ₁, ρ₁ρ₂, …): the part of a year is the projection to one of them.
  @Test func sectionsTakeThePlaceOfConstants() throws {
    let series = MonthlySeries()
    let maps = MonthMaps(learningFrom: series).transport
    let section = (1..<12).reduce(into: [1.0]) { $0.append($0.last! * maps[$1]) }
    let norm = section.reduce(0) { $0 + $1 * $1 }
    let found = try MonthScales(732, maps: maps).parts(series.anomalies)
    for year in 0..<61 {
      let x = series.anomalies[12 * year..<12 * year + 12]
      let factor = zip(x, section).reduce(0) { $0 + $1.0 * $1.1 } / norm
      for m in 0..<12 {
        #expect(abs(found[2][12 * year + m] - factor * section[m]) < 1e-10, "\(year), \(m)")
        let sum = found.reduce(0) { $0 + $1[12 * year + m] }
        #expect(abs(sum - series.anomalies[12 * year + m]) < 1e-10)
      }
    }
  }
}

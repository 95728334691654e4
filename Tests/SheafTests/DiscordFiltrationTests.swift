import CellComplexes
import CellularSheaves
import Foundation
import LinearAlgebra
import NetworkScales
import NeuralSheaves
import SheafPersistence
import Testing

@Suite struct DiscordFiltrationTests {
  static let seeds: [UInt64] = Array(0..<40) + Array(84..<104)

  private static func state(_ seed: UInt64) throws -> (NeuralSheaf, SheafState) {
    let (network, generator) = try randomNetwork(seed: seed)
    var g = generator
    let sheaf = NeuralSheaf(network)
    return (
      sheaf,
      sheaf.randomState(g.normalMatrix(rows: network.inputDimension, columns: 2), using: &g)
    )
  }

  /// Births are the vertices', deaths the edges' discords, each as often as it has coordinates, and H¹ is 0.
  @Test func barsBeginWithVerticesAndEndWithEdges() throws {
    try Tally.over(Self.seeds) { seed, tally in
      let (sheaf, state) = try Self.state(seed)
      for cells in DiscordCells.allCases {
        let filtration = try sheaf.discordFiltration(at: state, sample: 1, cells: cells)
        let f = filtration.sheaf
        let bars = try filtration.barcode(over: .real(), maximumDegree: 1)
        tally.expect(bars[1].isEmpty, "\(seed): bars in degree 1")
        // With the bars that have no length both lists are those of all coordinates.
        var births = (0..<f.complex.count).flatMap { cell in
          f.complex.dimension(of: cell) == 0
            ? [Double](repeating: filtration.values[cell], count: f.stalk(of: cell)) : []
        }
        var deaths = (0..<f.complex.count).flatMap { cell in
          f.complex.dimension(of: cell) == 1
            ? [Double](repeating: filtration.values[cell], count: f.stalk(of: cell)) : []
        }
        for bar in bars[0] {
          if let i = births.firstIndex(of: bar.birth) {
            births.remove(at: i)
          } else {
            tally.expect(false, "\(seed): a birth at \(bar.birth)")
          }
          guard bar.death < .infinity else { continue }
          if let i = deaths.firstIndex(of: bar.death) {
            deaths.remove(at: i)
          } else {
            tally.expect(false, "\(seed): a death at \(bar.death)")
          }
        }
        tally.expect(births.sorted() == deaths.sorted(), "\(seed): what is left are empty bars")
        let endless = bars[0].count { $0.death == .infinity }
        tally.expect(
          endless == sheaf.boundaryCoordinates.count, "\(seed): \(endless) bars without end")
      }
    }.check(atLeast: 3 * Self.seeds.count)
  }

  /// A discord of each sample and edge by its definition; vertices with their first edge.
  @Test func valuesAreDiscords() throws {
    try Tally.over(Self.seeds) { seed, tally in
      let (sheaf, state) = try Self.state(seed)
      let network = sheaf.network
      let filtration = try sheaf.discordFiltration(at: state, sample: 1)
      let report = sheaf.discords(state.samples([1]))
      for (e, edge) in report.edges.enumerated() {
        let value = filtration.values[network.vertices.count + e]
        tally.expect(abs(value - edge.discord) <= 1e-12 * (1 + value), "\(seed): edge \(e)")
      }
      // At the forward pass everything is there at 0.
      let forward = sheaf.forwardPass(state.stalks[0])
      let still = try sheaf.discordFiltration(at: forward)
      tally.expect(still.values.allSatisfy { $0 < 1e-20 }, "\(seed): discord of a forward pass")
    }.check(atLeast: 2 * Self.seeds.count)
  }

  /// A chain 1–1–1–1 of discords by hand.
  @Test func regionsAreValleys() throws {
    let network = try Network(
      weights: [Matrix([[1]]), Matrix([[1]])], biases: [[0], [0]])
    // x = 1, z1 = 2 (ρ = 1), a1 = 4 (ρ = 2), z2 = 4.5 (ρ = ½): discords 1, 4, ¼.
    let state = SheafState(stalks: [[1], [2], [4], [4.5]].map { Matrix(column: $0) })
    let filtration = try NeuralSheaf(network).discordFiltration(at: state)
    #expect(filtration.values == [1, 1, 0.25, 0.25, 1, 4, 0.25])
    let regions = try filtration.regions.barcode(over: .prime(2))
    #expect(
      regions.intervals == [
        PersistenceInterval(degree: 0, birth: 0.25, death: .infinity),
        PersistenceInterval(degree: 0, birth: 1, death: 4),
      ])
    let summary = BarcodeSummary(regions)
    #expect(
      summary.count == 1 && summary.total == 3 && summary.longest == 3 && summary.endless == 1)
    #expect(summary.entropy == 0)
    // Sections: x, z1 and two ones (of b1, b2): the ones of a vertex come with it.
    let sections = try filtration.barcode(over: .real(), maximumDegree: 0)
    #expect(
      sections.intervals == [
        PersistenceInterval(degree: 0, birth: 0.25, death: .infinity),
        PersistenceInterval(degree: 0, birth: 0.25, death: .infinity),
        PersistenceInterval(degree: 0, birth: 1, death: 4),
        PersistenceInterval(degree: 0, birth: 1, death: .infinity),
      ])
    // A neuron that passes nothing on: the section of z1 is ended by a1's own, and both of the first part go on.
    let dead = SheafState(stalks: [[1], [-1], [2], [2.5]].map { Matrix(column: $0) })
    let stopped = try NeuralSheaf(network).discordFiltration(at: dead)
    #expect(stopped.values[4...].map { $0 } == [4, 4, 0.25])
    let other = SheafState(stalks: [[1], [-0.5], [2], [2.5]].map { Matrix(column: $0) })
    let bars = try NeuralSheaf(network).discordFiltration(at: other)
      .barcode(over: .real(), maximumDegree: 0)
    // Discords 2.25, 4, ¼. The edge a1 ends the old bar at ¼, as R = 0 there.
    #expect(bars.intervals.contains(PersistenceInterval(degree: 0, birth: 0.25, death: 4)))
    #expect(!bars.intervals.contains(PersistenceInterval(degree: 0, birth: 2.25, death: 4)))
  }

  /// dim H¹(X_a, U ∪ out) = n_{k+1} − rank of Q over the edges that are missing.
  @Test func relativeObstructionsAreMissingRanks() throws {
    try Tally.over(Array(0..<40)) { seed, tally in
      let (sheaf, state) = try Self.state(seed)
      let network = sheaf.network
      let n = network.freeDimension
      let out = network.outputDimension
      let patterns = sheaf.patterns(at: state.samples([0]))
      let many = patterns.map { $0.samples([Int](repeating: 0, count: n)) }
      let delta = RestrictedCoboundary(sheaf, at: many, batch: n)(.identity(n))
      let inverse = try delta.solve(.identity(n))
      let rho = flat(sheaf.discrepancy(state))
      let levels = rho.column(0).map { $0 * $0 }.sorted()
      for a in [levels[0], levels[n / 2], levels[n - 1]] {
        let there = (0..<n).filter { rho[$0, 0] * rho[$0, 0] <= a }
        let missing = (0..<n).filter { rho[$0, 0] * rho[$0, 0] > a }
        let hidden = Array(0..<n - out)
        let rank = { (m: Matrix) throws -> Int in
          m.rows == 0 || m.columns == 0
            ? 0 : try SingularValueDecomposition(m).values.count { $0 > 1e-10 }
        }
        let cokernel = there.count - (try rank(delta[rows: there, columns: hidden]))
        let rows = inverse[rows: Array(n - out..<n), columns: missing]
        tally.expect(
          cokernel == out - (try rank(rows)), "\(seed): \(cokernel) at \(a)")
      }
    }.check(atLeast: 120)
  }

  @Test func recordsForgetLaterLooks() throws {
    var g = RandomGenerator(case: 11)
    let network = try Network(widths: [3, 5, 4, 2], outputActivation: .softmax, using: &g)
    let probe = PersistenceRecord.Probe(
      input: g.normalMatrix(rows: 3, columns: 4),
      target: Matrix([[1, 0, 1, 0], [0, 1, 0, 1]]))
    var record = PersistenceRecord(probe: probe)
    for step in [0, 10, 20, 30] { record.look(at: network, step: step) }
    record.look(at: network, step: 15)
    #expect(record.looks.map(\.step) == [0, 10, 15])
    let look = try #require(record.looks.last)
    #expect(look.layers.count == 3 && record.course(ofLayer: 1).count == 3)
    #expect(record.course(ofLayer: 7).allSatisfy { $0.isNaN })
    let discord = try #require(look.discord)
    #expect(discord > 0 && look.regions?.endless == 1)
    var broken = network
    broken.updateParameters(of: 0) { i, m in if i == 0 { m[0, 0] = .infinity } }
    record.look(at: broken, step: 16)
    #expect(record.looks.last?.layers == [] && record.looks.last?.whole == nil)
  }
}

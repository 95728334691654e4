import CellularSheaves
import LinearAlgebra
import NetworkKernels
import NeuralSheaves
import SheafCohomology
import SparseFactorizations
import Testing

/// Networks among the cellular sheaves: the neural sheaf at a pattern, and linear networks with loops.
struct SheafBridgeTests {
  static let seeds = (0..<40).map { UInt64($0) } + (84..<104).map { UInt64($0) }

  /// δ_Ω has full rank and as many rows as columns: H⁰ and H¹ relative to the input and the ones vanish. The harmonic
  /// extension of these is the forward pass.
  @Test func neuralSheavesHaveNoCohomologyRelativeToTheInput() throws {
    var compared = 0
    for seed in Self.seeds {
      var (network, g) = try randomNetwork(seed: seed)
      let sheaf = NeuralSheaf(network)
      let x = g.normalMatrix(rows: network.inputDimension, columns: 1)
      let forward = sheaf.forwardPass(x)
      let patterns = sheaf.patterns(at: forward)
      let general = sheaf.cellularSheaf(at: patterns)
      let free = general.coboundaryTransposed(0).part(rows: sheaf.freeCoordinates)
      #expect(free.rows == free.columns, "seed \(seed)")
      #expect(try RankRevealingQR.withGap(free).rank == free.rows, "seed \(seed)")
      let extended = try HarmonicExtension(
        of: sheaf.boundaryValues(x.column(0)), on: sheaf.boundaryCoordinates, in: general)
      let found = extended.cochains[rows: sheaf.freeCoordinates, columns: [0]]
      #expect(extended.freedom == 0, "seed \(seed)")
      #expect(relativeError(found, flat(forward.stalks)) < 1e-8, "seed \(seed)")
      compared += found.count
    }
    #expect(compared > 1000)
  }

  /// The restricted Laplacian, entry by entry, is the one that sweeps apply.
  @Test func laplaciansAgreeEntryByEntry() throws {
    for seed in Self.seeds.prefix(20) {
      var (network, g) = try randomNetwork(seed: seed)
      let sheaf = NeuralSheaf(network)
      let patterns = randomPatterns(network, batch: 1, using: &g)
      let triangle = SheafLaplacian(sheaf.cellularSheaf(at: patterns), degree: 0).triangle
      let free = sheaf.freeCoordinates
      let assembled = triangle.symmetrized.part(rows: free, columns: free).dense
      let swept = RestrictedLaplacian(RestrictedCoboundary(sheaf, at: patterns, batch: 1))
        .assembled()
      #expect(relativeError(assembled, swept) < 1e-13, "seed \(seed)")
    }
  }

  /// A convolution is assembled from its rows: 9 entries for each pixel and channel, and no matrix with all its zeros.
  @Test func convolutionsAreAssembledSparsely() throws {
    var g = RandomGenerator(seed: 1)
    let window = SlidingWindow(
      channels: 4, image: Extent(12, 12), kernel: Extent(3, 3), paddingBefore: Extent(1, 1),
      paddingAfter: Extent(1, 1))
    var network = Network(inputDimension: 4 * 144)
    _ = network.append(
      Convolutional(
        Convolution(window: window, filters: 8), weight: g.normalMatrix(rows: 36, columns: 8),
        bias: [Double](repeating: 0.1, count: 8)), to: 0)
    let sheaf = NeuralSheaf(network)
    let x = g.normalMatrix(rows: 4 * 144, columns: 1)
    let general = sheaf.cellularSheaf(at: sheaf.patterns(at: sheaf.forwardPass(x)))
    let delta = general.coboundary(0)
    // Within the image 9 of 9 pixels, at its borders 6, in its corners 4; the offset and the target's own entry.
    let entries = 8 * 4 * (100 * 9 + 40 * 6 + 4 * 4) + 2 * 8 * 144
    #expect(delta.values.count == entries)
  }

  /// Three vertices in a ring of scalar weights with the product T: errors that no activity produces are the cokernel of
  /// 1 − T. With T = 1 the error of one connection is spread evenly around the loop and stays; with T = ½ activities
  /// take all of it.
  @Test func loopsKeepErrors() throws {
    for (weight, expected) in [(1.0, 1), (0.5, 0)] {
      let weights = [weight, 1, 1]
      let sheaf = try CellularSheaf.linearNetwork(
        dimensions: [1, 1, 1],
        connections: (0..<3).map {
          .init(from: $0, to: ($0 + 1) % 3, weight: Matrix([[weights[$0]]]))
        })
      #expect(try RealCohomology(sheaf).betti == [expected, expected])
      let errors = Matrix(column: [3, 0, 0])
      let parts = try HodgeDecomposition(of: errors, in: sheaf, degree: 1)
      let kept: [Double] = expected == 1 ? [1, 1, 1] : [0, 0, 0]
      for i in 0..<3 { #expect(abs(parts.harmonic[i, 0] - kept[i]) < 1e-12) }
    }
  }

  /// A loop through higher dimensions: a rotation leaves nothing but 0, a reflection a line.
  @Test func matrixLoopsHaveTheKernelOfTransport() throws {
    for (transport, expected) in [
      (Matrix([[0, -1], [1, 0]]), 0), (Matrix([[0, 1], [1, 0]]), 1), (.identity(2), 2),
    ] {
      let sheaf = try CellularSheaf.linearNetwork(
        dimensions: [2], connections: [.init(from: 0, to: 0, weight: transport)])
      #expect(try RealCohomology(sheaf).betti == [expected, expected])
    }
  }

  /// Without loops, relative to the inputs, there is no freedom and no lasting error.
  @Test func networksWithoutLoopsHaveNeither() throws {
    for seed in Self.seeds.prefix(20) {
      var g = RandomGenerator(case: seed)
      let dimensions = (0..<6).map { _ in g.integer(1...3) }
      var connections: [CellularSheaf.Connection] = []
      for t in 1..<6 {
        // One connection determines each vertex.
        let s = g.integer(0...t - 1)
        connections.append(
          .init(
            from: s, to: t, weight: g.normalMatrix(rows: dimensions[t], columns: dimensions[s])))
      }
      let sheaf = try CellularSheaf.linearNetwork(
        dimensions: dimensions, connections: connections)
      #expect(try RealCohomology(sheaf.relative(to: [0]).sheaf).betti == [0, 0], "seed \(seed)")
    }
  }
}

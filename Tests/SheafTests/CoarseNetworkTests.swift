import Equilibria
import Foundation
import LinearAlgebra
import NetworkScales
import NeuralSheaves
import PiecewiseEnergies
import Testing

/// A random network with some of its free stalks chosen, a state, stiffnesses and the dense Laplacian of the pattern.
private struct Case {
  let network: Network
  let coarse: CoarseNetwork
  let laplacian: Matrix
  /// The free coordinates that are kept.
  let places: [Int]
  var g: RandomGenerator

  init(seed: UInt64, keepingAll: Bool = false) throws {
    let (network, generator) = try randomNetwork(seed: seed)
    var g = generator
    let sheaf = NeuralSheaf(network)
    let last = network.lastVertex
    var kept = (1...last).filter { _ in keepingAll || g.uniform() < 0.4 }
    if kept.isEmpty { kept = [g.integer(1...last)] }
    let gamma = network.edges.map { _ in g.uniform() < 0.5 ? 1 : g.uniform(0.3, 4) }
    let stiffness = seed % 2 == 0 ? .uniform : Stiffness(gamma, of: network)
    let state = sheaf.randomState(
      g.normalMatrix(rows: network.inputDimension, columns: 1), using: &g)
    let patterns = sheaf.patterns(at: state)
    coarse = try #require(
      try CoarseNetwork.coarsen(
        sheaf, keeping: kept.reversed(), at: state, stiffness: stiffness
      ).first)
    // δ_ΩᵀΓδ_Ω by its definition, column by column.
    let n = network.freeDimension
    laplacian = RestrictedLaplacian(
      RestrictedCoboundary(
        sheaf, at: patterns.map { $0.samples([Int](repeating: 0, count: n)) }, batch: n),
      stiffness: stiffness)(.identity(n))
    var (places, start) = ([Int](), 0)
    for v in 1...last {
      let next = start + network.vertices[v].dimension
      if kept.contains(v) { places += start..<next }
      start = next
    }
    (self.network, self.g, self.places) = (network, g, places)
  }

  var hidden: [Int] {
    let kept = Set(places)
    return (0..<laplacian.rows).filter { !kept.contains($0) }
  }

  /// L_KK − L_KH L_HH⁻¹ L_HK.
  func schurComplement() throws -> Matrix {
    var s = laplacian[rows: places, columns: places]
    guard !hidden.isEmpty else { return s }
    let mixed = laplacian[rows: hidden, columns: places]
    let inner = laplacian[rows: hidden, columns: hidden]
    s.addProduct(mixed, try inner.solve(mixed), transposing: .left, scale: -1)
    return s
  }

  /// E of a state with these stalks on the pattern, by the dense Laplacian.
  func fineEnergy(_ state: SheafState, sample j: Int) -> Double {
    var change = flat(state.stalks, sample: j)
    change.add(flat(coarse.forward.stalks), scale: -1)
    return dot(change, laplacian * change) / 2
  }
}

private func distance(_ a: Matrix, _ b: Matrix) -> Double {
  a.minus(b).maximumMagnitude / max(1, b.maximumMagnitude)
}

@Suite struct CoarseNetworkTests {
  /// Chains, residual nets and graphs of all operations.
  static let seeds: [UInt64] = Array(0..<50) + Array(84..<124) + Array(10_000..<10_040)

  @Test func effectiveEdgesMakeTheSchurComplement() throws {
    try Tally.over(Self.seeds) { seed, tally in
      let c = try Case(seed: seed)
      let s = c.coarse.precision
      let dense = try c.schurComplement()
      tally.expect(distance(s, dense) < 1e-9, "\(seed): S off by \(distance(s, dense))")
      let covariance = try c.laplacian.solve(.identity(c.laplacian.rows))[
        rows: c.places, columns: c.places]
      let off = distance(c.coarse.covariance, covariance)
      tally.expect(off < 1e-9, "\(seed): the covariance off by \(off)")
    }.check(atLeast: 2 * Self.seeds.count)
  }

  @Test func determinantIsThatOfTheNoise() throws {
    try Tally.over(Self.seeds) { seed, tally in
      let c = try Case(seed: seed)
      let dense = try CholeskyFactorization(c.schurComplement()).logDeterminant
      tally.expect(
        abs(c.coarse.logDeterminant - dense) < 1e-8 * (1 + abs(dense)),
        "\(seed): log det S \(c.coarse.logDeterminant), dense \(dense)")
      // All stalks: S = L, whose determinant is that of Γ.
      let all = try Case(seed: seed, keepingAll: true)
      let gamma = try CholeskyFactorization(all.laplacian).logDeterminant
      tally.expect(
        abs(all.coarse.logDeterminant - gamma) < 1e-8 * (1 + abs(gamma)),
        "\(seed): log det L \(all.coarse.logDeterminant), dense \(gamma)")
      if all.coarse.stiffness.isUniform {
        tally.expect(all.coarse.logDeterminant == 0, "\(seed): det L is not 1")
      }
      tally.expect(
        distance(all.coarse.precision, all.laplacian) < 1e-12, "\(seed): nothing eliminated")
    }.check(atLeast: 3 * Self.seeds.count)
  }

  /// On chains S is block tridiagonal with J and N of each segment; J by differences of the segment's own forward pass.
  @Test func keptStalksOfChainsAreMarkovChains() throws {
    try Tally.over(Array(0..<84).filter { $0 % 3 != 0 }) { seed, tally in
      let c = try Case(seed: seed)
      tally.expect(c.coarse.isChain, "\(seed): no chain")
      let s = try c.schurComplement()
      for (i, v) in c.coarse.vertices.enumerated() {
        for w in c.coarse.vertices.dropFirst(i + 2) {
          let block = s[
            rows: Array(c.coarse.range(of: v)), columns: Array(c.coarse.range(of: w))]
          tally.expect(
            block.maximumMagnitude < 1e-9 * max(1, s.maximumMagnitude), "\(seed): \(v)–\(w)")
        }
      }
      for map in c.coarse.maps {
        // The product of the operations' matrices from the source to the target.
        var j = Matrix.identity(c.network.vertices[map.source].dimension)
        var n = Matrix(rows: j.rows, columns: j.rows)
        for v in map.source + 1...map.target {
          let edge = c.network.edges[c.network.incoming[v].lowerBound]
          var r = Matrix(
            rows: edge.operation.targetDimension, columns: edge.operation.sourceDimension)
          let e = c.network.incoming[v].lowerBound
          edge.operation.addLinearPart(
            .identity(r.columns),
            at: c.coarse.patterns[e].samples([Int](repeating: 0, count: r.columns)), scale: 1,
            keeping: 0, into: &r)
          j = r * j
          n = r * (n * r.transposed)
          for i in 0..<n.rows { n[i, i] += 1 / c.coarse.stiffness.value(v, row: i) }
        }
        tally.expect(distance(map.matrix, j) < 1e-11, "\(seed): J of \(map.target)")
        let noise = c.coarse.noises.first { $0.vertices == [map.target] }
        tally.expect(
          noise.map { distance($0.covariance, n) < 1e-11 } ?? false, "\(seed): N of \(map.target)")
      }
    }.check(atLeast: 150)
  }

  @Test func extensionHasTheLeastEnergy() throws {
    try Tally.over(Self.seeds) { seed, tally in
      var c = try Case(seed: seed)
      var x = c.g.normalMatrix(rows: c.coarse.dimension, columns: 3)
      x.setColumns(from: 2, to: c.coarse.mean)
      let state = c.coarse.extended(x)
      let kept = Matrix(stacking: c.coarse.vertices.map { state.stalks[$0] }, columns: 3)
      tally.expect(distance(kept, x) < 1e-9, "\(seed): the kept stalks off by \(distance(kept, x))")
      let energies = c.coarse.energies(of: x)
      for j in 0..<3 {
        let fine = c.fineEnergy(state, sample: j)
        tally.expect(
          abs(fine - energies[j]) < 1e-9 * (1 + fine), "\(seed): \(energies[j]), fine \(fine)")
        // Any other state with these kept stalks.
        var other = state
        for v in c.network.vertices.indices.dropFirst() where !c.coarse.vertices.contains(v) {
          other.stalks[v].add(
            c.g.normalMatrix(rows: other.stalks[v].rows, columns: 3, deviation: 0.5))
        }
        let above = c.fineEnergy(other, sample: j)
        tally.expect(above >= fine - 1e-9 * (1 + fine), "\(seed): \(above) below \(fine)")
      }
      tally.expect(energies[2] < 1e-20, "\(seed): the forward pass has energy \(energies[2])")
      // What the effective edges say of x̂ they say with their offsets, too.
      for v in c.coarse.vertices {
        var predicted = c.coarse.offset(of: v)
        for map in c.coarse.maps where map.target == v {
          predicted.addProduct(map.matrix, c.coarse.forward.stalks[map.source])
        }
        tally.expect(
          distance(predicted, c.coarse.forward.stalks[v]) < 1e-12, "\(seed): offset of \(v)")
      }
    }.check(atLeast: 7 * Self.seeds.count)
  }

  /// Pins on kept stalks, against a dense solve on the pattern.
  @Test func pinnedEquilibriumIsTheFineOne() throws {
    try Tally.over(Self.seeds) { seed, tally in
      var c = try Case(seed: seed)
      let pins = c.coarse.vertices.flatMap { v -> [Pin] in
        let n = c.network.vertices[v].dimension
        let some = (0..<n).filter { _ in c.g.uniform() < 0.3 }
        guard !some.isEmpty else { return [] }
        return [
          Pin(
            vertex: v, coordinates: some, values: c.g.normalMatrix(rows: some.count, columns: 1),
            strength: c.g.uniform() < 0.5 ? .hard : .soft(c.g.uniform(0.2, 5)))
        ]
      }
      let x = try c.coarse.equilibrium(pins)
      // Lagrange's conditions of the whole pattern: (L + Γ_P) d − Eᵀλ = Γ_P τ, E d = τ.
      var (rows, targets, soft) = ([Int](), [Double](), [Double]())
      for pin in pins {
        let start = c.places[c.coarse.range(of: pin.vertex).lowerBound]
        for (p, i) in pin.coordinates.enumerated() {
          rows.append(start + i)
          targets.append(pin.values[p, 0] - c.coarse.forward.stalks[pin.vertex][i, 0])
          if case .soft(let w) = pin.strength { soft.append(1 / w) } else { soft.append(0) }
        }
      }
      let (n, p) = (c.laplacian.rows, rows.count)
      var system = Matrix(rows: n + p, columns: n + p)
      system.setBlock(row: 0, column: 0, to: c.laplacian)
      var right = Matrix(rows: n + p, columns: 1)
      for (k, i) in rows.enumerated() {
        (system[i, n + k], system[n + k, i], system[n + k, n + k]) = (-1, 1, soft[k])
        right[n + k, 0] = targets[k]
      }
      var dense = try system.solve(right)[rows: c.places, columns: [0]]
      dense.add(c.coarse.mean)
      tally.expect(distance(x, dense) < 1e-8, "\(seed): off by \(distance(x, dense))")
    }.check(atLeast: Self.seeds.count)
  }

  /// Against the solver of the whole energy, on the pattern of its end where that is no kink.
  @Test func relaxedNetworksAgreeOnTheirPattern() throws {
    try Tally.over(Array(0..<40) + Array(84..<104)) { seed, tally in
      let (network, generator) = try randomNetwork(seed: seed)
      var g = generator
      let sheaf = NeuralSheaf(network)
      let input = g.normalMatrix(rows: network.inputDimension, columns: 1)
      let last = network.lastVertex
      var pins = [
        Pin(
          vertex: last, coordinates: Array(0..<network.outputDimension),
          values: g.normalMatrix(rows: network.outputDimension, columns: 1), strength: .soft(0.7))
      ]
      let middle = g.integer(1...last)
      if middle < last {
        pins.append(
          Pin(vertex: middle, coordinates: [0], values: g.normalMatrix(rows: 1, columns: 1)))
      }
      let energy = PinnedEnergy(
        sheaf, pins: try Pins(pins, network: network, input: input), output: nil)
      let end = try EquilibriumMethod.direct.solver(tolerance: 1e-11).solve(energy, input: input)
      // Where the gradient on the pattern of the end vanishes: nowhere near a kink or tie that it rests on.
      guard end.status == .converged else { return }
      var gradient = energy.gradient(at: end.state)
      for v in gradient.indices { energy.pins.clear(v, &gradient[v]) }
      guard gradient.allSatisfy({ $0.maximumMagnitude < 1e-9 }) else { return }
      let coarse = try CoarseNetwork(
        sheaf, keeping: [middle, last], at: sheaf.patterns(at: end.state), input: input)
      let x = try coarse.equilibrium(pins)
      let fine = Matrix(
        stacking: coarse.vertices.map { end.state.stalks[$0] }, columns: 1)
      tally.expect(distance(x, fine) < 1e-7, "\(seed): off by \(distance(x, fine))")
      let pulled = pins[0].values.minus(x.rows(coarse.range(of: last))).sumOfSquares * 0.35
      tally.expect(
        abs(coarse.energies(of: x)[0] + pulled - end.energies[0]) < 1e-8 * (1 + end.energies[0]),
        "\(seed): energies")
    }.check(atLeast: 40)
  }

  /// Two stalks, one from the other: the strength is the canonical correlation of the two.
  @Test func couplingIsTheCanonicalCorrelation() throws {
    var g = RandomGenerator(case: 5)
    for _ in 0..<20 {
      let w = g.uniform(-3, 3)
      let network = try Network(
        weights: [Matrix([[1]]), Matrix([[w]])], biases: [[0.5], [0]])
      let sheaf = NeuralSheaf(network)
      // z1 = 1 + ε, a1 = z1 + ε, z2 = w a1 + ε; keep a1 and z2.
      let coarse = try CoarseNetwork(
        sheaf, keeping: [2, 3],
        at: sheaf.patterns(at: sheaf.forwardPass(Matrix([[0.5]]))), input: Matrix([[0.5]]))
      let expected = abs(w) * 2.0.squareRoot() / (2 * w * w + 1).squareRoot()
      let found = try coarse.couplings()
      #expect(found.count == 1)
      #expect(abs(found[0].strength - expected) < 1e-12)
    }
    try Tally.over(Self.seeds) { seed, tally in
      let c = try Case(seed: seed)
      let s = c.coarse.precision
      let found = try c.coarse.couplings()
      tally.expect(
        found.allSatisfy { $0.first < $0.second && (0..<1 + 1e-9).contains($0.strength) },
        "\(seed): strengths \(found.map(\.strength))")
      // What is not listed is 0.
      for (p, v) in c.coarse.vertices.enumerated() {
        for w in c.coarse.vertices.dropFirst(p + 1)
        where !found.contains(where: { $0.first == v && $0.second == w }) {
          let block = s[rows: Array(c.coarse.range(of: v)), columns: Array(c.coarse.range(of: w))]
          tally.expect(block.maximumMagnitude == 0, "\(seed): \(v)–\(w)")
        }
      }
    }.check(atLeast: Self.seeds.count)
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let network = try Network(
      weights: [Matrix([[1, 2]]), Matrix([[1]])], biases: [[0], [0]])
    let sheaf = NeuralSheaf(network)
    let state = sheaf.forwardPass(Matrix([[1], [1]]))
    #expect(throws: ScaleError.tooLarge(coordinates: 3, most: 2)) {
      try CoarseNetwork.coarsen(sheaf, keeping: [1, 2, 3], at: state, limit: 2)
    }
    let coarse = try CoarseNetwork.coarsen(sheaf, keeping: [1, 3], at: state)[0]
    let pin = Pin(vertex: 2, coordinates: [0], values: Matrix([[1]]))
    #expect(throws: ScaleError.notKept(stalk: "a1", kept: ["z1", "z2"])) {
      try coarse.equilibrium([pin])
    }
    let other = Pin(vertex: 3, coordinates: [4], values: Matrix([[1]]))
    #expect(
      throws: ScaleError.pins(.coordinate(stalk: "z2", index: 4, dimension: 1))
    ) { try coarse.equilibrium([other]) }
  }
}

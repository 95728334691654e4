import Foundation
import LinearAlgebra
import NetworkScales
import NeuralSheaves
import SheafProbability
import Testing

@Suite struct SeparationByScaleTests {
  /// x → z1 → z2 without activations: C = γ₂⁻¹ + γ₁⁻¹W₂W₂ᵀ.
  private static func linear(_ g: inout RandomGenerator, outputs: Int = 3) -> (Network, Matrix) {
    let w2 = g.normalMatrix(rows: outputs, columns: 4)
    var network = Network(inputDimension: 2)
    let z1 = network.append(
      Dense(weight: g.normalMatrix(rows: 4, columns: 2), bias: g.normals(4)), to: 0)
    network.append(Dense(weight: w2, bias: g.normals(outputs)), to: z1)
    return (network, w2)
  }

  @Test func sharesOfLinearNetworksAreClosedForms() throws {
    try Tally.over(Array(0..<20)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let (network, w2) = Self.linear(&g)
      let gamma = [g.uniform(0.3, 3), g.uniform(0.3, 3)]
      let input = g.normalMatrix(rows: 2, columns: 30)
      let classes = (0..<30).map { _ in g.integer(0...2) }
      let found = try SeparationByScale(
        network, input: input, classes: classes, noise: EdgeNoise(gamma, of: network))
      let logits = NeuralSheaf(network).forwardPass(input).stalks[2]
      for (p, pair) in found.pairs.enumerated() {
        var d = Matrix(rows: 3, columns: 1)
        (d[pair.first, 0], d[pair.second, 0]) = (1, -1)
        let (first, second) = ((w2.transposed * d).sumOfSquares / gamma[0], 2 / gamma[1])
        tally.expect(
          abs(found.shares[0, p] - first / (first + second)) < 1e-12
            && abs(found.shares[1, p] - second / (first + second)) < 1e-12,
          "\(seed): shares of \(pair)")
        let flips = classes.enumerated().compactMap { j, c -> Double? in
          guard [pair.first, pair.second].contains(c) else { return nil }
          let gap = logits[c, j] - logits[c == pair.first ? pair.second : pair.first, j]
          return gap * abs(gap) / (2 * (first + second))
        }
        tally.expect(flips.count == found.counts[p], "\(seed): \(found.counts[p]) samples")
        let mean = flips.reduce(0, +) / Double(flips.count)
        tally.expect(
          abs(found.flipEnergies[p] - mean) < 1e-10 * (1 + abs(mean)), "\(seed): energy of \(pair)")
      }
    }.check(atLeast: 150)
  }

  /// On any network's pattern: the discrepancy of the state of least energy with z_c = z_c', from the dense Laplacian.
  @Test func sharesAreThoseOfTheLeastFlip() throws {
    try Tally.over(Array(0..<60) + Array(84..<104)) { seed, tally in
      let (network, generator) = try randomNetwork(seed: seed)
      var g = generator
      let n = network.freeDimension
      let out = network.outputDimension
      guard out >= 2 else { return }
      let sheaf = NeuralSheaf(network)
      let input = g.normalMatrix(rows: network.inputDimension, columns: 1)
      let gamma = network.edges.map { _ in g.uniform(0.3, 3) }
      let stiffness = Stiffness(gamma, of: network)
      let y = g.integer(0...out - 1)
      let found = try SeparationByScale(
        network, input: input, classes: [y], stalks: [], noise: EdgeNoise(gamma, of: network))
      let state = sheaf.forwardPass(input)
      let patterns = sheaf.patterns(at: state)
      let laplacian = RestrictedLaplacian(
        RestrictedCoboundary(
          sheaf, at: patterns.map { $0.samples([Int](repeating: 0, count: n)) }, batch: n),
        stiffness: stiffness)(.identity(n))
      tally.expect(found.pairs.count == out - 1, "\(seed): \(found.pairs.count) pairs")
      for (p, pair) in found.pairs.enumerated() {
        // min ½dᵀLd with z_y + d_y = z_c + d_c, by Lagrange.
        let c = pair.first == y ? pair.second : pair.first
        var system = Matrix(rows: n + 1, columns: n + 1)
        system.setBlock(row: 0, column: 0, to: laplacian)
        for (i, sign) in [(n - out + y, 1.0), (n - out + c, -1)] {
          (system[i, n], system[n, i]) = (sign, sign)
        }
        var right = Matrix(rows: n + 1, columns: 1)
        let gap = state.stalks[network.lastVertex][y, 0] - state.stalks[network.lastVertex][c, 0]
        // Shares do not depend on the gap: a unit one where it is small.
        right[n, 0] = -1
        let change = try system.solve(right).rows(0..<n)
        let rho = sheaf.coboundary(
          [Matrix(rows: 0, columns: 1)]
            + change.split(network.vertices.dropFirst().map(\.dimension)), at: patterns)
        let energy = stiffness.energy(rho, sample: 0)
        for (e, edge) in network.edges.enumerated() {
          let part =
            gamma[e] * rho[edge.target].sumOfSquares(rows: edge.operation.targetRows) / 2
          tally.expect(
            abs(found.shares[e, p] - part / energy) < 1e-8, "\(seed): edge \(e) of \(pair)")
        }
        tally.expect(
          abs(found.flipEnergies[p] - gap * abs(gap) * energy) < 1e-8 * (1 + gap * gap * energy),
          "\(seed): energy of \(pair)")
      }
    }.check(atLeast: 200)
  }

  @Test func groupsAddUpAndAreSpringsInParallel() throws {
    try Tally.over(Array(0..<20)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let network = try Network(widths: [4, 6, 5, 4, 3], outputActivation: .softmax, using: &g)
      let input = g.normalMatrix(rows: 4, columns: 12)
      let classes = (0..<12).map { _ in g.integer(0...2) }
      let unit = try EdgeNoise(of: network)
      let found = try SeparationByScale(
        network, input: input, classes: classes, stalks: [], noise: unit)
      for scale in found.scales {
        tally.expect(
          scale.flatMap { Array($0.edges) } == Array(0..<network.edges.count),
          "\(seed): \(scale.map(\.name))")
        for p in found.pairs.indices {
          let sum = scale.reduce(0) { $0 + found.shares(of: $1.edges)[p] }
          tally.expect(abs(sum - 1) < 1e-12, "\(seed): shares add up to \(sum)")
        }
      }
      tally.expect(found.scales.map(\.count) == [7, 4, 2, 1], "\(seed): \(found.scales)")
      // One sample: with all other edges stiff a flip costs F / share.
      let one = input.columns(0..<1)
      let single = try SeparationByScale(
        network, input: one, classes: [classes[0]], stalks: [], noise: unit)
      let group = found.scales[2][0].edges
      let stiff = network.edges.indices.map { group.contains($0) ? 1 : 1e10 }
      let alone = try SeparationByScale(
        network, input: one, classes: [classes[0]], stalks: [],
        noise: EdgeNoise(stiff, of: network))
      for (p, share) in single.shares(of: group).enumerated() where share > 1e-4 {
        let expected = single.flipEnergies[p] / share
        tally.expect(
          abs(alone.flipEnergies[p] - expected) <= 1e-4 * abs(expected),
          "\(seed): \(alone.flipEnergies[p]), expected \(expected)")
      }
    }.check(atLeast: 200)
  }

  /// Of a linear network: by the definitions, with M from W.
  @Test func stalksAreMeasuredInTheirNoise() throws {
    try Tally.over(Array(0..<20)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let (network, w2) = Self.linear(&g)
      let input = g.normalMatrix(rows: 2, columns: 200)
      let classes = (0..<200).map { _ in g.integer(0...2) }
      let found = try SeparationByScale(
        network, input: input, classes: classes, noise: EdgeNoise(of: network))
      let stalks = NeuralSheaf(network).forwardPass(input).stalks
      var covariance = Matrix.identity(3)
      covariance.addGram(w2)
      let metrics = [Matrix.identity(4), try covariance.solve(.identity(3))]
      for (k, stalk) in found.stalks.enumerated() {
        let (x, m) = (stalks[k + 1], metrics[k])
        func square(_ a: Matrix, _ m: Matrix) -> Double { dot(a, m * a) }
        func mean(_ some: [Int]) -> Matrix {
          var sum = Matrix(rows: x.rows, columns: 1)
          for j in some { sum.add(x.columns(j..<j + 1), scale: 1 / Double(some.count)) }
          return sum
        }
        let all = mean(Array(0..<200))
        var sums = [Matrix.identity(x.rows), m].map { _ in (between: 0.0, within: 0.0) }
        for c in 0..<3 {
          let some = classes.indices.filter { classes[$0] == c }
          let own = mean(some)
          for (i, metric) in [Matrix.identity(x.rows), m].enumerated() {
            sums[i].between += Double(some.count) / 200 * square(own.minus(all), metric)
            for j in some {
              sums[i].within += square(x.columns(j..<j + 1).minus(own), metric) / 200
            }
          }
        }
        tally.expect(
          abs(stalk.between - sums[1].between) < 1e-9 * (1 + stalk.between), "\(seed): between")
        tally.expect(
          abs(stalk.within - sums[1].within) < 1e-9 * (1 + stalk.within), "\(seed): within")
        tally.expect(
          abs(stalk.plain - sums[0].between / sums[0].within) < 1e-9 * (1 + stalk.plain),
          "\(seed): plain")
        tally.expect(stalk.name == "z\(k + 1)", "\(seed): \(stalk.name)")
      }
    }.check(atLeast: 160)
  }

  /// The same function with its layers scaled up and down.
  @Test func relativeNoiseForgetsScales() throws {
    try Tally.over(Array(0..<20)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let weights = [
        g.normalMatrix(rows: 5, columns: 3), g.normalMatrix(rows: 4, columns: 5),
        g.normalMatrix(rows: 3, columns: 4),
      ]
      let biases = [g.normals(5), g.normals(4), g.normals(3)]
      let input = g.normalMatrix(rows: 3, columns: 20)
      let classes = (0..<20).map { _ in g.integer(0...2) }
      let (a, b) = (g.uniform(1.5, 4), g.uniform(0.2, 0.7))
      var (scaled, shifted) = (weights, biases)
      for (l, factor) in [a, b / a, 1 / b].enumerated() { scaled[l].scale(by: factor) }
      shifted[0] = biases[0].map { a * $0 }
      shifted[1] = biases[1].map { b * $0 }
      let one = try Network(weights: weights, biases: biases)
      let other = try Network(weights: scaled, biases: shifted)
      let found = try [one, other].map {
        try SeparationByScale($0, input: input, classes: classes)
      }
      tally.expect(
        found[0].shares.minus(found[1].shares).maximumMagnitude < 1e-9, "\(seed): shares")
      for (x, y) in zip(found[0].flipEnergies, found[1].flipEnergies) {
        tally.expect(abs(x - y) < 1e-9 * (1 + abs(x)), "\(seed): flip energies \(x), \(y)")
      }
      for (x, y) in zip(found[0].stalks, found[1].stalks) {
        tally.expect(abs(x.between - y.between) < 1e-8 * (1 + x.between), "\(seed): \(x), \(y)")
      }
      let unit = try [one, other].map {
        try SeparationByScale($0, input: input, classes: classes, noise: EdgeNoise(of: $0))
      }
      tally.expect(
        unit[0].shares.minus(unit[1].shares).maximumMagnitude > 1e-3, "\(seed): unit noise")
    }.check(atLeast: 150)
  }

  @Test func tableNamesPairsAndScales() throws {
    var g = RandomGenerator(case: 9)
    var (network, _) = Self.linear(&g)
    network.classNames = ["cat", "dog", "cow"]
    let input = g.normalMatrix(rows: 2, columns: 9)
    let found = try SeparationByScale(
      network, input: input, classes: [0, 1, 2, 0, 1, 2, 0, 1, 2])
    for word in ["cat–dog", "dog–cow", "z1", "layer 2", "first half", "all", "1.000", "ratio"] {
      #expect(found.table.contains(word), "\(word) in\n\(found.table)")
    }
    let two = try SeparationByScale(network, input: input, classes: .init(repeating: 1, count: 9))
    #expect(two.pairs.map { [$0.first, $0.second] } == [[0, 1], [1, 2]])
    #expect(throws: ScaleError.self) {
      try SeparationByScale(network, input: input, classes: .init(repeating: 3, count: 9))
    }
    // One output: class 1 against 0.
    let (single, w) = Self.linear(&g, outputs: 1)
    let binary = try SeparationByScale(
      single, input: input, classes: [0, 1, 0, 1, 0, 1, 0, 1, 0], noise: EdgeNoise(of: single))
    #expect(binary.pairs.count == 1)
    #expect(abs(binary.shares[1, 0] - 1 / (1 + w.sumOfSquares)) < 1e-12)
  }
}

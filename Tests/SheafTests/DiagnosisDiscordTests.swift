import Equilibria
import LinearAlgebra
import NetworkDiagnosis
import NeuralSheaves
import PiecewiseEnergies
import SheafTraining
import Testing

/// Clamped discord and its expectation, flip energies, derivatives, distances and counterfactuals, against solvers, dense formulas and differences.
@Suite struct DiagnosisDiscordTests {
  private static func chain(
    _ widths: [Int], _ activation: OutputActivation, isLinear: Bool = false,
    _ g: inout RandomGenerator
  ) -> Network {
    var network = Network(inputDimension: widths[0], outputActivation: activation)
    var last = 0
    for l in 1..<widths.count {
      last = network.append(dense(widths[l - 1], widths[l], &g), to: last)
      if l + 1 < widths.count && !isLinear {
        last = network.append(Elementwise.rectifier(dimension: widths[l]), to: last)
      }
    }
    return network
  }

  /// Of networks without kinks the expectation is the mean over all classes of the solvers' discords, exactly.
  @Test func expectationIsTheMeanOverClasses() throws {
    for seed in 0..<20 as Range<UInt64> {
      var g = RandomGenerator(case: seed)
      let activation: OutputActivation = seed % 2 == 0 ? .softmax : .sigmoid
      let network = Self.chain(
        [3, 5, activation == .softmax ? 3 : 1], activation, isLinear: true, &g)
      let x = g.normalMatrix(rows: 3, columns: 6)
      let p = network(x)
      let classes = network.classCount!
      var expected = [Double](repeating: 0, count: network.edges.count + 1)
      for c in 0..<classes {
        let target = network.classTargets([Int](repeating: c, count: 6))
        let energy = try EquilibriumRule.energy(
          NeuralSheaf(network), input: x, target: target, coupling: 1)
        for j in 0..<6 {
          let one = try energy.samples(j..<j + 1)
          let end = try EquilibriumMethod.auto.solver(tolerance: 1e-11).solve(
            one, input: x.columns(j..<j + 1))
          let weight =
            classes == 2 && activation == .sigmoid ? (c == 1 ? p[0, j] : 1 - p[0, j]) : p[c, j]
          for (e, edge) in one.discords(at: end.state).edges.enumerated() {
            expected[e] += weight * edge.discord / 6
          }
        }
      }
      let some = (0..<6).map { _ in g.integer(0...classes - 1) }
      let found = try ClampedDiscord(
        NetworkSamples(network, input: x, target: network.classTargets(some)))
      for (a, b) in zip(found.expected, expected) {
        #expect(abs(a - b) < 1e-7 * max(b, 1e-3), "seed \(seed): \(found.expected), \(expected)")
      }
    }
  }

  /// What is reported sample by sample adds up to the report, and is that of the solver.
  @Test func samplesAddUp() throws {
    for seed in 0..<10 as Range<UInt64> {
      var g = RandomGenerator(case: 50 + seed)
      let activation = [OutputActivation.identity, .softmax][Int(seed % 2)]
      let network = Self.chain([4, 8, 6, 3], activation, &g)
      let x = g.normalMatrix(rows: 4, columns: 12)
      let y =
        activation == .identity
        ? g.normalMatrix(rows: 3, columns: 12) : oneHotTargets(network, batch: 12, using: &g)
      let found = try ClampedDiscord(NetworkSamples(network, input: x, target: y))
      for (e, edge) in found.report.edges.enumerated() {
        let mean = found.bySample[e].reduce(0, +) / 12
        #expect(abs(mean - edge.discord) < 1e-10 * max(1, edge.discord), "seed \(seed)")
      }
      for v in network.vertices.indices.dropFirst() {
        let edges = network.incoming[v].reduce(0) { $0 + found.report.edges[$1].discord }
        #expect(abs(found.byCoordinate[v].reduce(0, +) - edges) < 1e-10 * max(1, edges))
      }
      let total = found.report.energy
      #expect(abs(found.energies.reduce(0, +) / 12 - total) < 1e-9 * max(1, total))
      let leading = found.leadingEdges(ofSample: 0, most: 10)
      #expect(abs(leading.reduce(0) { $0 + $1.share } - 1) < 1e-12)
    }
  }

  /// Labels drawn from the network's own probabilities have about the discord that is expected; kinks on the way take some.
  @Test func drawnLabelsHaveTheExpectedDiscord() throws {
    var ratios: [Double] = []
    for seed in 0..<20 as Range<UInt64> {
      var g = RandomGenerator(case: 80 + seed)
      let network = Self.chain([4, 10, 8, 3], .softmax, &g)
      let x = g.normalMatrix(rows: 4, columns: 300)
      let p = network(x)
      let labels = (0..<300).map { j in
        let u = g.uniform()
        return u < p[0, j] ? 0 : u < p[0, j] + p[1, j] ? 1 : 2
      }
      let found = try ClampedDiscord(
        NetworkSamples(network, input: x, target: network.classTargets(labels)))
      ratios.append(found.report.edges[0].discord / found.expected[0])
    }
    let mean = ratios.reduce(0, +) / 20
    #expect(mean > 0.75 && mean < 1.05, "\(mean)")
  }

  /// The flip energy is the least energy of a state in which two logits are equal: on one pattern that of a quadratic problem, here by the
  /// derivatives of the logits in all noise, one by one.
  @Test func flipEnergyIsTheLeastOfAllNoise() throws {
    for seed in 0..<30 as Range<UInt64> {
      var g = RandomGenerator(case: 120 + seed)
      let network = Self.chain([3, 6, 5, 3], .softmax, &g)
      let x = g.normalMatrix(rows: 3, columns: 4)
      let labels = (0..<4).map { _ in g.integer(0...2) }
      let samples = try NetworkSamples(
        network, input: x, target: network.classTargets(labels))
      let found = FlipEnergies(samples, classes: labels)
      let sheaf = NeuralSheaf(network)
      let patterns = sheaf.patterns(at: samples.state)
      for j in 0..<4 {
        var least = Double.infinity
        for c in 0..<3 where c != labels[j] {
          var square = 0.0
          for v in network.vertices.indices.dropFirst() {
            for i in 0..<network.vertices[v].dimension {
              var rho = sheaf.zeroCochain(batch: 4)
              rho[v][i, j] = 1
              let response = sheaf.forwardSubstitution(rho, at: patterns)[network.lastVertex]
              let slope = response[labels[j], j] - response[c, j]
              square += slope * slope
            }
          }
          let gap = samples.logits[labels[j], j] - samples.logits[c, j]
          least = min(least, (gap < 0 ? -1 : 1) * gap * gap / (2 * square))
        }
        #expect(abs(found.energies[j] - least) < 1e-10 * max(1, abs(least)), "seed \(seed)")
      }
    }
  }

  @Test func derivativesAreThoseOfDifferences() throws {
    for seed in 0..<20 as Range<UInt64> {
      var g = RandomGenerator(case: 160 + seed)
      let activation = [OutputActivation.identity, .sigmoid, .softmax][Int(seed % 3)]
      let network = Self.chain([4, 9, 7, 3], activation, &g)
      let x = g.normalMatrix(rows: 4, columns: 3)
      let y =
        activation == .identity
        ? g.normalMatrix(rows: 3, columns: 3) : oneHotTargets(network, batch: 3, using: &g)
      let found = try Sensitivity(NetworkSamples(network, input: x, target: y))
      let h = 1e-6
      for j in 0..<3 {
        var jacobian = Matrix(rows: 3, columns: 4)
        var square = 0.0
        for i in 0..<4 {
          func moved(_ step: Double) -> Matrix {
            var other = x.columns(j..<j + 1)
            other[i, 0] += step
            return other
          }
          let (a, b) = (network.logits(moved(h)), network.logits(moved(-h)))
          for k in 0..<3 { jacobian[k, i] = (a[k, 0] - b[k, 0]) / (2 * h) }
          func loss(_ x: Matrix) throws -> Double {
            try Fit(NetworkSamples(network, input: x, target: y.columns(j..<j + 1)))!.loss
          }
          let slope = try (loss(moved(h)) - loss(moved(-h))) / (2 * h)
          square += slope * slope
        }
        let values = try SingularValueDecomposition(jacobian).values
        for (s, t) in zip(found.singularValues[j], values) {
          #expect(abs(s - t) < 1e-5 * max(1, t), "seed \(seed)")
        }
        #expect(abs(found.gradientNorms[j] - square.squareRoot()) < 1e-5, "seed \(seed)")
      }
    }
  }

  /// Of affine networks the distance is exact; of others the point that is reached does change the decision, is no nearer than the boundary of
  /// its own region, and hardly further than the nearest point of a fine net over the plane.
  @Test func distancesReachTheBoundary() throws {
    for seed in 0..<20 as Range<UInt64> {
      var g = RandomGenerator(case: 200 + seed)
      let affine = Self.chain([3, 4], .softmax, isLinear: true, &g)
      let x = g.normalMatrix(rows: 3, columns: 8)
      let w = affine.edges[0].operation.parameters[0]
      let flat = BoundaryDistance(try NetworkSamples(affine, input: x))
      for (j, entry) in flat.entries.enumerated() {
        let z = affine.logits(x.columns(j..<j + 1))
        let expected = (0..<4).filter { $0 != entry.predicted }.map { c -> Double in
          let norm = (0..<3).reduce(0) {
            $0 + (w[c, $1] - w[entry.predicted, $1]) * (w[c, $1] - w[entry.predicted, $1])
          }.squareRoot()
          return (z[entry.predicted, 0] - z[c, 0]) / norm
        }.min()!
        #expect(abs(entry.linear - expected) < 1e-10 && entry.isExact, "seed \(seed)")
        #expect(abs(entry.reached - expected) < 1e-6 * max(1, expected), "seed \(seed)")
      }
      let network = Self.chain([2, 12, 8, 3], .softmax, &g)
      let points = g.normalMatrix(rows: 2, columns: 10)
      let found = BoundaryDistance(try NetworkSamples(network, input: points))
      for (j, entry) in found.entries.enumerated() where entry.reached.isFinite {
        let end = Matrix(column: entry.point)
        #expect(network.logits(end).largestRow(ofColumn: 0) == entry.rival, "seed \(seed)")
        #expect(entry.rival != entry.predicted)
        // On the way there the decision stays.
        var inside = end
        inside.add(points.columns(j..<j + 1), scale: 0.001, keeping: 0.999)
        #expect(network.logits(inside).largestRow(ofColumn: 0) == entry.predicted, "seed \(seed)")
        guard entry.isExact else { continue }
        // No point of the circle just inside of it is another class, unless beyond a kink.
        #expect(entry.reached >= entry.linear * (1 - 1e-9), "seed \(seed)")
        #expect(entry.reached <= entry.linear * (1 + 1e-4), "seed \(seed)")
      }
    }
  }

  /// Whatever the units of the input, classes that are wanted are mostly reached, and the change is of the size of the distance to them.
  @Test func counterfactualsReachTheClassWanted() throws {
    var reached = 0
    for seed in 0..<20 as Range<UInt64> {
      var g = RandomGenerator(case: 280 + seed)
      let network = Self.chain([5, 16, 12, 3], .softmax, &g)
      let x = g.normalMatrix(rows: 5, columns: 3)
      let samples = try NetworkSamples(network, input: x)
      let wanted = (0..<3).map { j -> Int in
        let top = samples.logits.largestRow(ofColumn: j)
        return samples.logits.largestRow(ofColumn: j, except: top)
      }
      let found = try Counterfactual.find(samples, wanted: wanted)
      reached += found.count { $0.isReached }
      for (j, one) in found.enumerated() where one.isReached {
        let end = network.logits(Matrix(column: one.input))
        #expect(end.largestRow(ofColumn: 0) == wanted[j], "seed \(seed)")
      }
      var units = network
      units.updateParameters(of: 0) { i, m in if i == 0 { m.scale(by: 1 / 1024.0) } }
      var large = x
      large.scale(by: 1024)
      let other = try Counterfactual.find(
        NetworkSamples(units, input: large), wanted: wanted)
      for (a, b) in zip(found, other) {
        #expect(a.isReached == b.isReached, "seed \(seed)")
        #expect(abs(b.distance / 1024 - a.distance) < 1e-4 * a.distance, "seed \(seed)")
      }
    }
    #expect(reached >= 48, "\(reached) of 60")
  }

  /// Labels of several sigmoids, drawn from their probabilities, have the discord that is expected on every edge, the clamp as well.
  @Test func severalSigmoidsTakeTurns() throws {
    var ratios = [[Double]](repeating: [], count: 3)
    for seed in 0..<12 as Range<UInt64> {
      var g = RandomGenerator(case: 320 + seed)
      var network = Self.chain([4, 8, 6], .sigmoid, isLinear: true, &g)
      for e in 0..<2 { network.updateParameters(of: e) { _, m in m.scale(by: 0.3) } }
      let x = g.normalMatrix(rows: 4, columns: 200)
      var y = network(x)
      for j in 0..<200 { for i in 0..<6 { y[i, j] = g.uniform() < y[i, j] ? 1 : 0 } }
      let found = try ClampedDiscord(NetworkSamples(network, input: x, target: y))
      for e in 0..<3 { ratios[e].append(found.report.edges[e].discord / found.expected[e]) }
    }
    for e in 0..<3 {
      let mean = ratios[e].reduce(0, +) / 12
      #expect(abs(mean - 1) < 0.1, "edge \(e): \(mean)")
    }
  }

  /// Without kinks, and with a prior so weak that edges hardly give way, the counterfactual is the least change x′ − x = Jᵀ(JJᵀ)⁻¹(t − z).
  @Test func counterfactualsAreLeastChanges() throws {
    for seed in 0..<20 as Range<UInt64> {
      var g = RandomGenerator(case: 240 + seed)
      let network = Self.chain([5, 6, 2], .identity, isLinear: true, &g)
      let x = g.normalMatrix(rows: 5, columns: 3)
      let samples = try NetworkSamples(network, input: x)
      let z = samples.logits
      let t = g.normalMatrix(rows: 2, columns: 3)
      let found = try Counterfactual.find(samples, values: t, prior: 1e-8)
      let (w1, w2) = (
        network.edges[0].operation.parameters[0], network.edges[1].operation.parameters[0]
      )
      let jacobian = w2 * w1
      let gram = jacobian * jacobian.transposed
      for j in 0..<3 {
        var gap = t.columns(j..<j + 1)
        gap.add(z.columns(j..<j + 1), scale: -1)
        let change = jacobian.transposed * (try gram.solve(gap))
        #expect(abs(found[j].distance - change.sumOfSquares.squareRoot()) < 1e-5, "seed \(seed)")
        for i in 0..<2 { #expect(abs(found[j].output[i] - t[i, j]) < 1e-5, "seed \(seed)") }
        #expect(found[j].isReached)
      }
    }
  }
}

import CellComplexes
import CellularSheaves
import Foundation
import LinearAlgebra
import SheafCohomology
import SheafInference
import Testing

/// Opinion dynamics against dense exponentials and dense solves, and the laws of their energies.
struct DiscourseDynamicsTests {
  static let seeds = Array(UInt64(0)..<40)

  /// A sheaf with weights on a graph with loops and half-open edges, some stubborn vertices, and opinions.
  static func problem(
    _ g: inout RandomGenerator, _ seed: UInt64
  ) throws -> (dynamics: DiscourseDynamics, start: Matrix) {
    let graph =
      seed % 2 == 0
      ? g.graph(vertices: 7, edges: 11, halfOpen: true) : g.connectedGraph(vertices: 7, extra: 4)
    var sheaf =
      seed % 3 == 0
      ? CellularSheaf.constant(2, on: graph) : g.integerSheaf(on: graph, stalks: 0...3)
    if seed % 5 != 0 { sheaf = try sheaf.weighted(g.weights(sheaf.stalks)) }
    let share = [0, 0.3, 0.6][Int(seed % 7 % 3)]
    let stubborn = (0..<7).filter { _ in g.uniform() < share }
    let start = g.normalMatrix(rows: sheaf.cochainDimension(0), columns: 2)
    return (DiscourseDynamics(sheaf, stubborn: stubborn, rate: g.uniform(0.3, 2)), start)
  }

  /// In orthonormal coordinates: L, the coordinates that move and the others.
  static func dense(_ dynamics: DiscourseDynamics) -> (l: Matrix, free: [Int], fixed: [Int]) {
    let delta = dynamics.sheaf.coboundary(0, in: .orthonormal).dense
    let fixed = dynamics.sheaf.coordinates(dynamics.stubborn)
    return (
      delta.transposed * delta, (0..<delta.columns).filter { !fixed.contains($0) }, fixed
    )
  }

  /// x* of least norm in orthonormal coordinates, and f(L_ΩΩ)(x − x*) added to it.
  static func dense(
    _ dynamics: DiscourseDynamics, _ start: Matrix, _ f: (Double) -> Double
  ) -> Matrix {
    let (l, free, fixed) = dense(dynamics)
    var x = dynamics.sheaf.orthonormal(start, degree: 0)
    let all = Array(0..<x.columns)
    let inside = l[rows: free, columns: free]
    var target =
      inside.pseudoInverse * (l[rows: free, columns: fixed] * x[rows: fixed, columns: all])
    target.scale(by: -1)
    target.add(inside.spectral(f) * x[rows: free, columns: all].minus(target))
    for j in all { for (i, place) in free.enumerated() { x[place, j] = target[i, j] } }
    return dynamics.sheaf.given(x, degree: 0)
  }

  /// ½‖δx‖² of each column, by the definition.
  static func energies(_ sheaf: CellularSheaf, _ x: Matrix) -> [Double] {
    let image = sheaf.coboundary(0)(x)
    return (0..<x.columns).map {
      sheaf.inner(image.column($0), image.column($0), degree: 1) / 2
    }
  }

  @Test func flowIsTheDenseExponential() throws {
    let tally = try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let (dynamics, start) = try Self.problem(&g, seed)
      let times = [0, 1e-3, 0.4, 0.4, 3, 40]
      let flow = try dynamics.flow(from: start, times: times)
      tally.expect(flow.times == times && flow.status == .converged, "\(seed), times")
      for (time, state) in zip(times, flow.states) {
        let expected = Self.dense(dynamics, start) { exp(-dynamics.rate * time * $0) }
        let error = state.minus(expected).maximumMagnitude
        tally.expect(error < 1e-9, "\(seed), time \(time): \(error)")
        let held = dynamics.sheaf.coordinates(dynamics.stubborn)
        tally.expect(
          state[rows: held, columns: [0, 1]] == start[rows: held, columns: [0, 1]],
          "\(seed), stubborn")
      }
      for (state, energies) in zip(flow.states, flow.energies) {
        tally.expect(
          zip(energies, Self.energies(dynamics.sheaf, state)).allSatisfy {
            abs($0 - $1) < 1e-9 * max(1, $1)
          }, "\(seed), energies")
      }
      for (a, b) in zip(flow.energies, flow.energies.dropFirst()) {
        tally.expect(zip(a, b).allSatisfy { $1 <= $0 + 1e-12 * max(1, $0) }, "\(seed), falls")
      }
    }
    tally.check(atLeast: 20 * Self.seeds.count)
  }

  /// ẋ = −α L x on what moves, by central differences.
  @Test func flowSolvesItsEquation() throws {
    let tally = try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let (dynamics, start) = try Self.problem(&g, seed)
      let h = 1e-4
      let states = try dynamics.flow(from: start, times: [0.1 - h, 0.1, 0.1 + h]).states
      var slope = dynamics.sheaf.orthonormal(states[2].minus(states[0]), degree: 0)
      slope.scale(by: 1 / (2 * h))
      let (l, free, _) = Self.dense(dynamics)
      var force = l * dynamics.sheaf.orthonormal(states[1], degree: 0)
      force.scale(by: -dynamics.rate)
      let difference = slope.minus(force)[rows: free, columns: [0, 1]].maximumMagnitude
      // h² times the third derivative.
      let top = l.maximumMagnitude * dynamics.rate
      let bound = 1e-7 + 10 * h * h * top * top * max(1, force.maximumMagnitude)
      tally.expect(difference < bound, "\(seed): \(difference), \(bound)")
    }
    tally.check(atLeast: Self.seeds.count)
  }

  @Test func flowTendsToItsLimitAtItsRate() throws {
    let tally = try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let (dynamics, start) = try Self.problem(&g, seed)
      let found = try dynamics.limit(from: start)
      let limit = found.opinions
      let expected = Self.dense(dynamics, start) { $0 == 0 ? 1 : 0 }
      let error = limit.minus(expected).maximumMagnitude
      tally.expect(error < 1e-8, "\(seed), limit \(error)")
      tally.expect(
        zip(found.energies, Self.energies(dynamics.sheaf, limit)).allSatisfy {
          abs($0 - $1) < 1e-9 * max(1, $1)
        }, "\(seed), energies")
      let (l, free, _) = Self.dense(dynamics)
      let values = try SymmetricEigendecomposition(l[rows: free, columns: free]).values
      let least = values.first { $0 > 1e-9 * (values.last ?? 0) } ?? .infinity
      let kernel = values.filter { $0 <= 1e-9 * (values.last ?? 0) }.count
      tally.expect(
        found.freedom == kernel && found.status == .converged,
        "\(seed), freedom \(found.freedom ?? -1), \(kernel)")
      let rate = try dynamics.decayRate()
      tally.expect(
        rate == dynamics.rate * least || abs(rate / dynamics.rate / least - 1) < 1e-7,
        "\(seed), rate \(rate), \(dynamics.rate * least)")
      let scale = dynamics.sheaf.orthonormal(start.minus(limit), degree: 0).sumOfSquares
      for time in [1.0, 10, 100] where rate.isFinite {
        let state = try dynamics.flow(from: start, times: [time]).states[0]
        let rest = dynamics.sheaf.orthonormal(state.minus(limit), degree: 0).sumOfSquares
        tally.expect(
          rest.squareRoot() <= exp(-rate * time) * scale.squareRoot() + 1e-8,
          "\(seed), time \(time)")
      }
    }
    tally.check(atLeast: 4 * Self.seeds.count)
  }

  /// The energy does not rise, whatever the order and the relaxation; a full update leaves no gradient on its stalk.
  @Test func updatesLowerTheEnergy() throws {
    let tally = try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let (dynamics, start) = try Self.problem(&g, seed)
      let relaxation = seed % 2 == 0 ? 1 : g.uniform(0.1, 1.9)
      let schedule: DiscourseDynamics.Schedule =
        seed % 4 < 2 ? .random(seed: seed) : .cyclic(g.permutation(7))
      let found = try dynamics.updates(
        from: start, schedule: schedule, relaxation: relaxation, recording: Array(0...40))
      for (a, b) in zip(found.energies, found.energies.dropFirst()) {
        tally.expect(zip(a, b).allSatisfy { $1 <= $0 + 1e-12 * max(1, $0) }, "\(seed), falls")
      }
      for (state, energies) in zip(found.states, found.energies) {
        tally.expect(
          zip(energies, Self.energies(dynamics.sheaf, state)).allSatisfy {
            abs($0 - $1) < 1e-8 * max(1, $1)
          }, "\(seed), energies")
      }
      let (l, _, _) = Self.dense(dynamics)
      for (before, after) in zip(found.states, found.states.dropFirst()) {
        let change = after.minus(before)
        let moved = dynamics.moving.filter { v in
          change.rows(dynamics.sheaf.range(of: v)).maximumMagnitude > 0
        }
        tally.expect(moved.count <= 1, "\(seed), \(moved.count) moved")
        guard let v = moved.first else { continue }
        // One step of relaxation takes the gradient on the stalk to 1 − s of what it was.
        let place = dynamics.sheaf.range(of: v)
        var old = (l * dynamics.sheaf.orthonormal(before, degree: 0)).rows(place)
        let new = (l * dynamics.sheaf.orthonormal(after, degree: 0)).rows(place)
        old.scale(by: 1 - relaxation)
        tally.expect(
          new.minus(old).maximumMagnitude < 1e-9 * max(1, l.maximumMagnitude), "\(seed), gradient")
      }
    }
    tally.check(atLeast: 60 * Self.seeds.count)
  }

  /// Where the stubborn decide, updates in any order end where the flow does.
  @Test func updatesReachTheLimit() throws {
    let tally = try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let graph = g.connectedGraph(vertices: 6, extra: 3)
      let bases = (0..<graph.count).map { _ in g.invertible(2) }
      let sheaf = try CellularSheaf.constant(2, on: graph).changingBases(bases)
      let dynamics = DiscourseDynamics(sheaf, stubborn: [Int(seed % 6), Int((seed + 2) % 6)])
      let start = g.normalMatrix(rows: 12, columns: 2)
      let found = try dynamics.updates(
        from: start, schedule: .random(seed: seed), recording: [20_000], tolerance: 1e-13)
      tally.expect(found.status == .converged && found.steps < 20_000, "\(seed), \(found.status)")
      let limit = try dynamics.limit(from: start).opinions
      let error = found.last.minus(limit).maximumMagnitude
      tally.expect(error < 1e-8, "\(seed): \(error)")
    }
    tally.check(atLeast: 2 * Self.seeds.count)
  }

  /// On a constant sheaf an update takes the mean of the neighbours; a nearest minimiser stays where nothing is asked.
  @Test func updatesAreMeansOfNeighbours() throws {
    let star = CellularSheaf.constant(
      1, on: try .graph(vertices: 5, edges: [(0, 1), (0, 2), (3, 0)]))
    let dynamics = DiscourseDynamics(star, stubborn: [1])
    let start = Matrix(column: [9, 1, 2, 6, 7])
    let found = try dynamics.updates(
      from: start, schedule: .cyclic([1, 0, 4, 3]), recording: [1, 2, 3, 4])
    #expect(found.states[0] == start)
    #expect(found.states[1].minus(Matrix(column: [3, 1, 2, 6, 7])).maximumMagnitude < 1e-14)
    #expect(found.states[2] == found.states[1])
    #expect(found.states[3].minus(Matrix(column: [3, 1, 2, 3, 7])).maximumMagnitude < 1e-14)
    // The same seed, the same history.
    let twice = try (0..<2).map { _ in
      try dynamics.updates(from: start, schedule: .random(seed: 3), recording: [9]).last
    }
    #expect(twice[0] == twice[1])
  }

  /// Ψ does not rise for any step below 2/λ, and each step is the one of the definition.
  @Test func boundedConfidenceLowersItsEnergy() throws {
    let tally = try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let (dynamics, start) = try Self.problem(&g, seed)
      let confidence = [0, 0.5, 1, 2, 1e200][Int(seed % 5)]
      let found = try dynamics.boundedConfidence(
        from: start, confidence: confidence, fraction: g.uniform(0.2, 1.99),
        recording: Array(0...30))
      let energies = found.trajectory.energies
      for (a, b) in zip(energies, energies.dropFirst()) {
        tally.expect(
          zip(a, b).allSatisfy { $1 <= $0 || $1 - $0 <= 1e-12 * $0 }, "\(seed), Ψ \(a), \(b)")
      }
      let (sheaf, states) = (dynamics.sheaf, found.trajectory.states)
      let (_, free, _) = Self.dense(dynamics)
      for (before, after) in zip(states, states.dropFirst()).prefix(5) {
        for j in 0..<2 {
          let x = before.columns(j..<j + 1)
          var discord = sheaf.coboundary(0)(x)
          for edge in sheaf.complex.cells(ofDimension: 1) {
            let place = sheaf.range(of: edge)
            let part = discord.rows(place)
            let product = sheaf.innerProduct(of: edge).dense(place.count)
            if dot(part, product * part).squareRoot() > confidence {
              for i in place { discord[i, 0] = 0 }
            }
          }
          // δ* = W₀⁻¹ δᵀ W₁.
          let gradient = try sheaf.weight(degree: 0).solve(
            sheaf.coboundary(0).dense.transposed * (sheaf.weight(degree: 1) * discord))
          let change = after.columns(j..<j + 1).minus(x)
          for i in 0..<x.rows {
            let expected = free.contains(i) ? -found.step * gradient[i, 0] : 0
            tally.expect(
              abs(change[i, 0] - expected) < 1e-10 * max(1, x.maximumMagnitude),
              "\(seed), coordinate \(i): \(change[i, 0]), \(expected)")
          }
        }
      }
    }
    tally.check(atLeast: 60 * Self.seeds.count)
  }

  @Test func twoCampsStayApart() throws {
    let path = CellularSheaf.constant(1, on: .path(4))
    let found = try DiscourseDynamics(path).boundedConfidence(
      from: Matrix(column: [0, 0.5, 10, 10.5]), confidence: 1, recording: [1000])
    #expect(found.trajectory.status == .converged)
    #expect(
      found.trajectory.last.minus(Matrix(column: [0.25, 0.25, 10.25, 10.25])).maximumMagnitude
        < 1e-12)
    #expect(found.listened == [[4, 6]])
    #expect(abs(found.trajectory.energies.last![0] - 0.5) < 1e-12)
    // With nothing to be deaf to, all agree on the mean.
    let all = try DiscourseDynamics(path).boundedConfidence(
      from: Matrix(column: [0, 0.5, 10, 10.5]), confidence: .infinity, recording: [10_000])
    #expect(
      all.trajectory.last.minus(Matrix(column: [5.25, 5.25, 5.25, 5.25])).maximumMagnitude < 1e-9)
    #expect(all.listened == [[4, 5, 6]])
  }

  @Test func endsAndBadOpinions() throws {
    let path = CellularSheaf.constant(1, on: .path(3))
    let start = Matrix(column: [1, 2, 6])
    // All stubborn: nothing moves.
    let still = DiscourseDynamics(path, stubborn: [0, 1, 2])
    #expect(try still.flow(from: start, times: [5]).last == start)
    #expect(try still.limit(from: start).opinions == start)
    #expect(try still.decayRate() == .infinity)
    let none = try still.updates(from: start, schedule: .random(seed: 0), recording: [5])
    #expect(none.last == start && none.status == .converged && none.steps == 0)
    #expect(
      try still.boundedConfidence(from: start, confidence: 1, recording: [5]).trajectory.last
        == start)
    // No edge: the same.
    let apart = DiscourseDynamics(.constant(1, on: try .graph(vertices: 3, edges: [])))
    #expect(try apart.flow(from: start, times: [5]).last == start)
    #expect(try apart.limit(from: start).opinions.minus(start).maximumMagnitude < 1e-14)
    #expect(try apart.decayRate() == .infinity)
    // No vertex at all.
    let empty = DiscourseDynamics(.constant(1, on: try .graph(vertices: 0, edges: [])))
    #expect(try empty.flow(from: Matrix(rows: 0, columns: 1), times: [1]).states.count == 1)
    let bad = Matrix(column: [1, .nan, 6])
    let dynamics = DiscourseDynamics(path)
    #expect(throws: FactorizationError.notFinite) { try dynamics.flow(from: bad, times: [1]) }
    #expect(throws: FactorizationError.notFinite) { try dynamics.limit(from: bad) }
    #expect(throws: FactorizationError.notFinite) {
      try dynamics.updates(from: bad, schedule: .random(seed: 0), recording: [1])
    }
    #expect(throws: FactorizationError.notFinite) {
      try dynamics.boundedConfidence(from: bad, confidence: 1, recording: [1])
    }
    let stopped = try dynamics.boundedConfidence(
      from: start, confidence: 100, recording: [50], halt: Halt { .interrupted })
    #expect(stopped.trajectory.status == .interrupted && stopped.trajectory.steps == 0)
  }
}

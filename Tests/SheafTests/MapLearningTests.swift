import CellComplexes
import CellularSheaves
import Foundation
import LinearAlgebra
import SheafCohomology
import SheafInference
import Testing

/// Maps learned from signals against planted ones, brute force and the conditions of their optima.
struct MapLearningTests {
  static let seeds = Array(UInt64(0)..<40)

  /// Signals of a section with noise: x_v = Q_v s + noise, and the Q.
  static func planted(
    _ g: inout RandomGenerator, on graph: CellComplex, dimension d: Int, samples n: Int,
    noise: Double, isConstant: Bool = false
  ) throws -> (signals: VertexSignals, maps: [Matrix]) {
    let maps = graph.cells(ofDimension: 0).map { _ in
      isConstant ? Matrix.identity(d) : g.orthogonal(d)
    }
    let latent = g.normalMatrix(rows: d, columns: n)
    let values = maps.map { map in
      var x = map * latent
      x.add(g.normalMatrix(rows: d, columns: n, deviation: noise))
      return x
    }
    return (try VertexSignals(graph, values), maps)
  }

  /// Two vertices and an edge.
  static func pair(_ x: Matrix, _ y: Matrix) throws -> VertexSignals {
    try VertexSignals(.path(2), [x, y])
  }

  /// Learning that takes signals as they are.
  static func plain(_ family: MapFamily) -> MapLearning {
    var learning = MapLearning(family)
    learning.centring = false
    return learning
  }

  static func matrices(_ fit: EdgeFit, _ m: Int, _ n: Int) -> (Matrix, Matrix) {
    (fit.firstMap.dense(m), fit.secondMap.dense(n))
  }

  // MARK: The maps of an edge

  @Test func singularValuesFactorTheMatrix() throws {
    let tally = try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let (m, n) = (g.integer(0...6), g.integer(0...6))
      var a = g.normalMatrix(rows: m, columns: n)
      // Of rank 1 at times.
      if seed % 4 == 0 {
        a = g.normalMatrix(rows: m, columns: 1) * g.normalMatrix(rows: 1, columns: n)
      }
      let parts = try SingularValueDecomposition(a)
      let p = min(m, n)
      tally.expect(
        parts.values.count == p && parts.values == parts.values.sorted(by: >)
          && parts.values.allSatisfy { $0 >= 0 }, "\(seed), values")
      let product = parts.left * (.diagonal(parts.values) * parts.right.transposed)
      tally.expect(product.minus(a).maximumMagnitude < 1e-13, "\(seed), product")
      for side in [parts.left, parts.right] {
        let gram = side.transposed * side
        tally.expect(gram.minus(.identity(p)).maximumMagnitude < 1e-13, "\(seed), orthonormal")
      }
      let norm = parts.values.reduce(0) { $0 + $1 * $1 }
      tally.expect(abs(norm - a.sumOfSquares) < 1e-12 * max(1, norm), "\(seed), norm")
    }
    tally.check(atLeast: 5 * Self.seeds.count)
    #expect(throws: FactorizationError.notFinite) {
      try SingularValueDecomposition(Matrix([[1, .nan]]))
    }
  }

  /// No rotation does better, far or near; without reflections none of determinant 1.
  @Test func procrustesIsOptimal() throws {
    let tally = try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let d = 2 + Int(seed % 3)
      let (x, y) = (
        g.normalMatrix(rows: d, columns: 8), g.normalMatrix(rows: d, columns: 8)
      )
      for reflections in [true, false] {
        let fit = try Self.plain(.orthogonal(reflections: reflections)).fit(Self.pair(x, y)).fits[0]
        let (q, one) = Self.matrices(fit, d, d)
        tally.expect(one == .identity(d), "\(seed), second map")
        tally.expect(
          (q.transposed * q).minus(.identity(d)).maximumMagnitude < 1e-12, "\(seed), orthogonal")
        tally.expect(
          abs(fit.residual - (q * x).minus(y).sumOfSquares) < 1e-10, "\(seed), residual")
        let sign = try Self.determinant(q)
        tally.expect(reflections || sign > 0, "\(seed), determinant \(sign)")
        for trial in 0..<60 {
          // Near ones by Cayley's transform of a small skew matrix.
          let skew = g.normalMatrix(rows: d, columns: d, deviation: trial % 3 == 0 ? 1 : 0.01)
          let s = skew.minus(skew.transposed)
          var plus = s
          plus.add(.identity(d))
          var other = try plus.solve(Matrix.identity(d).minus(s)) * q
          if trial % 3 == 0 {
            other = g.orthogonal(d)
            if try !reflections && Self.determinant(other) < 0 {
              for i in 0..<d { other[i, 0] *= -1 }
            }
          }
          tally.expect(
            (other * x).minus(y).sumOfSquares >= fit.residual - 1e-10, "\(seed), \(trial)")
        }
      }
    }
    tally.check(atLeast: 120 * Self.seeds.count)
  }

  private static func determinant(_ q: Matrix) throws -> Double {
    if q.rows == 2 { return q[0, 0] * q[1, 1] - q[0, 1] * q[1, 0] }
    // Laplace along the first row.
    return try (0..<q.rows).reduce(0) { sum, j in
      let rest = (0..<q.rows).filter { $0 != j }
      return try sum + (j % 2 == 0 ? 1 : -1) * q[0, j]
        * determinant(q[rows: Array(1..<q.rows), columns: rest])
    }
  }

  /// Multipliers against all angles of a fine grid, under both normalisations.
  @Test func multipliersAreTheBestOnAGrid() throws {
    let tally = try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let x = g.normalMatrix(rows: 2, columns: 12, deviation: g.uniform(0.2, 3))
      var y = x
      y.scale(by: g.uniform(-2, 2))
      y.add(g.normalMatrix(rows: 2, columns: 12, deviation: 0.5))
      for normalization in MapFamily.Normalization.allCases {
        func best(_ x: Matrix, _ y: Matrix) -> (value: Double, a: Double, b: Double) {
          var best = (value: Double.infinity, a: 0.0, b: 0.0)
          let (p, q) = (x.sumOfSquares.squareRoot(), y.sumOfSquares.squareRoot())
          for k in 0..<20_000 {
            let angle = .pi * (Double(k) / 20_000 - 0.5)
            var (a, b) = (cos(angle), sin(angle))
            if normalization == .signals {
              // On the circle of a‖x‖, b‖y‖ with equal parts there are two points.
              guard k < 2 else { break }
              (a, b) = (1 / p, (k == 0 ? 1 : -1) / q)
            }
            var (u, v) = (x, y)
            u.scale(by: a)
            v.scale(by: b)
            let value = u.minus(v).sumOfSquares
            if value < best.value { best = (value, a, b) }
          }
          let norm = (best.a * best.a + best.b * best.b).squareRoot() / 2.squareRoot()
          return (best.value, best.a / norm, best.b / norm)
        }
        let scalar = try Self.plain(.scalar(normalization)).fit(Self.pair(x, y)).fits[0]
        let (a, b) = Self.matrices(scalar, 2, 2)
        let expected = best(x, y)
        tally.expect(
          abs(a[0, 0] - expected.a) < 1e-3 && abs(b[0, 0] - expected.b) < 1e-3,
          "\(seed), \(normalization), scalar \(a[0, 0]), \(b[0, 0]), \(expected)")
        let diagonal = try Self.plain(.diagonal(normalization)).fit(Self.pair(x, y)).fits[0]
        let (c, d) = Self.matrices(diagonal, 2, 2)
        for i in 0..<2 {
          let expected = best(x.rows(i..<i + 1), y.rows(i..<i + 1))
          tally.expect(
            abs(c[i, i] - expected.a) < 1e-3 && abs(d[i, i] - expected.b) < 1e-3
              && abs(c[i, i] * c[i, i] + d[i, i] * d[i, i] - 2) < 1e-12,
            "\(seed), \(normalization), coordinate \(i)")
        }
        tally.expect(c[0, 1] == 0 && c[1, 0] == 0, "\(seed), diagonal")
      }
    }
    tally.check(atLeast: 8 * Self.seeds.count)
  }

  /// Unit covariances, correlations on the diagonal, the least discrepancy 2 Σ (1 − ρ), and invariance under changes of
  /// bases.
  @Test func canonicalMapsHaveUnitCovariance() throws {
    let tally = try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let (m, n, count) = (g.integer(1...4), g.integer(1...4), 40)
      let latent = g.normalMatrix(rows: 2, columns: count)
      var x = g.normalMatrix(rows: m, columns: 2) * latent
      var y = g.normalMatrix(rows: n, columns: 2) * latent
      x.add(g.normalMatrix(rows: m, columns: count, deviation: 0.5))
      y.add(g.normalMatrix(rows: n, columns: count, deviation: 0.5))
      let r = min(m, n, 1 + Int(seed % 3))
      let learning = Self.plain(.canonical(rank: 1 + Int(seed % 3), ridge: 0))
      let fit = try learning.fit(Self.pair(x, y)).fits[0]
      let (a, b) = Self.matrices(fit, m, n)
      tally.expect(a.rows == r && b.rows == r && fit.stalk == r, "\(seed), rank \(a.rows)")
      let (u, v) = (a * x, b * y)
      func covariance(_ p: Matrix, _ q: Matrix) -> Matrix {
        var c = p * q.transposed
        c.scale(by: 1 / Double(count))
        return c
      }
      for (name, s) in [("u", u), ("v", v)] {
        tally.expect(
          covariance(s, s).minus(.identity(r)).maximumMagnitude < 1e-10, "\(seed), \(name)")
      }
      let cross = covariance(u, v)
      let rho = (0..<r).map { cross[$0, $0] }
      tally.expect(
        cross.minus(.diagonal(rho)).maximumMagnitude < 1e-10 && rho.allSatisfy { $0 >= 0 }
          && rho == rho.sorted(by: >), "\(seed), correlations \(rho)")
      let least = 2 * rho.reduce(0) { $0 + 1 - $1 }
      tally.expect(
        abs(fit.residual / Double(count) - least) < 1e-10, "\(seed), discrepancy")
      // Other maps with unit covariance do no better.
      for _ in 0..<20 {
        let (c, d) = (g.orthogonal(m), g.orthogonal(n))
        func whitened(_ q: Matrix, _ z: Matrix) -> Matrix {
          let root = covariance(z, z).spectral { 1 / $0.squareRoot() }
          return (q * (root * z)).rows(0..<r)
        }
        let other = whitened(c, x).minus(whitened(d, y)).sumOfSquares
        tally.expect(other >= fit.residual - 1e-8, "\(seed), another is better")
      }
      let (p, q) = (g.invertible(m), g.invertible(n))
      let changed = try learning.fit(Self.pair(p * x, q * y)).fits[0]
      tally.expect(
        abs(changed.residual - fit.residual) < 1e-7 * max(1, fit.residual), "\(seed), bases")
    }
    tally.check(atLeast: 26 * Self.seeds.count)
    // One coordinate each: Pearson's correlation of (1, 2, 3, 4) and (2, 1, 4, 3) is 0.6.
    var learning = MapLearning(.canonical(rank: 1, ridge: 0))
    let signals = try Self.pair(Matrix([[1, 2, 3, 4]]), Matrix([[2, 1, 4, 3]]))
    #expect(abs(try learning.fit(signals).fits[0].discrepancy - 0.4) < 1e-12)
    // A ridge of 1 doubles the covariance: ρ = 0.3, and the mapped signals have half the variance.
    learning.family = .canonical(rank: 1, ridge: 1)
    let ridged = try learning.fit(signals).fits[0]
    #expect(abs(ridged.power - 4) < 1e-12 && abs(ridged.residual - 1.6) < 1e-12)
  }

  /// The joint eigenproblem is least among orthonormal rows, and falls into its trap where canonical correlations do not.
  @Test func jointMapsAreLeastAndTrapped() throws {
    let tally = try Tally.over(Self.seeds) { seed, tally in
      var g = RandomGenerator(case: seed)
      let (m, n, r) = (2, 3, 1 + Int(seed % 2))
      let (x, y) = (
        g.normalMatrix(rows: m, columns: 9), g.normalMatrix(rows: n, columns: 9)
      )
      let fit = try Self.plain(.joint(rank: r)).fit(Self.pair(x, y)).fits[0]
      let (a, b) = Self.matrices(fit, m, n)
      var gram = a * a.transposed
      gram.add(b * b.transposed)
      tally.expect(gram.minus(.identity(r)).maximumMagnitude < 1e-12, "\(seed), orthonormal")
      for _ in 0..<30 {
        let rows = g.orthogonal(m + n).rows(0..<r)
        let all = Array(0..<r)
        let other = (rows[rows: all, columns: [0, 1]] * x).minus(
          rows[rows: all, columns: [2, 3, 4]] * y)
        tally.expect(other.sumOfSquares >= fit.residual - 1e-10, "\(seed), another is better")
      }
    }
    tally.check(atLeast: 31 * Self.seeds.count)
    // The first coordinates agree but for noise of 0.1; the second of u hardly varies at all.
    var g = RandomGenerator(case: 5)
    let latent = g.normalMatrix(rows: 1, columns: 200)
    var (x, y) = (g.normalMatrix(rows: 2, columns: 200, deviation: 1e-3), latent)
    x.addRows(0..<1, of: latent, keeping: 1)
    y.add(g.normalMatrix(rows: 1, columns: 200, deviation: 0.1))
    let trapped = try Self.plain(.joint(rank: 1)).fit(Self.pair(x, y)).fits[0]
    let (a, b) = Self.matrices(trapped, 2, 1)
    #expect(abs(a[0, 1]) > 0.999 && abs(b[0, 0]) < 0.02)
    let free = try Self.plain(.canonical(rank: 1)).fit(Self.pair(x, y)).fits[0]
    #expect(free.discrepancy < 0.02 && trapped.discrepancy > 5 * free.discrepancy)
  }

  // MARK: Planted sheaves

  /// Planted rotations are found with errors that fall like noise/√N.
  @Test func plantedRotationsAreFoundAtTheRateOfTheNoise() throws {
    let noise = 0.2
    var scaled: [Double] = []
    for count in [100, 400, 1600] {
      var (sum, edges) = (0.0, 0)
      for seed in UInt64(0)..<10 {
        var g = RandomGenerator(case: seed)
        let (signals, maps) = try Self.planted(
          &g, on: Spaces.complete(5), dimension: 3, samples: count, noise: noise)
        for fit in try MapLearning(.orthogonal()).fit(signals).fits {
          let truth = maps[fit.second] * maps[fit.first].transposed
          sum += fit.firstMap.dense(3).minus(truth).sumOfSquares
          edges += 1
        }
      }
      // Twice the noise variance on 3 angles, each seen by two coordinates of unit variance: E‖Q̂ − Q‖² ≈ 6 σ²/N.
      scaled.append(sum / Double(edges) * Double(count) / (noise * noise))
    }
    #expect(scaled.allSatisfy { $0 > 4 && $0 < 9 }, "\(scaled)")
  }

  /// The weights are one over the variance of the discord: of two noises of variance σ² at the ends.
  @Test func weightsAreInverseVariances() throws {
    var g = RandomGenerator(case: 1)
    let (signals, _) = try Self.planted(
      &g, on: .path(6), dimension: 2, samples: 2000, noise: 0.3)
    let learned = try MapLearning(.orthogonal()).fit(signals)
    #expect(learned.weights.allSatisfy { abs($0 * 2 * 0.09 - 1) < 0.1 }, "\(learned.weights)")
    for (edge, w) in zip(learned.sheaf.complex.cells(ofDimension: 1), learned.weights) {
      #expect(learned.sheaf.innerProduct(of: edge) == .scalar(w))
    }
    // Signals without noise: the floor, relative to the signals.
    let exact = try Self.pair(Matrix([[1, -1]]), Matrix([[1, -1]]))
    var learning = MapLearning(.identity)
    learning.weighting = .residualVariance(floor: 1e-3)
    #expect(abs(try learning.fit(exact).weights[0] - 1e3) < 1e-9)
  }
}

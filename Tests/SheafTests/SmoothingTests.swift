import CellComplexes
import CellularSheaves
import Foundation
import LinearAlgebra
import SheafCohomology
import Testing

@testable import SheafInference

/// Smoothing, and how much of it.
struct SmoothingTests {
  private static func sheaf(_ g: inout RandomGenerator) -> CellularSheaf {
    g.weightedSheaf(on: g.connectedGraph(vertices: 7, extra: 3), summands: 3)
  }

  /// DᵀD in orthonormal coordinates, dense.
  private static func laplacian(_ sheaf: CellularSheaf) -> Matrix {
    let d = sheaf.coboundary(0, in: .orthonormal).dense
    return d.transposed * d
  }

  /// Ridge and heat against (1 + λL)⁻¹ and exp(−tL), in degrees 0 and 1.
  @Test func smoothersAreFunctionsOfTheLaplacian() throws {
    for seed in UInt64(0)..<20 {
      var g = RandomGenerator(case: seed)
      let sheaf = Self.sheaf(&g)
      for degree in 0...1 {
        let l = try sheaf.denseLaplacian(degree)
        guard l.rows > 0 else { continue }
        let y = g.normalMatrix(rows: l.rows, columns: 2)
        let smoother = SignalSmoother(sheaf, degree: degree)
        var a = l
        a.scale(by: 0.7)
        a.add(.identity(l.rows))
        let ridge = try smoother.smooth(y, by: .ridge(0.7))
        #expect(close(ridge.cochains, try a.solve(y), 1e-8), "seed \(seed), degree \(degree)")
        // exp(−tL) from the eigenvalues in orthonormal coordinates.
        var symmetric = Self.laplacian(sheaf)
        if degree == 1 {
          let d = sheaf.coboundary(0, in: .orthonormal).dense
          symmetric = d * d.transposed
        }
        let flow = symmetric.spectral { exp(-0.3 * $0) } * sheaf.orthonormal(y, degree: degree)
        let heat = try smoother.smooth(y, by: .heat(0.3))
        #expect(
          close(sheaf.orthonormal(heat.cochains, degree: degree), flow, 1e-6),
          "seed \(seed), degree \(degree)")
      }
    }
  }

  /// The minimiser of ½‖x − y‖² + λ‖Dx‖₁ by descent along the coordinates of the dual; nil where that is slow.
  private static func dense(_ d: Matrix, _ y: [Double], _ lambda: Double) -> [Double]? {
    let squares = (0..<d.rows).map { i in (0..<d.columns).reduce(0) { $0 + d[i, $1] * d[i, $1] } }
    var (u, x) = ([Double](repeating: 0, count: d.rows), y)
    for _ in 0..<20_000 {
      var moved = 0.0
      for i in 0..<d.rows where squares[i] > 1e-18 {
        let slope = (0..<d.columns).reduce(0) { $0 + d[i, $1] * x[$1] }
        let next = min(max(u[i] + slope / squares[i], -lambda), lambda)
        let change = next - u[i]
        if change != 0 { for j in 0..<d.columns { x[j] -= change * d[i, j] } }
        u[i] = next
        moved = max(moved, abs(change))
      }
      if moved < 1e-14 { return x }
    }
    return nil
  }

  /// On a path with weights and any sheaf; 0 and 4 with λ = 1 are 1 and 3, with λ ≥ 2 both 2.
  @Test func totalVariationIsTheLeast() throws {
    var compared = 0
    let two = SignalSmoother(.constant(1, on: .path(2)))
    for (lambda, expected) in [(0.0, [0.0, 4]), (1, [1, 3]), (2, [2, 2]), (50, [2, 2])] {
      let found = try two.smooth(Matrix(column: [0, 4]), by: .totalVariation(lambda))
      #expect(
        close(found.cochains.column(0), expected, 1e-4) && found.status == .converged,
        "\(lambda): \(found)")
    }
    for seed in UInt64(0)..<30 {
      var g = RandomGenerator(case: seed)
      let sheaf = seed % 3 == 0 ? CellularSheaf.constant(1, on: .path(15)) : Self.sheaf(&g)
      let lambda = g.uniform(0.05, 1.5)
      let y = g.normalMatrix(rows: sheaf.cochainDimension(0), columns: 1)
      let found = try SignalSmoother(sheaf).smooth(y, by: .totalVariation(lambda))
      let x = sheaf.orthonormal(found.cochains, degree: 0).column(0)
      let given = sheaf.orthonormal(y, degree: 0).column(0)
      let d = sheaf.coboundary(0, in: .orthonormal).dense
      let best = Self.dense(d, given, lambda)
      func cost(_ x: [Double]) -> Double {
        zip(x, given).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) / 2 }
          + lambda * (d * Matrix(column: x)).column(0).reduce(0) { $0 + abs($1) }
      }
      #expect(found.status == .converged && found.residual <= 1e-9, "seed \(seed): \(found.status)")
      if let best {
        compared += 1
        #expect(close([cost(x)], [cost(best)], 1e-7), "seed \(seed): \(cost(x)), \(cost(best))")
        #expect(close(x, best, 2e-4), "seed \(seed)")
      }
      // No step in any direction costs less.
      for _ in 0..<20 {
        let step = x.map { $0 + 1e-3 * g.normal() }
        #expect(cost(step) >= cost(x) - 1e-8, "seed \(seed)")
      }
    }
    #expect(compared >= 20)
  }

  /// The criteria of a parameter by a dense hat matrix and the density of a Gaussian.
  private static func criterion(
    _ family: SignalSmoother.Family, _ parameter: Double, _ l: Matrix, _ y: [Double],
    _ criterion: SmoothingCriterion
  ) -> Double {
    let hat = l.spectral { family == .ridge ? 1 / (1 + parameter * $0) : exp(-parameter * $0) }
    let n = l.rows
    let column = Matrix(column: y)
    var left = column
    left.add(hat * column, scale: -1)
    switch criterion {
    case .generalizedCrossValidation:
      let rest = Double(n) - (0..<n).reduce(0) { $0 + hat[$1, $1] }
      return Double(n) * left.column(0).reduce(0) { $0 + $1 * $1 } / (rest * rest)
    case .marginalLikelihood:
      // z = Qᵀy has the covariance σ²C, C = 1 + P with the prior's covariance σ²P on the complement of the kernel.
      let pairs = known { try SymmetricEigendecomposition(l) }
      let q = pairs.vectors.columns(
        pairs.values.indices.filter { pairs.values[$0] > 1e-10 * pairs.values.last! })
      var c =
        q.transposed
        * l.spectral {
          $0 == 0 ? 0 : 1 / (family == .ridge ? parameter * $0 : exp(parameter * $0) - 1)
        } * q
      c.add(.identity(c.rows))
      var symmetric = c
      symmetric.add(c.transposed)
      symmetric.scale(by: 0.5)
      let factor = known { try CholeskyFactorization(symmetric) }
      var z = q.transposed * column
      let first = z
      factor.solve(&z)
      let square = (first.transposed * z)[0, 0]
      let d = Double(c.rows)
      let triangle = factor.lowerTriangle
      let determinant = (0..<c.rows).reduce(0.0) { $0 + 2 * log(triangle[$1, $1]) }
      // −2 log p at σ² = square/d, without d (log 2π + 1 − log d).
      let density = d * log(2 * Double.pi) + d * log(square / d) + determinant + d
      return density - d * (log(2 * Double.pi) + 1 - log(d))
    }
  }

  @Test(arguments: SmoothingCriterion.allCases)
  func criteriaAreThoseOfDenseMatrices(_ criterion: SmoothingCriterion) throws {
    for seed in UInt64(0)..<15 {
      var g = RandomGenerator(case: seed)
      let sheaf = Self.sheaf(&g)
      let l = Self.laplacian(sheaf)
      guard l.rows > 3, l.maximumMagnitude > 0 else { continue }
      let y = g.normalMatrix(rows: l.rows, columns: 1)
      let data = sheaf.orthonormal(y, degree: 0).column(0)
      let smoother = SignalSmoother(sheaf)
      for family in [SignalSmoother.Family.ridge, .heat] {
        let found = try smoother.choose(family, for: y, by: criterion, range: 1e-2...10)
        for (parameter, value) in found.curve {
          let expected = Self.criterion(family, parameter, l, data, criterion)
          #expect(
            close([value], [expected], 1e-6),
            "seed \(seed), \(family), \(parameter): \(value), \(expected)")
        }
        let least = (0...400).map {
          Self.criterion(family, exp(log(1e-2) + Double($0) / 400 * log(1e3)), l, data, criterion)
        }.min()!
        #expect(
          found.value <= least + 1e-4 * max(1, abs(least)),
          "seed \(seed), \(family): \(found.value), \(least)")
        #expect(
          close(
            [found.value], [Self.criterion(family, found.method.parameter, l, data, criterion)],
            1e-6))
        let hat = l.spectral {
          family == .ridge
            ? 1 / (1 + found.method.parameter * $0) : exp(-found.method.parameter * $0)
        }
        #expect(
          close([found.effectiveParameters], [(0..<l.rows).reduce(0) { $0 + hat[$1, $1] }], 1e-7),
          "seed \(seed), \(family)")
      }
      // Without eigenvalues: the likelihood up to a constant.
      let dense = try smoother.choose(.ridge, for: y, by: criterion, range: 1e-2...10)
      let sparse = try smoother.choose(
        .ridge, for: y, by: criterion, range: 1e-2...10, denseLimit: 0)
      let shift =
        criterion == .marginalLikelihood ? dense.curve[0].value - sparse.curve[0].value : 0
      for (a, b) in zip(dense.curve, sparse.curve) {
        #expect(close([a.value], [b.value + shift], 1e-7), "seed \(seed): \(a), \(b), \(shift)")
      }
      #expect(
        close([dense.effectiveParameters], [sparse.effectiveParameters], 1e-3), "seed \(seed)")
      #expect(close([dense.noiseVariance], [sparse.noiseVariance], 1e-3), "seed \(seed)")
      #expect(abs(log(dense.method.parameter / sparse.method.parameter)) < 1e-2, "seed \(seed)")
    }
  }

  /// A signal of two levels with noise of known variance: both criteria come near it, and total variation finds the jump.
  @Test func theNoiseIsFound() throws {
    var g = RandomGenerator(case: 1)
    let n = 200
    let sheaf = CellularSheaf.constant(1, on: .path(n))
    let smooth = (0..<n).map { 3 * sin(Double($0) / 20) + 0.3 * g.normal() }
    for criterion in SmoothingCriterion.allCases {
      for family in [SignalSmoother.Family.ridge, .heat] {
        let found = try SignalSmoother(sheaf).choose(
          family, for: Matrix(column: smooth), by: criterion)
        #expect(
          (0.03...0.2).contains(found.noiseVariance) && !found.isAtEnd,
          "\(criterion), \(family): \(found.noiseVariance)")
      }
    }
    let step = (0..<n).map { ($0 < 100 ? 0 : 4) + 0.3 * g.normal() }
    let found = try SignalSmoother(sheaf).choose(
      .totalVariation, for: Matrix(column: step), by: .generalizedCrossValidation)
    let x = try SignalSmoother(sheaf).smooth(Matrix(column: step), by: found.method).cochains
      .column(0)
    #expect(abs(x[50]) < 0.5 && abs(x[150] - 4) < 0.5 && x[100] - x[99] > 2)
    #expect(
      (0.05...0.16).contains(found.noiseVariance) && found.effectiveParameters < 60,
      "\(found.noiseVariance), \(found.effectiveParameters)")
  }

  /// The parameters of total variation are the levels, as many as there are.
  @Test func parametersOfTotalVariationAreLevels() throws {
    var g = RandomGenerator(case: 2)
    let sheaf = CellularSheaf.constant(1, on: .path(30))
    let y = (0..<30).map { _ in g.normal() }
    let d = sheaf.coboundary(0, in: .orthonormal).dense
    let found = try SignalSmoother(sheaf).choose(
      .totalVariation, for: Matrix(column: y), by: .generalizedCrossValidation, range: 0.05...2)
    for (lambda, value) in found.curve {
      let x = try #require(Self.dense(d, y, lambda))
      let levels = Double(1 + (1..<30).count { abs(x[$0] - x[$0 - 1]) > 1e-7 })
      let sum = zip(x, y).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      // More than half of the directions free say nothing of the noise.
      guard levels <= 15.5 else {
        #expect(value == .infinity, "\(lambda): \(value), \(levels)")
        continue
      }
      #expect(
        close([value], [30 * sum / ((30 - levels) * (30 - levels))], 1e-3),
        "\(lambda): \(value), \(levels)")
    }
  }

  /// What has no criterion is refused, not a crash.
  @Test func whatCannotBeChosenIsRefused() throws {
    let y = Matrix(column: [1, 2, 3])
    let path = SignalSmoother(.constant(1, on: .path(3)))
    #expect(throws: InferenceError.self) {
      try path.choose(.totalVariation, for: y, by: .marginalLikelihood)
    }
    #expect(throws: InferenceError.self) {
      try path.choose(.heat, for: y, by: .generalizedCrossValidation, denseLimit: 0)
    }
    #expect(throws: (any Error).self) {
      try path.smooth(Matrix(column: [1, .nan, 2]), by: .ridge(1))
    }
    #expect(throws: (any Error).self) {
      try path.choose(.ridge, for: Matrix(column: [1, .nan, 2]), by: .generalizedCrossValidation)
    }
    // Without edges nothing is smoothed.
    let points = SignalSmoother(.constant(1, on: try .graph(vertices: 3, edges: [])))
    for method in [SignalSmoother.Method.ridge(1), .heat(1), .totalVariation(1)] {
      #expect(close(try points.smooth(y, by: method).cochains, y, 1e-12))
    }
    for criterion in SmoothingCriterion.allCases {
      for limit in [0, 100] {
        #expect(throws: InferenceError.self) {
          try points.choose(.ridge, for: y, by: criterion, denseLimit: limit)
        }
      }
    }
    #expect(throws: InferenceError.self) {
      try points.choose(.totalVariation, for: y, by: .generalizedCrossValidation)
    }
    let nothing = SignalSmoother(.constant(1, on: .path(0)))
    #expect(try nothing.smooth(Matrix(rows: 0, columns: 1), by: .ridge(1)).cochains.rows == 0)
    #expect(throws: InferenceError.self) {
      try nothing.choose(.ridge, for: Matrix(rows: 0, columns: 1), by: .generalizedCrossValidation)
    }
  }
}

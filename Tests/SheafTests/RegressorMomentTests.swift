import LinearAlgebra
import NeuralSheaves
import Testing

/// Operations that are linear in their parameters, P(s) = Θ ψ(s).
struct RegressorMomentTests {
  /// Visits the operations with regressors of a random network, as they are and in other units, each
  /// with a random source.
  private func forEachOperation(
    seed: UInt64, _ body: (any NetworkOperation, Matrix, inout RandomGenerator) throws -> Void
  ) throws {
    var (network, g) = try randomNetwork(seed: seed)
    for edge in network.edges where !edge.operation.regressorDimensions.isEmpty {
      for operation in OperationLawTests.inUnits(edge.operation, &g) {
        let s = g.normalMatrix(rows: operation.sourceDimension, columns: 40)
        try body(operation, s, &g)
      }
    }
  }

  private func applied(_ operation: any NetworkOperation, _ s: Matrix) -> Matrix {
    var t = Matrix(rows: operation.targetDimension, columns: s.columns)
    operation.apply(s, into: &t)
    return t
  }

  private func moments(_ operation: any NetworkOperation, _ s: Matrix) -> [Matrix] {
    var moments = operation.regressorDimensions.map { Matrix(rows: $0, columns: $0) }
    operation.addRegressorMoments(s, scale: 1, keeping: 0, into: &moments)
    return moments
  }

  /// Θ_g of each block, (rows, regressors).
  private func blocks(_ operation: any NetworkOperation, _ parameters: [Matrix]) -> [Matrix] {
    switch operation {
    case let relabelled as Relabelled: return blocks(relabelled.base, parameters)
    case let rescaled as Rescaled: return blocks(rescaled.base, parameters)
    case let convolutional as Convolutional:
      let convolution = convolutional.convolution
      let n = convolution.filters / convolution.groups
      return (0..<convolution.groups).map { g in
        let group = g * n..<(g + 1) * n
        return joined(parameters[0].columns(group).transposed, parameters[1].rows(group))
      }
    case is ChannelAffine:
      return (0..<parameters[0].rows).map { c in
        joined(parameters[0].rows(c..<c + 1), parameters[1].rows(c..<c + 1))
      }
    default: return [joined(parameters[0], parameters[1])]
    }
  }

  private func joined(_ a: Matrix, _ b: Matrix) -> Matrix {
    var both = Matrix(rows: a.rows, columns: a.columns + 1)
    both.setColumns(from: 0, to: a)
    both.setColumns(from: a.columns, to: b)
    return both
  }

  /// Σ‖P_Θ(s) − P_0(s)‖² = Σ_g tr(Θ_g M_g Θ_gᵀ).
  @Test(arguments: NeuralSheafLawTests.seeds) func momentsAreSquaredResponses(seed: UInt64) throws {
    try forEachOperation(seed: seed) { operation, s, g in
      var (moved, zero) = (operation, operation)
      moved.updateParameters { $1 = g.normalMatrix(rows: $1.rows, columns: $1.columns) }
      zero.updateParameters { $1.fill(0) }
      var response = applied(moved, s)
      response.add(applied(zero, s), scale: -1)
      let moments = moments(operation, s)
      var trace = 0.0
      for (theta, m) in zip(blocks(operation, moved.parameters), moments) {
        #expect(m == m.transposed, "seed \(seed), \(operation.summary)")
        trace += dot(theta * m, theta)
      }
      let expected = response.sumOfSquares
      #expect(
        abs(trace - expected) < 1e-11 * max(1, expected), "seed \(seed), \(operation.summary)")
      // scale and keep
      let before = moments.map { g.normalMatrix(rows: $0.rows, columns: $0.rows) }
        .map { m in
          var symmetric = m
          symmetric.add(m.transposed)
          return symmetric
        }
      var sum = before
      operation.addRegressorMoments(s, scale: 0.5, keeping: -0.3, into: &sum)
      for (k, m) in moments.enumerated() {
        var both = before[k]
        both.add(m, scale: 0.5, keeping: -0.3)
        #expect(relativeError(sum[k], both) < 1e-13, "seed \(seed), \(operation.summary)")
      }
    }
  }

  /// Θ + (the gradient of ⟨ρ, P(s)⟩) M⁻¹ has the least Σ‖t − P(s)‖²: there the gradient is 0.
  @Test(arguments: NeuralSheafLawTests.seeds) func solvedMomentsAreLeastSquares(
    seed: UInt64
  ) throws {
    try forEachOperation(seed: seed) { operation, s, g in
      let t = g.normalMatrix(rows: operation.targetDimension, columns: s.columns)
      func gradients(_ operation: any NetworkOperation) -> [Matrix] {
        var rho = Matrix(rows: t.rows, columns: t.columns)
        operation.discrepancy(s, t, into: &rho)
        var gradients = operation.parameters
        operation.addParameterGradients(rho, source: s, scale: 1, keeping: 0, into: &gradients)
        return gradients
      }
      let factors = try moments(operation, s).map { m in
        // Places of a kernel that see nothing but padding have no moment.
        var regular = m
        for i in 0..<m.rows { regular[i, i] += 1e-9 * m.maximumMagnitude }
        return try CholeskyFactorization(regular)
      }
      let before = gradients(operation)
      var step = before
      operation.solveMoments(factors, &step)
      var best = operation
      best.updateParameters { $1.add(step[$0]) }
      let largest = before.map(\.maximumMagnitude).max()!
      for after in gradients(best) {
        #expect(
          after.maximumMagnitude < 1e-6 * largest, "seed \(seed), \(operation.summary)")
      }
    }
  }
}

import LinearAlgebra
import NeuralSheaves
import Testing

/// Operations that are linear in their parameters, P(s) = Θ ψ(s).
struct RegressorMomentTests {
  /// Visits the operations with regressors of a random network, each with a random source.
  private func forEachOperation(
    seed: UInt64, _ body: (any NetworkOperation, Matrix, inout RandomGenerator) throws -> Void
  ) throws {
    var (network, g) = try randomNetwork(seed: seed)
    for edge in network.edges where !edge.operation.regressorDimensions.isEmpty {
      let s = g.normalMatrix(rows: edge.operation.sourceDimension, columns: 40)
      try body(edge.operation, s, &g)
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
    case let convolutional as Convolutional:
      let convolution = convolutional.convolution
      let n = convolution.filters / convolution.groups
      return (0..<convolution.groups).map { g in
        let group = g * n..<(g + 1) * n
        return joined(parameters[0].columns(group).transposed, parameters[1].rows(group))
      }
    case let transposed as TransposedConvolutional:
      let convolution = transposed.convolution
      let (n, k) = (convolution.filters / convolution.groups, convolution.window.kernel.size)
      let targets = convolution.window.channels / convolution.groups
      return (0..<convolution.groups).map { g in
        let group = parameters[0].columns(g * n..<(g + 1) * n)
        var theta = Matrix(rows: targets, columns: n * k)
        for t in 0..<targets {
          for c in 0..<n { for e in 0..<k { theta[t, c * k + e] = group[t * k + e, c] } }
        }
        return joined(theta, parameters[1].rows(g * targets..<(g + 1) * targets))
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
  @Test(arguments: NeuralSheafLawTests.linearSeeds) func momentsAreSquaredResponses(seed: UInt64)
    throws
  {
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
    }
  }
}

import LinearAlgebra
import NeuralSheaves

/// Seeded random networks for property tests: chains of depth 0–6 and, every third time, a residual
/// block through a junction. Biases are not zero.
func randomNetwork(seed: UInt64) throws -> (Network, RandomGenerator) {
  var g = RandomGenerator(seed: seed)
  let depth = Int(seed % 7)
  let widths = (0..<depth + 2).map { _ in 1 + Int(g.uniform(0, 6)) }
  func dense(_ n: Int, _ m: Int) -> Dense {
    Dense(
      weight: g.normalMatrix(rows: m, columns: n, deviation: (2 / Double(n)).squareRoot()),
      bias: (0..<m).map { _ in 0.3 * g.normal() })
  }
  var network = Network(inputDimension: widths[0])
  var last = 0
  for (l, (n, m)) in zip(widths, widths.dropFirst()).enumerated() {
    if seed % 3 == 0 && l > 0 {
      // a ↦ [a ; a'] with a' = ReLU(W a + b), then [I I]-like mixing by the next dense layer.
      let side = network.append(dense(n, n), to: last)
      let active = network.append(Elementwise.rectifier(dimension: n), to: side)
      let junction = network.appendJunction(of: [last, active])
      last = network.append(dense(2 * n, m), to: junction)
    } else {
      last = network.append(dense(n, m), to: last)
    }
    if l + 2 < widths.count {
      last = network.append(Elementwise.rectifier(dimension: m), to: last)
    }
  }
  return (network, g)
}

/// Patterns with independent random branches.
func randomPatterns(
  _ network: Network, batch: Int, using g: inout RandomGenerator
) -> [ActivationPattern] {
  network.edges.map { edge in
    var pattern = edge.operation.blankPattern(batch: batch)
    for j in 0..<pattern.batch {
      for i in 0..<pattern.dimension { pattern[i, j] = g.uniform() < 0.5 ? 0 : 1 }
    }
    return pattern
  }
}

func randomCochain(
  _ network: Network, batch: Int, using g: inout RandomGenerator
) -> [Matrix] {
  network.vertices.enumerated().map { v, vertex in
    v == 0
      ? Matrix(rows: 0, columns: batch)
      : g.normalMatrix(rows: vertex.dimension, columns: batch)
  }
}

/// The free coordinates of one sample as one column.
func flat(_ cochain: [Matrix], sample j: Int = 0) -> Matrix {
  Matrix(column: cochain.dropFirst().flatMap { $0.column(j) })
}

func inner(_ a: [Matrix], _ b: [Matrix]) -> Double {
  zip(a, b).dropFirst().reduce(0) { $0 + dot($1.0, $1.1) }
}

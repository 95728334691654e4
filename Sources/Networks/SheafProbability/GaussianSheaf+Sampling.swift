import LinearAlgebra
import NeuralSheaves

extension GaussianSheaf {
  /// A draw from p(ω | x) for each sample: the forward pass with each edge's noise added as it goes.
  ///
  /// Every operation reads the noisy value of its source, so the draw is exact whatever patterns it passes through. Cost: a
  /// forward pass and dim Ω normal numbers a sample.
  ///
  /// - Parameter input: (n₀, batch).
  public func sample(_ input: Matrix, using generator: inout RandomGenerator) -> SheafState {
    var state = sheaf.zeroState(input)
    sheaf.runForwardPass(&state) { v, stalk in
      stalk.add(edgeNoise(of: v, batch: input.columns, using: &generator))
    }
    return state
  }

  /// A draw of the noise of the edges into a vertex.
  func edgeNoise(
    of v: Int, batch: Int, using generator: inout RandomGenerator
  ) -> Matrix {
    var rho = generator.normalMatrix(rows: network.vertices[v].dimension, columns: batch)
    for e in network.incoming[v] {
      rho.scaleRows(
        network.edges[e].operation.targetRows, by: noise.variance(ofEdge: e).squareRoot())
    }
    return rho
  }
}

import Foundation
import LinearAlgebra
import NeuralSheaves

extension SheafPosterior {
  /// The covariance of some stalks, one behind the other, given x and what is known: a block of Σ for each sample.
  ///
  /// - Parameter vertices: free vertices of the network, such as `[network.vertex(named: "a1")]`.
  /// - Complexity: reverse sweeps for as many coordinates as the stalks, the pins and the output have.
  public func covariance(
    of vertices: [Int], threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) -> [Matrix] {
    covariances(
      of: model.network.coordinates(of: vertices), samples: Array(0..<state.batch),
      threads: threads)
  }

  /// The same for single coordinates and some of the samples.
  func covariances(of chosen: [StalkCoordinate], samples: [Int], threads: Int) -> [Matrix] {
    let known = observations.coordinates
    let joint = model.covariances(
      of: chosen + known, at: patterns.map { $0.samples(samples) }, batch: samples.count,
      threads: threads)
    let (m, n) = (chosen.count, known.count)
    return zip(samples, joint).map { j, g in
      var c = g[rows: Array(0..<m), columns: Array(0..<m)]
      // (K B)(D + BᵀGB)⁻¹(K B)ᵀ, K the covariances with what is known under p(ω | x).
      let cross = g[rows: Array(0..<m), columns: Array(m..<m + n)] * factors[j]
      var solved = cross.transposed
      inner[j].solve(&solved)
      c.addProduct(cross, solved, scale: -1)
      return c.mirrored
    }
  }

  /// The covariance of z_{k+1} given x and what is known.
  public func outputCovariance(
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) -> [Matrix] {
    covariance(of: [model.network.lastVertex], threads: threads)
  }

  /// A draw from N(ω*, Σ) for each of the samples in a list, repetitions allowed.
  ///
  /// By conditioning a draw of the prior (Matheron's rule): with d = δ_Ω⁻¹ξ, ξ ~ N(0, Γ⁻¹), and η ~ N(0, I),
  ///
  ///     ω* + d − L⁻¹EᵀB (D + BᵀGB)⁻¹ (BᵀEd + D^½η)
  ///
  /// has mean ω* and covariance Σ. The pattern stays that of ω*. Cost: three sweeps.
  ///
  /// - Parameter samples: indices into the batch; nil for each once.
  public func sample(
    _ samples: [Int]? = nil, using generator: inout RandomGenerator
  ) -> SheafState {
    let samples = samples ?? Array(0..<state.batch)
    let (sheaf, network) = (model.sheaf, model.network)
    let patterns = patterns.map { $0.samples(samples) }
    var d = sheaf.zeroCochain(batch: samples.count)
    for v in network.vertices.indices.dropFirst() {
      d[v] = model.edgeNoise(of: v, batch: samples.count, using: &generator)
    }
    sheaf.substituteForward(&d, at: patterns)
    let known = observations.coordinates
    var forces = Matrix(rows: known.count, columns: samples.count)
    for (q, j) in samples.enumerated() {
      let f = factors[j]
      var misfit = generator.normalMatrix(rows: f.columns, columns: 1)
      misfit.scaleRows(by: observations.noise)
      let drawn = Matrix(column: known.map { d[$0.vertex][$0.row, q] })
      misfit.addProduct(f, drawn, transposing: .left)
      inner[j].solve(&misfit)
      forces.setColumns(from: q, to: f * misfit)
    }
    let correction = model.response(to: forces, on: known, at: patterns)
    var draw = state.samples(samples)
    for v in network.vertices.indices.dropFirst() {
      draw.stalks[v].add(d[v])
      draw.stalks[v].add(correction[v], scale: -1)
    }
    return draw
  }
}

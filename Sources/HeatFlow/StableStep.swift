import LinearAlgebra
import NeuralSheaves

extension HeatFlow {
  /// λ_max of the Hessian of the energy on the free coordinates for fixed patterns, the largest
  /// over the batch: L[Ω,Ω], soft pins and the output edge (its Jacobian at the bound of
  /// `OutputActivation.jacobianBound`) included.
  ///
  /// By Lanczos iterations on all samples side by side; each product costs two sweeps. Cut short by `halt`
  /// it is too small.
  public func largestEigenvalue(
    at patterns: [ActivationPattern], batch: Int, tolerance: Double = 1e-4, halt: Halt = .never
  ) -> Double {
    let network = sheaf.network
    var generator = RandomGenerator(seed: 0)
    var start = network.vertices.map {
      generator.normalMatrix(rows: $0.dimension, columns: batch)
    }
    if output != nil {
      start.append(generator.normalMatrix(rows: network.outputDimension, columns: batch))
    }
    for v in start.indices { pins.clear(v, &start[v]) }
    guard start.contains(where: { $0.sumOfSquares > 0 }) else { return 0 }
    return largestEigenvalues(
      from: start, tolerance: tolerance, isHalted: { halt.reason != nil }
    ) {
      applyHessian($0, at: patterns)
    }.maximum() ?? 0
  }

  /// The product of the Hessian on fixed patterns with a vector that vanishes on held coordinates.
  private func applyHessian(_ v: [Matrix], at patterns: [ActivationPattern]) -> [Matrix] {
    let network = sheaf.network
    let last = network.lastVertex
    var hv = v.map { Matrix(rows: $0.rows, columns: $0.columns) }
    // ρ = δv with the input's column of δ, then δᵀρ: each edge acts on its two ends.
    for (e, edge) in network.edges.enumerated()
    where !(pins.holdsAll(of: edge.source) && pins.holdsAll(of: edge.target)) {
      let rows = edge.operation.targetRows
      var rho = Matrix(rows: v[edge.target].rows, columns: v[edge.target].columns)
      rho.copyRows(rows, of: v[edge.target])
      if !pins.holdsAll(of: edge.source) {
        edge.operation.addLinearPart(
          v[edge.source], at: patterns[e], scale: -1, keeping: 1, into: &rho)
      }
      hv[edge.target].add(rho)
      if pins.holdsAll(of: edge.source) { continue }
      var back = Matrix(rows: v[edge.source].rows, columns: rho.columns)
      edge.operation.addTranspose(rho, at: patterns[e], keeping: 0, into: &back)
      hv[edge.source].add(back, scale: -1)
    }
    if let output {
      let c =
        output.energy == .squared
        ? output.activation.jacobianBound
        : output.activation.jacobianBound.squareRoot()
      var rho = v[last + 1]
      rho.add(v[last], scale: -c)
      hv[last + 1].add(rho, scale: output.coupling)
      hv[last].add(rho, scale: -c * output.coupling)
    }
    for i in hv.indices {
      pins.addStiffness(i, v[i], into: &hv[i])
      pins.clear(i, &hv[i])
    }
    return hv
  }

  /// The bound 2/(α λ_max) below which forward Euler is stable on the patterns of a state.
  ///
  /// Cut short by `halt` it is too large.
  public func stableStep(at state: SheafState, halt: Halt = .never) -> Double {
    2
      / (alpha
        * largestEigenvalue(at: sheaf.patterns(at: state), batch: state.batch, halt: halt))
  }
}

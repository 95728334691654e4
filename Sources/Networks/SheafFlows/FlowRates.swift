import LinearAlgebra
import NeuralSheaves

extension HeatFlow {
  /// α·λ_min of the Hessian on the patterns of the last state, the least over the batch: the rate at which the
  /// flow converges in the end. After the exact flow, on the last face, so with what rests at rest.
  ///
  /// Where only the input is held L⁻¹ = δ⁻¹Γ⁻¹δ⁻ᵀ, and Lanczos iterations with two sweeps per product find its
  /// largest eigenvalue. Otherwise by eigen-decompositions, of order n³ per sample; nil where these would take
  /// more than `workLimit` operations, and with a smooth output edge, whose Hessian is not that of a pattern.
  public func predictedRate(of solution: FlowSolution, workLimit: Double = 1e10) throws(FlowError)
    -> Double?
  {
    if let rate = solution.faceRate { return rate }
    guard solution.status != .diverged, solution.state.firstNonFinite == nil else { return nil }
    let state = solution.state
    let network = sheaf.network
    let isPlain =
      output == nil && pins.holdsAll(of: 0)
      && network.vertices.indices.dropFirst().allSatisfy { !pins.concern($0) }
    if isPlain {
      guard state.batch > 0 else { return nil }
      let inverse = InverseRestrictedLaplacian(
        RestrictedCoboundary(sheaf, at: sheaf.patterns(at: state), batch: state.batch),
        stiffness: pinned.stiffness)
      var generator = RandomGenerator(seed: 0)
      let start = generator.normalMatrix(rows: inverse.rows, columns: state.batch)
      let largest = largestEigenvalues(of: inverse, from: start).value.maximum()!
      return largest > 0 ? alpha / largest : nil
    }
    if let output, output.activation != .identity { return nil }
    let n = Double(network.vertices.reduce(0) { $0 + $1.dimension } + network.outputDimension)
    guard 2 * n * n * n * Double(state.batch) <= workLimit else { return nil }
    let pieces = try QuadraticPieces(self, state, limit: .max)
    let patterns = sheaf.patterns(at: state)
    var least: Double?
    for j in 0..<state.batch where !pieces.free.isEmpty {
      let face = Face(branches: pieces.flat.rows.map { patterns[$0.edge][$0.row, j] })
      let (hessian, _) = face.assemble(pieces, state.coordinates(ofSample: j), sample: j)
      guard let spectrum = try? SymmetricEigendecomposition(hessian, vectors: false) else {
        throw .noDecomposition
      }
      least = min(least ?? .infinity, alpha * spectrum.values[0])
    }
    return least
  }
}

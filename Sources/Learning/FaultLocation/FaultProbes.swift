import Foundation
import LinearAlgebra
import NeuralSheaves
import SheafProbability

/// Inputs on which the outputs of a deployed network and of its reference are known: what a fault is located from.
public struct FaultProbes: Sendable {
  /// The deployed network.
  public let network: Network
  /// The probes, (n₀, count).
  public let input: Matrix
  /// The reference's outputs, (n_{k+1}, count).
  public let reference: Matrix
  /// How the outputs differ.
  public let difference: OutputDifference
  /// The layers of the network.
  public let layers: [NetworkLayer]
  let state: SheafState

  /// Probes with the reference's outputs. Cost: a forward pass.
  ///
  /// - Throws: shapes that do not fit, numbers that are not finite, a reference that is constant, no difference, no layers.
  public init(
    _ network: Network, input: Matrix, reference: Matrix
  ) throws(FaultError) {
    try network.checkProbes(input)
    if let (_, j) = input.firstNonFinite { throw .notFinite(name: "the input", sample: j) }
    layers = network.layers
    guard !layers.isEmpty else { throw .noLayers }
    state = NeuralSheaf(network).forwardPass(input)
    difference = try OutputDifference(
      logits: state.stalks[network.lastVertex], reference: reference, of: network)
    (self.network, self.input, self.reference) = (network, input, reference)
  }

  /// The number of probes.
  public var count: Int { input.columns }

  /// The variance components of the layers: what is added by each layer's weights, J_l J_lᵀ, then what multiplies their result,
  /// J_l diag(z_l²) J_lᵀ, with a floor of 10⁻³ of the residuals' mean square.
  public func varianceModel(
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) throws(FaultError) -> VarianceModel {
    let components =
      layers.map { NoiseComponent(.edge($0.edge)) }
      + layers.map { NoiseComponent(.edge($0.edge), isGain: true) }
    let covariances = GaussianSheaf(network).componentCovariances(
      of: components, at: state, threads: threads)
    let r = difference.residuals
    do {
      return try VarianceModel(
        residuals: r,
        components: covariances.map { list in list.map { difference.reduced($0) } },
        floor: 1e-3 * dot(r, r) / Double(r.count))
    } catch { throw .variance(error) }
  }
}

extension Network {
  /// Checks the shape of probes.
  func checkProbes(_ input: Matrix) throws(FaultError) {
    guard input.rows == inputDimension && input.columns > 0 else {
      throw .quantity(
        name: "the input", found: "(\(input.columns) samples, \(input.rows))",
        expected: "(at least 1 sample, \(inputDimension))")
    }
  }
}

import FaultLocation
import LinearAlgebra
import NeuralSheaves

/// In which layer a network is no longer what its reference was, from the reference's outputs alone (`FaultLocation`).
public struct LayerChange: Sendable {
  /// How far the outputs are off.
  public let difference: OutputDifference
  /// The layers, the suspect first.
  public let ranking: FaultRanking
  /// The test that no layer is off by more than the others; nil where there is one layer, or outputs do not answer to weights.
  public let test: FaultTest?

  /// Compares outputs with those of a reference, (n_{k+1}, samples), on at most so many samples.
  ///
  /// - Throws: `FaultError`, such as for outputs that agree.
  public init(
    _ samples: NetworkSamples, reference: Matrix, most: Int = 200, draws: Int = 99,
    using generator: inout RandomGenerator
  ) throws(FaultError) {
    guard reference.columns == samples.count else {
      throw .quantity(
        name: "the reference", found: "(\(reference.columns) samples, \(reference.rows))",
        expected: "(\(samples.count) samples, \(samples.network.outputDimension))")
    }
    let some = samples.spread(most)
    let probes = try FaultProbes(
      samples.network, input: samples.input.columns(some), reference: reference.columns(some))
    let model = try probes.varianceModel()
    difference = probes.difference
    ranking = FaultRanking(probes, try model.layerStiffness())
    guard probes.layers.count > 1 else {
      test = nil
      return
    }
    do {
      test = try probes.test(model, draws: draws, using: &generator)
    } catch {
      guard case .notFinite = error else { throw error }
      test = nil
    }
  }
}

import LinearAlgebra
import NeuralSheaves

/// The derivative J = ∂z_{k+1}/∂x of each sample on its linear region; n_{k+1} reverse sweeps.
enum InputJacobians {
  /// What is made of each sample's Jᵀ, in the order of the samples, without keeping them.
  static func map<Result: Sendable>(
    _ network: Network, at state: SheafState, _ body: @Sendable (Int, Matrix) -> Result
  ) -> [Result] {
    var blocks = blocks(network, state).map { (samples: $0, results: [Result]()) }
    forEachInParallel(&blocks, threads: Threads.count) { block in
      visit(network, state, block.samples) { j, transpose in
        block.results.append(body(j, transpose))
      }
    }
    return blocks.flatMap(\.results)
  }

  /// About 256 columns for each.
  private static func blocks(_ network: Network, _ state: SheafState) -> [Range<Int>] {
    let count = max(1, (state.batch * network.outputDimension + 255) / 256)
    return (0..<count).map { $0 * state.batch / count..<($0 + 1) * state.batch / count }
      .filter { !$0.isEmpty }
  }

  private static func visit(
    _ network: Network, _ state: SheafState, _ samples: Range<Int>, _ body: (Int, Matrix) -> Void
  ) {
    let sheaf = NeuralSheaf(network)
    let m = network.outputDimension
    let repeated = samples.flatMap { [Int](repeating: $0 - samples.lowerBound, count: m) }
    let patterns = sheaf.patterns(at: state.samples(samples)).map { $0.samples(repeated) }
    var u = sheaf.zeroCochain(batch: repeated.count, input: .free)
    for k in repeated.indices { u[network.lastVertex][k % m, k] = 1 }
    sheaf.substituteBackward(&u, at: patterns, input: .free, isFromOutput: true)
    for (q, j) in samples.enumerated() { body(j, u[0].columns(q * m..<(q + 1) * m)) }
  }
}

import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// Relaxes a batch in blocks of samples, side by side and shared out over threads, and puts the ends
/// together.
///
/// - Parameters:
///   - start: where to start; by default the forward pass of the prior input.
///   - relax: gets the energy of a block and its start, and returns statuses, states and counts; the
///     rest of the report is made here.
func relaxInBlocks(
  _ energy: PinnedEnergy, input: Matrix, from start: SheafState? = nil, flat: FlatNetwork,
  threads: Int, tolerance: Double,
  _ relax: @Sendable (PinnedEnergy, SheafState) -> PinnedEquilibrium
) -> PinnedEquilibrium {
  let sheaf = energy.sheaf
  // Sixteen at a time make the sweeps products of matrices and stay in the cache.
  var blocks = stride(from: 0, to: input.columns, by: 16).map {
    RelaxedBlock(range: $0..<min($0 + 16, input.columns))
  }
  forEachInParallel(&blocks, threads: threads) { block in
    let part = energy.samples(block.range)
    let forward = sheaf.forwardPass(part.priorInput(input.columns(block.range)))
    let scales = part.residualScales(forward, forward: forward)
    block.end = relax(part, start?.samples(block.range) ?? forward)
    block.end!.finish(part, flat, scales: scales, tolerance: tolerance)
  }
  var result = PinnedEquilibrium(
    SheafState(
      stalks: sheaf.zeroState(input).stalks,
      output: energy.output.map { _ in
        Matrix(rows: sheaf.network.outputDimension, columns: input.columns)
      }))
  for block in blocks { result.append(block.end!, at: block.range.lowerBound) }
  return result
}

private struct RelaxedBlock: Sendable {
  let range: Range<Int>
  var end: PinnedEquilibrium?
}

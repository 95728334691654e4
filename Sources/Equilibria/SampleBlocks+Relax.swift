import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// Relaxes a batch in blocks of samples, shared out over threads, and puts the ends together.
///
/// - Parameters:
///   - start: where to start; by default the forward pass through the pins.
///   - halt: asked between repairs.
///   - relax: gets the energy of a block, the numbers of its samples, its start, and ρ there if that is known;
///     returns statuses, states and counts. The rest of the report is made here.
///   - repair: goes on from where samples are that should be at an equilibrium and are not, the steps of each
///     so far being given; it counts on.
///   - stepLimit: the steps after which there is no repair.
func relaxInBlocks(
  _ energy: PinnedEnergy, input: Matrix, from start: SheafState? = nil, flat: FlatNetwork,
  threads: Int, tolerance: Double, stepLimit: Int, halt: Halt,
  _ relax: @Sendable (PinnedEnergy, Range<Int>, SheafState, [Matrix]?) -> PinnedEquilibrium,
  repair: (@Sendable (PinnedEnergy, SheafState, [Int]) -> PinnedEquilibrium)? = nil
) -> PinnedEquilibrium {
  let network = energy.sheaf.network
  var blocks = SampleBlocks.ranges(
    network: network, batch: input.columns, threads: min(threads, input.columns)
  ).map { RelaxedBlock(range: $0) }
  forEachInParallel(&blocks, threads: threads) { block in
    let part = energy.samples(block.range)
    let forward = part.forwardPass(input.columns(block.range))
    let scales = part.residualScales(forward)
    if let start {
      block.end = relax(part, block.range, start.samples(block.range), nil)
    } else {
      block.end = relax(part, block.range, forward.state, forward.discrepancy)
    }
    block.end!.finish(part, flat, scales: scales, tolerance: tolerance)
    guard let repair else { return }
    for _ in 0..<20 {
      let wrong = scales.indices.filter {
        block.end!.statuses[$0] == .stalled && block.end!.iterations[$0] < stepLimit
      }
      guard !wrong.isEmpty else { break }
      if let reason = halt.reason {
        for j in wrong { block.end!.statuses[j] = reason }
        break
      }
      let rest = part.samples(wrong)
      var next = repair(
        rest, block.end!.state.samples(wrong), wrong.map { block.end!.iterations[$0] })
      next.finish(rest, flat, scales: wrong.map { scales[$0] }, tolerance: tolerance)
      for (q, j) in wrong.enumerated() { block.end!.take(next, sample: q, at: j) }
    }
  }
  var result = PinnedEquilibrium(
    SheafState(
      stalks: energy.sheaf.zeroState(input).stalks,
      output: energy.output.map { _ in
        Matrix(rows: network.outputDimension, columns: input.columns)
      }))
  result.discrepancy = energy.sheaf.zeroCochain(batch: input.columns)
  for block in blocks { result.append(block.end!, at: block.range.lowerBound) }
  return result
}

private struct RelaxedBlock: Sendable {
  let range: Range<Int>
  var end: PinnedEquilibrium?
}

import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// Relaxes a batch in blocks of samples, shared out over threads, and puts the ends together. Samples whose
/// start has no finite energy end there as diverged.
///
/// - Parameters:
///   - start: where to start; by default the forward pass through the pins.
///   - settings: after its step limit there is no repair, and it may halt between repairs.
///   - relax: gets the energy of a block, the numbers of its samples, their scales, the start, and ρ there if that is
///     known; returns statuses, states and counts. The rest of the report is made here.
///   - repair: goes on from where samples are that should be at an equilibrium and are not, their scales,
///     the steps of each so far, the most kinks and ties of one and the number of the attempt being given; it counts
///     on. nil where that would take too much.
func relaxInBlocks(
  _ energy: PinnedEnergy, input: Matrix, from start: SheafState? = nil, flat: FlatNetwork,
  _ settings: SolverSettings,
  _ relax: @Sendable (PinnedEnergy, [Int], [Double], SheafState, [Matrix]?) -> PinnedEquilibrium,
  repair: (
    @Sendable (PinnedEnergy, SheafState, _ scales: [Double], _ steps: [Int], _ kinks: Int, Int)
      -> PinnedEquilibrium?
  )? = nil
) -> PinnedEquilibrium {
  @Sendable func relaxed(
    _ part: PinnedEnergy, _ state: SheafState, _ rho: [Matrix]?, _ samples: [Int],
    _ scales: [Double]
  ) -> PinnedEquilibrium {
    var end = relax(part, samples, scales, state, rho)
    end.finish(part, flat, scales: scales, tolerance: settings.tolerance)
    guard let repair else { return end }
    for attempt in 0..<20 {
      let wrong = scales.indices.filter {
        end.statuses[$0] == .stalled && end.iterations[$0] < settings.stepLimit
      }
      guard !wrong.isEmpty else { break }
      if let reason = settings.halt.reason {
        for j in wrong { end.statuses[j] = reason }
        break
      }
      let rest = part.samples(wrong)
      guard
        var next = repair(
          rest, end.state.samples(wrong), wrong.map { scales[$0] },
          wrong.map { end.iterations[$0] },
          wrong.map { end.kinkNeurons[$0] + end.tiedCoordinates[$0] }.max()!, attempt)
      else { break }
      next.finish(rest, flat, scales: wrong.map { scales[$0] }, tolerance: settings.tolerance)
      for (q, j) in wrong.enumerated() { end.take(next, sample: q, at: j) }
    }
    return end
  }
  let network = energy.sheaf.network
  var blocks = SampleBlocks.ranges(
    network: network, batch: input.columns, threads: min(settings.threads, input.columns)
  ).map { RelaxedBlock(range: $0) }
  forEachInParallel(&blocks, threads: settings.threads) { block in
    let part = energy.samples(block.range)
    let forward = part.forwardPass(input.columns(block.range))
    let begin = start?.samples(block.range) ?? forward.state
    let scales = part.residualScales(forward)
    let discrepancy = start == nil ? forward.discrepancy : part.sheaf.discrepancy(begin)
    let cochains = begin.stalks + discrepancy
    let finite = scales.indices.filter { j in
      cochains.reduce(part.pins.energy(begin, sample: j)) {
        $0 + $1.sumOfSquares(column: j)
      }.isFinite
    }
    func end(_ some: [Int]) -> PinnedEquilibrium {
      let isWhole = some.count == block.range.count
      let rho = start == nil ? discrepancy : nil
      return relaxed(
        isWhole ? part : part.samples(some), isWhole ? begin : begin.samples(some),
        isWhole ? rho : rho?.map { $0.columns(some) }, some.map { block.range.lowerBound + $0 },
        some.map { scales[$0] })
    }
    if finite.count == block.range.count {
      block.end = end(finite)
      return
    }
    // Where even the start has no finite energy there is nothing to compute with.
    block.end = PinnedEquilibrium(diverged: begin, part)
    guard !finite.isEmpty else { return }
    let rest = end(finite)
    for (q, j) in finite.enumerated() { block.end!.take(rest, sample: q, at: j) }
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

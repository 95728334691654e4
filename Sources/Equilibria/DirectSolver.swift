import Foundation
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// Pinned equilibria by descent over faces: exact on each, through kinks and ties, for any hard and
/// soft pins on free coordinates.
///
/// A *face* fixes the branch of every state-dependent coordinate and the kinks that some rest on;
/// there the energy is a quadratic and its minimiser a Schur complement on the pins and kinks
/// (`FaceMinimizer`). The state walks towards it through the breakpoints of the energy
/// (`BreakpointPath`); at the minimiser of a face, kinks whose multipliers have the wrong sign are
/// released (`KinkRelease`). The energy never rises. It starts from the forward pass with the pins
/// set and ends at a stationary point on the way down, 0 ∈ ∂E.
///
/// Samples finish one by one; the others go on without them.
public struct DirectSolver: Sendable {
  /// The most steps.
  public var stepLimit: Int
  /// The residual that counts as converged.
  public var tolerance: Double
  /// The most threads.
  public var threads: Int

  /// A solver with its settings.
  public init(
    stepLimit: Int = 1000, tolerance: Double = 1e-8,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) {
    precondition(stepLimit > 0 && tolerance > 0)
    self.stepLimit = stepLimit
    self.tolerance = tolerance
    self.threads = threads
  }

  /// Relaxes a batch.
  ///
  /// Cost, per sample and step: a reverse sweep for each pinned coordinate and kink (p of them),
  /// p² dim Ω for their Schur complement, and two sweeps. Typically 4–20 steps.
  ///
  /// - Parameters:
  ///   - input: (n₀, batch).
  ///   - pins: of the whole batch; the input wholly held.
  public func solve(_ sheaf: NeuralSheaf, input: Matrix, pins: Pins) -> PinnedEquilibrium {
    precondition(pins.holdsAll(of: 0), "the input is not wholly held")
    let flat = FlatNetwork(sheaf.network)
    // Samples side by side make the sweeps products of matrices; 16 at a time stay in the cache.
    var blocks = stride(from: 0, to: input.columns, by: 16).map {
      Block(range: $0..<min($0 + 16, input.columns))
    }
    forEachInParallel(&blocks, threads: threads) { block in
      let pins = pins.samples(block.range)
      var set = ActiveSet(sheaf, flat, input: input.columns(block.range), pins: pins)
      let scales = set.pinDistances
      var end = run(&set)
      end.residuals = zip(
        Stationarity(sheaf, flat, end.state, pins: pins).residuals, scales
      ).map { $0 / max(1, $1) }
      for j in end.statuses.indices
      where end.statuses[j] == .converged && !(end.residuals[j] <= tolerance) {
        end.statuses[j] = .stalled
      }
      block.end = end
    }
    var result = PinnedEquilibrium(sheaf.zeroState(input))
    for block in blocks { result.append(block.end!, at: block.range.lowerBound) }
    return result
  }

  private struct Block: Sendable {
    let range: Range<Int>
    var end: PinnedEquilibrium?
  }

  private func run(_ set: inout ActiveSet) -> PinnedEquilibrium {
    var end = PinnedEquilibrium(set.state)
    end.reserve(set.batch)
    for step in 1...stepLimit where set.batch > 0 {
      let face = FaceMinimizer(set)
      let before = set.energies
      var isAtMinimum: [Bool] = []
      for j in 0..<set.batch { isAtMinimum.append(set.walk(j, along: face)) }
      set.readDiscrepancy()
      var finished: [Int] = []
      for j in 0..<set.batch {
        set.energies[j] = set.energy(j)
        set.iterations[j] = step
        let isFinite = set.energies[j].isFinite
        // Where releasing all at once no longer helps, one at a time does.
        if !(set.energies[j] < before[j] * (1 - 1e-13)) && step > 3 { set.isCautious[j] = true }
        if !isFinite || (isAtMinimum[j] && !set.release(j, face)) { finished.append(j) }
      }
      let isLast = step == stepLimit
      guard isLast || !finished.isEmpty else { continue }
      for j in isLast ? Array(0..<set.batch) : finished {
        let status: SolutionStatus =
          !set.energies[j].isFinite
          ? .diverged : finished.contains(j) ? .converged : .stepLimit
        end.record(set, j, status)
      }
      set.keep((0..<set.batch).filter { !finished.contains($0) })
    }
    return end
  }
}

extension PinnedEquilibrium {
  /// An empty report on a state.
  init(_ state: SheafState) {
    self.init(
      statuses: [], state: state, energies: [], residuals: [], iterations: [], kinkNeurons: [],
      tiedCoordinates: [])
  }

  mutating func reserve(_ n: Int) {
    statuses = [SolutionStatus](repeating: .stepLimit, count: n)
    energies = [Double](repeating: 0, count: n)
    iterations = [Int](repeating: 0, count: n)
    kinkNeurons = iterations
    tiedCoordinates = iterations
  }

  /// Takes down how sample j of a set ended.
  mutating func record(_ set: ActiveSet, _ j: Int, _ status: SolutionStatus) {
    let s = set.samples[j]
    statuses[s] = status
    state.setSamples(from: s, to: set.state.samples([j]))
    energies[s] = set.energies[j]
    iterations[s] = set.iterations[j]
    for kink in set.kinks[j] {
      switch kink {
      case .value: kinkNeurons[s] += 1
      case .tie: tiedCoordinates[s] += 1
      }
    }
  }

  /// Appends the report on the samples from `start` on.
  mutating func append(_ other: PinnedEquilibrium, at start: Int) {
    state.setSamples(from: start, to: other.state)
    statuses += other.statuses
    energies += other.energies
    residuals += other.residuals
    iterations += other.iterations
    kinkNeurons += other.kinkNeurons
    tiedCoordinates += other.tiedCoordinates
  }
}

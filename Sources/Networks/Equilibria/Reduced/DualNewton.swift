import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// Minimises the reduced energy by Newton's method, each step from its dual.
///
/// The convex model on the faces where the cells stand (`FaceModel`) is solved for its forces by conjugate
/// gradients, as closely as the gap between primal and dual value shows to be worth while: a tenth of what the
/// model promises, all of it after a whole step. A line search on F takes the step through kinks and
/// ties; it costs no sweep, since predictions are affine in a. F never rises. Multipliers of copies are
/// renewed where F is nearly least for those that stand; then what falls is the augmented Lagrangian, and a sample
/// that ends above its start goes back there.
struct DualNewton: Sendable {
  let flat: FlatNetwork
  let elimination: Elimination
  let squares: SquaredMaps
  let settings: SolverSettings
  /// The steps from a start after which a sample counts as stalled.
  var patience = Int.max

  /// The gap of a model's solution, relative to what the model promises, until steps are whole, and then.
  ///
  /// Measured on convolutional networks: 0.3 or 0.6 takes as many sweeps in more steps.
  static let looseGap = 0.1
  static let tightGap = 1e-7
  /// How far a copy may be from what it is a copy of, at the end.
  static let separation = 1e-10
  /// How far forces may be from balance at the end, over the largest; and how many steps go into that.
  static let imbalance = 1e-7
  static let extraSteps = 10
  /// How much more tightly than at first copies are bound at most.
  static let largestCopyFactor = 1000.0

  /// - Parameter squares: those of the network, if they are known.
  init(
    _ energy: PinnedEnergy, _ flat: FlatNetwork, settings: SolverSettings,
    squares: SquaredMaps? = nil
  ) {
    self.flat = flat
    elimination = Elimination(energy, flat)
    self.squares = squares ?? SquaredMaps(energy.sheaf.network)
    self.settings = settings
  }

  /// Descends from a state, a few samples together.
  ///
  /// - Parameters:
  ///   - scales: of residuals, by sample.
  ///   - taken: the steps that each sample has taken; none if empty.
  ///   - settled: the samples that are at an equilibrium from the start and stay there.
  ///   - onEnd: called with the number of samples that have just ended.
  func minimize(
    _ energy: PinnedEnergy, from start: SheafState, scales: [Double], taken: [Int] = [],
    settled: [Int] = [], onEnd: (Int) -> Void = { _ in }
  ) -> PinnedEquilibrium {
    var end = PinnedEquilibrium(start)
    end.reserve(start.batch)
    var descent = Descent(self, energy, from: start, scales: scales, taken: taken)
    for s in settled { descent.progress[s].status = .converged }
    while true {
      if let reason = settings.halt.reason { descent.halt(reason) }
      let leaving = descent.ended
      if !leaving.isEmpty {
        descent.record(leaving, into: &end)
        if elimination.hasCopies {
          returnToStart(leaving.map { descent.samples[$0] }, start, energy, &end)
        }
        for q in leaving where descent.progress[q].status == .stalled {
          hold(descent.tornKinks(q), ofSample: descent.samples[q], energy, scales, &end)
        }
        for q in leaving where settled.contains(descent.samples[q]) {
          end.state.setSamples(
            from: descent.samples[q], to: start.samples([descent.samples[q]]))
        }
        descent.drop(leaving)
        onEnd(leaving.count)
      }
      guard descent.count > 0 else { return end }
      descent.step()
    }
  }

  /// How far one sample has come.
  struct Progress {
    /// F.
    var energy = 0.0
    var iterations = 0
    /// ‖∇F‖∞ over the sample's scale.
    var residual = Double.infinity
    /// The same over the largest force, 0 where rounding of the stalks may be all that it is; and the force of
    /// what copies are apart.
    var imbalance = Double.infinity
    var tear = 0.0
    /// The largest |y − s|/max(1, |s|) of a copy.
    var separation = 0.0
    /// The same when multipliers were last renewed.
    var lastSeparation = Double.infinity
    /// The last model's.
    var forces: [Observation.Key: Double] = [:]
    /// The steps since its gradient was small enough.
    var extraSteps = 0
    /// Whether its multipliers are other than at the last step.
    var isRenewed = false
    /// Whether the last step was a whole one.
    var isWhole = false
    /// The steps of length 0 in a row.
    var rests = 0
    var status: SolutionStatus?
  }

  /// Samples on their way.
  struct Descent {
    let method: DualNewton
    var reduced: ReducedEnergy
    var scales: [Double]
    /// The number of each sample.
    var samples: [Int]
    var progress: [Progress]
    /// a, with held coordinates; what inner ones have here counts for nothing.
    var x: [Matrix]
    /// Predictions.
    var m: [Matrix]
    var cells: [SampleCells]
    /// ∇F there, but for samples whose multipliers have just been renewed.
    var gradient: [Matrix]
    /// The steps since the start.
    var steps = 0

    var count: Int { samples.count }
    var elimination: Elimination { method.elimination }
    var ended: [Int] { progress.indices.filter { progress[$0].status != nil } }
  }
}

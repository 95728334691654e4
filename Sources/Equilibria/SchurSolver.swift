import LinearAlgebra
import NeuralSheaves

/// Relaxes a network against an output clamp through the Schur complement on the output
/// (Docs/NeuralSheaf.md): on a fixed pattern the equilibrium is exact.
///
/// With K the rows of δ_Ω⁻¹ that belong to z_{k+1} (n_{k+1} reverse sweeps) and P = K Kᵀ the state is
/// ω = forward pass + δ_Ω⁻¹Kᵀλ, where λ minimises ½λᵀPλ plus the clamp's energy at ŷ + Pλ. For the
/// squared energy that is (P + I/κ)λ = y − ŷ.
///
/// Patterns start from the forward pass and are read again from each solution, `solves` times at
/// most. That settles where the clamp is soft; samples whose pattern still changes are reported and
/// not at a stationary point.
public struct SchurSolver: Sendable {
  /// The most solves.
  public var solves: Int

  /// A solver with the given budget.
  public init(solves: Int = 3) {
    precondition(solves > 0, "\(solves) solves, expected at least one")
    self.solves = solves
  }

  /// Relaxes a batch.
  ///
  /// Cost: n_{k+1} + 2 sweeps and a factorisation of order n_{k+1} per sample and solve.
  /// - Parameter input: (n₀, batch).
  public func relax(_ sheaf: NeuralSheaf, input: Matrix, clamp: OutputClamp) -> ClampedEquilibrium {
    let last = sheaf.network.lastVertex
    let batch = input.columns
    precondition(
      clamp.target.rows == sheaf.network.outputDimension && clamp.target.columns == batch,
      "target \(clamp.target.shape) for an output of dimension \(sheaf.network.outputDimension)")
    var base = sheaf.forwardPass(input)
    let prediction = base.stalks[last]
    var patterns = sheaf.patterns(at: base)
    var state = base
    var rho = sheaf.zeroCochain(batch: batch)
    var tensions = Matrix(rows: clamp.target.rows, columns: batch)
    var isSettled = [Bool](repeating: false, count: batch)
    var used = 0
    while used < solves && isSettled.contains(false) {
      if used > 0 {
        base = sheaf.extend(input, injecting: sheaf.zeroCochain(batch: batch), at: patterns)
      }
      used += 1
      let (k, p) = responses(sheaf, at: patterns, batch: batch)
      tensions = clamp.tensions(prediction: base.stalks[last], p)
      for v in rho.indices where v > 0 { rho[v].setBlockProducts(k[v], tensions) }
      state = sheaf.extend(input, injecting: rho, at: patterns)
      let next = sheaf.patterns(at: state)
      for j in 0..<batch {
        isSettled[j] = zip(patterns, next).allSatisfy { $0.agrees(with: $1, sample: j) }
      }
      if used < solves { patterns = next }
    }
    let actual = sheaf.discrepancy(state)
    return ClampedEquilibrium(
      state: state, discrepancy: actual, tensions: tensions,
      energies: clamp.energies(actual, state.stalks[last]), isSettled: isSettled,
      residuals: clamp.residuals(sheaf, state, actual, prediction: prediction), solves: used)
  }

  /// K_j in blocks of columns, one per output coordinate, and P_j = K_jᵀK_j side by side.
  private func responses(
    _ sheaf: NeuralSheaf, at patterns: [ActivationPattern], batch: Int
  ) -> (k: [Matrix], p: Matrix) {
    let n = sheaf.network.outputDimension
    var seed = sheaf.zeroCochain(batch: n * batch)
    let identity = Matrix.identity(n)
    for j in 0..<batch { seed[sheaf.network.lastVertex].setColumns(from: j * n, to: identity) }
    let k = sheaf.reverseSubstitution(seed, at: patterns.map { $0.repeatingEachSample(n) })
    var p = Matrix(rows: n, columns: n * batch)
    for v in k.indices where v > 0 { p.addBlockGrams(of: k[v]) }
    return (k, p)
  }
}

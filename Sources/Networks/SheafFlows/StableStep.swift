import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

extension HeatFlow {
  /// λ_max of the Hessian of the energy on the free coordinates for fixed patterns, the largest
  /// over the batch: L[Ω,Ω], soft pins and the output edge (its Jacobian at the bound of
  /// `OutputActivation.jacobianBound`) included.
  ///
  /// By Lanczos iterations on all samples side by side; each product costs two sweeps. Cut short by `halt`
  /// it is too small.
  public func largestEigenvalue(
    at patterns: [ActivationPattern], batch: Int, tolerance: Double = 1e-4, halt: Halt = .never
  ) -> Double {
    let hessian = PinnedHessian(pinned, at: patterns, batch: batch)
    var generator = RandomGenerator(seed: 0)
    let start = hessian.cleared(generator.normalMatrix(rows: hessian.rows, columns: batch))
    guard start.sumOfSquares > 0 else { return 0 }
    return largestEigenvalues(of: hessian, from: start, tolerance: tolerance, halt: halt)
      .value.maximum() ?? 0
  }

  /// The bound 2/(α λ_max) below which forward Euler is stable on the patterns of a state.
  ///
  /// Cut short by `halt` it is too large.
  public func stableStep(at state: SheafState, halt: Halt = .never) -> Double {
    2
      / (alpha
        * largestEigenvalue(at: sheaf.patterns(at: state), batch: state.batch, halt: halt))
  }
}

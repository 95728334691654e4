import LinearAlgebra

extension ConicProgram {
  /// How closely and how long to iterate.
  public struct Settings: Sendable {
    /// The relative residuals and the relative gap that count as optimal.
    public var tolerance: Double
    /// What counts as optimal, or as a certificate, where rounding lets the iteration come no closer.
    public var acceptableTolerance: Double
    /// The residual of a certificate that is scaled to bᵀy + hᵀz = −1, or qᵀx = −1.
    public var certificateTolerance: Double
    /// The most steps.
    public var stepLimit: Int
    /// Asked before each step whether to end.
    public var halt: Halt

    /// Settings, those of double precision by default.
    public init(
      tolerance: Double = 1e-9, acceptableTolerance: Double = 1e-7,
      certificateTolerance: Double = 1e-8, stepLimit: Int = 200, halt: Halt = .never
    ) {
      (self.tolerance, self.acceptableTolerance) = (tolerance, acceptableTolerance)
      (self.certificateTolerance, self.stepLimit, self.halt) = (
        certificateTolerance, stepLimit, halt
      )
    }
  }

  /// What a solution is.
  public enum Status: String, Sendable {
    /// The conditions of Karush, Kuhn and Tucker hold to the tolerance.
    case optimal
    /// No x meets the constraints: y and z prove it, Aᵀy + Gᵀz ≈ 0, z ∈ K, bᵀy + hᵀz = −1.
    case infeasible
    /// x is a direction along which the objective falls for ever: P x ≈ 0, A x ≈ 0, −G x ∈ K nearly, qᵀx = −1.
    case unbounded
    /// The steps came to nothing, or were used up, before the tolerance was met.
    case stalled
    /// The caller asked for an end, or the time was used up.
    case interrupted
  }

  /// The point that the iteration came to, with the multipliers of the constraints.
  public struct Solution: Sendable {
    /// What the vectors are.
    public internal(set) var status: Status
    /// The unknowns, n; of an infeasible program the last iterate, of an unbounded one the direction.
    public internal(set) var x: [Double]
    /// The multipliers of the equalities, p.
    public internal(set) var y: [Double]
    /// The multipliers of the cones, m, in K.
    public internal(set) var z: [Double]
    /// h − G x, m, in K; of an unbounded program −G x.
    public internal(set) var s: [Double]
    /// ½ xᵀPx + qᵀx; ∞ of an infeasible program, −∞ of an unbounded one.
    public internal(set) var objective: Double
    /// −½ xᵀPx − bᵀy − hᵀz, a lower bound on the objective as far as the dual residual is 0; ∞ and −∞ as above.
    public internal(set) var dualObjective: Double
    /// |objective − dualObjective| / max(1, the smaller magnitude of the two); of a certificate 0.
    public internal(set) var gap: Double
    /// The largest of |A x − b| and |G x + s − h| over the largest term of these, at least 1; of a direction the
    /// largest of |A x| and |G x + s|, of an infeasible program ∞.
    public internal(set) var primalResidual: Double
    /// The largest of |P x + Aᵀy + Gᵀz + q| over the largest term of it, at least 1; of a certificate of
    /// infeasibility the largest of |Aᵀy + Gᵀz|: no x with a 1-norm below the reciprocal of it is feasible; of a
    /// direction the largest of |P x|.
    public internal(set) var dualResidual: Double
    /// The steps taken.
    public internal(set) var iterations: Int
  }
}

import CellularSheaves
import LinearAlgebra
import SheafCohomology

/// Bounded confidence: an edge is listened to where its discord ‖(δx)_e‖, in the inner product of the edge, is at most ε
/// (Hansen, Ghrist 2021; for numbers Hegselmann, Krause 2002).
///
/// A step is x_Ω ← x_Ω − h g_Ω with g = δ*(w δx), w_e = 1 for edges that are listened to and 0 for others. The energy
///
///     Ψ(x) = ½ Σ_e min(‖(δx)_e‖², ε²)
///
/// does not rise for 0 ≤ h ≤ 2/λ, λ the largest eigenvalue of L_ΩΩ. Proof, by majorisation: φ(s) = min(s, ε²) is concave in
/// s, and w_e is a slope of a line that touches it from above at s_e = ‖(δx)_e‖² (at s_e = ε² both 0 and 1 are). Hence for
/// any x′, Ψ(x′) ≤ Ψ(x) + Q(x′) − Q(x) with the quadratic Q(x) = ½ Σ w_e ‖(δx)_e‖², whose gradient is g. Along the step,
///
///     Q(x − h g_Ω) − Q(x) = −h ‖g_Ω‖² + h²/2 ⟨g_Ω, δ* w δ g_Ω⟩ ≤ −h (1 − hλ/2) ‖g_Ω‖² ≤ 0,
///
/// because δ* w δ ≤ δ*δ.
extension DiscourseDynamics {
  /// What bounded confidence came to.
  public struct BoundedConfidence: Sendable {
    /// The states, with Ψ for energies.
    public internal(set) var trajectory: OpinionTrajectory
    /// The edges that are listened to at the end, for each column.
    public internal(set) var listened: [[Int]]
    /// h.
    public let step: Double
  }

  /// Synchronous steps of bounded confidence.
  ///
  /// - Parameters:
  ///   - start: x(0), one history per column, each with the edges that it listens to.
  ///   - confidence: ε ≥ 0.
  ///   - fraction: h = fraction/‖L_ΩΩ‖₁, which is at most fraction/λ; in (0, 2).
  ///   - steps: after how many steps states are recorded, ascending.
  ///   - tolerance: opinions rest where a step would change none by more than this times the largest.
  ///   - halt: asked before each step.
  /// - Returns: The states at the steps asked for up to the end; where opinions rest before, that is recorded as the last.
  /// - Throws: `notFinite` for opinions that are not.
  /// - Complexity: two products with δ for each step.
  public func boundedConfidence(
    from start: Matrix, confidence: Double, fraction: Double = 0.9, recording steps: [Int],
    tolerance: Double = 1e-14, halt: Halt = .never
  ) throws(FactorizationError) -> BoundedConfidence {
    precondition(confidence >= 0, "a confidence of \(confidence)")
    precondition(fraction > 0 && fraction < 2, "a fraction of \(fraction)")
    precondition(zip([0] + steps, steps).allSatisfy { $0 <= $1 }, "steps \(steps)")
    try check(start)
    let bound = laplacian.laplacian.matrix.oneNorm
    let h = bound > 0 ? fraction / bound : 0
    let adjoint = sheaf.coboundaryTransposed(0, in: .orthonormal)
    var x = sheaf.orthonormal(start, degree: 0)
    var result = BoundedConfidence(
      trajectory: OpinionTrajectory(last: start, status: .stepLimit), listened: [], step: h)
    var made = 0
    var discord = ListenedDiscord(sheaf, adjoint.adjoint(x), confidence)
    func record() {
      let state = made == 0 ? start : replacing(moving(of: sheaf.given(x, degree: 0)), in: start)
      result.trajectory.record(state, at: Double(made), energies: discord.energies)
    }
    recording: for step in steps {
      while made < step {
        var change = moving(of: adjoint(discord.heard))
        change.scale(by: -h)
        let rests = change.maximumMagnitude <= tolerance * x.maximumMagnitude
        if let reason = rests ? .converged : halt.reason {
          result.trajectory.status = reason
          break recording
        }
        for j in 0..<x.columns {
          for (i, place) in free.enumerated() { x[place, j] += change[i, j] }
        }
        discord = ListenedDiscord(sheaf, adjoint.adjoint(x), confidence)
        made += 1
      }
      record()
    }
    if result.trajectory.times.last != Double(made) { record() }
    result.trajectory.steps = made
    result.listened = discord.listened
    return result
  }
}

/// A discord with what of it is listened to.
private struct ListenedDiscord {
  /// The discord, 0 on edges that are not listened to.
  var heard: Matrix
  /// The edges that are, for each column.
  var listened: [[Int]]
  /// Ψ of each column.
  var energies: [Double]

  /// - Parameter discord: in orthonormal coordinates.
  init(_ sheaf: CellularSheaf, _ discord: Matrix, _ confidence: Double) {
    heard = discord
    listened = (0..<discord.columns).map { _ in [] }
    energies = (0..<discord.columns).map { _ in 0 }
    for edge in sheaf.complex.cells(ofDimension: 1) {
      let place = sheaf.range(of: edge)
      for j in 0..<discord.columns {
        let square = place.reduce(0) { $0 + discord[$1, j] * discord[$1, j] }
        // ε² may overflow where ε is large.
        if square.squareRoot() <= confidence {
          listened[j].append(edge)
          energies[j] += square / 2
        } else {
          energies[j] += confidence * confidence / 2
          for i in place { heard[i, j] = 0 }
        }
      }
    }
  }
}

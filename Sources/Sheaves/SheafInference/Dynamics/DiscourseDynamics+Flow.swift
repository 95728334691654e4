import CellularSheaves
import LinearAlgebra
import SheafCohomology
import SparseFactorizations

/// The flow ẋ_Ω = −α (L x)_Ω and where it goes.
///
/// Let x* be any harmonic extension of what the stubborn vertices hold: L_ΩΩ x*_Ω = −L_ΩU u. Then ẋ_Ω = −α (L_ΩΩ x_Ω +
/// L_ΩU u) = −α L_ΩΩ (x_Ω − x*_Ω), so that
///
///     x_Ω(t) = x*_Ω + exp(−α t L_ΩΩ)(x_Ω(0) − x*_Ω).
///
/// L_ΩΩ is selfadjoint in the inner products of the stalks; let P be the orthogonal projection onto its kernel, which is
/// that of δ on Ω. On the kernel the exponential is 1, on its complement it falls at least like exp(−α λ t), λ the least
/// positive eigenvalue. Hence x_Ω(t) → x*_Ω + P(x_Ω(0) − x*_Ω): what the start has along the kernel stays. Another harmonic
/// extension is x* + k with k in the kernel; as exp(−αtL_ΩΩ)k = Pk = k, it gives the same flow and the same limit, and
/// where L_ΩΩ is singular the extension of least norm will do.
extension DiscourseDynamics {
  /// The flow at some times, exact to rounding: the exponential by Chebyshev's expansion (`SheafLaplacian.heatFlow`), from
  /// each time to the next.
  ///
  /// - Parameters:
  ///   - start: x(0), the stubborn vertices' values included.
  ///   - times: ascending, not negative.
  /// - Throws: `notFinite` for opinions that are not; what factorisations throw.
  /// - Complexity: a harmonic extension, and Σ 6√(α Δt ‖L_ΩΩ‖₁) + 8 products with L_ΩΩ.
  public func flow(
    from start: Matrix, times: [Double]
  ) throws(FactorizationError) -> OpinionTrajectory {
    precondition(
      zip([0] + times, times).allSatisfy { $0 <= $1 && $1.isFinite }, "times \(times)")
    try check(start)
    let (target, status) = try harmonicExtension(of: start)
    var trajectory = OpinionTrajectory(last: start, status: status)
    let rest = moving(of: target)
    var difference = moving(of: start)
    difference.add(rest, scale: -1)
    let laplacian = laplacian
    var now = 0.0
    for time in times {
      difference = laplacian.heatFlow(difference, time: rate * (time - now))
      var part = rest
      part.add(difference)
      let state = time == 0 ? start : replacing(part, in: start)
      trajectory.record(state, at: time, energies: energies(state))
      now = time
    }
    return trajectory
  }

  /// Where the flow goes.
  public struct Limit: Sendable {
    /// x* + P(x(0) − x*), one per column.
    public let opinions: Matrix
    /// ½‖δx‖² of each column: what disagreement stays.
    public let energies: [Double]
    /// The dimension of the kernel of L_ΩΩ, the memory of the start; nil where it was not found.
    public let freedom: Int?
    /// `converged`, unless the harmonic extension was left to conjugate gradients that did not.
    public let status: SolutionStatus
  }

  /// The limit of the flow: x* + P(x(0) − x*).
  ///
  /// Updates of one stalk at a time have it too where there is no freedom; where there is, they move along other ways.
  ///
  /// - Throws: As `flow`.
  /// - Complexity: a harmonic extension and, where it leaves freedom, a projection onto the cocycles of `relative`.
  public func limit(from start: Matrix) throws(FactorizationError) -> Limit {
    try check(start)
    guard !free.isEmpty else {
      return Limit(opinions: start, energies: energies(start), freedom: 0, status: .converged)
    }
    let found = try HarmonicExtension(
      of: held(start), on: sheaf.coordinates(stubborn), in: sheaf)
    var x = found.cochains
    if found.freedom != 0 {
      var part = moving(of: start)
      part.add(moving(of: x), scale: -1)
      part = try NearestCocycle(to: part, in: relative).cocycles
      part.add(moving(of: x))
      x = replacing(part, in: start)
    }
    return Limit(
      opinions: x, energies: energies(x), freedom: found.freedom, status: found.status)
  }

  /// α times the least positive eigenvalue of L_ΩΩ: ‖x(t) − limit‖ falls at least like exp(−rate · t). ∞ where nothing
  /// moves.
  ///
  /// - Throws: What factorisations throw; `outOfMemory` where the dimension of the kernel could not be found,
  ///   `noConvergence` where the eigenvalue could not.
  /// - Complexity: a factorisation of δ_Ω and that of the smallest eigenvalues, as many as the kernel has dimensions and
  ///   one more.
  public func decayRate() throws(FactorizationError) -> Double {
    let laplacian = laplacian
    let n = laplacian.triangle.rows
    guard n > 0 else { return .infinity }
    let nothing = Matrix(rows: 0, columns: 0)
    guard let freedom = try HarmonicExtension(of: nothing, on: [], in: relative).freedom else {
      throw .outOfMemory
    }
    guard freedom < n else { return .infinity }
    let spectrum = try LaplacianSpectrum(smallest: freedom + 1, of: laplacian)
    guard spectrum.status == .converged, spectrum.values.count > freedom else {
      throw .noConvergence
    }
    return rate * spectrum.values[freedom]
  }

  private func held(_ start: Matrix) -> Matrix {
    start[rows: sheaf.coordinates(stubborn), columns: Array(0..<start.columns)]
  }

  private func harmonicExtension(
    of start: Matrix
  ) throws(FactorizationError) -> (Matrix, SolutionStatus) {
    guard !free.isEmpty else { return (start, .converged) }
    let found = try HarmonicExtension(
      of: held(start), on: sheaf.coordinates(stubborn), in: sheaf)
    return (found.cochains, found.status)
  }
}

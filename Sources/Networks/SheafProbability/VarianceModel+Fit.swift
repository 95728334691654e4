import Foundation
import LinearAlgebra

/// Variance components of greatest likelihood.
public struct VarianceFit: Sendable {
  /// τ by component.
  public let variances: [Double]
  /// ℓ(τ).
  public let logLikelihood: Double
  /// The deviations of τ by the observed information of the components that are positive; nil for those at 0, and for all where
  /// that information has no inverse.
  public let standardErrors: [Double?]
  /// How far τ is from a stationary point: the largest of |τ_c ∂ℓ/∂τ_c| and, where ∂ℓ/∂τ_c > 0, of u_c ∂ℓ/∂τ_c with u_c the component's
  /// unit, over half the number of residuals. Without positive derivatives at 0 and others elsewhere, τ meets the
  /// conditions of a maximum.
  public let violation: Double
  /// `converged` if the violation came below the tolerance.
  public let status: SolutionStatus
  /// The steps taken.
  public let steps: Int
}

extension VarianceModel {
  /// The variances of greatest likelihood near a start.
  ///
  /// The monotone update to begin with and wherever nothing else rises; else steps of the average information, later of the observed, on the
  /// components that are positive or want to be, projected onto τ ≥ 0 and halved until ℓ rises. ℓ never falls by more than rounding. The update alone converges
  /// linearly, and slowly where components look alike: 1,500 steps and more where this takes 20.
  ///
  /// - Parameters:
  ///   - start: variances, positive; nil for equal shares of the mean square.
  ///   - tolerance: bound on `violation`.
  ///   - hasStandardErrors: whether to work them out, which takes n³ for each component and sample.
  /// - Throws: `VarianceError.indefinite` where the S_i of the start have no inverse.
  public func fit(
    from start: [Double]? = nil, tolerance: Double = 1e-6, stepLimit: Int = 500,
    hasStandardErrors: Bool = true
  ) throws(VarianceError) -> VarianceFit {
    let (point, violation, steps) = try ascend(
      from: start, tolerance: tolerance, stepLimit: stepLimit)
    return VarianceFit(
      variances: point.variances, logLikelihood: point.logLikelihood,
      standardErrors: hasStandardErrors
        ? standardErrors(at: point) : .init(repeating: nil, count: count),
      violation: violation,
      status: violation <= tolerance ? .converged : steps < stepLimit ? .stalled : .stepLimit,
      steps: steps)
  }

  /// Equal shares of the residuals' mean square.
  public var evenVariances: [Double] {
    units.map { $0 / Double(max(count, 1)) }
  }

  func ascend(
    from start: [Double]?, tolerance: Double, stepLimit: Int = 500
  ) throws(VarianceError) -> (point: Point, violation: Double, steps: Int) {
    var point = try known(start ?? evenVariances)
    var (steps, still) = (0, 0)
    while true {
      let violation = violation(of: point)
      if violation <= tolerance || steps >= stepLimit || still >= 10 {
        return (point, violation, steps)
      }
      steps += 1
      let before = point.logLikelihood
      // Far from the top the observed information need not be definite, and the average is as good.
      if steps > 3, let better = informedStep(from: point, observed: steps > 12) {
        point = better
      } else if let next = self.point(Self.update(point)),
        next.logLikelihood >= before - 1e-13 * abs(before)
      {
        point = next
      } else {
        return (point, violation, steps)
      }
      // What rounding leaves of a rise.
      still = point.logLikelihood - before <= 1e-14 * abs(before) ? still + 1 : 0
    }
  }

  private func violation(of point: Point) -> Double {
    let worst = point.gradient.indices.reduce(0.0) { worst, c in
      let g = point.gradient[c]
      return max(worst, g > 0 ? max(units[c], point.variances[c]) * g : -point.variances[c] * g)
    }
    return 2 * worst / Double(residuals.count)
  }

  /// A projected Newton step along which ℓ rises, if there is one: with the observed information where that is asked for and definite, else
  /// with the average.
  ///
  /// Components that are all but 0, and whose best value on their own is not above it, are set to 0 at once (Bertsekas 1982): a step that was worked out for them as well would
  /// be cut short where they hit 0, again and again.
  private func informedStep(from point: Point, observed: Bool) -> Point? {
    let (tau, g) = (point.variances, point.gradient)
    let information = observed ? observedInformation(at: point) : averageInformation(point)
    let leaving = Set(
      tau.indices.filter { c in
        tau[c] > 0 && tau[c] <= 1e-3 * units[c] && g[c] < 0
          && tau[c] * information[c, c] + g[c] <= 0
      })
    var free = tau.indices.filter { !leaving.contains($0) && (tau[$0] > 0 || g[$0] > 0) }
    var direction: [Double] = []
    while !free.isEmpty {
      guard let solved = solve(information, g, on: free) else {
        return observed ? informedStep(from: point, observed: false) : nil
      }
      direction = solved
      let blocked = Set(
        zip(free, direction).filter { c, d in tau[c] <= 0 && d < 0 }.map { $0.0 })
      if blocked.isEmpty { break }
      free.removeAll { blocked.contains($0) }
    }
    guard !free.isEmpty || !leaving.isEmpty else { return nil }
    var length = 1.0
    for _ in 0..<8 {
      var next = tau
      for c in leaving { next[c] = 0 }
      for (c, d) in zip(free, direction) { next[c] = max(0, tau[c] + length * d) }
      let slope = next.indices.reduce(0) { $0 + g[$1] * (next[$1] - tau[$1]) }
      if slope > 0, let end = self.point(next) {
        if end.logLikelihood >= point.logLikelihood + 1e-4 * slope { return end }
        // So near to the top that rounding hides the rise, the derivatives decide.
        let rounding = 1e-12 * max(1, abs(point.logLikelihood))
        if slope < 10 * rounding && abs(end.logLikelihood - point.logLikelihood) < rounding
          && violation(of: end) < violation(of: point) / 2
        {
          return end
        }
      }
      length /= 2
    }
    return nil
  }

  /// information⁻¹ g on some components, nil where it is not definite. In units of the components, so that a ridge means the same for each.
  private func solve(_ information: Matrix, _ g: [Double], on free: [Int]) -> [Double]? {
    var system = Matrix(rows: free.count, columns: free.count)
    var side = Matrix(rows: free.count, columns: 1)
    for (a, c) in free.enumerated() {
      side[a, 0] = units[c] * g[c]
      for (b, d) in free.enumerated() { system[a, b] = units[c] * units[d] * information[c, d] }
    }
    let ridge = 1e-10 * (0..<free.count).reduce(0) { max($0, system[$1, $1]) }
    for a in 0..<free.count { system[a, a] += ridge }
    guard let factor = try? CholeskyFactorization(system) else { return nil }
    factor.solve(&side)
    return free.enumerated().map { a, c in units[c] * side[a, 0] }
  }

  private func standardErrors(at point: Point) -> [Double?] {
    let none = [Double?](repeating: nil, count: count)
    let free = (0..<count).filter { point.variances[$0] > 0 }
    guard !free.isEmpty else { return none }
    let information = observedInformation(at: point)
    var system = Matrix(rows: free.count, columns: free.count)
    for (a, c) in free.enumerated() {
      for (b, d) in free.enumerated() { system[a, b] = units[c] * units[d] * information[c, d] }
    }
    guard let factor = try? CholeskyFactorization(system) else { return none }
    var inverse = Matrix.identity(free.count)
    factor.solve(&inverse)
    var result = none
    for (a, c) in free.enumerated() { result[c] = units[c] * inverse[a, a].squareRoot() }
    return result
  }
}

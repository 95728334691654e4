import Foundation
import LinearAlgebra
import NeuralSheaves

/// The covariance of z_{k+1} under the noise of the edges, sample by sample on a fixed pattern:
///
///     C = KΓ⁻¹Kᵀ = Σ_e γ_e⁻¹ J_e J_eᵀ,   J_e = ∂z_{k+1}/∂ρ_e,
///
/// K being the rows of δ_Ω⁻¹ that belong to z_{k+1} and J_e its columns of the edge e. It is exact where the noise leaves the pattern
/// as it is, and the linearisation otherwise.
public struct PredictiveCovariance: Sendable, Equatable {
  /// C of each sample, (n_{k+1}, n_{k+1}).
  public let matrices: [Matrix]

  /// The diagonals, (n_{k+1}, batch).
  public var variances: Matrix {
    Matrix(
      rows: matrices.first?.rows ?? 0, columns: matrices.count,
      columnMajor: matrices.flatMap { p in (0..<p.rows).map { p[$0, $0] } })
  }

  /// S = C + I/κ of each sample: the covariance of an output that is observed with noise of precision κ.
  public func observed(coupling kappa: Double) -> [Matrix] {
    precondition(kappa > 0, "κ = \(kappa), expected a positive number")
    return matrices.map { p in
      var s = p
      for i in 0..<s.rows { s[i, i] += 1 / kappa }
      return s
    }
  }
}

/// What one edge contributes to a predictive covariance, by unit of its variance, sample by sample.
public struct EdgeCovariance: Sendable, Equatable {
  /// The edge's place in `network.edges`.
  public let edge: Int
  /// J_e J_eᵀ, for noise that is added: C is the sum of γ_e⁻¹ J_e J_eᵀ.
  public let additive: [Matrix]
  /// J_e diag(t²) J_eᵀ, t the value that the edge determines: for noise that multiplies it; empty where it was not asked for.
  public let gain: [Matrix]
}

extension GaussianSheaf {
  /// C on the pattern of the forward pass. Cost: a forward pass and n_{k+1} reverse sweeps.
  ///
  /// - Parameter input: (n₀, batch).
  public func predictiveCovariance(
    _ input: Matrix, threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) -> PredictiveCovariance {
    predictiveCovariance(
      at: sheaf.patterns(at: sheaf.forwardPass(input)), batch: input.columns, threads: threads)
  }

  /// C on given patterns, one per edge. Cost: n_{k+1} reverse sweeps.
  public func predictiveCovariance(
    at patterns: [ActivationPattern], batch: Int,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) -> PredictiveCovariance {
    PredictiveCovariance(
      matrices: covariances(
        of: network.coordinates(of: [network.lastVertex]), at: patterns, batch: batch,
        threads: threads))
  }

  /// The diagonal of C on given patterns, (n_{k+1}, batch), without the rest of it. Cost: n_{k+1} reverse sweeps.
  public func predictiveVariances(
    at patterns: [ActivationPattern], batch: Int,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) -> Matrix {
    let n = network.outputDimension
    let noise = noise
    let sums = pullBack(
      network.coordinates(of: [network.lastVertex]), at: patterns, batch: batch, threads: threads,
      part: { [Double](repeating: 0, count: n * $0.count) }
    ) { e, rows, _, sums in
      rows.addColumnDots(rows, scale: noise.variance(ofEdge: e), into: &sums)
    }
    return Matrix(rows: n, columns: batch, columnMajor: sums.flatMap { $0 })
  }

  /// The diagonal of C on the pattern of the forward pass, (n_{k+1}, batch).
  public func predictiveVariances(
    _ input: Matrix, threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) -> Matrix {
    predictiveVariances(
      at: sheaf.patterns(at: sheaf.forwardPass(input)), batch: input.columns, threads: threads)
  }

  /// The part of each edge in C, at a state and on its pattern, in the order of `network.edges`.
  ///
  /// - Parameter hasGains: whether gains are worked out as well.
  /// - Complexity: n_{k+1} reverse sweeps; two matrices of order n_{k+1} for each edge and sample, one without gains.
  public func edgeCovariances(
    at state: SheafState, gains hasGains: Bool = true,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) -> [EdgeCovariance] {
    let (network, n) = (network, network.outputDimension)
    typealias Grams = [(additive: Matrix, gain: Matrix)]
    let parts = pullBack(
      network.coordinates(of: [network.lastVertex]), at: sheaf.patterns(at: state),
      batch: state.batch, threads: threads,
      part: { range -> [Grams] in
        let zero = Matrix(rows: n, columns: n)
        let gain = hasGains ? zero : Matrix(rows: 0, columns: 0)
        return network.edges.map { _ in Grams(repeating: (zero, gain), count: range.count) }
      }
    ) { e, rows, samples, grams in
      let edge = network.edges[e]
      let value = state.stalks[edge.target]
      for q in 0..<samples.count {
        grams[e][q].additive.addGram(ofColumns: q * n..<(q + 1) * n, of: rows)
      }
      guard hasGains else { return }
      var scaled = rows
      for (q, j) in samples.enumerated() {
        for k in q * n..<(q + 1) * n {
          for (p, i) in edge.operation.targetRows.enumerated() { scaled[p, k] *= value[i, j] }
        }
      }
      for q in 0..<samples.count {
        grams[e][q].gain.addGram(ofColumns: q * n..<(q + 1) * n, of: scaled)
      }
    }
    return network.edges.indices.map { e in
      let grams = parts.flatMap { $0[e] }
      return EdgeCovariance(
        edge: e, additive: grams.map(\.additive.mirrored),
        gain: hasGains ? grams.map(\.gain.mirrored) : [])
    }
  }
}

import Foundation
import LinearAlgebra
import NeuralSheaves

extension GaussianSheaf {
  /// What each component contributes to the covariance of z_{k+1} by unit of its variance, at a state and on its pattern: the
  /// sums of J_e J_eᵀ or J_e diag(t²) J_eᵀ over its edges, J J ᵀ with J = ∂z_{k+1}/∂x for the input, I for the constant
  /// part.
  ///
  /// The stiffness of the model does not enter.
  ///
  /// - Returns: by component and sample, (n_{k+1}, n_{k+1}).
  /// - Complexity: n_{k+1} reverse sweeps, a matrix of order n_{k+1} for each component and sample.
  public func componentCovariances(
    of components: [NoiseComponent], at state: SheafState,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) -> [[Matrix]] {
    let (network, n) = (network, network.outputDimension)
    let users = Users(components, of: network)
    let parts = pullBack(
      network.coordinates(of: [network.lastVertex]), at: sheaf.patterns(at: state),
      batch: state.batch, threads: threads, input: users.input.isEmpty ? .held : .free,
      part: { range in
        [Matrix](repeating: Matrix(rows: n, columns: n), count: components.count * range.count)
      },
      atInput: { rows, samples, grams in
        for c in users.input {
          for q in 0..<samples.count {
            grams[c * samples.count + q].addGram(ofColumns: q * n..<(q + 1) * n, of: rows)
          }
        }
      }
    ) { e, rows, samples, grams in
      func add(_ rows: Matrix, to component: Int) {
        for q in 0..<samples.count {
          grams[component * samples.count + q].addGram(
            ofColumns: q * n..<(q + 1) * n, of: rows)
        }
      }
      for c in users.additive[e] { add(rows, to: c) }
      guard !users.gain[e].isEmpty else { return }
      let scaled = network.scaled(rows, edge: e, by: state, samples) { $0 }
      for c in users.gain[e] { add(scaled, to: c) }
    }
    return components.indices.map { c in
      if components[c].source == .constant {
        return [Matrix](repeating: .identity(n), count: state.batch)
      }
      return parts.flatMap { part in
        let samples = part.count / components.count
        return part[c * samples..<(c + 1) * samples].map(\.mirrored)
      }
    }
  }

  /// Σ_c τ_c P_c of each sample: the covariance of z_{k+1} under noise of several components.
  ///
  /// Cost: n_{k+1} reverse sweeps.
  public func predictiveCovariance(
    of noise: ComponentNoise, at state: SheafState,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) -> PredictiveCovariance {
    let n = network.outputDimension
    let constant = noise.constant
    return PredictiveCovariance(
      matrices: pullBack(
        noise, at: state, threads: threads,
        part: { range in
          [Matrix](
            repeating: .diagonal([Double](repeating: constant, count: n)), count: range.count)
        }
      ) { rows, samples, grams in
        for q in 0..<samples.count {
          grams[q].addGram(ofColumns: q * n..<(q + 1) * n, of: rows)
        }
      }.flatMap { $0 }.map(\.mirrored))
  }

  /// The diagonals of Σ_c τ_c P_c, (n_{k+1}, batch), without the rest of it. Cost: n_{k+1} reverse sweeps.
  public func predictiveVariances(
    of noise: ComponentNoise, at state: SheafState,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) -> Matrix {
    let n = network.outputDimension
    let constant = noise.constant
    let sums = pullBack(
      noise, at: state, threads: threads,
      part: { [Double](repeating: constant, count: n * $0.count) }
    ) { rows, _, sums in rows.addColumnDots(rows, into: &sums) }
    return Matrix(rows: n, columns: state.batch, columnMajor: sums.flatMap { $0 })
  }

  /// Reverse sweeps whose rows are scaled by the deviations of a noise.
  private func pullBack<Part: Sendable>(
    _ noise: ComponentNoise, at state: SheafState, threads: Int, part: (Range<Int>) -> Part,
    visit: @Sendable (Matrix, Range<Int>, inout Part) -> Void
  ) -> [Part] {
    precondition(
      noise.additive.count == network.edges.count, "noise of \(noise.additive.count) edges")
    let network = network
    let input = noise.input
    return pullBack(
      network.coordinates(of: [network.lastVertex]), at: sheaf.patterns(at: state),
      batch: state.batch, threads: threads, input: input > 0 ? .free : .held, part: part,
      atInput: { rows, samples, part in
        var rows = rows
        rows.scale(by: input.squareRoot())
        visit(rows, samples, &part)
      }
    ) { e, rows, samples, part in
      let (a, b) = (noise.additive[e], noise.gain[e])
      guard a > 0 || b > 0 else { return }
      if b == 0 {
        var rows = rows
        rows.scale(by: a.squareRoot())
        visit(rows, samples, &part)
      } else {
        let scaled = network.scaled(rows, edge: e, by: state, samples) {
          (a + b * $0 * $0).squareRoot()
        }
        visit(scaled, samples, &part)
      }
    }
  }

  /// Which components an edge or the input belongs to.
  private struct Users: Sendable {
    var (additive, gain): ([[Int]], [[Int]])
    var input: [Int] = []

    init(_ components: [NoiseComponent], of network: Network) {
      additive = [[Int]](repeating: [], count: network.edges.count)
      gain = additive
      for (c, component) in components.enumerated() {
        if component.source == .input { input.append(c) }
        for e in component.edges(of: network) {
          if component.isGain { gain[e].append(c) } else { additive[e].append(c) }
        }
      }
    }
  }
}

extension Network {
  /// Rows with as many columns for each sample as there are outputs, each scaled by a function of the value that the edge
  /// determines there.
  fileprivate func scaled(
    _ rows: Matrix, edge e: Int, by state: SheafState, _ samples: Range<Int>,
    _ factor: (Double) -> Double
  ) -> Matrix {
    let (edge, n) = (edges[e], outputDimension)
    let targets = Array(edge.operation.targetRows)
    var factors = Matrix(rows: rows.rows, columns: rows.columns)
    for (q, j) in samples.enumerated() {
      let values = targets.map { factor(state.stalks[edge.target][$0, j]) }
      for k in q * n..<(q + 1) * n { factors.setColumn(k, to: values, from: 0) }
    }
    factors.multiply(elementwise: rows)
    return factors
  }
}

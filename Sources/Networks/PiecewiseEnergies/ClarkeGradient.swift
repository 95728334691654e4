import LinearAlgebra
import NeuralSheaves

/// The smallest element of Clarke's generalised gradient ∂E of each sample of a state: 0 at an
/// equilibrium, kinks included.
///
/// The branches of a row that lies within `tolerance` of a boundary all count. The gradient of
/// (γ/2)(t − P)² in the source is −p Σ μ_b r_b, p = γρ, over those branches b, μ ≥ 0, Σ μ = 1; the μ of least
/// ‖∂E‖ are found by turns, row by row. It reads the state alone: no solver's word is taken for where
/// kinks are.
package struct ClarkeGradient {
  /// The element by coordinate, one list per sample; 0 on held coordinates.
  package private(set) var elements: [[Double]] = []
  /// ‖element‖∞ of each sample, a free a_{k+1} included.
  package private(set) var residuals: [Double] = []

  /// A state-dependent row on a boundary: its branches and the share μ of each.
  fileprivate struct OpenRow {
    /// p = γρ.
    let momentum: Double
    let functions: [(source: Int, slope: Double)]
    var shares: [Double]
    /// Whether the slopes are one, and the sources as many as the branches.
    let hasOneSlope: Bool

    init(momentum: Double, functions: [(source: Int, slope: Double)]) {
      (self.momentum, self.functions) = (momentum, functions)
      shares = [1] + [Double](repeating: 0, count: functions.count - 1)
      hasOneSlope =
        functions[0].slope != 0 && functions.allSatisfy { $0.slope == functions[0].slope }
        && Set(functions.map(\.source)).count == functions.count
    }
  }

  /// The gradient at a state. Cost: two sweeps and, by sample, some passes over the rows on
  /// boundaries.
  ///
  /// - Parameter discrepancy: ρ, if it is at hand.
  package init(
    _ energy: PinnedEnergy, _ flat: FlatNetwork, _ state: SheafState,
    discrepancy: [Matrix]? = nil, tolerance: Double = 1e-9
  ) {
    let network = energy.sheaf.network
    let patterns = energy.sheaf.patterns(at: state)
    let gradient = energy.gradient(
      at: state, discrepancy: discrepancy ?? energy.sheaf.discrepancy(state), patterns,
      input: energy.inputRole)
    var isHeld = [Bool](repeating: false, count: flat.count)
    for v in network.vertices.indices {
      for i in energy.pins.held(v) { isHeld[flat.starts[v] + i] = true }
    }
    var (g, x) = (
      [Double](repeating: 0, count: flat.count), [Double](repeating: 0, count: flat.count)
    )
    for j in 0..<state.batch {
      for c in 0..<flat.starts[1] { g[c] = 0 }
      flat.gather(Array(gradient.prefix(network.vertices.count)), j, into: &g)
      flat.gather(state.stalks, j, into: &x)
      for c in g.indices where isHeld[c] { g[c] = 0 }
      var open: [OpenRow] = []
      for (r, row) in flat.rows.enumerated() {
        let b = patterns[row.edge][row.row, j]
        guard flat.isOnBoundary(r, at: b, x, tolerance: tolerance) else { continue }
        let branches = flat.branches(r, at: b, x, tolerance: tolerance)
        // ρ = t − P(s), on any of them.
        let f = flat.function(r, b)
        let rho = x[row.target] - f.slope * x[f.source] - f.offset
        if rho == 0 { continue }
        let gamma = energy.stiffness.value(network.edges[row.edge].target, row: row.row)
        open.append(
          OpenRow(
            momentum: gamma * rho,
            functions: branches.map {
              let f = flat.function(r, $0)
              return (source: f.source, slope: f.slope)
            }))
      }
      Self.minimize(&g, &open, isHeld)
      var worst = g.maximumMagnitude
      if gradient.count > network.vertices.count {
        let held = Set(energy.pins.held(network.vertices.count))
        let onOutput = gradient[network.vertices.count]
        for i in 0..<onOutput.rows where !held.contains(i) {
          worst = maximum(worst, abs(onOutput[i, j]))
        }
      }
      elements.append(g)
      residuals.append(worst)
    }
  }

  /// Shifts shares until ‖g‖ is least: row by row, which is exact at once where no two rows share a source.
  private static func minimize(_ g: inout [Double], _ open: inout [OpenRow], _ isHeld: [Bool]) {
    guard !open.isEmpty else { return }
    let rounding = 1e-15 * maximum(1, g.maximumMagnitude)
    for _ in 0..<1000 {
      var change = 0.0
      for k in open.indices {
        change = maximum(
          change,
          open[k].isMaximum(isHeld) ? open[k].project(&g) : open[k].shiftPairs(&g, isHeld))
      }
      if !(change > 10 * rounding) { break }
    }
  }
}

extension ClarkeGradient.OpenRow {
  /// Whether all branches read free coordinates of their own with one slope, as those of a maximum do.
  fileprivate func isMaximum(_ isHeld: [Bool]) -> Bool {
    functions.count > 2 && momentum != 0 && hasOneSlope
      && !functions.contains { isHeld[$0.source] }
  }

  /// Gives each branch its best share, the other rows being given; by how much a force has changed.
  ///
  /// With h the gradient without this row it is h − w μ, w = p · slope: μ is the point of the simplex nearest
  /// to h/w (Duchi, Shalev-Shwartz, Singer, Chandra, ICML 2008, Algorithm 1).
  fileprivate mutating func project(_ g: inout [Double]) -> Double {
    let w = momentum * functions[0].slope
    let wanted = functions.indices.map { g[functions[$0].source] / w + shares[$0] }
    var (sum, excess) = (0.0, 0.0)
    for (n, u) in wanted.sorted(by: >).enumerated() {
      sum += u
      let level = (sum - 1) / Double(n + 1)
      if !(u > level) { break }
      excess = level
    }
    var change = 0.0
    for b in functions.indices {
      let share = max(0, wanted[b] - excess)
      let shift = share - shares[b]
      shares[b] = share
      g[functions[b].source] -= w * shift
      change = maximum(change, abs(w * shift))
    }
    return change
  }

  /// Shifts shares between two branches at a time; by how much a force has changed.
  fileprivate mutating func shiftPairs(_ g: inout [Double], _ isHeld: [Bool]) -> Double {
    var change = 0.0
    for a in functions.indices {
      for b in a + 1..<functions.count {
        let (p, q) = (functions[a], functions[b])
        // Moving s from a to b adds p (r_a − r_b) s to the gradient.
        var (dot, square) = (0.0, 0.0)
        if p.source == q.source {
          let r = momentum * (p.slope - q.slope)
          dot = isHeld[p.source] ? 0 : g[p.source] * r
          square = isHeld[p.source] ? 0 : r * r
        } else {
          let (r, s) = (momentum * p.slope, -momentum * q.slope)
          if !isHeld[p.source] {
            dot += g[p.source] * r
            square += r * r
          }
          if !isHeld[q.source] {
            dot += g[q.source] * s
            square += s * s
          }
        }
        guard square > 0 else { continue }
        let shift = min(max(-dot / square, -shares[b]), shares[a])
        guard shift != 0 else { continue }
        shares[a] -= shift
        shares[b] += shift
        if !isHeld[p.source] { g[p.source] += momentum * p.slope * shift }
        if !isHeld[q.source] { g[q.source] -= momentum * q.slope * shift }
        change = maximum(change, abs(shift * momentum))
      }
    }
    return change
  }
}

extension FlatNetwork {
  /// Whether row r on branch b is on one of the boundaries of the branch, up to a tolerance.
  package func isOnBoundary(_ r: Int, at b: Int, _ x: [Double], tolerance: Double) -> Bool {
    var result = false
    forEachBoundary(r, b) { if $0.contains(x, tolerance: tolerance) { result = true } }
    return result
  }

  /// The branches of row r that hold at x up to a tolerance, `b` first.
  package func branches(_ r: Int, at b: Int, _ x: [Double], tolerance: Double) -> [Int] {
    var result = [b]
    forEachBoundary(r, b) {
      if $0.contains(x, tolerance: tolerance) { result.append($0.neighbour) }
    }
    return result
  }
}

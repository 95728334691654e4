import LinearAlgebra
import NeuralSheaves

/// The smallest element of Clarke's generalised gradient ∂E of each sample of a state: 0 at an
/// equilibrium, kinks included.
///
/// The branches of a row that lies within `tolerance` of a boundary all count. The gradient of
/// ½(t − P)² in the source is −ρ Σ μ_b r_b over those branches b, μ ≥ 0, Σ μ = 1; the μ of least
/// ‖∂E‖ are found by turns, row by row. It reads the state alone: no solver's word is taken for where
/// kinks are.
package struct ClarkeGradient {
  /// The element by coordinate, one list per sample; 0 on held coordinates.
  package private(set) var elements: [[Double]] = []
  /// ‖element‖∞ of each sample, a free a_{k+1} included.
  package private(set) var residuals: [Double] = []

  /// A state-dependent row on a boundary: its branches and the share μ of each.
  private struct OpenRow {
    let rho: Double
    let functions: [(source: Int, slope: Double)]
    var shares: [Double]
  }

  /// The gradient at a state. Cost: two sweeps and, by sample, the rows on boundaries squared.
  ///
  /// - Parameter discrepancy: ρ, if it is at hand.
  package init(
    _ energy: PinnedEnergy, _ flat: FlatNetwork, _ state: SheafState,
    discrepancy: [Matrix]? = nil, tolerance: Double = 1e-9
  ) {
    let network = energy.sheaf.network
    let patterns = energy.sheaf.patterns(at: state)
    var rho = discrepancy ?? energy.sheaf.discrepancy(state)
    if !energy.pins.holdsAll(of: 0) {
      rho[0] = Matrix(rows: network.inputDimension, columns: state.batch)
    }
    let gradient = energy.gradient(at: state, discrepancy: rho)
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
        open.append(
          OpenRow(
            rho: x[row.target] - f.slope * x[f.source] - f.offset,
            functions: branches.map {
              let f = flat.function(r, $0)
              return (source: f.source, slope: f.slope)
            },
            shares: [1] + [Double](repeating: 0, count: branches.count - 1)))
      }
      Self.minimize(&g, &open, isHeld)
      var worst = 0.0
      for c in g.indices where !(abs(g[c]) <= worst) { worst = abs(g[c]) }
      if gradient.count > network.vertices.count {
        let held = Set(energy.pins.held(network.vertices.count))
        let onOutput = gradient[network.vertices.count]
        for i in 0..<onOutput.rows where !held.contains(i) {
          worst = max(worst, abs(onOutput[i, j]))
        }
      }
      elements.append(g)
      residuals.append(worst)
    }
  }

  /// Shifts shares until ‖g‖ is least: by two branches of one row at a time.
  private static func minimize(_ g: inout [Double], _ open: inout [OpenRow], _ isHeld: [Bool]) {
    guard !open.isEmpty else { return }
    for _ in 0..<1000 {
      var change = 0.0
      for k in open.indices {
        let row = open[k]
        for a in row.functions.indices {
          for b in a + 1..<row.functions.count {
            let (p, q) = (row.functions[a], row.functions[b])
            // Moving s from a to b adds ρ (r_a − r_b) s to the gradient.
            var (dot, square) = (0.0, 0.0)
            if p.source == q.source {
              let r = row.rho * (p.slope - q.slope)
              dot = isHeld[p.source] ? 0 : g[p.source] * r
              square = isHeld[p.source] ? 0 : r * r
            } else {
              let (r, s) = (row.rho * p.slope, -row.rho * q.slope)
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
            let shift = min(max(-dot / square, -open[k].shares[b]), open[k].shares[a])
            guard shift != 0 else { continue }
            open[k].shares[a] -= shift
            open[k].shares[b] += shift
            if !isHeld[p.source] { g[p.source] += row.rho * p.slope * shift }
            if !isHeld[q.source] { g[q.source] -= row.rho * q.slope * shift }
            change = max(change, abs(shift * row.rho))
          }
        }
      }
      if change < 1e-14 { break }
    }
  }
}

extension FlatNetwork {
  /// Whether row r on branch b is on one of the boundaries of the branch, up to a tolerance.
  package func isOnBoundary(_ r: Int, at b: Int, _ x: [Double], tolerance: Double) -> Bool {
    var result = false
    forEachBoundary(r, b) { boundary in
      let here = x[boundary.source]
      let other = boundary.other.map { x[$0] } ?? 0
      if abs(here - other - boundary.threshold) <= tolerance * max(1, abs(here)) { result = true }
    }
    return result
  }

  /// The branches of row r that hold at x up to a tolerance, `b` first.
  package func branches(_ r: Int, at b: Int, _ x: [Double], tolerance: Double) -> [Int] {
    var result = [b]
    forEachBoundary(r, b) { boundary in
      let here = x[boundary.source]
      let other = boundary.other.map { x[$0] } ?? 0
      if abs(here - other - boundary.threshold) <= tolerance * max(1, abs(here)) {
        result.append(boundary.neighbour)
      }
    }
    return result
  }
}

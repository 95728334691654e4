import LinearAlgebra
import NeuralSheaves

/// The size of the smallest element of Clarke's generalised gradient ∂E of a state, sample by sample:
/// 0 at an equilibrium, kinks included.
///
/// The branches of a row that lies within `tolerance` of a boundary all count. The gradient of
/// ½(t − P)² in the source is −ρ Σ μ_b r_b over those branches b, μ ≥ 0, Σ μ = 1; the μ of least
/// ‖∂E‖ are found by turns, row by row, from an independent reading of the state.
package struct Stationarity {
  /// ‖the smallest element of ∂E‖∞ of each sample.
  package private(set) var residuals: [Double] = []

  package init(
    _ sheaf: NeuralSheaf, _ flat: FlatNetwork, _ state: SheafState, pins: Pins,
    tolerance: Double = 1e-9
  ) {
    let network = sheaf.network
    let patterns = sheaf.patterns(at: state)
    let rho = sheaf.discrepancy(state)
    let gradient = sheaf.coboundaryTransposed(rho, at: patterns)
    for j in 0..<state.batch {
      var (g, x) = (
        [Double](repeating: 0, count: flat.count), [Double](repeating: 0, count: flat.count)
      )
      flat.gather(gradient, j, into: &g)
      flat.gather(state.stalks, j, into: &x)
      var isHeld = [Bool](repeating: false, count: flat.count)
      for c in 0..<flat.starts[1] { isHeld[c] = true }
      for v in network.vertices.indices {
        for i in pins.held(v) { isHeld[flat.starts[v] + i] = true }
        for pin in pins.soft(v) {
          for (p, i) in pin.rows.enumerated() {
            let c = flat.starts[v] + i
            g[c] += pin.stiffness * (x[c] - pin.values[p, j])
          }
        }
      }
      // Rows on a boundary: their branches' functions and the share μ of each.
      var open: [(rho: Double, functions: [(source: Int, slope: Double)], shares: [Double])] = []
      for row in flat.rows {
        let operation = network.edges[row.edge].operation
        let b = patterns[row.edge][row.row, j]
        var branches = [b]
        operation.forEachBoundary(ofRow: row.row, branch: b) { boundary in
          let other = boundary.other.map { x[row.source + $0] } ?? 0
          if abs(x[row.source + boundary.source] - other - boundary.threshold) <= tolerance {
            branches.append(boundary.neighbour)
          }
        }
        guard branches.count > 1 else { continue }
        let (v, i) = flat.place(row.target)
        let functions = branches.map {
          let f = operation.branch($0, ofRow: row.row)
          return (source: row.source + f.source, slope: f.slope)
        }
        open.append(
          (
            rho[v][i, j], functions,
            [1] + [Double](repeating: 0, count: branches.count - 1)
          ))
      }
      for _ in 0..<(open.isEmpty ? 0 : 200) {
        var change = 0.0
        for k in open.indices {
          let row = open[k]
          // Two branches at a time: the shift of share that makes the gradient least.
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
                if !isHeld[p.source] { dot += g[p.source] * r; square += r * r }
                if !isHeld[q.source] { dot += g[q.source] * s; square += s * s }
              }
              guard square > 0 else { continue }
              let shift = min(max(-dot / square, -open[k].shares[b]), open[k].shares[a])
              guard shift != 0 else { continue }
              open[k].shares[a] -= shift
              open[k].shares[b] += shift
              g[p.source] += row.rho * p.slope * shift
              g[q.source] -= row.rho * q.slope * shift
              change = max(change, abs(shift * row.rho))
            }
          }
        }
        if change < 1e-14 { break }
      }
      var worst = 0.0
      for c in g.indices where !isHeld[c] { worst = max(worst, abs(g[c])) }
      residuals.append(worst)
    }
  }
}

import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// Where the cells of one sample stand: the branch, kink or tie of each row, with what it gives to a quadratic
/// model of the reduced energy.
///
/// A cell whose minimum stays on its branches is a quadratic in (t, u): ½κ(t − Lu − o)² with
/// 1/κ = 1/γ + p²/c, the compliances of its springs in series; at a kink θ it is ½γ(t − P(θ))² + ½c(u − θ)²;
/// a maximum at a level M with the places of T on it is ½κ(t − ū)² + ½Σ_T κ_i (ū_i − ū)².
struct SampleCells: Sendable {
  /// A read that rests on a kink θ: u is drawn to it.
  struct Kink: Sendable {
    let cells: Int32, read: Int32
    /// u − θ.
    let gap: Double
  }
  /// A row whose places are on one level.
  struct Level: Sendable {
    let cells: Int32, row: Int32
    /// Whether the level is a held place's and rests.
    let isFixed: Bool
  }

  /// By row: the slope of t in u (of a maximum 1, or 0 where its level rests), κ, t less its value, ∂F/∂t.
  var slopes: [Double]
  var kappas: [Double]
  var noises: [Double]
  var forces: [Double]
  /// By read: y, ∂F/∂u, and of places of a maximum whether they are on its level, the slope of their value in u, its
  /// stiffness, over the sum of the row's, and its distance from their mean (of others what the window reads).
  var values: [Double]
  var pulls: [Double]
  var isLevel: [Bool]
  var readSlopes: [Double]
  var readKappas: [Double]
  var shares: [Double]
  var gaps: [Double]
  /// By read: λ of a copy.
  var multipliers: [Double]
  /// How much stiffer copies are bound than at first.
  var copyFactor = 1.0
  var kinks: [Kink] = []
  /// Rows with several places on a level.
  var levels: [Level] = []

  init(_ elimination: Elimination) {
    let (rows, reads) = (
      [Double](repeating: 0, count: elimination.rowCount),
      [Double](repeating: 0, count: elimination.readCount)
    )
    (slopes, kappas, noises, forces) = (rows, rows, rows, rows)
    (values, pulls, readSlopes, readKappas, shares, gaps) = (
      reads, reads, reads, reads, reads, reads
    )
    multipliers = elimination.hasCopies ? reads : []
    isLevel = reads.map { _ in false }
  }
}

extension Elimination {
  /// c of a read.
  @inline(__always)
  func weight(_ r: Int, _ state: SampleCells) -> Double {
    hasCopies && bindings[r] == .copy ? weights[r] * state.copyFactor : weights[r]
  }

  /// u of a read and its rate along a line.
  @inline(__always)
  func bound(
    _ r: Int, _ source: Int, _ line: Line, _ tau: Double, _ j: Int, _ state: SampleCells
  ) -> (Double, Double) {
    let k = Int(sources[r]) + j * line.x[source].rows
    switch bindings[r] {
    case .prediction:
      let d = line.dm[source].elements[k]
      return (line.m[source].elements[k] + tau * d, d)
    case .copy:
      let d = line.dx[source].elements[k]
      return (line.x[source].elements[k] + tau * d + state.multipliers[r] / weight(r, state), d)
    case .value: return (line.x[source].elements[k], 0)
    }
  }

  /// Brings the cells to a point of a line: their energy and its rate there.
  func evaluate(
    _ out: inout SampleCells, on line: Line, at tau: Double, sample j: Int
  ) -> (energy: Double, rate: Double) {
    out.kinks.removeAll(keepingCapacity: true)
    out.levels.removeAll(keepingCapacity: true)
    var (energy, rate) = (0.0, 0.0)
    for (n, cell) in cells.enumerated() {
      let dimension = line.x[cell.target].rows
      let first = cell.rows.lowerBound + j * dimension
      for q in 0..<cell.rows.count {
        let dt = line.dx[cell.target].elements[first + q]
        let t = line.x[cell.target].elements[first + q] + tau * dt
        let gamma = gamma[cell.target][cell.rows.lowerBound + q]
        let (e, s) =
          cell.isWindow
          ? window(n, q, t, dt, gamma, &out, line, tau, j)
          : function(n, q, t, dt, gamma, &out, line, tau, j)
        energy += e
        rate += s
      }
    }
    if hasCopies {
      for r in 0..<readCount where bindings[r] == .copy {
        energy -= out.multipliers[r] * out.multipliers[r] / (2 * weight(r, out))
      }
    }
    return (energy, rate)
  }

  /// A row that reads one coordinate.
  @inline(__always)
  private func function(
    _ n: Int, _ q: Int, _ t: Double, _ dt: Double, _ gamma: Double, _ out: inout SampleCells,
    _ line: Line, _ tau: Double, _ j: Int
  ) -> (Double, Double) {
    let cell = cells[n]
    let r = cell.readStarts[q]
    let (u, du) = bound(r, cell.source, line, tau, j, out)
    let c = weight(r, out)
    let least = minimum(ofRead: r, u, c, t, gamma)
    let piece = pieces[Int(pieceStarts[r]) + least.piece]
    let d = t - piece.slope * least.y - piece.offset
    let (force, pull) = (gamma * d, c == .infinity ? 0 : c * (u - least.y))
    let k = cell.firstRow + q
    out.values[r] = least.y
    out.pulls[r] = pull
    out.forces[k] = force
    if c == .infinity || least.isKink {
      (out.slopes[k], out.kappas[k], out.noises[k]) = (0, gamma, d)
      if least.isKink {
        out.kinks.append(.init(cells: Int32(n), read: Int32(r), gap: u - least.y))
      }
    } else {
      out.slopes[k] = piece.slope
      out.kappas[k] = 1 / (1 / gamma + piece.slope * piece.slope / c)
      out.noises[k] = t - piece.slope * u - piece.offset
    }
    return (least.value, force * dt + pull * du)
  }

  /// Visits the entries of a sample's map R_π from the cells' source to their target: row, place, weight.
  @inline(__always)
  func forEachEntry(
    of cell: Cells, in state: SampleCells, _ visit: (_ row: Int, _ source: Int, Double) -> Void
  ) {
    for q in 0..<cell.rows.count {
      let slope = state.slopes[cell.firstRow + q]
      guard slope != 0 else { continue }
      let row = cell.rows.lowerBound + q
      guard cell.isWindow else {
        visit(row, Int(sources[cell.readStarts[q]]), slope)
        continue
      }
      for r in cell.readStarts[q]..<cell.readStarts[q + 1] where state.isLevel[r] {
        visit(row, Int(sources[r]), state.shares[r] * state.readSlopes[r])
      }
    }
  }

  /// The minimum over y of ½γ(t − P(y))² + ½c(y − u)² for the function of a read.
  @inline(__always)
  func minimum(ofRead r: Int, _ u: Double, _ c: Double, _ t: Double, _ gamma: Double)
    -> CellMinimum
  {
    CellMinimum(u, c, t, gamma, pieces, from: Int(pieceStarts[r]), count: Int(pieceCounts[r]))
  }

  /// P(y) of what a read is read by; y itself for a place of a maximum of predictions.
  @inline(__always)
  func value(ofRead r: Int, at y: Double) -> Double {
    let start = Int(pieceStarts[r])
    for p in start..<start + Int(pieceCounts[r]) where y <= pieces[p].high {
      return pieces[p].slope * y + pieces[p].offset
    }
    return y
  }
}

import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// How elementwise operations read one coordinate: their values are affine between thresholds.
struct CoordinatePieces: Sendable {
  /// A target coordinate on one piece: slope s + offset, with the stiffness of its discrepancy.
  struct Reading: Sendable {
    let vertex: Int
    let row: Int
    let slope: Double
    let offset: Double
    let stiffness: Double
  }

  /// In ascending order.
  let thresholds: [Double]
  /// The readings between them: `pieces[k]` below `thresholds[k]`.
  let pieces: [[Reading]]

  /// By coordinate of a vertex that the given edges leave; nil if a row chooses between coordinates.
  static func all(
    _ edges: [Network.Edge], _ stiffness: Stiffness, dimension: Int
  ) -> [CoordinatePieces]? {
    var rows = [[(vertex: Int, row: Int, parts: [AffinePiece])]](repeating: [], count: dimension)
    for edge in edges {
      let operation = edge.operation
      for row in operation.targetRows {
        let source = operation.branch(0, ofRow: row).source
        let isOfOne = (1..<operation.branchCount(ofRow: row)).allSatisfy {
          operation.branch($0, ofRow: row).source == source
        }
        guard isOfOne else { return nil }
        rows[source].append((edge.target, row, operation.pieces(ofRow: row)))
      }
    }
    return rows.map { readers in
      let thresholds = Set(readers.flatMap { $0.parts.map(\.low) }).filter(\.isFinite).sorted()
      let ends = [-Double.infinity] + thresholds
      return CoordinatePieces(
        thresholds: thresholds,
        pieces: ends.map { low in
          readers.map { reader in
            let part = reader.parts.last { $0.low <= low }!
            return Reading(
              vertex: reader.vertex, row: reader.row, slope: part.slope, offset: part.offset,
              stiffness: stiffness.value(reader.vertex, row: reader.row))
          }
        })
    }
  }

  /// The s of least ½ h s² − b s + Σ (γ/2)(t − slope s − offset)², the readings' targets t being given; of
  /// two that are equal the one on the same side as `now`.
  func minimizer(_ h: Double, _ b: Double, near now: Double, target: (Int, Int) -> Double) -> Double
  {
    var (best, least) = (now, Double.infinity)
    for (k, readings) in pieces.enumerated() {
      let lower = k == 0 ? -Double.infinity : thresholds[k - 1]
      let upper = k == thresholds.count ? Double.infinity : thresholds[k]
      var (curvature, slope, constant) = (h, b, 0.0)
      for r in readings {
        let d = target(r.vertex, r.row) - r.offset
        curvature += r.stiffness * r.slope * r.slope
        slope += r.stiffness * r.slope * d
        constant += r.stiffness * d * d / 2
      }
      let s = min(max(curvature > 0 ? slope / curvature : now, lower), upper)
      let value = curvature * s * s / 2 - slope * s + constant
      let isHere = lower <= now && now <= upper
      if value < least - 1e-15 * abs(least) || (isHere && value <= least) {
        (best, least) = (s, value)
      }
    }
    return best
  }
}

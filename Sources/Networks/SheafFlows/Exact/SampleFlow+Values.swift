import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// Boundaries at a value, such as z = 0 of a rectifier: Filippov's convention.
///
/// F⁻ and F⁺ are the forces on the coordinate with the rows that read it on the branches left and right of the
/// boundary. Both at the boundary: it rests. Both to one side: it goes there. Both away (a concave kink): it stays
/// on the side where it is. ρ is the same on both sides, so a choice here does not bear on the others'.
extension SampleFlow {
  /// Decides for every free coordinate that starts on a boundary.
  mutating func startOnBoundaries() {
    for r in pieces.flat.rows.indices {
      var found: [BranchBoundary] = []
      pieces.flat.forEachBoundary(r, face.branches[r]) { found.append($0) }
      for b in found
      where b.other == nil && x[b.source] == b.threshold && pieces.place[b.source] >= 0
        && face.rests[b.source] == nil
      {
        decide(b.source, b.threshold, arrivingFrom: nil)
      }
    }
  }

  /// A coordinate arrives at a boundary from the side with the given sign.
  mutating func meetValue(_ c: Int, _ threshold: Double, from sign: Double) throws(FlowError) {
    set(c, to: threshold)
    if face.ties.values.contains(where: { $0.contains(c) }) {
      // What moves as one stays so if the kink does not bend its path; else the two would have to be split.
      let sides = face.sides(of: c, at: threshold, pieces, x)
      guard abs(sides.left) + abs(sides.right) <= rounding else { throw overlap(c) }
      cross(c, sign > 0 ? sides.toLeft : sides.toRight)
      return
    }
    decide(c, threshold, arrivingFrom: sign)
  }

  /// Rounding of the forces.
  var rounding: Double {
    1e-12 * maximum(1, x.maximumMagnitude) * pieces.largestStiffness
  }

  func overlap(_ c: Int) -> FlowError {
    let (v, i) = pieces.flat.place(c)
    return .overlappingTies(vertex: pieces.names[v], coordinate: i, time: time)
  }

  private mutating func decide(_ c: Int, _ threshold: Double, arrivingFrom sign: Double?) {
    let force = face.force(on: c, pieces, x, sample: sample)
    let sides = face.sides(of: c, at: threshold, pieces, x)
    let (left, right) = (force + sides.left, force + sides.right)
    let zero = rounding
    switch (left, right) {
    case _ where left >= -zero && right <= zero && left - right > zero: rest(c, threshold)
    case _ where left >= -zero && right > zero: cross(c, sides.toRight)
    case _ where left < -zero && right <= zero: cross(c, sides.toLeft)
    case _ where sign == nil: break
    default:
      // No force to speak of, or one away on either side: on through the boundary, unless it comes back.
      if turn(c) {
        rest(c, threshold)
      } else {
        cross(c, sign! > 0 ? sides.toLeft : sides.toRight)
      }
    }
  }

  private mutating func rest(_ c: Int, _ threshold: Double) {
    face.rests[c] = threshold
    note(.sliding, c)
  }

  private mutating func cross(_ c: Int, _ changes: [KinkSides.Change]) {
    guard !changes.isEmpty else { return }
    for change in changes { face.branches[change.row] = change.branch }
    note(.crossing, c)
  }

  /// A coordinate leaves the boundary that it rests on.
  mutating func release(_ c: Int, toRight: Bool) {
    guard let threshold = face.rests.removeValue(forKey: c) else { return }
    let sides = face.sides(of: c, at: threshold, pieces, x)
    for change in toRight ? sides.toRight : sides.toLeft {
      face.branches[change.row] = change.branch
    }
    note(.release, c)
  }
}

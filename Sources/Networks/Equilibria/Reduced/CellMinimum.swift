import PiecewiseEnergies

/// The minimum over y of ½γ(t − P(y))² + ½c(y − u)², P piecewise affine of one coordinate.
struct CellMinimum {
  /// The minimiser.
  var y = 0.0
  /// The piece that it is on, the left one at a kink.
  var piece = 0
  /// Whether it rests on a kink.
  var isKink = false
  /// The minimum.
  var value = Double.infinity

  /// - Parameter c: infinite where y is u.
  @inline(__always)
  init(
    _ u: Double, _ c: Double, _ t: Double, _ gamma: Double, _ pieces: [AffinePiece],
    from start: Int, count: Int
  ) {
    for b in 0..<count {
      let p = pieces[start + b]
      var (z, isKink, left) = (u, false, b)
      if c == .infinity {
        guard u >= p.low && u <= p.high else { continue }
      } else {
        let g = gamma * p.slope
        z = g == 0 ? u : (c * u + g * (t - p.offset)) / (c + g * p.slope)
        if z < p.low {
          (z, isKink, left) = (p.low, true, b - 1)
        } else if z > p.high {
          (z, isKink) = (p.high, true)
        }
      }
      let d = t - p.slope * z - p.offset
      let stretch = c == .infinity ? 0 : 0.5 * c * (z - u) * (z - u)
      let found = 0.5 * gamma * d * d + stretch
      // Of two that are equal but for rounding the first one counts.
      if value == .infinity || found < value * (1 - 1e-14) {
        (y, piece, self.isKink, value) = (z, left, isKink, found)
      }
    }
  }
}

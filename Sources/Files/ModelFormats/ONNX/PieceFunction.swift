/// A scalar piecewise affine function, perhaps with jumps, and its values at the breaks: what comparisons
/// and choices make of a coordinate before it is known whether they fit together.
struct PieceFunction: Hashable {
  /// The places where the pieces end, ascending.
  var breaks: [Double] = []
  /// Of each piece, one more than breaks: slope z + offset between two breaks.
  var slopes: [Double]
  var offsets: [Double]
  /// The values at the breaks.
  var values: [Double] = []

  /// slope z + offset.
  init(slope: Double, offset: Double) {
    (slopes, offsets) = ([slope], [offset])
  }

  static let identity = PieceFunction(slope: 1, offset: 0)

  static func constant(_ value: Double) -> PieceFunction { PieceFunction(slope: 0, offset: value) }

  /// The same function with more breaks.
  private func refined(by more: [Double]) -> PieceFunction {
    let all = Set(breaks + more).sorted()
    var result = PieceFunction(slope: slopes[0], offset: offsets[0])
    var piece = 0
    for z in all {
      let isOwn = piece < breaks.count && breaks[piece] == z
      result.breaks.append(z)
      result.values.append(isOwn ? values[piece] : slopes[piece] * z + offsets[piece])
      if isOwn { piece += 1 }
      result.slopes.append(slopes[piece])
      result.offsets.append(offsets[piece])
    }
    return result
  }

  /// The same function without breaks at which nothing happens.
  var simplified: PieceFunction {
    var result = PieceFunction(slope: slopes[0], offset: offsets[0])
    for (k, z) in breaks.enumerated() {
      let (slope, offset) = (slopes[k + 1], offsets[k + 1])
      if slope == result.slopes.last!, offset == result.offsets.last!,
        values[k] == slope * z + offset
      {
        continue
      }
      result.breaks.append(z)
      result.values.append(values[k])
      result.slopes.append(slope)
      result.offsets.append(offset)
    }
    return result
  }

  /// A function of the pieces of two functions, as (slope, offset), which makes a value of two values as
  /// well; nil where some pieces cannot be combined.
  private static func zip(
    _ f: PieceFunction, _ g: PieceFunction,
    _ combine: ((slope: Double, offset: Double), (slope: Double, offset: Double)) -> (
      slope: Double, offset: Double
    )?
  ) -> PieceFunction? {
    let (a, b) = (f.refined(by: g.breaks), g.refined(by: f.breaks))
    var result = a
    for k in a.slopes.indices {
      guard let piece = combine((a.slopes[k], a.offsets[k]), (b.slopes[k], b.offsets[k])) else {
        return nil
      }
      (result.slopes[k], result.offsets[k]) = piece
    }
    for k in a.values.indices {
      guard let value = combine((0, a.values[k]), (0, b.values[k])) else { return nil }
      result.values[k] = value.offset
    }
    return result.simplified
  }

  static func sum(_ f: PieceFunction, _ g: PieceFunction) -> PieceFunction {
    zip(f, g) { ($0.slope + $1.slope, $0.offset + $1.offset) }!
  }

  func scaled(by factor: Double) -> PieceFunction {
    var result = self
    result.slopes = slopes.map { factor * $0 }
    result.offsets = offsets.map { factor * $0 }
    result.values = values.map { factor * $0 }
    return result.simplified
  }

  static func difference(_ f: PieceFunction, _ g: PieceFunction) -> PieceFunction {
    sum(f, g.scaled(by: -1))
  }

  /// The product; nil where it is not piecewise affine.
  static func product(_ f: PieceFunction, _ g: PieceFunction) -> PieceFunction? {
    zip(f, g) { p, q in
      if p.slope == 0 { return (p.offset * q.slope, p.offset * q.offset) }
      return q.slope == 0 ? (q.offset * p.slope, q.offset * p.offset) : nil
    }
  }

  /// f where the condition is not 0, g elsewhere; nil if the condition is not constant on its pieces.
  static func choice(
    _ condition: PieceFunction, _ f: PieceFunction, _ g: PieceFunction
  ) -> PieceFunction? {
    guard condition.isPiecewiseConstant else { return nil }
    let open = condition.mapped { $0 != 0 ? 1 : 0 }
    guard let left = product(open, f), let right = product(open.mapped { 1 - $0 }, g) else {
      return nil
    }
    return sum(left, right)
  }

  /// 1 where f > 0, else 0.
  var isPositive: PieceFunction {
    var roots: [Double] = []
    for (k, slope) in slopes.enumerated() where slope != 0 {
      let root = -offsets[k] / slope
      if (k == 0 || breaks[k - 1] < root) && (k == breaks.count || root < breaks[k]) {
        roots.append(root)
      }
    }
    var result = refined(by: roots)
    for (k, z) in result.breaks.enumerated() {
      result.values[k] = !roots.contains(z) && result.values[k] > 0 ? 1 : 0
    }
    for k in result.slopes.indices {
      // At a place between the breaks.
      let (low, high) = (
        k > 0 ? result.breaks[k - 1] : nil, k < result.breaks.count ? result.breaks[k] : nil
      )
      let z =
        switch (low, high) {
        case (let a?, let b?): a / 2 + b / 2
        case (let a?, nil): a + max(1, abs(a))
        case (nil, let b?): b - max(1, abs(b))
        default: 0.0
        }
      let value = result.slopes[k] * z + result.offsets[k]
      (result.slopes[k], result.offsets[k]) = (0, value > 0 ? 1 : 0)
    }
    return result.simplified
  }

  var isPiecewiseConstant: Bool { slopes.allSatisfy { $0 == 0 } }

  /// A function of the numbers of a piecewise constant function.
  func mapped(_ f: (Double) -> Double) -> PieceFunction {
    var result = self
    result.offsets = offsets.map(f)
    result.values = values.map(f)
    return result.simplified
  }

  /// The first break at which the function jumps, with the limits on its left and right and the value
  /// there. Weights of files are floats: limits that agree to a few of their units do not count as a jump.
  var jump: (at: Double, left: Double, right: Double, value: Double)? {
    for (k, z) in breaks.enumerated() {
      let (left, right) = (slopes[k] * z + offsets[k], slopes[k + 1] * z + offsets[k + 1])
      let size = max(
        abs(slopes[k] * z) + abs(offsets[k]), abs(slopes[k + 1] * z) + abs(offsets[k + 1]))
      let tolerance = 4 * Double(Float.ulpOfOne) * size
      if abs(left - right) > tolerance || abs(values[k] - left) > tolerance {
        return (z, left, right, values[k])
      }
    }
    return nil
  }

  /// The same continuous function with breaks at its kinks alone.
  var withoutIdleKinks: PieceFunction {
    var result = PieceFunction(slope: slopes[0], offset: offsets[0])
    for (k, z) in breaks.enumerated() where slopes[k + 1] != result.slopes.last! {
      result.breaks.append(z)
      result.values.append(values[k])
      result.slopes.append(slopes[k + 1])
      result.offsets.append(offsets[k + 1])
    }
    return result
  }
}

import CellComplexes
import CellularSheaves
import LinearAlgebra

/// A sheaf on a finite poset whose stalks are ℝ^d, some coordinates of them angles, and whose restriction maps are any
/// differentiable maps: for each relation y < x of the poset one F(y) → F(x), all ways from an element to another being
/// one map (Robinson 2017, Def. 3).
///
/// A section is determined by its values on the minimal elements.
public struct NonlinearSheaf: Sendable {
  /// The base.
  public let poset: FinitePoset
  /// The dimension of each stalk.
  public let stalks: [Int]
  /// For each element the maps from the elements in `poset.below`, in that order.
  public let maps: [[any SmoothMap]]
  /// For each coordinate of each stalk its period, if it is an angle.
  public let periods: [[Double?]]
  /// For each element the minimal ones below it, itself if it is minimal, each with a way up: the places in
  /// `poset.below` that lead down, from the element on.
  let ways: [[Way]]

  /// A way from a minimal element to another.
  struct Way: Sendable {
    let source: Int
    /// From the source up.
    let maps: [any SmoothMap]
  }

  /// A sheaf from its stalks and maps.
  ///
  /// That all ways agree is looked at in points around the landmarks of the maps, to 1e-6; where a map is not finite it is not.
  ///
  /// - Parameter angles: periods of coordinates of elements that no map into them tells.
  /// - Throws: `shape` for maps that do not go with their stalks, `quantity` for periods that differ, `square` for ways that
  ///   differ.
  public init(
    _ poset: FinitePoset, stalks: [Int], maps: [[any SmoothMap]], angles: [Int: [Double?]] = [:]
  ) throws(SheafError) {
    precondition(
      stalks.count == poset.count && maps.map(\.count) == poset.below.map(\.count),
      "stalks and maps of \(poset.count) elements")
    (self.poset, self.stalks, self.maps) = (poset, stalks, maps)
    for x in 0..<poset.count {
      for (y, map) in zip(poset.below[x], maps[x]) {
        let n = stalks[y]
        guard map.sourceDimension ?? n == n, map.targetDimension(from: n) == stalks[x] else {
          let source = map.sourceDimension ?? n
          throw .shape(
            cell: poset.names[x], face: poset.names[y],
            found: "(\(map.targetDimension(from: source)), \(source))",
            expected: "(\(stalks[x]), \(n)), the dimensions of the stalks")
        }
      }
    }
    periods = try Self.periods(poset, stalks, maps, angles)
    ways = Self.ways(poset, maps)
    try checkWays()
  }

  /// A sheaf of linear maps on a poset.
  public init(_ sheaf: PosetSheaf) {
    self = madeToFit {
      try NonlinearSheaf(
        sheaf.poset, stalks: sheaf.stalks, maps: sheaf.maps.map { $0.map { AffineMap($0) } })
    }
  }

  /// Whether every map is affine.
  public var isAffine: Bool { maps.allSatisfy { $0.allSatisfy(\.isAffine) } }

  private static func periods(
    _ poset: FinitePoset, _ stalks: [Int], _ maps: [[any SmoothMap]], _ angles: [Int: [Double?]]
  ) throws(SheafError) -> [[Double?]] {
    var periods = stalks.map { [Double?](repeating: nil, count: $0) }
    for x in poset.linearExtension {
      var told = [angles[x] ?? []]
      for (y, map) in zip(poset.below[x], maps[x]) {
        if let those = map.targetPeriods {
          told.append(those)
        } else if let affine = map as? AffineMap, affine.matrix == .identity {
          // The identity carries angles on.
          told.append(periods[y])
        }
      }
      for list in told {
        for (i, period) in list.enumerated() where i < stalks[x] {
          guard let period else { continue }
          if let known = periods[x][i], known != period {
            throw .quantity(
              name: "coordinate \(i) of \"\(poset.names[x])\"",
              found: "an angle of period \(known) by one map and \(period) by another",
              expected: "one unit of angles")
          }
          periods[x][i] = period
        }
      }
    }
    return periods
  }

  private static func ways(_ poset: FinitePoset, _ maps: [[any SmoothMap]]) -> [[Way]] {
    var ways = [[Way]](repeating: [], count: poset.count)
    for x in poset.linearExtension {
      guard !poset.below[x].isEmpty else {
        ways[x] = [Way(source: x, maps: [])]
        continue
      }
      var seen: Set<Int> = []
      for (y, map) in zip(poset.below[x], maps[x]) {
        for way in ways[y] where seen.insert(way.source).inserted {
          ways[x].append(Way(source: way.source, maps: way.maps + [map]))
        }
      }
    }
    return ways
  }

  /// The images of a point of a minimal element by way of each element below x agree.
  private func checkWays() throws(SheafError) {
    var generator = RandomGenerator(seed: 1)
    for x in 0..<poset.count where poset.below[x].count > 1 {
      for source in ways[x].map(\.source) {
        let through = zip(poset.below[x], maps[x]).compactMap { y, map in
          ways[y].first { $0.source == source }.map { (y, $0.maps + [map]) }
        }
        guard through.count > 1 else { continue }
        for _ in 0..<3 {
          let point = (0..<stalks[source]).map { _ in generator.normal() }
          let images = through.map { $0.1.reduce(point) { $1.value($0) } }
          for (i, image) in images.enumerated().dropFirst() {
            let difference = zip(image, images[0]).enumerated().reduce(0) { top, pair in
              max(
                top,
                abs(
                  Angle.difference(pair.1.0, pair.1.1, period: periods[x][pair.0])))
            }
            let size = (image + images[0]).reduce(1) { max($0, abs($1)) }
            if difference.isFinite && difference > 1e-6 * size {
              throw .square(
                cell: poset.names[x], face: poset.names[source],
                between: [through[0].0, through[i].0].map { poset.names[$0] },
                difference: difference)
            }
          }
        }
      }
    }
  }

  /// The image of a value of a minimal element along a way to x.
  func value(along way: Way, of point: [Double]) -> [Double] {
    way.maps.reduce(point) { $1.value($0) }
  }

  /// The image and the derivative.
  func linearized(along way: Way, at point: [Double]) -> (value: [Double], jacobian: Matrix) {
    var (value, derivative) = (point, Matrix.identity(point.count))
    for map in way.maps {
      derivative = map.jacobian(value) * derivative
      value = map.value(value)
    }
    return (value, derivative)
  }
}

import LinearAlgebra

extension SimplicialComplex {
  /// The flag complex of a graph: a simplex for every set of vertices that are all joined with one another
  /// (Zomorodian 2010, the incremental algorithm).
  ///
  /// - Parameters:
  ///   - neighbors: for each vertex the joined vertices of larger number, ascending.
  ///   - maximumDimension: of the simplices.
  ///   - limit: the most simplices.
  /// - Throws: `quantity` where there are more.
  /// - Complexity: O(the number of simplices · the degree).
  public static func flag(
    _ neighbors: [[Int32]], maximumDimension: Int, vertexNames: [String]? = nil,
    limit: Int = 50_000_000
  ) throws(CellComplexError) -> SimplicialComplex {
    var lists: [[Int32]] = [(0..<neighbors.count).map { Int32($0) }]
    var simplex: [Int32] = []
    var count = neighbors.count
    func extend(by candidates: [Int32]) throws(CellComplexError) {
      count += candidates.count
      guard count <= limit else {
        throw .quantity(
          name: "simplices", found: "more than \(limit) up to dimension \(maximumDimension)",
          expected: "fewer: a smaller dimension, or fewer edges")
      }
      for (i, v) in candidates.enumerated() {
        simplex.append(v)
        while lists.count < simplex.count { lists.append([]) }
        lists[simplex.count - 1] += simplex
        if simplex.count <= maximumDimension {
          try extend(by: common(candidates[(i + 1)...], neighbors[Int(v)]))
        }
        simplex.removeLast()
      }
    }
    if maximumDimension > 0 {
      for v in neighbors.indices {
        simplex = [Int32(v)]
        try extend(by: neighbors[v])
      }
    }
    return SimplicialComplex(sorted: lists, vertexNames: vertexNames)
  }

  /// What two ascending lists have in common.
  private static func common(_ a: ArraySlice<Int32>, _ b: [Int32]) -> [Int32] {
    var (i, j, result) = (a.startIndex, 0, [Int32]())
    while i < a.endIndex && j < b.count {
      if a[i] == b[j] {
        result.append(a[i])
        i += 1
        j += 1
      } else if a[i] < b[j] {
        i += 1
      } else {
        j += 1
      }
    }
    return result
  }

  /// The Vietoris–Rips complex of points: a simplex for every set of points no two of which are farther apart than
  /// `radius` (Vietoris 1927).
  ///
  /// - Parameters:
  ///   - points: one per column, (d, n), finite.
  ///   - radius: the largest distance of joined points.
  ///   - maximumDimension: of the simplices.
  /// - Complexity: points are looked for in the cells of a grid of width `radius` in the first three coordinates.
  public static func vietorisRips(
    points: Matrix, radius: Double, maximumDimension: Int
  ) throws(CellComplexError) -> SimplicialComplex {
    guard radius >= 0 && radius.isFinite else {
      throw .quantity(name: "radius", found: "\(radius)", expected: "a finite number from 0 on")
    }
    if let place = points.firstNonFinite {
      throw .quantity(
        name: "point \(place.column)", found: "a coordinate that is not finite",
        expected: "finite coordinates")
    }
    return try flag(
      neighbors(points, radius), maximumDimension: maximumDimension)
  }

  /// The same from pairwise distances, a symmetric matrix.
  public static func vietorisRips(
    distances: Matrix, radius: Double, maximumDimension: Int
  ) throws(CellComplexError) -> SimplicialComplex {
    guard distances.rows == distances.columns else {
      throw .quantity(
        name: "distances", found: "a matrix of shape \(distances.shape)", expected: "a square one")
    }
    for j in 0..<distances.columns {
      for i in 0..<j where distances[i, j] != distances[j, i] || !(distances[i, j] >= 0) {
        throw .quantity(
          name: "the distance of \(i) and \(j)", found: "\(distances[i, j]) and \(distances[j, i])",
          expected: "one number from 0 on")
      }
    }
    let neighbors = (0..<distances.columns).map { i in
      (i + 1..<max(distances.columns, i + 1)).filter { distances[i, $0] <= radius }.map {
        Int32($0)
      }
    }
    return try flag(neighbors, maximumDimension: maximumDimension)
  }

  private static func neighbors(_ points: Matrix, _ radius: Double) -> [[Int32]] {
    let (d, n) = (points.rows, points.columns)
    // Slightly wider than the radius, against rounding at the borders of boxes.
    let width = max(radius * (1 + 1e-9), .leastNormalMagnitude)
    func box(_ j: Int) -> SIMD3<Double> {
      var key = SIMD3<Double>()
      for i in 0..<min(d, 3) { key[i] = (points.elements[i + j * d] / width).rounded(.down) }
      return key
    }
    var boxes: [SIMD3<Double>: [Int]] = [:]
    for j in 0..<n { boxes[box(j), default: []].append(j) }
    let steps = (0..<3).map { $0 < d ? [-1.0, 0, 1] : [0] }
    return (0..<n).map { j in
      let home = box(j)
      var result: [Int32] = []
      for x in steps[0] {
        for y in steps[1] {
          for z in steps[2] {
            // Beyond 2⁵³ boxes a step may lead to the box itself.
            for other in boxes[home + SIMD3(x, y, z)] ?? []
            where other > j && distance(points, j, other) <= radius { result.append(Int32(other)) }
          }
        }
      }
      return Set(result).sorted()
    }
  }

  private static func distance(_ points: Matrix, _ a: Int, _ b: Int) -> Double {
    let d = points.rows
    var sum = 0.0
    for i in 0..<d {
      let difference = points.elements[i + a * d] - points.elements[i + b * d]
      sum += difference * difference
    }
    return sum.squareRoot()
  }
}

import LinearAlgebra

/// The distances of points, d(i, j) for i < j at j (j − 1)/2 + i.
struct PairwiseDistances: Sendable {
  let count: Int
  let condensed: [Double]

  /// Euclidean distances of columns.
  ///
  /// - Throws: `quantity` for a point that is not finite; `tooLarge`, if the distances take more than `memoryLimit`
  ///   bytes.
  init(points: Matrix, memoryLimit: Double) throws(PersistenceError) {
    if let place = points.firstNonFinite {
      throw .quantity(
        name: "point \(place.column)", found: "a coordinate that is not finite",
        expected: "finite coordinates")
    }
    let (d, n) = (points.rows, points.columns)
    count = n
    try Self.check(n, memoryLimit)
    var condensed: [Double] = []
    condensed.reserveCapacity(n * max(n - 1, 0) / 2)
    for j in 0..<n {
      for i in 0..<j {
        var sum = 0.0
        for k in 0..<d {
          let difference = points.elements[k + i * d] - points.elements[k + j * d]
          sum += difference * difference
        }
        condensed.append(sum.squareRoot())
      }
    }
    self.condensed = condensed
  }

  /// f(i, j, d(i, j)) in place of d(i, j), for all i < j.
  func mapped(_ f: (Int, Int, Double) -> Double) -> PairwiseDistances {
    var values = condensed
    var place = 0
    for j in 0..<count {
      for i in 0..<j {
        values[place] = f(i, j, values[place])
        place += 1
      }
    }
    return PairwiseDistances(count: count, condensed: values)
  }

  private init(count: Int, condensed: [Double]) {
    (self.count, self.condensed) = (count, condensed)
  }

  /// Those of a symmetric matrix.
  ///
  /// - Throws: `quantity` where it is not square or symmetric, or not from 0 on.
  init(_ distances: Matrix, memoryLimit: Double) throws(PersistenceError) {
    guard distances.rows == distances.columns else {
      throw .quantity(
        name: "distances", found: "a matrix of shape \(distances.shape)", expected: "a square one")
    }
    let n = distances.columns
    count = n
    try Self.check(n, memoryLimit)
    var condensed: [Double] = []
    condensed.reserveCapacity(n * max(n - 1, 0) / 2)
    for j in 0..<n {
      for i in 0..<j {
        let (a, b) = (distances.elements[i + j * n], distances.elements[j + i * n])
        guard a == b, a >= 0 else {
          throw .quantity(
            name: "the distance of \(i) and \(j)", found: "\(a) and \(b)",
            expected: "one number from 0 on")
        }
        condensed.append(a)
      }
    }
    self.condensed = condensed
  }

  private static func check(_ n: Int, _ memoryLimit: Double) throws(PersistenceError) {
    let edges = Double(n) * Double(n - 1) / 2
    guard 8 * edges <= memoryLimit else {
      throw .tooLarge(simplices: Double(n) + edges, bytes: 8 * edges, available: memoryLimit)
    }
  }

  /// min_i max_j d(i, j); 0 without points.
  var enclosingRadius: Double {
    var farthest = [Double](repeating: 0, count: count)
    var place = 0
    for j in 0..<count {
      for i in 0..<j {
        let d = condensed[place]
        if d > farthest[i] { farthest[i] = d }
        if d > farthest[j] { farthest[j] = d }
        place += 1
      }
    }
    return farthest.min() ?? 0
  }
}

import LinearAlgebra

/// The numbers of simplices of a Vietoris–Rips complex, before it is made.
///
/// Vertices and edges are counted. From dimension 2 on the numbers are estimates without bias: a random edge is
/// extended by random vertices of larger number that are joined with all before, and the product of the numbers of
/// choices averaged (Knuth 1975, *Estimating the efficiency of backtrack programs*).
public struct RipsSize: Sendable, Equatable {
  /// For each dimension the number of simplices.
  public let simplices: [Double]

  /// All simplices.
  public var total: Double { simplices.reduce(0, +) }

  /// The numbers for points up to a dimension.
  ///
  /// - Parameters:
  ///   - points: one per column, (d, n), finite.
  ///   - radius: the largest distance of joined points.
  ///   - samples: the number of random simplices.
  /// - Complexity: O(n²) and `samples` · n for each dimension.
  public static func estimate(
    points: Matrix, radius: Double, maximumDimension: Int, samples: Int = 2000
  ) throws(PersistenceError) -> RipsSize {
    RipsSize(
      try PairwiseDistances(points: points, memoryLimit: .infinity), radius: radius,
      maximumDimension: maximumDimension, samples: samples)
  }

  init(_ distances: PairwiseDistances, radius: Double, maximumDimension: Int, samples: Int) {
    let n = distances.count
    var edges: [(Int32, Int32)] = []
    var place = 0
    for j in 0..<n {
      for i in 0..<j {
        if distances.condensed[place] <= radius {
          edges.append((Int32(truncatingIfNeeded: i), Int32(truncatingIfNeeded: j)))
        }
        place += 1
      }
    }
    let sampled = max(maximumDimension - 1, 0)
    var sums = [Double](repeating: 0, count: sampled)
    if !edges.isEmpty && sampled > 0 {
      var generator = RandomGenerator(seed: 0)
      for _ in 0..<samples {
        let (i, j) = edges[Int.random(in: edges.indices, using: &generator)]
        var candidates = (Int(j) + 1..<max(n, Int(j) + 1)).filter {
          distances.between(Int(i), $0) <= radius && distances.between(Int(j), $0) <= radius
        }
        var weight = Double(edges.count)
        for k in 0..<sampled where !candidates.isEmpty {
          weight *= Double(candidates.count)
          sums[k] += weight
          let chosen = candidates[Int.random(in: candidates.indices, using: &generator)]
          candidates = candidates.filter {
            $0 > chosen && distances.between(chosen, $0) <= radius
          }
        }
      }
    }
    simplices =
      [Double(n)] + (maximumDimension > 0 ? [Double(edges.count)] : [])
      + sums.map { $0 / Double(samples) }
  }

  /// Refuses a complex that would not fit.
  ///
  /// - Throws: `tooLarge`.
  func check(stalk d: Int, memoryLimit: Double) throws(PersistenceError) {
    let bytes = bytes(stalk: d)
    guard bytes <= memoryLimit else {
      throw .tooLarge(simplices: total, bytes: bytes, available: memoryLimit)
    }
  }

  /// What a sheaf with stalks of one dimension on the complex and the reduction of its coboundaries take at least, in
  /// bytes.
  func bytes(stalk d: Int) -> Double {
    SheafFiltration.bytes(ofCells: simplices, stalk: d) { Double($0 + 1) }
  }
}

extension SheafFiltration {
  /// What a sheaf with stalks of one dimension and the reduction of its coboundaries take at least, in bytes.
  ///
  /// - Parameters:
  ///   - counts: the number of cells of each dimension.
  ///   - faces: the number of faces of a cell of a dimension.
  static func bytes(
    ofCells counts: [Double], stalk d: Int, faces: (Int) -> Double
  ) -> Double {
    // 60 for a cell with its value and places, and for each face an incidence and d² entries three times over.
    counts.enumerated().reduce(0) { sum, part in
      sum + part.element
        * (60 * Double(max(d, 1)) + faces(part.offset) * (9 + 36 * Double(d * d)))
    }
  }
}

extension PairwiseDistances {
  /// d(i, j), i < j.
  func between(_ i: Int, _ j: Int) -> Double { condensed[j * (j - 1) / 2 + i] }
}

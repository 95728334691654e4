import LinearAlgebra

/// Euclidean distances to the nearest of some points.
struct NearestNeighbours: Sendable {
  /// Which neighbour, of what.
  enum Measure: Sendable {
    /// The nearest.
    case nearest
    /// The fifth nearest once points have been divided by their norms: a distance between directions.
    case directions

    var rank: Int { self == .nearest ? 1 : 5 }
  }

  private let measure: Measure
  private let points: Matrix
  private let squares: [Double]

  /// The points, (dimension, count).
  init(_ points: Matrix, _ measure: Measure) {
    self.measure = measure
    self.points = Self.prepared(points, measure)
    squares = (0..<points.columns).map { [points = self.points] in points.sumOfSquares(column: $0) }
  }

  private static func prepared(_ x: Matrix, _ measure: Measure) -> Matrix {
    guard measure == .directions else { return x }
    var y = x
    y.scaleColumns(
      by: (0..<x.columns).map { 1 / max(x.sumOfSquares(column: $0).squareRoot(), 1e-300) })
    return y
  }

  /// The distance of each of some points, (dimension, count). Cost: a product with all of the points.
  func distances(_ x: Matrix) -> [Double] {
    let rank = min(measure.rank, points.columns)
    var blocks = stride(from: 0, to: x.columns, by: 256).map {
      (range: $0..<min($0 + 256, x.columns), distances: [Double]())
    }
    forEachInParallel(&blocks, threads: Threads.count) { block in
      let y = Self.prepared(x.columns(block.range), measure)
      var products = Matrix(rows: points.columns, columns: y.columns)
      products.setProduct(points, y, transposing: .left)
      for j in 0..<y.columns {
        let own = y.sumOfSquares(column: j)
        // The smallest so far, ascending: there are few.
        var nearest = [Double](repeating: .infinity, count: rank)
        for i in 0..<points.columns {
          let d = own + squares[i] - 2 * products[i, j]
          guard d < nearest[rank - 1] else { continue }
          var k = rank - 1
          while k > 0 && nearest[k - 1] > d {
            nearest[k] = nearest[k - 1]
            k -= 1
          }
          nearest[k] = d
        }
        block.distances.append(max(nearest[rank - 1], 0).squareRoot())
      }
    }
    return blocks.flatMap(\.distances)
  }
}

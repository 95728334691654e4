import LinearAlgebra

/// Distances to the nearest of some points, each coordinate over its deviation among them.
public struct NearestNeighbours: Sendable {
  /// The points, (dimension, count), scaled.
  private let points: Matrix
  private let squares: [Double]
  private let scales: [Double]
  private let rank: Int

  /// The distance to the k-th nearest, k = `rank`, or to the last if there are fewer.
  init(_ points: Matrix, rank: Int) {
    let n = Double(points.columns)
    var means = Matrix(rows: points.rows, columns: 1)
    means.addRowSums(of: points, scale: 1 / n)
    var centred = points
    centred.addToEachColumn(means, scale: -1)
    let total = (centred.sumOfSquares / Double(max(centred.count, 1))).squareRoot()
    scales = [Double](repeating: total > 0 ? 1 / total : 1, count: points.rows)
    var scaled = points
    scaled.scaleRows(by: scales)
    self.points = scaled
    self.rank = min(rank, points.columns)
    squares = (0..<scaled.columns).map { scaled.sumOfSquares(column: $0) }
  }

  /// The distance of each of some points, (dimension, count). Cost: a product with all of the points.
  func distances(_ x: Matrix) -> [Double] {
    var blocks = stride(from: 0, to: x.columns, by: 256).map {
      (range: $0..<min($0 + 256, x.columns), distances: [Double]())
    }
    forEachInParallel(&blocks, threads: Threads.count) { block in
      var y = x.columns(block.range)
      y.scaleRows(by: scales)
      var products = Matrix(rows: points.columns, columns: y.columns)
      products.addProduct(points, y, transposing: .left, keeping: 0)
      for j in 0..<y.columns {
        let own = y.sumOfSquares(column: j)
        // The smallest so far, ascending: k is small.
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

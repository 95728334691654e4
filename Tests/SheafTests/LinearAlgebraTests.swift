import LinearAlgebra
import NetworkKernels
import Testing

/// Products and kernels against the definition, element by element, on every path they take.
struct LinearAlgebraTests {
  static let shapes = [
    (1, 7, 5), (5, 1, 9), (9, 6, 1), (10, 130, 140), (16, 65, 129), (17, 70, 130), (3, 4, 2),
  ]

  /// Σ_k A[i, k] B[k, j].
  func product(_ a: Matrix, _ b: Matrix) -> Matrix {
    var c = Matrix(rows: a.rows, columns: b.columns)
    for j in 0..<c.columns {
      for i in 0..<c.rows {
        c[i, j] = (0..<a.columns).reduce(0) { $0 + a[i, $1] * b[$1, j] }
      }
    }
    return c
  }

  @Test(arguments: shapes) func productsAreSums(m: Int, n: Int, k: Int) {
    var g = RandomGenerator(seed: UInt64(m * 10_000 + n * 100 + k))
    let (a, b) = (g.normalMatrix(rows: m, columns: k), g.normalMatrix(rows: k, columns: n))
    let old = g.normalMatrix(rows: m, columns: n)
    var expected = product(a, b)
    expected.scale(by: -0.5)
    expected.add(old, scale: 2)
    for (left, right, transposing) in [
      (a, b, Matrix.Transposition.none), (a.transposed, b, .left), (a, b.transposed, .right),
    ] {
      var c = old
      c.addProduct(left, right, transposing: transposing, scale: -0.5, keeping: 2)
      #expect(relativeError(c, expected) < 1e-13, "\(m), \(n), \(k), \(transposing)")
    }
    for threads in [1, 2, 3] {
      var c = old
      c.addOuterProduct(a, b.transposed, scale: -0.5, threads: threads)
      var sum = product(a, b)
      sum.scale(by: -0.5)
      sum.add(old)
      #expect(relativeError(c, sum) < 1e-13, "\(m), \(n), \(k), \(threads) threads")
    }
  }

  @Test(arguments: 1...6) func affineDiscrepancyIsItsDefinition(inner: Int) {
    var g = RandomGenerator(seed: UInt64(inner))
    for rows in [1, 7, 8, 30] {
      let a = g.normalMatrix(rows: rows, columns: inner)
      let (x, t) = (
        g.normalMatrix(rows: inner, columns: 11), g.normalMatrix(rows: rows, columns: 11)
      )
      let b = g.normalMatrix(rows: rows, columns: 1)
      var expected = t
      expected.addToEachColumn(b, scale: -1)
      expected.add(product(a, x), scale: -1)
      var y = Matrix(rows: rows, columns: 11)
      y.setAffineDiscrepancy(t, a, x, b)
      #expect(relativeError(y, expected) < 1e-13, "rows \(rows)")
    }
  }

  @Test(arguments: [1, 15, 16, 17, 100]) func reductionsAreTheirDefinitions(n: Int) {
    var g = RandomGenerator(seed: UInt64(n))
    let x = g.normalMatrix(rows: n, columns: 7)
    let elements = x.elements
    #expect(abs(x.sumOfSquares / elements.reduce(0) { $0 + $1 * $1 } - 1) < 1e-14)
    #expect(x.maximumMagnitude == elements.map(abs).max()!)
    var sums = Matrix(rows: n, columns: 1)
    sums.addRowSums(of: x, scale: 3)
    for i in 0..<n {
      let sum = (0..<7).reduce(0) { $0 + x[i, $1] }
      #expect(abs(sums[i, 0] - 3 * sum) < 1e-13)
    }
    var bad = x
    bad[n - 1, 6] = .nan
    #expect(bad.maximumMagnitude.isNaN)
    var moved = x
    #expect(moved.advance(along: bad, by: 1).isNaN)
  }

  @Test func twoKinksHaveThreeBranches() {
    let clip = PiecewiseAffine(kinks: [0, 6], slopes: [0, 1, 0], offsets: [0, 0, 6])
    let z = Matrix([[-1], [0], [2], [6], [7]])
    var a = z
    clip.apply(z, into: &a)
    #expect(a.elements == [0, 0, 2, 6, 6])
    var branches = [UInt16](repeating: 0, count: 5)
    #expect(clip.readBranches(of: z, into: &branches) == 4)
    #expect(branches == [0, 1, 1, 2, 2])
    var linear = z
    clip.apply(branches, z, into: &linear)
    #expect(linear.elements == [0, 0, 2, 6, 6])
  }
}

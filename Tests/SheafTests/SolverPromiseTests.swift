import LinearAlgebra
import NeuralSheaves
import Testing

/// NaN is seen, and what jumps is refused.
struct SolverPromiseTests {
  // MARK: NaN

  @Test func maximaKeepNaN() {
    for list in [[1, .nan, 2], [.nan, 3], [3, .nan]] as [[Double]] {
      #expect(list.maximum()!.isNaN && list.maximumMagnitude.isNaN)
      let column = Matrix(column: list)
      #expect(column.maximumMagnitude(column: 0).isNaN && column.maximumMagnitude.isNaN)
    }
    #expect([-5.0, 2].maximum() == 2 && [-5.0, 2].maximumMagnitude == 5)
    #expect([Double]().maximum() == nil)
    #expect(LinearAlgebra.maximum(1, 2) == 2 && LinearAlgebra.maximum(2, 1) == 2)
    var pooled = Matrix(rows: 1, columns: 3)
    let pool = MaximumPooling(SlidingWindow(channels: 1, image: Extent(1, 3), kernel: Extent(1, 3)))
    pool.apply(Matrix([[.nan, 1, 2], [1, .nan, 3], [2, 2, .nan]]), into: &pooled)
    #expect(pooled.elements.allSatisfy { $0.isNaN })
    var pattern = pool.blankPattern(batch: 3)
    _ = pool.readPattern(at: Matrix([[.nan, 1, 2], [1, .nan, 3], [2, 2, .nan]]), into: &pattern)
    #expect((0..<3).map { pattern[0, $0] } == [0, 1, 2])
  }

  /// LAPACK does not get what is not finite; a right-hand side that is not spoils its own column only.
  @Test func factorizationsRefuseNaN() throws {
    for bad in [Double.nan, .infinity, -.infinity] {
      for (i, j) in [(0, 0), (1, 0), (2, 2)] {
        var a = Matrix([[4, 1, 0], [1, 3, 1], [0, 1, 2]])
        a[i, j] = bad
        #expect(throws: FactorizationError.notFinite) { _ = try CholeskyFactorization(a) }
        #expect(throws: FactorizationError.notFinite) { _ = try SymmetricEigendecomposition(a) }
        #expect(throws: FactorizationError.notFinite) {
          _ = try a.solve(Matrix(column: [1, 2, 3]))
        }
      }
      // What lies above the diagonal is not read.
      var upper = Matrix([[4, 1, 0], [1, 3, 1], [0, 1, 2]])
      upper[0, 2] = bad
      #expect(throws: Never.self) { _ = try CholeskyFactorization(upper) }
    }
    let a = Matrix([[4, 1], [1, 3]])
    let factor = try CholeskyFactorization(a)
    var b = Matrix([[1, .nan, 1], [2, 0, 2]])
    factor.solve(&b)
    let x = try a.solve(Matrix([[1, .nan, 1], [2, 0, 2]]))
    for solution in [b, x] {
      #expect(abs(solution[0, 0] - 1.0 / 11) < 1e-15 && abs(solution[1, 2] - 7.0 / 11) < 1e-15)
      #expect(solution[0, 1].isNaN)
    }
    #expect(throws: FactorizationError.self) {
      _ = try CholeskyFactorization(Matrix([[1e308, 0], [1e308, 1e-300]]))
    }
  }

  // MARK: Continuity

  @Test func jumpsAreRefused() {
    func error(_ kinks: [Double], _ slopes: [Double], _ offsets: [Double]) -> PiecewiseAffineError?
    {
      do throws(PiecewiseAffineError) {
        _ = try PiecewiseAffine(checking: kinks, slopes: slopes, offsets: offsets)
        return nil
      } catch {
        return error
      }
    }
    #expect(error([0], [0, 1], [0, 0]) == nil && error([-1, 2], [0, 1, 0], [-1, 0, 2]) == nil)
    #expect(error([0], [0, 1], [0, 1]) == .jump(kink: 0, left: 0, right: 1))
    #expect(error([1], [0, 1], [0, 0]) == .jump(kink: 1, left: 0, right: 1))
    #expect(error([-1, 2], [0, 1, 0], [-1, 0, 3]) == .jump(kink: 2, left: 2, right: 3))
    // Single precision.
    #expect(error([Double(Float(0.1))], [0, 1], [0.1, 0]) == nil)
    #expect(error([], [1], [0]) == .counts(kinks: 0, slopes: 1, offsets: 1))
    #expect(error([0], [1], [0]) == .counts(kinks: 1, slopes: 1, offsets: 1))
    #expect(error([2, 1], [1, 1, 1], [0, 0, 0]) != nil && error([.nan], [1, 1], [0, 0]) != nil)
    #expect("\(error([0], [0, 1], [0, 1])!)".contains("jumps at 0.0 from 0.0 to 1.0"))
  }
}

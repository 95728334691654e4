import CellularSheaves
import LinearAlgebra
import SparseFactorizations

/// Eigenvalues of a sheaf Laplacian with orthonormal eigenvectors: all, or the smallest with their multiplicities.
///
/// The smallest are found by block Lanczos iterations with (L + σ)⁻¹; that none is missing below a number μ is confirmed by
/// Sylvester's law: L − μ has as many negative eigenvalues as its L D Lᵀ factorisation has negative pivots.
public struct LaplacianSpectrum: Sendable {
  /// The eigenvalues, ascending; those within rounding of 0 are 0.
  public let values: [Double]
  /// Their eigenvectors in orthonormal coordinates, one per column; none if they were not asked for.
  public let vectors: Matrix
  /// ‖L v − λ v‖ of each pair over the largest eigenvalue or a bound of it; 0 for a dense decomposition without vectors.
  public let residuals: [Double]
  /// Whether it was counted that none is missing: below a number just above the last, or, where that is one of very many
  /// that are equal, below those.
  public let isConfirmed: Bool
  /// `converged`, or how the iterations ended.
  public let status: SolutionStatus

  /// All eigenvalues, by a dense decomposition.
  ///
  /// - Complexity: 4n³/3, and memory 8n² or twice that with vectors.
  public init(all laplacian: SheafLaplacian, vectors: Bool = false) throws(FactorizationError) {
    try self.init(allOf: laplacian.triangle, vectors: vectors)
  }

  /// All eigenvalues of a positive semidefinite matrix, such as a persistent or a reduced Laplacian.
  ///
  /// - Parameters:
  ///   - triangle: its lower triangle.
  ///   - scale: a magnitude to which the rounding of its elements is in proportion, beside its own.
  public init(
    allOf triangle: SparseMatrix, scale: Double = 0, vectors: Bool = false
  ) throws(FactorizationError) {
    let operation = Self.operation(triangle)
    let pairs = try SymmetricEigendecomposition(operation.matrix.dense, vectors: vectors)
    values = Self.rounded(pairs.values, operation, scale)
    self.vectors = pairs.vectors
    let largest = max(values.last ?? 0, .leastNormalMagnitude)
    residuals =
      vectors
      ? Eigenpairs.residuals(operation, values, pairs.vectors).map { $0 / largest }
      : values.map { _ in 0 }
    (isConfirmed, status) = (true, .converged)
  }

  /// The smallest eigenvalues.
  ///
  /// - Parameters:
  ///   - count: how many.
  ///   - denseOrder: up to this order by a dense decomposition.
  ///   - tolerance: of the residuals, relative to the largest eigenvalue's bound.
  ///   - seed: of the start.
  /// - Complexity: a sparse Cholesky factorisation, as a rule one or two L D Lᵀ, up to some thirty, and some ten solves for each pair.
  public init(
    smallest count: Int, of laplacian: SheafLaplacian, denseOrder: Int = 200,
    tolerance: Double = 1e-9, seed: UInt64 = 0, halt: Halt = .never
  ) throws(FactorizationError) {
    try self.init(
      smallest: count, of: laplacian.triangle, denseOrder: denseOrder, tolerance: tolerance,
      seed: seed, halt: halt)
  }

  /// The smallest eigenvalues of a positive semidefinite matrix.
  ///
  /// - Parameters:
  ///   - triangle: its lower triangle.
  ///   - scale: a magnitude to which the rounding of its elements is in proportion, beside its own.
  public init(
    smallest count: Int, of triangle: SparseMatrix, scale: Double = 0, denseOrder: Int = 200,
    tolerance: Double = 1e-9, seed: UInt64 = 0, halt: Halt = .never
  ) throws(FactorizationError) {
    let n = triangle.rows
    precondition(count >= 0, "\(count) eigenvalues")
    let operation = Self.operation(triangle)
    let count = min(count, n)
    if n <= denseOrder || 3 * count > n {
      let pairs = try SymmetricEigendecomposition(operation.matrix.dense)
      values = Self.rounded(Array(pairs.values.prefix(count)), operation, scale)
      vectors = pairs.vectors.columns(0..<count)
      let largest = max(pairs.values.last ?? 0, .leastNormalMagnitude)
      residuals = Eigenpairs.residuals(operation, values, vectors).map { $0 / largest }
      (isConfirmed, status) = (true, .converged)
      return
    }
    let search = try SmallestSearch(operation, triangle, count, tolerance, seed, halt)
    values = Self.rounded(Array(search.values.prefix(count)), operation, scale)
    vectors = search.vectors.columns(0..<values.count)
    residuals = Array(search.residuals.prefix(count))
    (isConfirmed, status) = (search.isConfirmed, search.status)
  }

  private static func operation(_ triangle: SparseMatrix) -> SymmetricSparseMatrix {
    SymmetricSparseMatrix(lowerTriangle: triangle, .positiveSemidefinite)
  }

  /// What is within rounding of 0, as it is for a positive semidefinite matrix.
  private static func rounded(
    _ values: [Double], _ operation: SymmetricSparseMatrix, _ scale: Double
  ) -> [Double] {
    let rounding = 64 * Double.ulpOfOne * max(operation.matrix.oneNorm, scale)
    return values.map { $0 <= rounding ? 0 : $0 }
  }

  /// The eigenvalues with their multiplicities, values within a tolerance of the largest counting as one.
  public func multiplicities(tolerance: Double = 1e-8) -> [(value: Double, count: Int)] {
    let width = tolerance * max(abs(values.last ?? 0), 1e-300)
    var result: [(value: Double, count: Int)] = []
    var last = -Double.infinity
    for value in values {
      if value - last <= width, !result.isEmpty {
        result[result.count - 1].count += 1
      } else {
        result.append((value, 1))
      }
      last = value
    }
    return result
  }
}

extension Eigenpairs {
  /// ‖A v − θ v‖ of pairs.
  fileprivate static func residuals(
    _ a: SymmetricSparseMatrix, _ values: [Double], _ vectors: Matrix
  ) -> [Double] {
    var difference = a(vectors)
    difference.addScaledColumns(vectors, by: values, scale: -1)
    return values.indices.map { difference.sumOfSquares(column: $0).squareRoot() }
  }
}

/// The search for the smallest pairs, a few more than asked for, until a count confirms them.
private struct SmallestSearch {
  var values: [Double] = []
  var vectors: Matrix
  var residuals: [Double] = []
  var isConfirmed = false
  var status = SolutionStatus.converged

  init(
    _ operation: SymmetricSparseMatrix, _ triangle: SparseMatrix, _ count: Int,
    _ tolerance: Double, _ seed: UInt64, _ halt: Halt
  ) throws(FactorizationError) {
    let n = triangle.rows
    vectors = Matrix(rows: n, columns: 0)
    let bound = operation.matrix.oneNorm
    guard bound > 0 else {
      // L = 0.
      values = [Double](repeating: 0, count: count)
      vectors = Matrix.identity(n).columns(0..<count)
      residuals = values
      isConfirmed = true
      return
    }
    let shift = 1e-4 * triangle.diagonal.reduce(0, +) / Double(n)
    let inverse = ShiftedInverse(
      factor: try SparseCholesky(triangle.addingToDiagonal(shift)), order: n)
    let inertia = try SparseInertia(triangle)
    var generator = RandomGenerator(seed: seed)
    var wanted = min(count + 4, n)
    for _ in 0..<6 {
      let lanczos = BlockLanczos(blockSize: 4, tolerance: 1e-12, halt: halt)
      let found = lanczos.eigenpairs(
        of: inverse, count: wanted, at: .largest, using: &generator)
      status = found.statuses.first { $0 != .converged } ?? .converged
      try refine(found.value.vectors, operation, bound)
      guard status == .converged, count > 0, values.count >= count else { return }
      let gap = separator(after: count, bound)
      let above = try Self.count(inertia, in: gap)
      let isAccurate = residuals.prefix(count).max()! <= max(tolerance, 1e-9)
      if above == values.count(where: { $0 < gap.upperBound }) {
        isConfirmed = isAccurate
        return
      }
      if above.map({ $0 > 4 * count + 64 }) ?? true, try isComplete(inertia, count, bound) {
        isConfirmed = isAccurate
        return
      }
      wanted = min(n, max((above ?? 0) + 4, wanted + count))
    }
  }

  /// The number of eigenvalues below a gap that factorisations at some place in it count reliably.
  private static func count(
    _ inertia: SparseInertia, in gap: ClosedRange<Double>
  ) throws(FactorizationError) -> Int? {
    for share in [0.5, 0.41, 0.63, 0.27, 0.79] {
      let mu = gap.lowerBound + share * (gap.upperBound - gap.lowerBound)
      let counted = try inertia.inertia(shift: mu)
      if counted.isReliable { return counted.negative }
    }
    return nil
  }

  /// Whether none is missing below the values that are one with number `count`, when there are too many of them to be
  /// found: a kernel of large dimension, say, below which there is nothing.
  private func isComplete(
    _ inertia: SparseInertia, _ count: Int, _ bound: Double
  ) throws(FactorizationError) -> Bool {
    var start = count - 1
    let step = Self.step(at: values[start], bound)
    while start > 0 && values[start] - values[start - 1] <= step { start -= 1 }
    if start == 0 && values[0] <= 1e-9 * bound { return true }
    let below = start > 0 ? values[start - 1] : values[0] - 2 * step
    return try Self.count(inertia, in: below...values[start]) == start
  }

  /// Values nearer to one another than this count as one.
  private static func step(at value: Double, _ bound: Double) -> Double {
    max(1e-6 * value, 1e-9 * bound)
  }

  /// Rayleigh–Ritz with L itself: (L + σ)⁻¹ has its digits at the small end.
  private mutating func refine(
    _ basis: Matrix, _ operation: SymmetricSparseMatrix, _ bound: Double
  ) throws(FactorizationError) {
    let k = basis.columns
    let image = operation(basis)
    var projected = Matrix(rows: k, columns: k)
    projected.setProduct(basis, image, transposing: .left)
    let pairs = try SymmetricEigendecomposition(projected)
    values = pairs.values
    vectors = basis * pairs.vectors
    residuals = Eigenpairs.residuals(operation, values, vectors).map { $0 / bound }
  }

  /// The widest gap between the values from number `count` on, or just above the last of them.
  private func separator(after count: Int, _ bound: Double) -> ClosedRange<Double> {
    if values.count == vectors.rows { return 2 * bound + 1...2 * bound + 2 }
    let last = values[values.count - 1]
    let step = Self.step(at: last, bound)
    var best = last...last + 2 * step
    for i in count..<values.count
    where values[i] - values[i - 1] > best.upperBound - best.lowerBound {
      best = values[i - 1]...values[i]
    }
    return best
  }
}

/// (L + σ)⁻¹.
private struct ShiftedInverse: SymmetricOperator {
  let factor: SparseCholesky
  let order: Int
  var rows: Int { order }
  var traits: OperatorTraits { .positiveDefinite }
  func apply(_ x: Matrix, into y: inout Matrix) {
    y = x
    // Memory for one block.
    do { try factor.solve(&y) } catch { y.fill(.nan) }
  }
}

import LinearAlgebra

/// Residuals whose covariances are sums of known matrices with unknown factors:
///
///     r_i ~ N(0, S_i),   S_i = Σ_c τ_c P_{c,i} + K_i + ε I,   i = 1, …, N,
///
/// the r_i independent, P_{c,i} symmetric and positive semidefinite, τ_c ≥ 0 the variance components, ε ≥ 0 a floor and K_i covariances that are
/// given, by default 0.
///
/// With P_{c,i} = J_e J_eᵀ of an edge e (`GaussianSheaf.componentCovariances`) τ_c is the variance γ_e⁻¹ of the edge's noise.
/// The matrices are kept as lower triangles, one column for each component, so that sums over components and
/// traces with them are products with one tall matrix.
public struct VarianceModel: Sendable {
  /// r, (n, N).
  public let residuals: Matrix
  /// ε.
  public let floor: Double
  /// The lower triangles of the K_i, as a column; nil for 0.
  private let known: Matrix?
  /// The number of components.
  public var count: Int { packed.columns }
  /// For each component the variance with which it alone would explain the residuals' mean square; 1 for a
  /// component that is 0.
  public let units: [Double]
  /// The lower triangles of a component, column by column and sample by sample, in its column.
  let packed: Matrix

  /// A model of residuals.
  ///
  /// - Parameters:
  ///   - residuals: r, (n, N).
  ///   - components: for each component the N matrices P_{c,i}, (n, n).
  ///   - known: K, (n, n) for each sample; nil for 0.
  ///   - floor: ε.
  /// - Throws: shapes that do not fit, numbers that are not finite, residuals that are all 0, as many components as
  ///   residuals.
  public init(
    residuals: Matrix, components: [[Matrix]], known: [Matrix]? = nil, floor: Double = 0
  ) throws(VarianceError) {
    let (n, samples) = (residuals.rows, residuals.columns)
    for (c, list) in (components + (known.map { [$0] } ?? [])).enumerated() {
      guard list.count == samples else {
        throw .component(
          c, found: "\(list.count) matrices", expected: "one for each of \(samples) samples")
      }
      if let p = list.first(where: { $0.rows != n || $0.columns != n }) {
        throw .component(c, found: "a matrix of shape \(p.shape)", expected: "(\(n), \(n))")
      }
      if let j = list.firstIndex(where: { $0.firstNonFinite != nil }) {
        throw .notFinite(name: "component \(c)", sample: j)
      }
    }
    try self.init(
      residuals: residuals,
      packed: Matrix(
        rows: samples * n * (n + 1) / 2, columns: components.count,
        columnMajor: components.flatMap(Self.triangles)),
      known: known.map { Matrix(column: Self.triangles($0)) }, floor: floor)
  }

  /// The lower triangles of symmetric matrices, one after the other.
  private static func triangles(_ matrices: [Matrix]) -> [Double] {
    matrices.flatMap { p in (0..<p.rows).flatMap { k in (k..<p.rows).map { p[$0, k] } } }
  }

  private init(
    residuals: Matrix, packed: Matrix, known: Matrix?, floor: Double
  ) throws(VarianceError) {
    guard residuals.count > 0 else { throw .noData }
    guard floor >= 0 && floor.isFinite else { throw .floor(found: floor) }
    if let (_, j) = residuals.firstNonFinite { throw .notFinite(name: "the residual", sample: j) }
    guard packed.columns < residuals.count else {
      throw .tooManyComponents(found: packed.columns, data: residuals.count)
    }
    let square = dot(residuals, residuals)
    guard square > 0 else { throw .zeroResiduals }
    let n = residuals.rows
    (self.residuals, self.packed, self.floor) = (residuals, packed, floor)
    self.known = known
    units = (0..<packed.columns).map { c in
      var (trace, at) = (0.0, 0)
      for _ in 0..<residuals.columns {
        for k in 0..<n {
          trace += packed[at, c]
          at += n - k
        }
      }
      return trace > 0 ? square / trace : 1
    }
  }

  /// The model in which the components of each group have one variance and those of no group have none: a
  /// hypothesis about this one.
  ///
  /// - Parameter groups: disjoint lists of components.
  public func merged(_ groups: [[Int]]) throws(VarianceError) -> VarianceModel {
    let all = groups.flatMap { $0 }
    precondition(
      Set(all).count == all.count && all.allSatisfy { (0..<count).contains($0) },
      "groups \(groups) of \(count) components")
    var choice = Matrix(rows: count, columns: groups.count)
    for (g, group) in groups.enumerated() { for c in group { choice[c, g] = 1 } }
    return try VarianceModel(
      residuals: residuals,
      packed: groups.isEmpty ? Matrix(rows: packed.rows, columns: 0) : packed * choice,
      known: known, floor: floor)
  }

  /// The components, those together that are multiples of each other on all samples: no residuals tell them apart, and one of them can stand
  /// for all. So it is with the gains of z and of a ReLU that alone reads it, as J_z = J_aD and a = Dz with the slopes D, and with a sum and its terms.
  public var twins: [[Int]] {
    var gram = Matrix(rows: count, columns: count)
    if count > 0 { gram.addProduct(packed, packed, transposing: .left) }
    var groups: [[Int]] = []
    for c in 0..<count {
      let twin = groups.firstIndex { group in
        let d = group[0]
        return gram[c, d] > (1 - 1e-12) * (gram[c, c] * gram[d, d]).squareRoot()
      }
      if let twin { groups[twin].append(c) } else { groups.append([c]) }
    }
    return groups
  }

  /// The same model of other residuals.
  ///
  /// - Parameter residuals: r, of the shape that it was.
  /// - Throws: as the initialiser.
  public func replacing(_ residuals: Matrix) throws(VarianceError) -> VarianceModel {
    precondition(
      residuals.rows == self.residuals.rows && residuals.columns == self.residuals.columns,
      "residuals \(residuals.shape), expected \(self.residuals.shape)")
    return try VarianceModel(
      residuals: residuals, packed: packed, known: known, floor: floor)
  }

  /// The lower triangles of all S_i, as a column.
  func covariances(_ variances: [Double]) -> Matrix {
    precondition(variances.count == count, "\(variances.count) variances for \(count) components")
    var s = known ?? Matrix(rows: packed.rows, columns: 1)
    if count > 0 { s.addProduct(packed, Matrix(column: variances)) }
    guard floor > 0 else { return s }
    let n = residuals.rows
    var at = 0
    for _ in 0..<residuals.columns {
      for k in 0..<n {
        s[at, 0] += floor
        at += n - k
      }
    }
    return s
  }

  /// A draw of residuals with given variances, (n, N).
  ///
  /// - Throws: `VarianceError.indefinite` where S_i has no Cholesky factor.
  public func sample(
    _ variances: [Double], using generator: inout RandomGenerator
  ) throws(VarianceError) -> Matrix {
    let factors = try lowerFactors(variances)
    return sample(factors, using: &generator)
  }

  /// The Cholesky factors of all S_i.
  func lowerFactors(_ variances: [Double]) throws(VarianceError) -> [Matrix] {
    let s = covariances(variances)
    var factors: [Matrix] = []
    for j in 0..<residuals.columns {
      do {
        factors.append(try CholeskyFactorization(triangle(s.elements, 0, j)).lowerTriangle)
      } catch { throw .indefinite(sample: j) }
    }
    return factors
  }

  func sample(_ factors: [Matrix], using generator: inout RandomGenerator) -> Matrix {
    let n = residuals.rows
    var result = Matrix(rows: n, columns: factors.count)
    for (j, l) in factors.enumerated() {
      let z = (0..<n).map { _ in generator.normal() }
      for i in 0..<n { for k in 0...i { result[i, j] += l[i, k] * z[k] } }
    }
    return result
  }
}

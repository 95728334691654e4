import CellularSheaves
import Foundation
import LinearAlgebra
import SheafCohomology
import SparseFactorizations

/// How much to smooth, from the data alone. With x̂ = S y, n coordinates and h = dim ker L:
///
/// - *Generalised cross-validation* (Craven, Wahba 1979; Golub, Heath, Wahba 1979): the minimum of
///   n‖(1 − S)y‖² / (n − tr S)².
/// - *Marginal likelihood*, restricted to the complement of ker L (Patterson, Thompson 1971): y = x + e with e of variance σ²
///   and x Gaussian of the precision that makes S y its posterior mean, λL/σ² for the ridge and (exp(tL) − 1)/σ² for heat. Up
///   to a constant −2 log p is (n − h) log yᵀ(1 − S)y − log det′(1 − S), det′ the product of the positive eigenvalues; for
///   the ridge log det′(1 − S) = (n − h) log λ + log det′ L − log det(1 + λL).
public enum SmoothingCriterion: String, Sendable, CaseIterable {
  case generalizedCrossValidation = "gcv"
  case marginalLikelihood = "marginal-likelihood"
}

/// A parameter of a smoother chosen by a criterion.
public struct SmoothingChoice: Sendable {
  /// The method with the parameter.
  public let method: SignalSmoother.Method
  /// The criterion's value there.
  public let value: Double
  /// σ² as the criterion sees it: ‖(1 − S)y‖²/(n − tr S), or yᵀ(1 − S)y/(n − h).
  public let noiseVariance: Double
  /// tr S, the effective number of parameters; of total variation the dimension of the cochains with the same edges without
  /// a jump.
  public let effectiveParameters: Double
  /// What was looked at: parameters, ascending, and the criterion.
  public let curve: [(parameter: Double, value: Double)]
  /// Whether the minimum lies at an end of the range that was looked at: the data ask for none or for all of it.
  public var isAtEnd: Bool {
    let parameter = method.parameter
    return parameter <= curve.first!.parameter * 1.0001
      || parameter >= curve.last!.parameter * 0.9999
  }
}

extension SignalSmoother.Method {
  /// λ or t.
  public var parameter: Double {
    switch self {
    case .ridge(let x), .heat(let x), .totalVariation(let x): x
    }
  }
}

extension SignalSmoother {
  /// Which methods.
  public enum Family: String, Sendable, CaseIterable {
    case ridge
    case heat
    case totalVariation = "total-variation"

    func method(_ parameter: Double) -> Method {
      switch self {
      case .ridge: .ridge(parameter)
      case .heat: .heat(parameter)
      case .totalVariation: .totalVariation(parameter)
      }
    }
  }

  /// The parameter at which a criterion is least, over a logarithmic grid and then by golden section.
  ///
  /// Up to `denseLimit` coordinates from the eigenvalues of L; beyond them the ridge by a sparse factorisation for each
  /// parameter, traces and determinants exact; heat is refused there, and the marginal likelihood of total variation everywhere.
  ///
  /// - Parameters:
  ///   - y: one column.
  ///   - range: of λ or t; 10⁻⁴ to 10⁴ over the mean of the diagonal of L if nil, for total variation 10⁻⁴ to 1 times the
  ///     largest |Dy|.
  ///   - points: of the grid.
  /// - Throws: `quantity` for what is not offered; what factorisations throw.
  public func choose(
    _ family: Family, for y: Matrix, by criterion: SmoothingCriterion,
    range: ClosedRange<Double>? = nil, points: Int = 33, denseLimit: Int = 2000
  ) throws -> SmoothingChoice {
    precondition(y.columns == 1 && points >= 3, "\(y.columns) columns, \(points) points")
    guard y.firstNonFinite == nil else { throw FactorizationError.notFinite }
    let sheaf = laplacian.sheaf
    let data = sheaf.orthonormal(y, degree: laplacian.degree).column(0)
    let isZero =
      family == .totalVariation
      ? laplacian.sheaf.coboundaryTransposed(laplacian.degree).maximumMagnitude == 0
      : laplacian.triangle.maximumMagnitude == 0
    guard !isZero else {
      throw InferenceError.quantity(
        name: "the parameter of a smoother", found: "a sheaf on which nothing is smoothed",
        expected: "maps that are not 0, or a given parameter")
    }
    let evaluate = try evaluator(family, data, criterion, denseLimit)
    let range = range ?? defaultRange(family, data)
    let (low, high) = (log(range.lowerBound), log(range.upperBound))
    var curve: [(parameter: Double, value: Double)] = []
    for k in 0..<points {
      let x = exp(low + (high - low) * Double(k) / Double(points - 1))
      curve.append((x, try evaluate(x).value))
    }
    // Of infinite ones the last, which smooths most.
    let best =
      curve.contains { $0.value < .infinity }
      ? curve.indices.min { curve[$0].value < curve[$1].value }! : points - 1
    var parameter = curve[best].parameter
    if best > 0 && best < points - 1 {
      parameter = try Self.goldenSection(
        log(curve[best - 1].parameter), log(curve[best + 1].parameter)
      ) { try evaluate(exp($0)).value }
      parameter = exp(parameter)
      if try evaluate(parameter).value > curve[best].value { parameter = curve[best].parameter }
    }
    let found = try evaluate(parameter)
    return SmoothingChoice(
      method: family.method(parameter), value: found.value, noiseVariance: found.variance,
      effectiveParameters: found.trace, curve: curve)
  }

  private func defaultRange(_ family: Family, _ data: [Double]) -> ClosedRange<Double> {
    if family == .totalVariation {
      let jumps = laplacian.sheaf.coboundary(laplacian.degree, in: .orthonormal)(
        Matrix(column: data))
      let top = max(jumps.maximumMagnitude, 1e-300)
      return 1e-4 * top...top
    }
    let diagonal = laplacian.triangle.diagonal
    let mean = max(diagonal.reduce(0, +) / Double(max(diagonal.count, 1)), 1e-300)
    return 1e-4 / mean...1e4 / mean
  }

  /// A value of a criterion, with the estimate of σ² and tr S.
  typealias Evaluation = (value: Double, variance: Double, trace: Double)

  private func evaluator(
    _ family: Family, _ y: [Double], _ criterion: SmoothingCriterion, _ denseLimit: Int
  ) throws -> (Double) throws -> Evaluation {
    if family == .totalVariation {
      guard criterion == .generalizedCrossValidation else {
        throw InferenceError.quantity(
          name: "the marginal likelihood of total variation", found: "asked for",
          expected: "generalised cross-validation: the prior has no closed form")
      }
      let transposed = laplacian.sheaf.coboundaryTransposed(laplacian.degree, in: .orthonormal)
      let kernel = y.count - (try RankRevealingQR.deciding(transposed, by: nil).rank)
      return { try Self.totalVariation(transposed, y, $0, kernel: kernel) }
    }
    if y.count <= denseLimit {
      let spectrum = try DenseSpectrum(laplacian, y)
      return { spectrum.evaluate(family, $0, criterion) }
    }
    guard family == .ridge else {
      throw InferenceError.quantity(
        name: "a time of the heat flow chosen for \(y.count) coordinates",
        found: "more than "
          + "\(denseLimit)", expected: "the ridge, whose traces are sparse, or a given time")
    }
    let kernel =
      criterion == .marginalLikelihood
      ? try RealCohomology(laplacian.sheaf).betti[laplacian.degree] : 0
    let triangle = laplacian.triangle
    return { try Self.sparseRidge(triangle, y, $0, criterion, kernel) }
  }

  private static func sparseRidge(
    _ triangle: SparseMatrix, _ y: [Double], _ lambda: Double, _ criterion: SmoothingCriterion,
    _ kernel: Int
  ) throws -> Evaluation {
    let n = Double(y.count)
    let factor = try SparseCholesky(
      triangle.mapValues { lambda * $0 }.addingToDiagonal(1))
    var x = Matrix(column: y)
    try factor.solve(&x)
    let left = zip(y, x.column(0)).map { $0 - $1 }
    switch criterion {
    case .generalizedCrossValidation:
      let trace = try factor.selectedInverse().diagonal.reduce(0, +)
      let sum = left.reduce(0) { $0 + $1 * $1 }
      return (n * sum / ((n - trace) * (n - trace)), sum / (n - trace), trace)
    case .marginalLikelihood:
      let d = n - Double(kernel)
      let product = zip(y, left).reduce(0) { $0 + $1.0 * $1.1 }
      return (
        d * log(product) - d * log(lambda) + factor.logDeterminant, product / d,
        try factor.selectedInverse().diagonal.reduce(0, +)
      )
    }
  }

  /// Here tr S is the number of free directions: the dimension of the kernel of the rows of D that are 0 (Tibshirani,
  /// Taylor 2011, Thm. 3).
  ///
  /// Where more than half of the directions beside the kernel are free the criterion is infinite: the few that are not were
  /// chosen for being nearly equal in the data, and what is left of them is less than the noise.
  private static func totalVariation(
    _ transposed: SparseMatrix, _ y: [Double], _ lambda: Double, kernel: Int
  ) throws -> Evaluation {
    let found = try TotalVariation(transposed, y, lambda)
    let jumps = transposed.adjoint(Matrix(column: found.x)).column(0)
    let top = max(jumps.reduce(0) { max($0, abs($1)) }, y.reduce(0) { max($0, abs($1)) })
    let flat = jumps.indices.filter { abs(jumps[$0]) <= 1e-5 * top }
    let rank = try RankRevealingQR.deciding(transposed.part(columns: flat), by: nil).rank
    let (n, trace) = (Double(y.count), Double(y.count - rank))
    let sum = zip(y, found.x).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    let variance = sum / max(n - trace, 1)
    guard trace < n, 2 * (trace - Double(kernel)) <= n - Double(kernel) else {
      return (.infinity, variance, trace)
    }
    return (n * sum / ((n - trace) * (n - trace)), sum / (n - trace), trace)
  }

  private static func goldenSection(
    _ a: Double, _ b: Double, _ f: (Double) throws -> Double
  ) rethrows -> Double {
    let ratio = (5.0.squareRoot() - 1) / 2
    var (a, b) = (a, b)
    var (c, d) = (b - ratio * (b - a), a + ratio * (b - a))
    var (fc, fd) = (try f(c), try f(d))
    for _ in 0..<20 {
      if fc < fd {
        (b, d, fd) = (d, c, fc)
        c = b - ratio * (b - a)
        fc = try f(c)
      } else {
        (a, c, fc) = (c, d, fd)
        d = a + ratio * (b - a)
        fd = try f(d)
      }
    }
    return (a + b) / 2
  }
}

/// The eigenvalues of L with the squares of the data's parts in their directions.
private struct DenseSpectrum {
  let values: [Double]
  let squares: [Double]

  init(_ laplacian: SheafLaplacian, _ y: [Double]) throws {
    let eigen = try SymmetricEigendecomposition(laplacian.triangle.dense)
    let top = eigen.values.last ?? 0
    values = eigen.values.map { $0 <= 1e-11 * top ? 0 : $0 }
    var parts = Matrix(rows: y.count, columns: 1)
    parts.setProduct(eigen.vectors, Matrix(column: y), transposing: .left)
    squares = parts.column(0).map { $0 * $0 }
  }

  func evaluate(
    _ family: SignalSmoother.Family, _ parameter: Double, _ criterion: SmoothingCriterion
  ) -> SignalSmoother.Evaluation {
    // 1 − S in each direction.
    let left = values.map {
      family == .ridge ? parameter * $0 / (1 + parameter * $0) : -expm1(-parameter * $0)
    }
    let n = Double(values.count)
    let rest = left.reduce(0, +)
    switch criterion {
    case .generalizedCrossValidation:
      let sum = zip(left, squares).reduce(0) { $0 + $1.0 * $1.0 * $1.1 }
      return (n * sum / (rest * rest), sum / rest, n - rest)
    case .marginalLikelihood:
      let d = Double(values.count { $0 > 0 })
      let product = zip(left, squares).reduce(0) { $0 + $1.0 * $1.1 }
      let determinant = left.reduce(0) { $1 > 0 ? $0 + log($1) : $0 }
      return (d * log(product) - determinant, product / d, n - rest)
    }
  }
}

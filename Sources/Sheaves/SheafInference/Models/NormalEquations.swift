import CellComplexes
import LinearAlgebra
import SheafCohomology
import SparseFactorizations

/// The least-squares problem min ‖J d + r‖, by the Cholesky factorisation of JᵀJ or, where that is singular, with what
/// is not determined set apart; and the covariance (JᵀJ)⁻¹ of what is.
///
/// Unknowns are scaled to a unit diagonal first, so that kilometres beside degrees are no sign of a singular matrix.
/// *What is not determined.* Let K span the kernel of J and P choose as many unknowns on which K is regular. Then
/// (JᵀJ + P Pᵀ)⁻¹ is a generalised inverse G of JᵀJ, and aᵀ G a is one and the same for all of them wherever a is
/// orthogonal to K (Rao 1973, §4a): the covariances of the unknowns that are determined.
struct NormalEquations: Sendable {
  private let scales: [Double]
  private let transposed: SparseMatrix
  private let factor: SparseCholesky?
  private let inverse: SelectedInverse?
  /// A basis of what the data do not determine, in the scaled unknowns.
  private let kernel: SparseMatrix
  private let kernelTransposed: SparseMatrix
  private let least: Matrix?

  /// - Parameters:
  ///   - system: J and r.
  ///   - blocks: unknowns whose covariances among each other will be asked for; none if no covariance will be.
  /// - Throws: what factorisations throw.
  init(_ system: Linearization, covarianceOf blocks: [Range<Int>]?) throws(FactorizationError) {
    let n = system.transposed.rows
    let squares = system.transposed.rowSquares
    scales = squares.map { $0 > 0 && $0.isFinite ? 1 / $0.squareRoot() : 1 }
    transposed = system.transposed.scalingRows(by: scales)
    guard squares.allSatisfy(\.isFinite) else { throw .notFinite }
    var gram = transposed.outerGram
    if let blocks { gram = gram.withPattern(including: blocks) }
    if let regular = try Self.regularFactor(gram) {
      (factor, least) = (n > 0 ? regular : nil, nil)
      kernel = SparseMatrix.ColumnBuilder(rows: n).matrix
    } else {
      var right = transposed(Matrix(column: system.residual))
      right.scale(by: -1)
      let (transposed, residual) = (transposed, system.residual)
      let part = try FreePart(gram, right, HarmonicExtension.Settings()) {
        (transposed, Matrix(column: residual.map { -$0 }))
      }
      least = part.solution
      var builder = SparseMatrix.ColumnBuilder(rows: n)
      var pivots = [Double](repeating: 0, count: n)
      for (places, kernel) in part.kernels {
        for j in 0..<kernel.columns {
          for (i, place) in places.enumerated() { builder.append(row: place, kernel[i, j]) }
          builder.endColumn()
        }
        for i in kernel.independentRows() { pivots[places[i]] = 1 }
      }
      kernel = builder.matrix
      factor = try SparseCholesky(gram.addingToDiagonal(pivots))
    }
    kernelTransposed = kernel.transposed
    inverse = blocks == nil ? nil : try factor?.selectedInverse()
  }

  /// The dimension of what the data do not determine.
  var freedom: Int { kernel.columns }

  private static func regularFactor(_ gram: SparseMatrix) throws(FactorizationError)
    -> SparseCholesky?
  {
    do throws(FactorizationError) {
      let factor = try SparseCholesky(gram)
      return try gram.symmetricOneNorm * factor.inverseNorm() <= 1e11 ? factor : nil
    } catch {
      switch error {
      case .notPositiveDefinite: return nil
      default: throw error
      }
    }
  }

  /// d = −(JᵀJ)⁻¹Jᵀ r, of least norm in the scaled unknowns where that is not one.
  func solution(for residual: [Double]) throws(FactorizationError) -> [Double] {
    if let least, freedom > 0 { return zip(scales, least.column(0)).map { $0 * $1 } }
    var d = Matrix(rows: scales.count, columns: 1)
    // A second and third round make up for what the product JᵀJ lost, as long as they become smaller.
    var (left, last) = (residual, Double.infinity)
    for _ in 0..<3 {
      var step = transposed(Matrix(column: left))
      step.scale(by: -1)
      try factor?.solve(&step)
      let size = step.maximumMagnitude
      guard size < 0.5 * last else { break }
      d.add(step)
      if size <= 1e-15 * d.maximumMagnitude { break }
      last = size
      left = zip(residual, transposed.adjoint(d).column(0)).map { $0 + $1 }
    }
    return zip(scales, d.column(0)).map { $0 * $1 }
  }

  /// Whether the data determine aᵀx for each column of a.
  func determines(_ a: SparseMatrix) -> Bool {
    guard freedom > 0 else { return true }
    let scaled = a.scalingRows(by: scales)
    let across = kernelTransposed.times(scaled)
    return across.maximumMagnitude <= 1e-8 * scaled.maximumMagnitude
  }

  /// aᵀ (JᵀJ)⁻¹ a for the columns of a; nil where they are not determined.
  func covariance(of a: SparseMatrix) throws(FactorizationError) -> Matrix? {
    let support = Set(a.rowIndices).sorted().map(Int.init)
    guard determines(a) else { return nil }
    var place: [Int: Int] = [:]
    for (i, row) in support.enumerated() { place[row] = i }
    var rows = Matrix(rows: support.count, columns: a.columns)
    for j in 0..<a.columns { a.forEachEntry(ofColumn: j) { rows[place[$0]!, j] = scales[$0] * $1 } }
    let block: Matrix
    if let known = inverse?.block(support) {
      block = known
    } else {
      var unit = Matrix(rows: scales.count, columns: support.count)
      for (j, place) in support.enumerated() { unit[place, j] = 1 }
      try factor?.solve(&unit)
      block = unit[rows: support, columns: Array(0..<support.count)]
    }
    return rows.transposed * (block * rows)
  }
}

extension Matrix {
  /// As many rows as columns on which the columns are independent, by elimination with complete pivoting.
  func independentRows() -> [Int] {
    var a = self
    var chosen: [Int] = []
    var open = Set(0..<rows)
    for j in 0..<columns {
      var (best, place) = (0.0, (row: -1, column: j))
      for c in j..<columns {
        for i in open where abs(a[i, c]) > best { (best, place) = (abs(a[i, c]), (i, c)) }
      }
      guard place.row >= 0 else { break }
      open.remove(place.row)
      chosen.append(place.row)
      if place.column != j {
        for i in 0..<rows {
          let t = a[i, j]
          a[i, j] = a[i, place.column]
          a[i, place.column] = t
        }
      }
      for c in j + 1..<max(columns, j + 1) {
        let factor = a[place.row, c] / a[place.row, j]
        if factor != 0 { for i in 0..<rows { a[i, c] -= factor * a[i, j] } }
      }
    }
    return chosen
  }
}

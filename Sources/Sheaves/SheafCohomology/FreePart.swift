import LinearAlgebra
import SparseFactorizations

/// The least-squares problem of a harmonic extension, min ‖Aᵀ x − t‖ with the rows A of the free coordinates and the least
/// ‖x‖, its connected parts apart: where a part is singular the others are solved as they were.
package struct FreePart {
  /// x.
  package var solution: Matrix
  /// Places of free coordinates with an orthonormal basis of the kernel of Aᵀ on them.
  package var kernels: [(places: [Int], basis: Matrix)] = []
  package var freedom: Int? = 0
  package var condition: Double? = 1
  package var method = HarmonicExtension.Method.cholesky
  package var status = SolutionStatus.converged

  /// Parts of at most so many coordinates are looked at beforehand, and by QR alone where they are singular.
  private static let smallSize = 100

  /// - Parameters:
  ///   - laplacian: the lower triangle of A Aᵀ.
  ///   - right: A t.
  ///   - problem: A and t, asked for only where a part is singular.
  package init(
    _ laplacian: SparseMatrix, _ right: Matrix, _ settings: HarmonicExtension.Settings,
    _ problem: () -> (a: SparseMatrix, t: Matrix)
  ) throws(FactorizationError) {
    solution = right
    guard laplacian.rows > 0 else { return }
    let components = laplacian.connectedComponents
    if components.count == 1 {
      if try solve(laplacian, settings) { return }
      let (a, t) = problem()
      try decompose(a, t, nil, settings)
      return
    }
    // Small parts that are singular would spoil the factor of all.
    let singular = components.filter {
      $0.count <= Self.smallSize && !laplacian.isRegular(component: $0)
    }
    var open = singular
    if singular.count < components.count {
      let isOut = Set(singular.joined())
      let places = isOut.isEmpty ? nil : (0..<laplacian.rows).filter { !isOut.contains($0) }
      var part = self
      part.solution = places.map { solution.gathered($0) } ?? solution
      if try part.solve(
        places.map { laplacian.part(rows: $0, columns: $0) } ?? laplacian, settings)
      {
        take(part, places ?? Array(0..<laplacian.rows))
      } else {
        open = components
      }
    }
    guard !open.isEmpty else { return }
    let (a, t) = problem()
    try solveEach(open, a, t, settings)
  }

  /// Cholesky, or conjugate gradients where the factor does not fit; false where the matrix is singular or nearly so.
  private mutating func solve(
    _ laplacian: SparseMatrix, _ settings: HarmonicExtension.Settings
  ) throws(FactorizationError) -> Bool {
    do throws(FactorizationError) {
      let analysis = try SparseCholesky.Analysis(laplacian)
      guard Double(analysis.factorBytes) <= settings.memoryLimit else {
        iterate(laplacian, settings)
        return true
      }
      let factor = try SparseCholesky(laplacian, using: analysis)
      let estimate = try laplacian.symmetricOneNorm * factor.inverseNorm()
      guard estimate <= settings.conditionLimit else { return false }
      condition = estimate
      try factor.solve(&solution)
    } catch {
      switch error {
      case .notPositiveDefinite: return false
      case .outOfMemory, .needsSparseFactorization: iterate(laplacian, settings)
      default: throw error
      }
    }
    return true
  }

  private mutating func iterate(
    _ laplacian: SparseMatrix, _ settings: HarmonicExtension.Settings
  ) {
    let gradients = ConjugateGradients(tolerance: settings.tolerance, halt: settings.halt)
    let inverse = laplacian.diagonal.map { $0 > 0 ? 1 / $0 : 1 }
    let preconditioner = DiagonalSystems(
      Matrix(
        rows: inverse.count, columns: solution.columns,
        columnMajor: (0..<solution.columns).flatMap { _ in inverse }))
    let found = gradients.solve(
      SymmetricSparseMatrix(lowerTriangle: laplacian, .positiveSemidefinite), solution,
      preconditioner: preconditioner)
    solution = found.value
    (freedom, condition, method) = (nil, nil, .conjugateGradients)
    status = found.statuses.first { $0 != .converged } ?? .converged
  }

  /// Connected parts one by one.
  private mutating func solveEach(
    _ components: [[Int]], _ a: SparseMatrix, _ t: Matrix,
    _ settings: HarmonicExtension.Settings
  ) throws(FactorizationError) {
    guard !components.isEmpty else { return }
    let byRows = a.transposed
    for places in components {
      // The rows of A there, on the columns that they reach.
      let (rows, reached) = byRows.part(columns: places).compressed()
      let block = rows.transposed
      var part = self
      (part.solution, part.kernels) = (solution.gathered(places), [])
      let isSolved =
        places.count > Self.smallSize ? try part.solve(block.outerGram, settings) : false
      if !isSolved { try part.decompose(block, t.gathered(reached), places, settings) }
      take(part, places)
    }
  }

  private mutating func take(_ part: FreePart, _ places: [Int]) {
    for j in 0..<solution.columns {
      for (i, place) in places.enumerated() { solution[place, j] = part.solution[i, j] }
    }
    kernels += part.kernels
    freedom = freedom.flatMap { _ in
      part.freedom.map { _ in kernels.reduce(0) { $0 + $1.basis.columns } }
    }
    condition = condition.flatMap { here in part.condition.map { max(here, $0) } }
    if method != .conjugateGradients && part.method != .cholesky { method = part.method }
    if part.status != .converged { status = part.status }
  }

  /// By A = Q R: the kernel of Aᵀ is what Q has beyond the rank, and the least-norm solution has no part there.
  private mutating func decompose(
    _ a: SparseMatrix, _ t: Matrix, _ places: [Int]?, _ settings: HarmonicExtension.Settings
  ) throws(FactorizationError) {
    let qr = try RankRevealingQR.deciding(a, by: settings.rankTolerance)
    let tall = try RankRevealingQR.deciding(a.transposed, by: settings.rankTolerance)
    solution = qr.project(tall.solveLeastSquares(t))
    (freedom, method) = (a.rows - qr.rank, .qr)
    if qr.rank < a.rows {
      kernels = [(places ?? Array(0..<a.rows), try qr.leftNullSpaceWithinMemory())]
    }
    let largest = a.transposed.largestColumnNorm
    condition = qr.rank == 0 ? 1 : (largest / qr.smallestKept) * (largest / qr.smallestKept)
  }
}

extension SparseMatrix {
  /// The matrix without the rows that have no entry, and which rows are left.
  fileprivate func compressed() -> (matrix: SparseMatrix, rows: [Int]) {
    let kept = Set(rowIndices).sorted()
    let place = Dictionary(uniqueKeysWithValues: kept.enumerated().map { ($1, $0) })
    var builder = ColumnBuilder(rows: kept.count)
    for j in 0..<columns {
      for k in columnStarts[j]..<columnStarts[j + 1] {
        builder.append(row: place[rowIndices[k]]!, values[k])
      }
      builder.endColumn()
    }
    return (builder.matrix, kept.map(Int.init))
  }
}

import CellularSheaves
import LinearAlgebra
import SparseFactorizations

extension HarmonicBasis {
  /// Cocycles in the classes of a basis of H^k that live on few cells.
  ///
  /// Elimination with complete pivoting first makes each basis vector 0 where another one has its largest coordinate;
  /// sections of different components separate there. For k > 0 a class has many cocycles: from each, a coboundary is taken
  /// that lowers Σᵢ |zᵢ|^½, by iteratively reweighted least squares (Chartrand, Yin 2008). Of the many cocycles of least
  /// Σᵢ |zᵢ| the concave sum prefers those on few cells, whose weights are chosen a little apart so that symmetry does not
  /// keep it from choosing.
  ///
  /// - Parameters:
  ///   - rounds: of reweighting.
  ///   - threshold: coordinates up to this times the largest are rounding and set to 0.
  /// - Returns: in the coordinates of the stalks, one per column, of largest coordinate 1.
  /// - Complexity: a sparse Cholesky factorisation for each round and class.
  public func localized(
    rounds: Int = 30, threshold: Double = 1e-9
  ) throws(FactorizationError) -> Matrix {
    var basis = Self.eliminated(cochains)
    if degree > 0 {
      let delta = sheaf.coboundary(degree - 1)
      // Coboundaries are not unique where δ has a kernel; a little of the identity makes them so.
      let transpose = delta.transposed
      for j in 0..<basis.columns {
        let z = try Self.shortened(
          Matrix(column: basis.column(j)), delta, transpose, rounds)
        basis.setColumns(from: j, to: z)
      }
    }
    basis = Self.rounded(basis, threshold)
    // Sums of classes are classes: perhaps elimination leaves fewer cells once more.
    let again = Self.rounded(Self.eliminated(basis), threshold)
    func support(_ m: Matrix) -> Int { m.elements.count { $0 != 0 } }
    return support(again) < support(basis) ? again : basis
  }

  /// With largest coordinate 1, and 0 for what is rounding.
  private static func rounded(_ vectors: Matrix, _ threshold: Double) -> Matrix {
    var basis = vectors
    for j in 0..<basis.columns {
      let top = basis.maximumMagnitude(column: j)
      for i in 0..<basis.rows where abs(basis[i, j]) <= threshold * top { basis[i, j] = 0 }
      for i in 0..<basis.rows where top > 0 { basis[i, j] /= top }
    }
    return basis
  }

  /// Column echelon form with complete pivoting.
  static func eliminated(_ vectors: Matrix) -> Matrix {
    var basis = vectors
    var isUsed = [Bool](repeating: false, count: basis.rows)
    for j in 0..<basis.columns {
      var (best, row, column) = (0.0, 0, j)
      for c in j..<basis.columns {
        for r in 0..<basis.rows where !isUsed[r] && abs(basis[r, c]) > best {
          (best, row, column) = (abs(basis[r, c]), r, c)
        }
      }
      guard best > 0 else { break }
      isUsed[row] = true
      let pivot = basis.column(column)
      if column != j { basis.setColumns(from: column, to: Matrix(column: basis.column(j))) }
      let scaled = pivot.map { $0 / pivot[row] }
      basis.setColumns(from: j, to: Matrix(column: scaled))
      for c in 0..<basis.columns where c != j && basis[row, c] != 0 {
        let factor = basis[row, c]
        for r in 0..<basis.rows { basis[r, c] -= factor * scaled[r] }
        basis[row, c] = 0
      }
    }
    return basis
  }

  /// Σ |·|^½.
  private static func roots(_ z: Matrix) -> Double {
    z.elements.reduce(0) { $0 + abs($1).squareRoot() }
  }

  /// z − δ a of small Σ |·|^½.
  private static func shortened(
    _ cocycle: Matrix, _ delta: SparseMatrix, _ transpose: SparseMatrix, _ rounds: Int
  ) throws(FactorizationError) -> Matrix {
    guard delta.columns > 0 else { return cocycle }
    var z = cocycle
    let top = z.maximumMagnitude
    var smoothing = top
    var best = (sum: roots(z), z: z)
    // Numbers between .95 and 1.05 that follow from the place.
    let tilts = z.elements.indices.map {
      0.95 + 0.1 * (Double($0) * 0.618_033_988_749_895).fraction
    }
    for _ in 0..<rounds {
      let weights = zip(z.elements, tilts).map { x, tilt in
        let size = (x * x + smoothing * smoothing).squareRoot()
        return tilt / (size * size.squareRoot()) * top.squareRoot()
      }
      // Columns of δᵀ scaled by the roots of the weights; and rows of the identity to make it definite.
      var builder = SparseMatrix.ColumnBuilder(rows: delta.columns)
      for i in 0..<transpose.columns {
        transpose.forEachEntry(ofColumn: i) {
          builder.append(row: $0, $1 * weights[i].squareRoot())
        }
        builder.endColumn()
      }
      let small = (1e-10 / max(smoothing, 1e-8 * top)).squareRoot()
      for i in 0..<delta.columns {
        builder.append(row: i, small)
        builder.endColumn()
      }
      let factor: SparseCholesky
      do {
        factor = try SparseCholesky(builder.matrix.outerGram)
      } catch .notPositiveDefinite {
        // The weights are too far apart for what is left to gain.
        break
      }
      var weighted = z
      for i in 0..<z.rows { weighted[i, 0] *= weights[i] }
      var a = delta.adjoint(weighted)
      try factor.solve(&a)
      z.add(delta(a), scale: -1)
      let sum = roots(z)
      if sum < best.sum { best = (sum, z) }
      smoothing = max(smoothing / 2, 1e-8 * top)
    }
    return best.z
  }
}

extension Double {
  /// What stands behind the point.
  fileprivate var fraction: Double { self - rounded(.down) }
}

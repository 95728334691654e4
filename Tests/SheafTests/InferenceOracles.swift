import CellComplexes
import CellularSheaves
import LinearAlgebra
import SheafInference

/// Fusion by the definition, all matrices dense: the least of ½ Σ (A x − y)ᵀ P (A x − y) over the x with C x = 0.
struct DenseFusion {
  /// Where the values of vertices, and of cells with readings in the agreement model, begin.
  var starts: [Int: Int] = [:]
  private(set) var unknowns = 0
  private(set) var terms: [(a: Matrix, precision: Matrix, y: Matrix)] = []
  /// The columns span the x that are allowed.
  private(set) var allowed = Matrix(rows: 0, columns: 0)
  private(set) var point = Matrix(rows: 0, columns: 0)
  /// N (NᵀΣAᵀPA N)⁺ Nᵀ.
  private(set) var inverse = Matrix(rows: 0, columns: 0)
  private(set) var freedom = 0
  /// Nᵀ Σ AᵀPA N.
  private var information = Matrix(rows: 0, columns: 0)
  private let sheaf: CellularSheaf

  init(_ sheaf: CellularSheaf, _ assignment: Assignment, _ model: FusionModel) throws {
    self.sheaf = sheaf
    let complex = sheaf.complex
    for cell in 0..<complex.count
    where complex.dimension(of: cell) == 0
      || (model == .agreement && assignment.readings[cell] != nil)
    {
      starts[cell] = unknowns
      unknowns += sheaf.stalk(of: cell)
    }
    for (cell, reading) in assignment.readings {
      let a = image(of: cell)!
      terms.append(
        (
          a, try reading.covariance.dense(a.rows).solve(.identity(a.rows)),
          Matrix(column: reading.values)
        ))
    }
    var constraint = Matrix(rows: 0, columns: unknowns)
    for edge in complex.cells(ofDimension: 1) {
      let n = sheaf.stalk(of: edge)
      let w = sheaf.innerProduct(of: edge).dense(n)
      if model == .agreement, assignment.readings[edge] != nil {
        for i in complex.incidences(of: edge) {
          var a = block(complex.face(i), sheaf.map(i).dense(sheaf.stalk(of: complex.face(i))), n)
          a.add(block(edge, .identity(n), n), scale: -1)
          terms.append((a, doubled(w), Matrix(rows: n, columns: 1)))
        }
        if complex.incidences(of: edge).count == 1 {
          terms.append((block(edge, .identity(n), n), doubled(w), Matrix(rows: n, columns: 1)))
        }
        continue
      }
      var a = Matrix(rows: n, columns: unknowns)
      for i in complex.incidences(of: edge) {
        a.add(
          block(complex.face(i), sheaf.map(i).dense(sheaf.stalk(of: complex.face(i))), n),
          scale: Double(complex.sign(i)))
      }
      if model == .agreement {
        terms.append((a, w, Matrix(rows: n, columns: 1)))
      } else {
        constraint = Matrix(stacking: [constraint, a], columns: unknowns)
      }
    }
    if model == .agreement {
      for cell in assignment.cells where complex.dimension(of: cell) > 1 {
        let n = sheaf.stalk(of: cell)
        for (v, map) in vertexMaps(cell) {
          var a = block(v, map, n)
          a.add(block(cell, .identity(n), n), scale: -1)
          terms.append(
            (a, doubled(sheaf.innerProduct(of: cell).dense(n)), Matrix(rows: n, columns: 1)))
        }
      }
    }
    let gram = constraint.transposed * constraint
    allowed = Self.kernel(gram)
    information = Matrix(rows: allowed.columns, columns: allowed.columns)
    var right = Matrix(rows: allowed.columns, columns: 1)
    for term in terms {
      let a = term.a * allowed
      information.add(a.transposed * (term.precision * a))
      right.add(a.transposed * (term.precision * term.y))
    }
    // Symmetric to the last digit.
    var symmetric = information
    symmetric.add(information.transposed)
    symmetric.scale(by: 0.5)
    information = symmetric
    // Entries are of order 1: what is below 1e-9 is rounding.
    for j in 0..<information.columns {
      for i in 0..<information.rows where abs(information[i, j]) < 1e-13 { information[i, j] = 0 }
    }
    freedom = Self.kernel(information).columns
    let pseudo =
      information.maximumMagnitude < 1e-9
      ? Matrix(rows: allowed.columns, columns: allowed.columns) : information.pseudoInverse
    point = allowed * (pseudo * right)
    inverse = allowed * pseudo * allowed.transposed
  }

  private func doubled(_ w: Matrix) -> Matrix {
    var w = w
    w.scale(by: 2)
    return w
  }

  private func block(_ cell: Int, _ map: Matrix, _ rows: Int) -> Matrix {
    var a = Matrix(rows: rows, columns: unknowns)
    if let start = starts[cell] { a.setBlock(row: 0, column: start, to: map) }
    return a
  }

  /// The vertices of a cell and the maps from them.
  private func vertexMaps(_ cell: Int) -> [Int: Matrix] {
    let complex = sheaf.complex
    var found: [Int: Matrix] = [:]
    for i in complex.incidences(of: cell) {
      let (face, map) = (complex.face(i), sheaf.map(i).dense(sheaf.stalk(of: complex.face(i))))
      if complex.dimension(of: face) == 0 {
        found[face] = found[face] ?? map
      } else {
        for (v, m) in vertexMaps(face) { found[v] = found[v] ?? map * m }
      }
    }
    return found
  }

  /// The value of a cell as a function of the unknowns.
  func image(of cell: Int) -> Matrix? {
    let n = sheaf.stalk(of: cell)
    if starts[cell] != nil { return block(cell, .identity(n), n) }
    let maps =
      sheaf.complex.dimension(of: cell) == 1
      ? sheaf.complex.incidences(of: cell).map {
        (
          key: sheaf.complex.face($0),
          value: sheaf.map($0).dense(sheaf.stalk(of: sheaf.complex.face($0)))
        )
      } : vertexMaps(cell).map { $0 }
    guard !maps.isEmpty else { return nil }
    var a = Matrix(rows: n, columns: unknowns)
    for (v, map) in maps { a.add(block(v, map, n), scale: 1 / Double(maps.count)) }
    return a
  }

  var cost: Double {
    terms.reduce(0) { sum, term in
      var r = term.a * point
      r.add(term.y, scale: -1)
      return sum + (r.transposed * (term.precision * r))[0, 0] / 2
    }
  }

  /// The value and covariance of a cell where the readings determine it.
  func determined(_ cell: Int) -> (value: [Double], covariance: Matrix)? {
    guard let a = image(of: cell) else { return nil }
    let free = Self.kernel(information)
    let left = a * allowed * free
    guard left.maximumMagnitude < 1e-7 * max(1, a.maximumMagnitude) else { return nil }
    return ((a * point).column(0), a * inverse * a.transposed)
  }

  /// An orthonormal basis of the kernel of a symmetric positive semidefinite matrix.
  static func kernel(_ gram: Matrix) -> Matrix {
    guard gram.rows > 0 else { return Matrix(rows: 0, columns: 0) }
    let pairs = known { try SymmetricEigendecomposition(gram) }
    let top = max(pairs.values.last ?? 0, 1e-300)
    return pairs.vectors.columns(
      pairs.values.indices.filter { pairs.values[$0] <= max(1e-10 * top, 1e-11) })
  }
}

extension RandomGenerator {
  /// A covariance of any kind.
  mutating func covariance(_ n: Int) -> Covariance {
    switch integer(0...2) {
    case 0: return .scalar(uniform(0.2, 3))
    case 1: return .diagonal((0..<n).map { _ in uniform(0.2, 3) })
    default:
      var c = Matrix.identity(n)
      c.addGram(normalMatrix(rows: n, columns: n + 1), transposed: false, keeping: 0.3)
      return .matrix(c)
    }
  }

  /// Readings with random values of so many of the cells.
  mutating func assignment(
    of cells: some Sequence<Int>, on sheaf: CellularSheaf, share: Double = 1
  ) -> Assignment {
    var result = Assignment()
    for cell in cells where uniform() < share {
      let n = sheaf.stalk(of: cell)
      result.readings[cell] = .init((0..<n).map { _ in normal() }, covariance: covariance(n))
    }
    return result
  }

  /// An error of a covariance.
  mutating func error(_ covariance: Covariance, _ n: Int) -> [Double] {
    let e = (0..<n).map { _ in normal() }
    var l = known { try CholeskyFactorization(covariance.dense(n)).lowerTriangle }
    for j in 0..<n { for i in 0..<j { l[i, j] = 0 } }
    return (l * Matrix(column: e)).column(0)
  }
}

/// Whether two lists agree to a tolerance relative to the larger of 1 and the largest entry.
func close(_ a: [Double], _ b: [Double], _ tolerance: Double = 1e-7) -> Bool {
  let size = (a + b).reduce(1) { max($0, abs($1)) }
  return a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * size }
}

/// Whether two matrices do.
func close(_ a: Matrix, _ b: Matrix, _ tolerance: Double = 1e-7) -> Bool {
  a.rows == b.rows && a.columns == b.columns && close(a.rowMajor, b.rowMajor, tolerance)
}

extension Fusion.Settings {
  /// Those of a model, changed.
  static func of(
    _ model: FusionModel, _ change: (inout Fusion.Settings) -> Void = { _ in }
  ) -> Fusion.Settings {
    var settings = Fusion.Settings()
    settings.model = model
    change(&settings)
    return settings
  }
}

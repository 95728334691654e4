import CellComplexes
import LinearAlgebra

/// An inner product ⟨x, y⟩ = xᵀ W y on a stalk, its weight W symmetric positive definite.
public enum InnerProduct: Sendable, Equatable {
  /// W = 1.
  case standard
  /// W = w·1 with w > 0.
  case scalar(Double)
  /// W = diag(w), all positive.
  case diagonal([Double])
  /// Any.
  case matrix(Matrix)

  /// W on a stalk of dimension n.
  public func dense(_ n: Int) -> Matrix {
    switch self {
    case .standard: .identity(n)
    case .scalar(let w): .diagonal([Double](repeating: w, count: n))
    case .diagonal(let w): .diagonal(w)
    case .matrix(let w): w
    }
  }

  /// s W, s > 0.
  public func scaled(by s: Double) -> InnerProduct {
    switch self {
    case .standard: return .scalar(s)
    case .scalar(let w): return .scalar(s * w)
    case .diagonal(let w): return .diagonal(w.map { s * $0 })
    case .matrix(var w):
      w.scale(by: s)
      return .matrix(w)
    }
  }

  /// What is wrong with it on a stalk of dimension n: what was found and what is expected.
  func problem(on n: Int) -> (found: String, expected: String)? {
    let positive = "a positive finite number"
    switch self {
    case .standard: return nil
    case .scalar(let w): return w > 0 && w.isFinite ? nil : ("\(w)", positive)
    case .diagonal(let w):
      guard w.count == n else { return ("\(w.count) numbers", "\(n), the dimension of the stalk") }
      return w.first { !($0 > 0 && $0.isFinite) }.map { ("\($0)", positive + "s") }
    case .matrix(let w):
      guard w.rows == n && w.columns == n else {
        return ("a matrix of shape \(w.shape)", "(\(n), \(n))")
      }
      guard w.firstNonFinite == nil else {
        return ("an entry that is not finite", "finite entries")
      }
      for j in 0..<n {
        for i in 0..<j where abs(w[i, j] - w[j, i]) > 1e-12 * max(abs(w[i, j]), abs(w[j, i])) {
          return (
            "entries \(w[i, j]) and \(w[j, i]) at (\(i), \(j)) and (\(j), \(i))",
            "a symmetric matrix"
          )
        }
      }
      return (try? CholeskyFactorization(w)) == nil
        ? ("a matrix that is not positive definite", "a positive definite one") : nil
    }
  }

  /// R with W = RᵀR: R x are the coordinates of x in an orthonormal basis.
  package func root(_ n: Int) -> Matrix {
    switch self {
    case .standard: return .identity(n)
    case .scalar(let w): return .diagonal([Double](repeating: w.squareRoot(), count: n))
    case .diagonal(let w): return .diagonal(w.map { $0.squareRoot() })
    case .matrix(let w):
      // W was checked to have a factorisation.
      let l = madeToFit { try CholeskyFactorization(w).lowerTriangle }
      var r = Matrix(rows: n, columns: n)
      for j in 0..<n { for i in 0...j { r[i, j] = l[j, i] } }
      return r
    }
  }

  /// R⁻¹.
  func inverseRoot(_ n: Int) -> Matrix {
    switch self {
    case .standard: return .identity(n)
    case .scalar(let w): return .diagonal([Double](repeating: 1 / w.squareRoot(), count: n))
    case .diagonal(let w): return .diagonal(w.map { 1 / $0.squareRoot() })
    case .matrix:
      let r = root(n)
      var inverse = Matrix(rows: n, columns: n)
      for j in 0..<n {
        for i in (0...j).reversed() {
          var sum = i == j ? 1.0 : 0
          for k in i + 1..<max(j + 1, i + 1) { sum -= r[i, k] * inverse[k, j] }
          inverse[i, j] = sum / r[i, i]
        }
      }
      return inverse
    }
  }
}

extension Matrix {
  /// Bᵀ A B, symmetric to the last digit for a symmetric A.
  func congruent(_ b: Matrix) -> Matrix {
    var result = Matrix(rows: b.columns, columns: b.columns)
    result.setProduct(b, self * b, transposing: .left)
    return result.symmetrized
  }
}

/// The inner products of all cells, equal ones in a row once.
struct InnerProducts: Sendable {
  /// The places in the table, none where all cells have the standard one.
  private var places: [Int32] = []
  private var table: [InnerProduct] = [.standard]

  /// The standard inner product everywhere.
  init() {}

  /// One for each cell.
  init(_ list: [InnerProduct]) {
    guard list.contains(where: { $0 != .standard }) else { return }
    places.reserveCapacity(list.count)
    for product in list {
      if product == table.last! {
        places.append(Int32(table.count - 1))
      } else if product == .standard {
        places.append(0)
      } else {
        table.append(product)
        places.append(Int32(table.count - 1))
      }
    }
  }

  /// Whether all are the standard one.
  var areStandard: Bool { places.isEmpty }

  subscript(cell: Int) -> InnerProduct { places.isEmpty ? .standard : table[Int(places[cell])] }
}

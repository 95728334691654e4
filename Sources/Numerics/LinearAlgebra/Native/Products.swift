import CKernels
import COpenBLAS

/// Matrix products, in place (BLAS level 2 and 3).
extension Matrix {
  /// Which factors of a product to transpose.
  public enum Transposition: Sendable {
    /// A B.
    case none
    /// Aᵀ B.
    case left
    /// A Bᵀ.
    case right
  }

  /// self ← scale · A B + keep · self, or with one factor transposed.
  ///
  /// Cost: 2 · rows · columns · inner floating-point operations.
  public mutating func addProduct(
    _ a: Matrix, _ b: Matrix, transposing: Transposition = .none, scale: Double = 1,
    keeping keep: Double = 1
  ) {
    let (ta, tb) = (transposing == .left, transposing == .right)
    let (m, k) = ta ? (a.columns, a.rows) : (a.rows, a.columns)
    let (inner, n) = tb ? (b.columns, b.rows) : (b.rows, b.columns)
    precondition(
      k == inner && rows == m && columns == n,
      "product of \(a.shape)\(ta ? "ᵀ" : "") and \(b.shape)\(tb ? "ᵀ" : "") into \(shape)")
    guard count > 0 else { return }
    guard k > 0 else { return self.scale(by: keep) }
    if m == 1 {
      // A row of the result is opᵀ(B) times a contiguous vector.
      BLAS.prepare()
      cblas_dgemv(
        CblasColMajor, tb ? CblasNoTrans : CblasTrans, Int32(b.rows), Int32(b.columns), scale,
        b.elements, Int32(b.rows), a.elements, 1, keep, &elements, 1)
    } else if m <= Int(CK_SKINNY) && transposing == .none && n * k >= 8192 {
      ck_skinny_product(m, n, k, scale, a.elements, b.elements, keep, &elements)
    } else if transposing == .right && m >= 8 && n <= 4 && m * n <= Int(CK_SMALL) && k >= 16 {
      ck_small_outer_sum(m, n, k, scale, a.elements, b.elements, keep, &elements)
    } else if k == 1 {
      ck_outer(m, n, scale, a.elements, b.elements, keep, &elements)
    } else if n == 1 && !tb {
      BLAS.prepare()
      cblas_dgemv(
        CblasColMajor, ta ? CblasTrans : CblasNoTrans, Int32(a.rows), Int32(a.columns), scale,
        a.elements, Int32(a.rows), b.elements, 1, keep, &elements, 1)
    } else {
      BLAS.prepare()
      cblas_dgemm(
        CblasColMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans,
        Int32(m), Int32(n), Int32(k), scale, a.elements, Int32(a.rows), b.elements,
        Int32(b.rows), keep, &elements, Int32(rows))
    }
  }

  /// self ← scale · A B, or with one factor transposed, whatever self held before.
  public mutating func setProduct(
    _ a: Matrix, _ b: Matrix, transposing: Transposition = .none, scale: Double = 1
  ) {
    addProduct(a, b, transposing: transposing, scale: scale, keeping: 0)
  }

  /// self ← scale · A Aᵀ + keep · self, or with Aᵀ A when `transposed` (BLAS `dsyrk`; both
  /// triangles are written).
  public mutating func addGram(
    _ a: Matrix, transposed: Bool = false, scale: Double = 1, keeping keep: Double = 1
  ) {
    let (n, k) = transposed ? (a.columns, a.rows) : (a.rows, a.columns)
    precondition(rows == n && columns == n, "Gram matrix of \(a.shape) into \(shape)")
    guard n > 0 else { return }
    BLAS.prepare()
    cblas_dsyrk(
      CblasColMajor, CblasLower, transposed ? CblasTrans : CblasNoTrans, Int32(n), Int32(k),
      scale, a.elements, Int32(max(a.rows, 1)), keep, &elements, Int32(n))
    mirrorLowerTriangle()
  }

  /// The upper triangle ← the lower.
  package mutating func mirrorLowerTriangle() {
    for j in 1..<max(columns, 1) {
      for i in 0..<j { elements[i + j * rows] = elements[j + i * rows] }
    }
  }

  /// The matrix product A B.
  public static func * (a: Matrix, b: Matrix) -> Matrix {
    var c = Matrix(rows: a.rows, columns: b.columns)
    c.setProduct(a, b)
    return c
  }
}

extension Matrix {
  /// self ← scale · A Bᵀ + self on several threads, each with its own columns of the result.
  ///
  /// For the update of large parameters, where the result is in memory and the factors in cache.
  public mutating func addOuterProduct(_ a: Matrix, _ b: Matrix, scale: Double, threads: Int) {
    precondition(
      a.columns == b.columns && rows == a.rows && columns == b.rows,
      "product of \(a.shape) and \(b.shape)ᵀ into \(shape)")
    guard threads > 1 && columns >= threads else {
      return addProduct(a, b, transposing: .right, scale: scale)
    }
    a.elements.withUnsafeBufferPointer { pa in
      b.elements.withUnsafeBufferPointer { pb in
        elements.withUnsafeMutableBufferPointer { pc in
          var job = OuterProduct(
            a: pa.baseAddress!, b: pb.baseAddress!, c: pc.baseAddress!, m: a.rows, n: b.rows,
            k: a.columns, scale: scale, shares: threads)
          ck_team_run(
            Int32(threads),
            { context, share in
              context!.assumingMemoryBound(to: OuterProduct.self).pointee.run(Int(share))
            }, &job)
        }
      }
    }
  }
}

/// C ← scale · A Bᵀ + C in shares of columns.
private struct OuterProduct {
  let a, b: UnsafePointer<Double>
  let c: UnsafeMutablePointer<Double>
  let m, n, k: Int
  let scale: Double
  let shares: Int

  func run(_ share: Int) {
    let (first, end) = (n * share / shares, n * (share + 1) / shares)
    BLAS.prepare()
    cblas_dgemm(
      CblasColMajor, CblasNoTrans, CblasTrans, Int32(m), Int32(end - first), Int32(k), scale, a,
      Int32(m), b + first, Int32(n), 1, c + first * m, Int32(m))
  }
}

/// The BLAS behind the products: OpenBLAS, with one thread for each product unless the environment
/// variable OPENBLAS_NUM_THREADS says otherwise.
///
/// The library itself works on several blocks of samples at once, each with one-threaded products:
/// two tasks with one thread each beat one product with two threads.
public enum BLAS {
  /// The kernels in use, such as "SkylakeX"; empty if OpenBLAS does not say.
  public static var core: String {
    prepare()
    return String(cString: ck_openblas_core())
  }

  private static let preparation: Void = ck_prepare_openblas()

  /// Sets OpenBLAS up, once: before every call of it, and of a library that calls it.
  @inline(__always) package static func prepare() { _ = preparation }
}

/// Products of parts of matrices in place, for kernels that lay out their own; columns are `stride` apart.
extension BLAS {
  /// Where a part of a matrix begins, and how far apart its columns are.
  package typealias Part = (start: UnsafePointer<Double>, stride: Int)

  /// C ← scale · op(A) op(B) + keep · C for C of shape (m, n) and `inner` terms to a sum.
  package static func multiply(
    _ a: Part, _ b: Part, transposing: Matrix.Transposition = .none, m: Int, n: Int, inner: Int,
    scale: Double, keeping keep: Double, into c: UnsafeMutablePointer<Double>, stride: Int
  ) {
    BLAS.prepare()
    cblas_dgemm(
      CblasColMajor, transposing == .left ? CblasTrans : CblasNoTrans,
      transposing == .right ? CblasTrans : CblasNoTrans, Int32(m), Int32(n), Int32(inner), scale,
      a.start, Int32(a.stride), b.start, Int32(b.stride), keep, c, Int32(stride))
  }

  /// The lower triangle of C, (n, n), gains scale · A Aᵀ, or scale · AᵀA, with `inner` terms to a sum.
  package static func addGram(
    _ a: Part, transposed: Bool, n: Int, inner: Int, scale: Double,
    to c: UnsafeMutablePointer<Double>, stride: Int
  ) {
    BLAS.prepare()
    cblas_dsyrk(
      CblasColMajor, CblasLower, transposed ? CblasTrans : CblasNoTrans, Int32(n), Int32(inner),
      scale, a.start, Int32(a.stride), 1, c, Int32(stride))
  }
}

/// Row and column operations of determinant ±1 that make a matrix diagonal over ℤ/M, over ℤ if M = 0.
///
/// The pivot is an entry of least size, which is gcd(a, M), |a| over ℤ; one that another entry of its
/// row or column is no multiple of is replaced by their greatest common divisor (Cohen 1993, §2.4).
/// Over ℤ entries may grow out of machine integers, which throws; modulo M < 2³¹ they cannot.
struct Diagonalization<Ring: IntegerRing> where Ring.Element: Sendable {
  typealias Element = Ring.Element
  let ring: Ring
  /// M ≥ 0.
  let modulus: Element

  /// gcd(d, M) of the diagonal's entries that are not 0, in no order.
  func diagonal(of matrix: IntegerMatrix<Element>) throws(ArithmeticOverflow) -> [Element] {
    var a = matrix.map(reduced)
    var diagonal: [Element] = []
    for t in 0..<min(a.rows, a.columns) {
      guard let pivot = leastEntry(of: a, from: t) else { break }
      a.swapRows(t, pivot.row)
      a.swapColumns(t, pivot.column)
      // Each pass that leaves something to do has made the pivot smaller.
      var isDone = false
      while !isDone {
        isDone = true
        for i in t + 1..<max(t + 1, a.rows) where a[i, t] != 0 {
          try clearRow(i, by: t, in: &a)
        }
        for j in t + 1..<max(t + 1, a.columns) where a[t, j] != 0 {
          if try !clearColumn(j, by: t, in: &a) {
            isDone = false
            break
          }
        }
      }
      diagonal.append(size(a[t, t]))
    }
    return diagonal
  }

  private func reduced(_ a: Element) -> Element {
    if modulus == 0 { return a }
    let rest = a % modulus
    return rest < 0 ? rest + modulus : rest
  }

  /// gcd(a, M) for a ≠ 0.
  private func size(_ a: Element) -> Element { commonDivisor(a, modulus) }

  /// An entry of least size; one is known to be of it if its size is the common divisor of all.
  private func leastEntry(of a: IntegerMatrix<Element>, from t: Int) -> (row: Int, column: Int)? {
    var common = modulus
    for i in t..<a.rows where common != 1 {
      for j in t..<a.columns where a[i, j] != 0 && common != 1 {
        common = commonDivisor(a[i, j], common)
      }
    }
    var best: (row: Int, column: Int, size: Element)?
    for i in t..<a.rows {
      for j in t..<a.columns where a[i, j] != 0 {
        let size = size(a[i, j])
        if size == common { return (i, j) }
        if best.map({ size < $0.size }) ?? true { best = (i, j, size) }
      }
    }
    return best.map { ($0.row, $0.column) }
  }

  /// The greatest common divisor ≥ 0.
  private func commonDivisor(_ a: Element, _ b: Element) -> Element {
    var (r, s) = (a, b)
    while s != 0 { (r, s) = (s, r % s) }
    return r < 0 ? -r : r
  }

  /// q with q · pivot = a, if there is one.
  private func quotient(_ a: Element, _ pivot: Element) throws(ArithmeticOverflow) -> Element? {
    if modulus == 0 { return a % pivot == 0 ? a / pivot : nil }
    let (divisor, inverse, _) = bezout(pivot, modulus)
    if a % divisor != 0 { return nil }
    return reduced(try ring.product(a / divisor, reduced(inverse)))
  }

  private func clearRow(
    _ i: Int, by t: Int, in a: inout IntegerMatrix<Element>
  ) throws(ArithmeticOverflow) {
    if let factor = try quotient(a[i, t], a[t, t]) {
      for j in t..<a.columns where a[t, j] != 0 {
        a[i, j] = reduced(try ring.difference(a[i, j], minus: factor, times: a[t, j]))
      }
      return
    }
    let (divisor, u, v) = bezout(a[t, t], a[i, t])
    let (x, y) = (a[i, t] / divisor, a[t, t] / divisor)
    for j in t..<a.columns {
      let (upper, lower) = (a[t, j], a[i, j])
      a[t, j] = try combination(u, upper, v, lower)
      a[i, j] = try combination(y, lower, -x, upper)
    }
  }

  /// Whether the pivot's column is still 0 below it.
  private func clearColumn(
    _ j: Int, by t: Int, in a: inout IntegerMatrix<Element>
  ) throws(ArithmeticOverflow) -> Bool {
    if try quotient(a[t, j], a[t, t]) != nil {
      // The pivot's column has nothing but the pivot.
      a[t, j] = 0
      return true
    }
    let (divisor, u, v) = bezout(a[t, t], a[t, j])
    let (x, y) = (a[t, j] / divisor, a[t, t] / divisor)
    for i in t..<a.rows {
      let (left, right) = (a[i, t], a[i, j])
      a[i, t] = try combination(u, left, v, right)
      a[i, j] = try combination(y, right, -x, left)
    }
    return false
  }

  /// a x + b y.
  private func combination(
    _ a: Element, _ x: Element, _ b: Element, _ y: Element
  ) throws(ArithmeticOverflow) -> Element {
    reduced(
      try ring.difference(
        reduced(try ring.product(a, x)), minus: ring.negative(b), times: y))
  }

  /// The greatest common divisor ≥ 0 of two numbers and u, v with u a + v b = divisor.
  private func bezout(
    _ a: Element, _ b: Element
  ) -> (divisor: Element, u: Element, v: Element) {
    var (r, s) = (a, b)
    var (u, v): (Element, Element) = (1, 0)
    var (x, y): (Element, Element) = (0, 1)
    while s != 0 {
      let quotient = r / s
      (r, s) = (s, r - quotient * s)
      (u, v) = (v, u - quotient * v)
      (x, y) = (y, x - quotient * y)
    }
    return r < 0 ? (-r, -u, -x) : (r, u, x)
  }
}

import Foundation
import LinearAlgebra

/// A connected part E of the unknowns that a Schur complement eliminates, with its neighbours K: what it adds to A_KK,
/// and how values on K are extended to it.
///
/// All is done with unknowns scaled so that A has a diagonal of ones: their units have no say in what counts as
/// singular.
struct EliminatedPart: Sendable {
  /// Unknowns, and those outside next to them.
  struct Component {
    var unknowns: [Int]
    var boundary: [Int]
  }

  /// Up to so many unknowns are eliminated densely.
  private static let denseOrder = 48
  /// A Cholesky factorisation whose condition estimate is above this gives way to an orthogonal one: there S would have
  /// no more than half of the digits.
  private static let conditionLimit = 1e9

  let unknowns: [Int]
  let boundary: [Int]
  /// −A_KE A_EE⁺ A_EK.
  let change: Matrix
  /// dim ker A_EE.
  let freedom: Int
  /// Whether that dimension is in doubt.
  let isNarrow: Bool
  private let method: Method

  private enum Method: Sendable {
    /// −A_EE⁻¹ A_EK.
    case direct(Matrix)
    /// The factor of A on E and K with something added on K, and S with that in place of A_KK: the solution for
    /// (0, S x) is (−A_EE⁻¹ A_EK x, x); all scaled.
    case joint(Joint)
    /// The rows of B that belong to E, scaled and factored, and those of K.
    case orthogonal(RankRevealingQR, SparseMatrix, scales: [Double])
  }

  private struct Joint: Sendable {
    let factor: SparseCholesky
    let sum: Matrix
    let places: [Int]
    /// A_ii^{-1/2} of E and of K.
    let inner: [Double]
    let outer: [Double]
  }

  /// - Parameters:
  ///   - a: A with both triangles.
  ///   - numbers: −1 for all unknowns, before and after.
  ///   - rows: Bᵀ, asked for where A_EE is singular or nearly so.
  init(
    _ component: Component, of a: SparseMatrix, _ numbers: inout [Int32],
    rows: () -> SparseMatrix
  ) throws(FactorizationError) {
    (unknowns, boundary) = (component.unknowns, component.boundary)
    let scales = Self.scales(a, unknowns)
    if unknowns.count <= Self.denseOrder {
      if let (y, change) = Self.dense(component, a, scales, &numbers) {
        (method, self.change, freedom, isNarrow) = (.direct(y), change, 0, false)
        return
      }
    } else if let (joint, change) = try Self.joint(component, a, scales, &numbers) {
      (method, self.change, freedom, isNarrow) = (.joint(joint), change, 0, false)
      return
    }
    let (e, k) = Self.parts(of: rows(), component)
    let qr = try RankRevealingQR.withGap(e.scalingColumns(by: scales))
    // S = Zᵀ Z, Z what the range of E's rows leaves of K's; the change is the part within it.
    var z = k.dense
    qr.applyQTranspose(&z)
    var change = Matrix(rows: boundary.count, columns: boundary.count)
    change.addGram(z.rows(0..<qr.rank), transposed: true, scale: -1)
    (method, self.change) = (.orthogonal(qr, k, scales: scales), change)
    (freedom, isNarrow) = (unknowns.count - qr.rank, qr.isNarrow)
  }

  /// A_ii^{-1/2}, 1 where that is 0.
  private static func scales(_ a: SparseMatrix, _ unknowns: [Int]) -> [Double] {
    unknowns.map { unknown in
      var diagonal = 0.0
      a.forEachEntry(ofColumn: unknown) { if $0 == unknown { diagonal = $1 } }
      return diagonal > 0 ? 1 / diagonal.squareRoot() : 1
    }
  }

  /// Values on E of least energy for values on K.
  func extend(_ x: Matrix) throws(FactorizationError) -> Matrix {
    switch method {
    case .direct(let y): return y * x
    case .joint(let joint):
      var scaled = x
      scaled.scaleRows(by: joint.outer.map { 1 / $0 })
      var right = Matrix(rows: joint.places.count + x.rows, columns: x.columns)
      right.setBlock(row: joint.places.count, column: 0, to: joint.sum * scaled)
      try joint.factor.solve(&right)
      var result = right.gathered(joint.places)
      result.scaleRows(by: joint.inner)
      return result
    case .orthogonal(let qr, let k, let scales):
      var right = k(x)
      right.scale(by: -1)
      var result = qr.solveLeastSquares(right)
      result.scaleRows(by: scales)
      return result
    }
  }

  /// −A_EE⁻¹ A_EK and A_KE times it, nil where A_EE has no good factorisation.
  private static func dense(
    _ component: Component, _ a: SparseMatrix, _ scales: [Double], _ numbers: inout [Int32]
  ) -> (Matrix, Matrix)? {
    let (n, m) = (component.unknowns.count, component.boundary.count)
    for (i, unknown) in component.boundary.enumerated() { numbers[unknown] = Int32(n + i) }
    for (i, unknown) in component.unknowns.enumerated() { numbers[unknown] = Int32(i) }
    defer { for unknown in component.unknowns + component.boundary { numbers[unknown] = -1 } }
    var inner = Matrix(rows: n, columns: n)
    var coupling = Matrix(rows: n, columns: m)
    for (j, unknown) in component.unknowns.enumerated() {
      a.forEachEntry(ofColumn: unknown) { row, value in
        let i = Int(numbers[row])
        if i >= n {
          coupling[j, i - n] = value
        } else if i >= 0 {
          inner[i, j] = value * scales[i] * scales[j]
        }
      }
    }
    guard let factor = try? CholeskyFactorization(inner) else { return nil }
    let diagonal = (0..<n).map { factor.lowerTriangle[$0, $0] }
    let ratio = diagonal.max()! / diagonal.min()!
    guard ratio * ratio <= conditionLimit else { return nil }
    var y = coupling
    y.scaleRows(by: scales)
    factor.solve(&y)
    y.scaleRows(by: scales.map { -$0 })
    var change = Matrix(rows: m, columns: m)
    change.setProduct(coupling, y, transposing: .left)
    return (y, change.symmetrized)
  }

  private static func joint(
    _ component: Component, _ a: SparseMatrix, _ scales: [Double], _ numbers: inout [Int32]
  ) throws(FactorizationError) -> (Joint, Matrix)? {
    let (n, m) = (component.unknowns.count, component.boundary.count)
    let own = try SparseCholesky.Analysis(
      a.lowerTriangle(of: component.unknowns, places: &numbers)
    ).permutation
    let outer = Self.scales(a, component.boundary)
    let all = own.map { scales[$0] } + outer
    // A has a diagonal of ones; with another one on K it is definite there, and what is taken off again is of its size.
    let local = a.lowerTriangle(
      of: own.map { component.unknowns[$0] } + component.boundary, places: &numbers
    ).scalingRows(by: all).scalingColumns(by: all)
    let shifted = local.addingToDiagonal((0..<n + m).map { $0 < n ? 0 : 1 })
    let analysis = try SparseCholesky.Analysis(shifted, keepsOrder: true)
    guard Double(analysis.factorBytes) <= Double(ProcessInfo.processInfo.physicalMemory) / 2 else {
      throw .outOfMemory
    }
    let factor: SparseCholesky
    do throws(FactorizationError) {
      factor = try SparseCholesky(shifted, using: analysis)
    } catch {
      if case .notPositiveDefinite = error { return nil }
      throw error
    }
    guard factor.conditionEstimate <= conditionLimit else { return nil }
    var place = [Int32](repeating: -1, count: n + m)
    for i in 0..<m { place[n + i] = Int32(i) }
    var sum = Matrix(rows: m, columns: m)
    sum.addGram(factor.trailingTriangle(place, count: m))
    let last = Array(n..<n + m)
    var change = sum
    change.add(shifted.part(rows: last, columns: last).symmetrized.dense, scale: -1)
    let back = outer.map { 1 / $0 }
    change.scaleRows(by: back)
    change.scaleColumns(by: back)
    var places = [Int](repeating: 0, count: n)
    for (k, unknown) in own.enumerated() { places[unknown] = k }
    return (
      Joint(factor: factor, sum: sum, places: places, inner: scales, outer: outer),
      change.symmetrized
    )
  }

  /// The columns of Bᵀ of E and of K, on the rows that those of E reach.
  private static func parts(
    of rows: SparseMatrix, _ component: Component
  ) -> (SparseMatrix, SparseMatrix) {
    let e = rows.reached(byColumns: component.unknowns)
    var k = SparseMatrix.ColumnBuilder(rows: e.rows.count)
    for unknown in component.boundary {
      rows.forEachEntry(ofColumn: unknown) { row, value in
        if let place = e.places[row] { k.append(row: place, value) }
      }
      k.endColumn()
    }
    return (e.matrix, k.matrix)
  }
}

extension SparseMatrix {
  /// Some columns on the rows where they have entries, those rows, and the place of each among them; the cost does not
  /// hang on the number of all rows.
  func reached(
    byColumns chosen: [Int]
  ) -> (matrix: SparseMatrix, rows: [Int], places: [Int: Int]) {
    var reached: Set<Int> = []
    for j in chosen { forEachEntry(ofColumn: j) { row, _ in reached.insert(row) } }
    let rows = reached.sorted()
    let places = Dictionary(uniqueKeysWithValues: rows.enumerated().map { ($1, $0) })
    var builder = ColumnBuilder(rows: rows.count)
    for j in chosen {
      forEachEntry(ofColumn: j) { builder.append(row: places[$0]!, $1) }
      builder.endColumn()
    }
    return (builder.matrix, rows, places)
  }
}

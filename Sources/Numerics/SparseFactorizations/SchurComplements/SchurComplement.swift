import Foundation
import LinearAlgebra

/// The Schur complement of a positive semidefinite matrix A = B Bᵀ on some unknowns K, the others E eliminated:
///
///     S = A_KK − A_KE A_EE⁺ A_EK,  xᵀ S x = min over y of (x, y)ᵀ A (x, y),
///
/// the energy of the best extension of x (Zhang (ed.), *The Schur Complement and Its Applications*, 2005, §1.5; for
/// graphs the Kron reduction, Dörfler, Bullo 2013). The pseudo-inverse is there for an A_EE that is singular; as the
/// range of A_EK is in that of A_EE, S is positive semidefinite and the minimum is attained.
///
/// Every connected part of E is eliminated by itself: a small one densely, a large one by a Cholesky factorisation that
/// takes E's own order first and the neighbours in K last; a singular one by an orthogonal factorisation of B's rows.
public struct SchurComplement: Sendable {
  /// The number of unknowns.
  public let order: Int
  /// K, in the order of S.
  public let kept: [Int]
  /// E, ascending.
  public let eliminated: [Int]
  /// The lower triangle of S, (|K|, |K|). Unknowns that a part of E touches are coupled with one another.
  public let triangle: SparseMatrix
  /// dim ker A_EE: how far extensions of least energy are from being unique.
  public let freedom: Int
  /// Whether that dimension, and S with it, is in doubt: the numbers do not tell what is singular.
  public let isNarrow: Bool
  /// A_ii of the kept unknowns: what the rounding of S is in proportion to.
  public let diagonal: [Double]
  private let parts: [EliminatedPart]

  /// Eliminates.
  ///
  /// - Parameters:
  ///   - b: B, one row for each unknown.
  ///   - kept: different unknowns.
  /// - Throws: What factorisations throw; `outOfMemory` if S or a factor took more than half of the machine's memory.
  /// - Complexity: Σ over the parts of E of a factorisation and of the square of the number of neighbours.
  public init(_ b: SparseMatrix, keeping kept: [Int]) throws(FactorizationError) {
    try self.init(b, triangle: b.outerGram, keeping: kept)
  }

  /// Eliminates, the lower triangle of A being at hand.
  public init(
    _ b: SparseMatrix, triangle a: SparseMatrix, keeping kept: [Int]
  ) throws(FactorizationError) {
    let n = b.rows
    var place = [Int32](repeating: -1, count: n)
    for (i, unknown) in kept.enumerated() {
      precondition(
        (0..<n).contains(unknown) && place[unknown] < 0,
        "unknown \(unknown) of \(n) kept, or kept twice")
      place[unknown] = Int32(i)
    }
    guard a.values.allSatisfy(\.isFinite) else { throw .notFinite }
    let eliminated = (0..<n).filter { place[$0] < 0 }
    let whole = a.symmetrized
    let components = Self.components(eliminated, place, whole)
    let bytes = components.reduce(0.0) {
      $0 + 24 * Double($1.boundary.count) * Double($1.boundary.count)
    }
    guard bytes <= Double(ProcessInfo.processInfo.physicalMemory) / 2 else { throw .outOfMemory }

    var entries: [(row: Int, column: Int, value: Double)] = []
    for j in kept {
      let column = Int(place[j])
      whole.forEachEntry(ofColumn: j) { i, value in
        let row = Int(place[i])
        if row >= column { entries.append((row, column, value)) }
      }
    }
    var rows: SparseMatrix?
    let transposed = {
      if rows == nil { rows = b.transposed }
      return rows!
    }
    var parts: [EliminatedPart] = []
    var (freedom, isNarrow) = (0, false)
    var numbers = [Int32](repeating: -1, count: n)
    for component in components {
      if component.boundary.isEmpty {
        let part = transposed().reached(byColumns: component.unknowns).matrix
        let norms = part.columnSquares.map { $0 > 0 ? 1 / $0.squareRoot() : 1 }
        let qr = try RankRevealingQR.withGap(part.scalingColumns(by: norms))
        freedom += component.unknowns.count - qr.rank
        isNarrow = isNarrow || qr.isNarrow
        continue
      }
      let part = try EliminatedPart(component, of: whole, &numbers, rows: transposed)
      let s = part.change
      for (j, column) in component.boundary.enumerated() {
        for (i, row) in component.boundary.enumerated() where place[row] >= place[column] {
          entries.append((Int(place[row]), Int(place[column]), s[i, j]))
        }
      }
      freedom += part.freedom
      isNarrow = isNarrow || part.isNarrow
      parts.append(part)
    }
    (order, self.kept, self.eliminated, self.freedom) = (n, kept, eliminated, freedom)
    (self.parts, self.isNarrow) = (parts, isNarrow)
    let all = a.diagonal
    diagonal = kept.map { all[$0] }
    triangle = SparseMatrix(rows: kept.count, columns: kept.count, entries: entries)
  }

  /// S with both its triangles.
  public var matrix: Matrix { triangle.symmetrized.dense }

  /// An extension of least energy: x on K, −A_EE⁺ A_EK x on E; where it is not unique, one of them, 0 on parts of E
  /// that nothing of K touches.
  ///
  /// - Parameter x: (|K|, columns).
  /// - Returns: (order, columns).
  /// - Complexity: a solve with each factor and column.
  public func extend(_ x: Matrix) throws(FactorizationError) -> Matrix {
    precondition(x.rows == kept.count, "values \(x.shape) on \(kept.count) unknowns")
    var result = x.spread(to: kept, of: order)
    for part in parts {
      let extended = try part.extend(result.gathered(part.boundary))
      for j in 0..<x.columns {
        for (i, unknown) in part.unknowns.enumerated() { result[unknown, j] = extended[i, j] }
      }
    }
    return result
  }

  /// The connected parts of E with the unknowns of K next to them.
  private static func components(
    _ eliminated: [Int], _ place: [Int32], _ a: SparseMatrix
  ) -> [EliminatedPart.Component] {
    var isSeen = [Bool](repeating: false, count: a.rows)
    var mark = [Int32](repeating: -1, count: a.rows)
    var result: [EliminatedPart.Component] = []
    for start in eliminated where !isSeen[start] {
      var (unknowns, boundary) = ([start], [Int]())
      isSeen[start] = true
      var next = 0
      while next < unknowns.count {
        for k in a.columnStarts[unknowns[next]]..<a.columnStarts[unknowns[next] + 1] {
          let i = Int(a.rowIndices[k])
          if a.values[k] == 0 { continue }
          if place[i] < 0 {
            if !isSeen[i] {
              isSeen[i] = true
              unknowns.append(i)
            }
          } else if mark[i] != Int32(result.count) {
            mark[i] = Int32(result.count)
            boundary.append(i)
          }
        }
        next += 1
      }
      unknowns.sort()
      boundary.sort { place[$0] < place[$1] }
      result.append(.init(unknowns: unknowns, boundary: boundary))
    }
    return result
  }
}

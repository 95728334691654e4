import CellComplexes
import CellularSheaves
import LinearAlgebra
import SparseFactorizations

/// A long exact sequence of cohomology groups in harmonic bases: the image of each map is the kernel of the next.
public struct LongExactSequence: Sendable {
  /// A group and the map from it to the next.
  public struct Term: Sendable {
    /// Such as "H0(X,A)".
    public let name: String
    /// Its dimension.
    public let dimension: Int
    /// The map to the next term, (next dimension, dimension); none from the last.
    public let map: Matrix?
  }

  /// The groups in order.
  public let terms: [Term]

  /// A sequence from its terms.
  init(terms: [Term]) { self.terms = terms }

  /// How far the sequence is from being exact: the largest element of a composite of two maps, and the terms where the
  /// ranks of the two maps do not add up to the dimension.
  ///
  /// - Parameter tolerance: pivots of a map up to this times its norm, or up to this where that is below 1, count as 0.
  public func defects(
    tolerance: Double = 1e-8
  ) throws(FactorizationError) -> (composite: Double, terms: [String]) {
    var (worst, open) = (0.0, [String]())
    for (i, term) in terms.enumerated() {
      let before = i > 0 ? terms[i - 1].map : nil
      if let before, let after = term.map {
        worst = max(worst, (after * before).maximumMagnitude)
      }
      let ranks = try Self.rank(before, tolerance) + Self.rank(term.map, tolerance)
      if ranks != term.dimension { open.append(term.name) }
    }
    return (worst, open)
  }

  private static func rank(_ m: Matrix?, _ tolerance: Double) throws(FactorizationError) -> Int {
    guard let m, m.count > 0 else { return 0 }
    // The bases are orthonormal: a map far below 1 is rounding.
    let largest = m.sumOfSquares.squareRoot()
    return try PivotedQR(m, tolerance: tolerance * max(1, largest)).rank
  }

  /// The sequence of a pair, … → H^k(X, A; F) → H^k(X; F) → H^k(A; F) → H^{k+1}(X, A; F) → …, for a closed set of cells A.
  /// The connecting map extends a cocycle of A by 0 and takes its coboundary.
  ///
  /// - Complexity: a sparse QR factorisation for each group.
  public init(of sheaf: CellularSheaf, relativeTo closed: Set<Int>) throws {
    let relative = try sheaf.relative(to: closed)
    let part = sheaf.restricted(to: closed)
    let top = max(sheaf.complex.dimension, 0)
    var terms: [Term] = []
    let bases = try (0...top + 1).map { k in
      (
        try HarmonicBasis(relative.sheaf, degree: k), try HarmonicBasis(sheaf, degree: k),
        try HarmonicBasis(part.sheaf, degree: k)
      )
    }
    for k in 0...top {
      let outside = sheaf.coordinates(relative.cells, degree: k)
      let inside = sheaf.coordinates(part.cells, degree: k)
      let (open, whole, sub) = bases[k]
      let inclusion = whole.induced(
        by: { $0.spread(to: outside, of: sheaf.cochainDimension(k)) }, on: open)
      let restriction = sub.induced(by: { $0.gathered(inside) }, on: whole)
      let above = sheaf.coordinates(relative.cells, degree: k + 1)
      let delta = sheaf.coboundary(k)
      let connecting = bases[k + 1].0.induced(
        by: { delta($0.spread(to: inside, of: delta.columns)).gathered(above) }, on: sub)
      terms += [
        Term(name: "H\(k)(X,A)", dimension: open.dimension, map: inclusion),
        Term(name: "H\(k)(X)", dimension: whole.dimension, map: restriction),
        Term(name: "H\(k)(A)", dimension: sub.dimension, map: k < top ? connecting : nil),
      ]
    }
    self.terms = terms
  }

  /// The sequence of Mayer and Vietoris, … → H^k(A ∪ B) → H^k(A) ⊕ H^k(B) → H^k(A ∩ B) → H^{k+1}(A ∪ B) → …, for closed
  /// sets of cells A and B that make up the complex. The second map is the difference of the restrictions.
  public init(mayerVietoris sheaf: CellularSheaf, _ a: Set<Int>, _ b: Set<Int>) throws {
    guard a.union(b).count == sheaf.complex.count else {
      throw SheafError.quantity(
        name: "the cover", found: "\(a.union(b).count) of \(sheaf.complex.count) cells",
        expected: "two closed sets of cells that make up the complex")
    }
    _ = try sheaf.relative(to: a)
    _ = try sheaf.relative(to: b)
    let parts = [a, b, a.intersection(b)].map { sheaf.restricted(to: $0) }
    let top = max(sheaf.complex.dimension, 0)
    let bases = try (0...top + 1).map { k in
      (
        try HarmonicBasis(sheaf, degree: k),
        try parts.map { try HarmonicBasis($0.sheaf, degree: k) }
      )
    }
    var terms: [Term] = []
    for k in 0...top {
      let places = parts.map { sheaf.coordinates($0.cells, degree: k) }
      let (whole, bases3) = bases[k]
      let (left, right, both) = (bases3[0], bases3[1], bases3[2])
      let n = sheaf.cochainDimension(k)
      func restriction(_ from: Int, _ basis: HarmonicBasis) -> Matrix {
        both.induced(by: { $0.spread(to: places[from], of: n).gathered(places[2]) }, on: basis)
      }
      let apart = Matrix(
        stacking: [
          left.induced(by: { $0.gathered(places[0]) }, on: whole),
          right.induced(by: { $0.gathered(places[1]) }, on: whole),
        ], columns: whole.dimension)
      var second = restriction(1, right)
      second.scale(by: -1)
      var difference = Matrix(
        rows: both.dimension, columns: left.dimension + right.dimension)
      difference.setBlock(row: 0, column: 0, to: restriction(0, left))
      difference.setBlock(row: 0, column: left.dimension, to: second)
      // z on A ∩ B extended by 0 to A; its coboundary there, which vanishes on A ∩ B, extended by 0 to B.
      let delta = sheaf.coboundary(k)
      let isInA = Set(sheaf.coordinates(parts[0].cells, degree: k + 1))
      let connecting = bases[k + 1].0.induced(
        by: { z in
          var image = delta(z.spread(to: places[2], of: n))
          for j in 0..<image.columns {
            for i in 0..<image.rows where !isInA.contains(i) { image[i, j] = 0 }
          }
          return image
        }, on: both)
      terms += [
        Term(name: "H\(k)(A∪B)", dimension: whole.dimension, map: apart),
        Term(
          name: "H\(k)(A)+H\(k)(B)", dimension: left.dimension + right.dimension, map: difference),
        Term(name: "H\(k)(A∩B)", dimension: both.dimension, map: k < top ? connecting : nil),
      ]
    }
    self.terms = terms
  }
}

extension CellularSheaf {
  /// The coordinates of those of some cells that have dimension k, in the cochains of degree k.
  public func coordinates(_ cells: [Int], degree k: Int) -> [Int] {
    let range = complex.cells(ofDimension: k)
    return coordinates(cells.filter(range.contains))
  }
}

import CellComplexes
import CellularSheaves

/// Subcomplexes X_0, …, X_n of a complex with a cellular sheaf F, each contained in the next or containing it.
///
/// An inclusion X_i ⊂ X_{i+1} induces H^q(X_{i+1}; F) → H^q(X_i; F), one the other way round a map the other way round:
/// the zigzag module H^q(X_0) ↔ H^q(X_1) ↔ … ↔ H^q(X_n), which `barcode` decomposes into intervals (Carlsson, de Silva
/// 2010, *Zigzag persistence*; Carlsson, de Silva, Morozov 2009).
public struct SheafZigzag: Sendable {
  /// The sheaf on the whole complex.
  public let sheaf: CellularSheaf
  /// The cells of X_0, …, X_n, closed sets.
  public let subcomplexes: [Set<Int>]

  /// A zigzag of subcomplexes of which consecutive ones are comparable.
  ///
  /// - Parameter subcomplexes: the cells of each.
  /// - Throws: `quantity` for the first that lacks a face of one of its cells, or is neither contained in the next nor
  ///   contains it.
  /// - Complexity: proportional to the numbers of incidences of all.
  public init(_ sheaf: CellularSheaf, _ subcomplexes: [Set<Int>]) throws(PersistenceError) {
    let complex = sheaf.complex
    for (i, cells) in subcomplexes.enumerated() {
      precondition(
        cells.allSatisfy((0..<complex.count).contains),
        "subcomplex \(i) has cells that are not in the complex")
      guard complex.isClosed(cells) else {
        let (cell, face) = Self.openCell(cells, of: complex)
        throw .quantity(
          name: "subcomplex \(i)",
          found: "cell \"\(complex.name(cell))\" without its face \"\(complex.name(face))\"",
          expected: "all faces of its cells")
      }
      if i > 0, !cells.isSubset(of: subcomplexes[i - 1]), !cells.isSuperset(of: subcomplexes[i - 1])
      {
        throw .quantity(
          name: "subcomplex \(i)",
          found: "cells that are not in subcomplex \(i - 1), and cells of that which it lacks",
          expected: "one contained in the other; a way through unions or intersections")
      }
    }
    (self.sheaf, self.subcomplexes) = (sheaf, subcomplexes)
  }

  /// Any subcomplexes Y_0, …, Y_m with the unions of neighbours between them:
  /// Y_0 ⊂ Y_0 ∪ Y_1 ⊃ Y_1 ⊂ … ⊃ Y_m, Y_i at index 2 i.
  ///
  /// - Throws: `quantity` for the first that lacks a face of one of its cells.
  public init(
    _ sheaf: CellularSheaf, throughUnions subcomplexes: [Set<Int>]
  ) throws(PersistenceError) {
    try self.init(sheaf, Self.between(subcomplexes) { $0.union($1) })
  }

  /// Any subcomplexes Y_0, …, Y_m with the intersections of neighbours between them:
  /// Y_0 ⊃ Y_0 ∩ Y_1 ⊂ Y_1 ⊃ … ⊂ Y_m, Y_i at index 2 i.
  ///
  /// - Throws: `quantity` for the first that lacks a face of one of its cells.
  public init(
    _ sheaf: CellularSheaf, throughIntersections subcomplexes: [Set<Int>]
  ) throws(PersistenceError) {
    try self.init(sheaf, Self.between(subcomplexes) { $0.intersection($1) })
  }

  private static func between(
    _ sets: [Set<Int>], _ combine: (Set<Int>, Set<Int>) -> Set<Int>
  ) -> [Set<Int>] {
    zip(sets, sets.dropFirst()).flatMap { [$0, combine($0, $1)] } + sets.suffix(1)
  }

  /// The first cell that lacks a face, and that face.
  private static func openCell(_ cells: Set<Int>, of complex: CellComplex) -> (Int, Int) {
    for cell in cells.sorted() {
      for i in complex.incidences(of: cell) where !cells.contains(complex.face(i)) {
        return (cell, complex.face(i))
      }
    }
    preconditionFailure("a closed set")
  }
}

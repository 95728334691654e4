import CellComplexes
import CellularSheaves

/// Parts of a sheaf that know nothing of what lies outside: the cells all of whose minimal cells are inside.
///
/// An edge with one end outside would say something about what the other end has to be; it does not belong to the part, and no
/// value, weight or map of it is read.
extension CellularSheaf {
  /// The sheaf on the full subcomplex of some vertices.
  ///
  /// - Returns: the sheaf and its cells' numbers in this one.
  public func inside(_ vertices: Set<Int>) -> (sheaf: CellularSheaf, cells: [Int]) {
    var isIn = [Bool](repeating: false, count: complex.count)
    for cell in 0..<complex.count {
      let faces = complex.incidences(of: cell)
      isIn[cell] =
        complex.dimension(of: cell) == 0
        ? vertices.contains(cell)
        : !faces.isEmpty && faces.allSatisfy { isIn[complex.face($0)] }
    }
    return restricted(to: Set(isIn.indices.filter { isIn[$0] }))
  }
}

extension NonlinearSheaf {
  /// The sheaf on the elements above some minimal ones and no others.
  ///
  /// - Returns: the sheaf and its elements' numbers in this one.
  public func inside(_ minimal: Set<Int>) -> (sheaf: NonlinearSheaf, elements: [Int]) {
    let elements = (0..<poset.count).filter { x in
      ways[x].allSatisfy { minimal.contains($0.source) }
    }
    var place: [Int: Int] = [:]
    for (i, x) in elements.enumerated() { place[x] = i }
    let part = madeToFit {
      try FinitePoset(
        below: elements.map { poset.below[$0].map { place[$0]! } },
        names: elements.map { poset.names[$0] })
    }
    let sheaf = madeToFit {
      try NonlinearSheaf(
        part, stalks: elements.map { stalks[$0] }, maps: elements.map { maps[$0] },
        angles: Dictionary(
          uniqueKeysWithValues: elements.enumerated().map { ($0, periods[$1]) }))
    }
    return (sheaf, elements)
  }
}

extension Assignment {
  /// The readings of some cells, numbered as in the list.
  public func restricted(to cells: [Int]) -> Assignment {
    var result = Assignment()
    for (i, cell) in cells.enumerated() { result.readings[i] = readings[cell] }
    return result
  }
}

extension SimplicialComplex {
  /// The nerve of a cover: a vertex for each set, a simplex for sets that have an element in common (Alexandrov 1928).
  /// Where all intersections are acyclic it has the cohomology of the union in degrees below
  /// `maximumDimension` (Leray).
  ///
  /// - Parameters:
  ///   - cover: the elements of each set.
  ///   - maximumDimension: of the simplices.
  /// - Returns: the nerve, and for each of its simplices the elements that its sets have in common, ascending.
  /// - Complexity: proportional to the total size of the intersections.
  public static func nerve(
    of cover: [[Int]], maximumDimension: Int, names: [String]? = nil
  ) -> (complex: SimplicialComplex, intersections: [[Int]]) {
    var found: [[(simplex: [Int32], elements: [Int])]] = [
      cover.enumerated().map { ([Int32($0)], Set($1).sorted()) }
    ]
    for k in 0..<maximumDimension {
      var next: [(simplex: [Int32], elements: [Int])] = []
      for (simplex, elements) in found[k] {
        let members = Set(elements)
        for v in Int(simplex.last!) + 1..<max(cover.count, Int(simplex.last!) + 1) {
          let common = found[0][v].elements.filter(members.contains)
          if !common.isEmpty { next.append((simplex + [Int32(v)], common)) }
        }
      }
      if next.isEmpty { break }
      found.append(next)
    }
    // Empty sets are vertices all the same: they are sets of the cover.
    let complex = SimplicialComplex(
      sorted: found.map { $0.flatMap(\.simplex) }, vertexNames: names)
    return (complex, found.flatMap { $0.map(\.elements) })
  }
}

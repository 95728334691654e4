extension CellComplex.Builder {
  /// Incidence numbers for a cell given only by its faces, which have theirs: −1 and 1 for the two ends of an edge; for
  /// larger cells such that the boundaries of the faces cancel, which determines them up to one sign for all where the
  /// boundary is a connected closed manifold, as that of a regular cell is.
  ///
  /// - Parameters:
  ///   - faces: of the cell, different ones, that have been added with their own.
  ///   - name: of the cell, for messages.
  /// - Returns: a sign for each face, the first being 1 but for edges.
  /// - Throws: `notOrientable` where there are none.
  public func orientation(
    of faces: [Int], name: @autoclosure () -> String
  ) throws(CellComplexError) -> [Int] {
    let boundaries = faces.map { self.boundary(of: $0) }
    if boundaries.allSatisfy(\.isEmpty) {
      guard faces.count <= 2 else { throw .notOrientable(name()) }
      return faces.count == 1 ? [1] : [-1, 1].suffix(faces.count)
    }
    // The faces that meet in each cell of two dimensions less.
    var meeting: [Int: [(place: Int, sign: Int)]] = [:]
    for (place, boundary) in boundaries.enumerated() {
      for (cell, sign) in boundary { meeting[cell, default: []].append((place, sign)) }
    }
    var signs = [Int](repeating: 0, count: faces.count)
    for start in faces.indices where signs[start] == 0 {
      signs[start] = 1
      var open = [start]
      while let place = open.popLast() {
        for (cell, sign) in boundaries[place] {
          guard meeting[cell]!.count == 2 else { throw .notOrientable(name()) }
          for other in meeting[cell]! where other.place != place {
            let needed = -signs[place] * sign * other.sign
            guard signs[other.place] == 0 || signs[other.place] == needed else {
              throw .notOrientable(name())
            }
            if signs[other.place] == 0 {
              signs[other.place] = needed
              open.append(other.place)
            }
          }
        }
      }
    }
    return signs
  }
}

extension CellComplex {
  /// The cells together with all their faces, of all dimensions.
  public func closure(_ cells: some Sequence<Int>) -> Set<Int> {
    var result = Set(cells)
    var open = Array(result)
    while let cell = open.popLast() {
      for i in incidences(of: cell) where result.insert(face(i)).inserted { open.append(face(i)) }
    }
    return result
  }

  /// The open star: the cells together with all that they are faces of. An open set of the face poset.
  public func openStar(_ cells: some Sequence<Int>) -> Set<Int> {
    let cofaces = cofaces()
    var result = Set(cells)
    var open = Array(result)
    while let cell = open.popLast() {
      for (above, _) in cofaces.of(cell) where result.insert(above).inserted { open.append(above) }
    }
    return result
  }

  /// The link: what the closure of the star has beside the star of the closure.
  public func link(_ cells: some Sequence<Int>) -> Set<Int> {
    let chosen = Set(cells)
    return closure(openStar(chosen)).subtracting(openStar(closure(chosen)))
  }

  /// Whether a set of cells has the faces of its cells in it.
  public func isClosed(_ cells: Set<Int>) -> Bool {
    cells.allSatisfy { cell in incidences(of: cell).allSatisfy { cells.contains(face($0)) } }
  }

  /// Some of the cells with the incidences among them; they keep their order and their names.
  ///
  /// On a closed set of cells this is a subcomplex, on an open one the quotient by its complement: where incidences are
  /// cut, what remains are cells with fewer faces.
  ///
  /// - Returns: the part, and the incidence of this complex that each of its incidences comes from.
  public func part(
    _ cells: Set<Int>
  ) -> (complex: CellComplex, cells: [Int], incidences: [Int]) {
    let kept = cells.sorted()
    var place = [Int32](repeating: -1, count: count)
    for (i, cell) in kept.enumerated() { place[cell] = Int32(i) }
    var (starts, faces, signs, origin) = ([0], [Int32](), [Int8](), [Int]())
    for cell in kept {
      for i in incidences(of: cell) where place[face(i)] >= 0 {
        faces.append(place[face(i)])
        signs.append(self.signs[i])
        origin.append(i)
      }
      starts.append(faces.count)
    }
    // The dimensions are those of the whole: an open cell stays one.
    var dimensionStarts = [0]
    for end in self.dimensionStarts.dropFirst() {
      dimensionStarts.append(kept.partitioningIndex { $0 >= end })
    }
    while dimensionStarts.count > 1 && dimensionStarts.last == dimensionStarts.dropLast().last {
      dimensionStarts.removeLast()
    }
    let part = CellComplex(
      dimensionStarts: dimensionStarts, faceStarts: starts, faces: faces, signs: signs,
      names: .listed(kept.map(name)))
    return (part, kept, origin)
  }

  /// The cells of dimension k at most.
  public func skeleton(_ k: Int) -> Set<Int> {
    Set(0..<dimensionStarts[min(max(k, -1), dimension) + 1])
  }
}

extension Array {
  /// The first index of the part where a condition holds that holds from some place on.
  func partitioningIndex(where holds: (Element) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if holds(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

extension CellComplex {
  /// Collects cells in any order, faces before or after the cells that they are faces of.
  public struct Builder {
    private var starts = [0]
    private var faces: [Int32] = []
    private var signs: [Int8] = []
    private var given: [Int: Int] = [:]

    /// No cell yet.
    public init() {}

    /// The number of cells so far.
    public var count: Int { starts.count - 1 }

    /// Begins the next cell; its number.
    @discardableResult public mutating func addCell() -> Int {
      starts.append(faces.count)
      return count - 1
    }

    /// Says the dimension of the last cell, where its faces do not: an open cell without faces is no vertex.
    public mutating func setDimension(_ k: Int) { given[count - 1] = k }

    /// Gives the last cell a face: the number of a cell that is or will be added, with [σ : τ] = ±1.
    public mutating func addFace(_ face: Int, sign: Int) {
      precondition(abs(sign) == 1, "an incidence number is 1 or -1, not \(sign)")
      faces.append(Int32(face))
      signs.append(Int8(sign))
      starts[count] = faces.count
    }

    /// The faces of a cell with their incidence numbers.
    func boundary(of cell: Int) -> [(face: Int, sign: Int)] {
      (starts[cell]..<starts[cell + 1]).map { (Int(faces[$0]), Int(signs[$0])) }
    }

    /// Adds a cell with its faces; its number.
    @discardableResult public mutating func addCell(_ faces: [(face: Int, sign: Int)]) -> Int {
      addCell()
      for (face, sign) in faces { addFace(face, sign: sign) }
      return count - 1
    }

    /// The complex, and the number that each cell has in it.
    ///
    /// A cell without faces has dimension 0 unless it was given another, one with faces one more than these. Cells of one dimension stay in the order
    /// in which they were added, as do the faces of a cell.
    ///
    /// - Parameter names: of the cells in the order of adding, numbers if nil.
    /// - Throws: `circularFaces`, `mixedFaces`, `unknownFace` (by number).
    /// - Complexity: proportional to the number of incidences.
    public func complex(
      names: [String]? = nil
    ) throws(CellComplexError) -> (complex: CellComplex, places: [Int]) {
      let name = { (cell: Int) in names?[cell] ?? "\(cell)" }
      let dimensions = try dimensions(name)
      let top = dimensions.max() ?? -1
      var dimensionStarts = [Int](repeating: 0, count: top + 2)
      for k in dimensions { dimensionStarts[k + 1] += 1 }
      for k in 0..<top + 1 { dimensionStarts[k + 1] += dimensionStarts[k] }
      var next = dimensionStarts
      let places = dimensions.map { k in
        defer { next[k] += 1 }
        return next[k]
      }
      let isInOrder = places.indices.allSatisfy { places[$0] == $0 }
      guard !isInOrder else {
        return (
          CellComplex(
            dimensionStarts: dimensionStarts, faceStarts: starts, faces: faces, signs: signs,
            names: names.map { .listed($0) } ?? .numbered), places
        )
      }
      var origin = [Int](repeating: 0, count: count)
      for (cell, place) in places.enumerated() { origin[place] = cell }
      var (newStarts, newFaces, newSigns) = ([0], [Int32](), [Int8]())
      newStarts.reserveCapacity(count + 1)
      newFaces.reserveCapacity(faces.count)
      newSigns.reserveCapacity(faces.count)
      for cell in origin {
        for i in starts[cell]..<starts[cell + 1] {
          newFaces.append(Int32(places[Int(faces[i])]))
          newSigns.append(signs[i])
        }
        newStarts.append(newFaces.count)
      }
      return (
        CellComplex(
          dimensionStarts: dimensionStarts, faceStarts: newStarts, faces: newFaces,
          signs: newSigns, names: .listed(origin.map(name))), places
      )
    }

    /// The dimensions, by a walk without recursion.
    private func dimensions(_ name: (Int) -> String) throws(CellComplexError) -> [Int] {
      let (unknown, open) = (-1, -2)
      var dimension = [Int](repeating: unknown, count: count)
      var stack: [(cell: Int, next: Int)] = []
      for root in 0..<count where dimension[root] == unknown {
        stack.append((root, starts[root]))
        dimension[root] = open
        while let (cell, i) = stack.last {
          if i < starts[cell + 1] {
            stack[stack.count - 1].next += 1
            let face = Int(faces[i])
            guard (0..<count).contains(face) else {
              throw .unknownFace(of: name(cell), face: "\(face)")
            }
            if dimension[face] == open {
              let circle = stack.drop { $0.cell != face }.map(\.cell)
              throw .circularFaces((circle + [face]).reversed().map(name))
            }
            if dimension[face] == unknown {
              dimension[face] = open
              stack.append((face, starts[face]))
            }
          } else {
            stack.removeLast()
            dimension[cell] = try self.dimension(above: cell, dimension, name)
          }
        }
      }
      return dimension
    }

    private func dimension(
      above cell: Int, _ dimension: [Int], _ name: (Int) -> String
    ) throws(CellComplexError) -> Int {
      let range = starts[cell]..<starts[cell + 1]
      guard let first = range.first else { return given[cell] ?? 0 }
      let below = dimension[Int(faces[first])]
      for i in range where dimension[Int(faces[i])] != below {
        throw .mixedFaces(
          of: name(cell), face: name(Int(faces[i])), dimension: dimension[Int(faces[i])],
          expected: below)
      }
      if let said = given[cell], said != below + 1 {
        throw .mixedFaces(
          of: name(cell), face: name(Int(faces[first])), dimension: below, expected: said - 1)
      }
      return below + 1
    }
  }
}

import CellComplexes
import LinearAlgebra

/// A sheaf on a finite poset: a stalk F(x) for each element, and for each relation y < x that the poset is given by a
/// map F(y) → F(x), so that all ways from an element to another give one map (Curry 2014, §4.2). Stalks have the standard
/// inner product.
///
/// Its cohomology, the derived functors of the global sections lim F, is that of the cochains of the order complex,
/// C^k = Π_{x₀ < … < x_k} F(x_k) (Roos 1961; Ladkani 2008): the cellular sheaf `onOrderComplex`.
public struct PosetSheaf: Sendable {
  /// The base.
  public let poset: FinitePoset
  /// The dimension of each stalk.
  public let stalks: [Int]
  /// For each element the maps from the elements in `poset.below`, in that order.
  public let maps: [[RestrictionMap]]

  /// A sheaf from its stalks and maps.
  ///
  /// - Parameter tolerance: of the ways that have to agree, relative to the products of the norms of their maps.
  /// - Throws: `shape`, `notFinite`; `square` for ways that differ.
  /// - Complexity: one product of maps for each element below each relation.
  public init(
    _ poset: FinitePoset, stalks: [Int], maps: [[RestrictionMap]], tolerance: Double = 1e-10
  ) throws(SheafError) {
    precondition(
      stalks.count == poset.count && maps.map(\.count) == poset.below.map(\.count),
      "stalks and maps of \(poset.count) elements")
    (self.poset, self.stalks, self.maps) = (poset, stalks, maps)
    for x in 0..<poset.count {
      guard stalks[x] >= 0 else {
        throw .quantity(
          name: "the stalk of \"\(poset.names[x])\"", found: "dimension \(stalks[x])",
          expected: "0 or more")
      }
      for (y, map) in zip(poset.below[x], maps[x]) {
        let found = map.shape
        guard found.map({ $0 == (stalks[x], stalks[y]) }) ?? (stalks[x] == stalks[y]) else {
          throw .shape(
            cell: poset.names[x], face: poset.names[y],
            found: found.map { "(\($0.rows), \($0.columns))" } ?? "of a multiple of the identity",
            expected: "(\(stalks[x]), \(stalks[y])), the dimensions of the stalks")
        }
        guard map.isFinite else {
          throw .notFinite(cell: poset.names[x], face: poset.names[y])
        }
      }
    }
    try checkWays(tolerance)
  }

  /// Any two ways from y to x agree: it is enough that, for each y, the maps F(y) → F(x) by way of each element below x do.
  private func checkWays(_ tolerance: Double) throws(SheafError) {
    let lowerSets = poset.lowerSets
    // The map of a way, and the product of the norms along it, to which its rounding is in proportion.
    var from = [[Int: (map: RestrictionMap, size: Double)]](repeating: [:], count: poset.count)
    for x in poset.linearExtension {
      var ways: [Int: (map: RestrictionMap, size: Double, via: Int)] = [:]
      for (i, z) in poset.below[x].enumerated() {
        let last = maps[x][i]
        var all = lowerSets[z].map { y in
          let first = from[z][y]!
          return (y, last.after(first.map), last.norm * first.size)
        }
        all.append((z, last, last.norm))
        for (y, map, size) in all {
          guard let known = ways[y] else {
            ways[y] = (map, size, z)
            continue
          }
          let difference = Self.difference(map, known.map, stalks[y])
          guard difference <= tolerance * (size + known.size) else {
            throw .square(
              cell: poset.names[x], face: poset.names[y],
              between: [known.via, z].map { poset.names[$0] }, difference: difference)
          }
          ways[y]!.size = max(size, known.size)
        }
      }
      from[x] = ways.mapValues { ($0.map, $0.size) }
    }
  }

  /// ‖A − B‖, for multiples of the identity of stalks that are not 0 that of the factors.
  private static func difference(_ a: RestrictionMap, _ b: RestrictionMap, _ n: Int) -> Double {
    if let s = a.factor, let t = b.factor { return n > 0 ? abs(s - t) : 0 }
    var difference = a.dense(n)
    difference.add(b.dense(n), scale: -1)
    return difference.sumOfSquares.squareRoot()
  }

  /// F(y) → F(x) for every y < x, for each x.
  public var composites: [[Int: Matrix]] {
    let lowerSets = poset.lowerSets
    var from = [[Int: Matrix]](repeating: [:], count: poset.count)
    for x in poset.linearExtension {
      for (i, z) in poset.below[x].enumerated() {
        let map = maps[x][i].dense(stalks[z])
        from[x][z] = map
        for y in lowerSets[z] where from[x][y] == nil { from[x][y] = map * from[z][y]! }
      }
    }
    return from
  }

  /// The cellular sheaf on the order complex whose cohomology is this sheaf's: F(x_k) on the simplex x₀ < … < x_k; the
  /// map from the face without x_k is F(x_{k−1}) → F(x_k), from the others the identity.
  ///
  /// - Parameter maximumDimension: of the simplices; H^k needs those of dimension k + 1.
  public func onOrderComplex(maximumDimension: Int = .max) -> CellularSheaf {
    let order = poset.orderComplex(maximumDimension: maximumDimension)
    let (complex, simplices) = (order.complex, order.simplices)
    let composites = composites
    let element = { (vertex: Int32) in poset.linearExtension[Int(vertex)] }
    let tops = (0..<complex.count).map { element(simplices[$0].last!) }
    let cellOf = complex.cellsOfIncidences
    return madeToFit {
      try CellularSheaf(complex, stalks: tops.map { stalks[$0] }) { i in
        let (x, y) = (tops[cellOf[i]], tops[complex.face(i)])
        return x == y ? .identity : .matrix(composites[x][y]!)
      }
    }
  }

  /// The pullback along an order-preserving map f : P → Q: (f*F)(p) = F(f(p)).
  ///
  /// - Throws: `quantity` for a relation that f does not preserve.
  public func pullback(along f: [Int], from source: FinitePoset) throws -> PosetSheaf {
    precondition(f.count == source.count && f.allSatisfy { (0..<poset.count).contains($0) })
    let composites = composites
    let maps = try source.below.enumerated().map { x, below in
      try below.map { y -> RestrictionMap in
        if f[x] == f[y] { return .identity }
        guard let map = composites[f[x]][f[y]] else {
          throw SheafError.quantity(
            name: "the map of posets",
            found: "\(source.names[y]) < \(source.names[x]) to \(poset.names[f[y]]) and "
              + poset.names[f[x]], expected: "a map that preserves the order")
        }
        return .matrix(map)
      }
    }
    return try PosetSheaf(source, stalks: f.map { stalks[$0] }, maps: maps, tolerance: 1e-8)
  }

  /// The pushforward along an order-preserving map f : P → Q: (f_*F)(q) = the sections of F over the p with f(p) ≥ q, in
  /// orthonormal coordinates.
  ///
  /// - Parameter tolerance: singular values up to this times the largest count as 0, as do entries of maps up to it.
  /// - Complexity: a dense decomposition for each element of Q.
  public func pushforward(
    along f: [Int], to target: FinitePoset, tolerance: Double = 1e-10
  ) throws -> PosetSheaf {
    precondition(f.count == poset.count && f.allSatisfy { (0..<target.count).contains($0) })
    let lower = target.lowerSets.map(Set.init)
    for x in 0..<poset.count {
      for y in poset.below[x] where f[x] != f[y] && !lower[f[x]].contains(f[y]) {
        throw SheafError.quantity(
          name: "the map of posets",
          found: "\(poset.names[y]) < \(poset.names[x]) to \(target.names[f[y]]) and "
            + target.names[f[x]], expected: "a map that preserves the order")
      }
    }
    let supports = (0..<target.count).map { q in
      (0..<poset.count).filter { f[$0] == q || lower[f[$0]].contains(q) }
    }
    let bases = try supports.map { try sections(over: $0, tolerance) }
    let maps = target.below.enumerated().map { x, below in
      below.map { y -> RestrictionMap in
        // Sections over the larger set, seen on the smaller one.
        let places = Dictionary(uniqueKeysWithValues: zip(supports[y], self.offsets(supports[y])))
        let rows = supports[x].flatMap { p in places[p]!..<places[p]! + stalks[p] }
        let seen = bases[y][rows: rows, columns: Array(0..<bases[y].columns)]
        var map = Matrix(rows: bases[x].columns, columns: bases[y].columns)
        map.setProduct(bases[x], seen, transposing: .left)
        // Orthonormal columns on either side: what is this small is rounding, and no way has to agree with another in it.
        return .matrix(
          Matrix(
            rows: map.rows, columns: map.columns,
            columnMajor: map.elements.map { abs($0) <= tolerance ? 0 : $0 }))
      }
    }
    return try PosetSheaf(target, stalks: bases.map(\.columns), maps: maps, tolerance: 1e-8)
  }

  private func offsets(_ elements: [Int]) -> [Int] {
    var start = 0
    return elements.map { x in
      defer { start += stalks[x] }
      return start
    }
  }

  /// An orthonormal basis of the sections over an upper set, one per column, in the coordinates of its elements' stalks.
  private func sections(over elements: [Int], _ tolerance: Double) throws -> Matrix {
    let places = Dictionary(uniqueKeysWithValues: zip(elements, offsets(elements)))
    let n = elements.reduce(0) { $0 + stalks[$1] }
    var rows: [Matrix] = []
    for x in elements {
      for (i, y) in poset.below[x].enumerated() {
        guard let start = places[y] else { continue }
        var block = Matrix(rows: stalks[x], columns: n)
        block.setBlock(row: 0, column: start, to: maps[x][i].dense(stalks[y]))
        for r in 0..<stalks[x] { block[r, places[x]! + r] -= 1 }
        rows.append(block)
      }
    }
    return try SheafMorphism.subspaces(Matrix(stacking: rows, columns: n), tolerance).kernel
  }
}

extension CellularSheaf {
  /// This sheaf on the face poset of its complex, without its weights.
  ///
  /// - Throws: `quantity` where a cell meets a face several times: their incidences are no relations.
  public func onFacePoset() throws -> PosetSheaf {
    for cell in 0..<complex.count {
      let faces = complex.incidences(of: cell).map { complex.face($0) }
      guard Set(faces).count == faces.count else {
        throw SheafError.quantity(
          name: "cell \"\(complex.name(cell))\"", found: "a face in several incidences",
          expected: "a regular complex, whose incidences are the relations of a poset")
      }
    }
    return try PosetSheaf(
      complex.facePoset, stalks: stalks,
      maps: (0..<complex.count).map { complex.incidences(of: $0).map { maps[$0] } })
  }
}

extension PosetSheaf {
  /// This sheaf as a cellular one, its poset being the face poset of a complex.
  public func cellular(on complex: CellComplex) throws -> CellularSheaf {
    precondition(complex.facePoset.below == poset.below, "the face poset of another complex")
    let maps = maps.flatMap { $0 }
    return try CellularSheaf(complex, stalks: stalks) { maps[$0] }
  }
}

extension CellComplex {
  /// A graph: vertices 0..<n, and an edge for each pair, from its first vertex (sign −1) to its second (sign 1). Loops
  /// and several edges between two vertices are allowed; an edge without a second vertex is half-open.
  ///
  /// - Throws: `unknownFace` for a vertex that is not there.
  public static func graph(
    vertices: Int, edges: [(Int, Int?)], names: [String]? = nil
  ) throws(CellComplexError) -> CellComplex {
    var (starts, faces, signs) = ([Int](repeating: 0, count: vertices + 1), [Int32](), [Int8]())
    starts.reserveCapacity(vertices + edges.count + 1)
    faces.reserveCapacity(2 * edges.count)
    signs.reserveCapacity(2 * edges.count)
    for (e, (tail, head)) in edges.enumerated() {
      for end in [tail, head ?? tail] where !(0..<vertices).contains(end) {
        throw .unknownFace(of: names?[vertices + e] ?? "edge \(e)", face: "\(end)")
      }
      faces.append(Int32(tail))
      signs.append(-1)
      if let head {
        faces.append(Int32(head))
        signs.append(1)
      }
      starts.append(faces.count)
    }
    let dimensionStarts =
      edges.isEmpty
      ? (vertices == 0 ? [0] : [0, vertices]) : [0, vertices, vertices + edges.count]
    return CellComplex(
      dimensionStarts: dimensionStarts, faceStarts: starts, faces: faces, signs: signs,
      names: names.map { .listed($0) } ?? .numbered)
  }

  /// The path with n vertices.
  public static func path(_ n: Int) -> CellComplex {
    madeToFit { try graph(vertices: n, edges: (0..<max(n - 1, 0)).map { ($0, $0 + 1) }) }
  }

  /// The cycle with n ≥ 1 vertices; one vertex has a loop.
  public static func cycle(_ n: Int) -> CellComplex {
    madeToFit { try graph(vertices: n, edges: (0..<n).map { ($0, ($0 + 1) % n) }) }
  }

  /// The product with another complex: cells σ × τ, of the sum of the dimensions, with
  /// ∂(σ × τ) = ∂σ × τ + (−1)^{dim σ} σ × ∂τ. Names are joined by "×".
  ///
  /// - Complexity: proportional to the number of incidences of the product.
  public func product(_ other: CellComplex) -> CellComplex {
    let pairs = productCells(with: other)
    let n = other.count
    var place = [Int32](repeating: 0, count: pairs.count)
    for (cell, (a, b)) in pairs.enumerated() { place[a * n + b] = Int32(cell) }
    var starts = [Int](repeating: 0, count: pairs.isEmpty ? 1 : dimension + other.dimension + 2)
    for (k, cells) in cellCounts.enumerated() {
      for (l, others) in other.cellCounts.enumerated() where !pairs.isEmpty {
        starts[k + l + 1] += cells * others
      }
    }
    for k in 1..<max(starts.count, 1) { starts[k] += starts[k - 1] }
    var (faceStarts, faces, signs) = ([0], [Int32](), [Int8]())
    let isOdd = (0..<count).map { dimension(of: $0) % 2 == 1 }
    for (a, b) in pairs {
      for i in incidences(of: a) {
        faces.append(place[face(i) * n + b])
        signs.append(self.signs[i])
      }
      for j in other.incidences(of: b) {
        faces.append(place[a * n + other.face(j)])
        signs.append(isOdd[a] ? -other.signs[j] : other.signs[j])
      }
      faceStarts.append(faces.count)
    }
    return CellComplex(
      dimensionStarts: starts, faceStarts: faceStarts, faces: faces, signs: signs,
      names: .listed(pairs.map { "\(name($0.0))×\(other.name($0.1))" }))
  }

  /// The cells σ × τ of the product in their order: by dimension, then by σ, then by τ.
  public func productCells(with other: CellComplex) -> [(Int, Int)] {
    var result: [(Int, Int)] = []
    result.reserveCapacity(count * other.count)
    for k in 0...max(dimension + other.dimension, 0) {
      for i in 0...k {
        for a in cells(ofDimension: i) {
          for b in other.cells(ofDimension: k - i) { result.append((a, b)) }
        }
      }
    }
    return result
  }

  /// The cubical grid with so many vertices along each axis, or as many on a circle where it is periodic: the product of
  /// paths and cycles.
  public static func grid(_ sizes: [Int], isPeriodic: Bool = false) -> CellComplex {
    let axes = sizes.map { isPeriodic ? cycle($0) : path($0) }
    return axes.dropFirst().reduce(axes.first ?? path(1)) { $0.product($1) }
  }
}

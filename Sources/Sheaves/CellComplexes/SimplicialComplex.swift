/// A simplicial complex: a cell complex whose cells are sets of vertices, with all their subsets.
///
/// The simplices of a dimension stand in lexicographic order. Each is oriented by its ascending vertices:
/// [v₀ … v̂ᵢ … v_k : v₀ … v_k] = (−1)ⁱ.
public struct SimplicialComplex: Sendable, Equatable {
  /// Its cells.
  public let complex: CellComplex
  /// Their vertices.
  public let simplices: SimplexVertices

  /// The complex of the simplices of each dimension, in lexicographic order and with all their faces.
  ///
  /// - Parameter lists: for each k the simplices' vertices, ascending, one simplex after the other.
  package init(sorted lists: [[Int32]], vertexNames: [String]? = nil) {
    var lists = lists
    while lists.last?.isEmpty == true { lists.removeLast() }
    let simplices = SimplexVertices(lists)
    let count = simplices.dimensionStarts.last!
    var starts = [Int](repeating: 0, count: (lists.first?.count ?? 0) + 1)
    var (faces, signs) = ([Int32](), [Int8]())
    var face: [Int32] = []
    for cell in starts.count - 1..<max(count, starts.count - 1) {
      let vertices = simplices[cell]
      for i in vertices.indices.reversed() {
        face.removeAll(keepingCapacity: true)
        for j in vertices.indices where j != i { face.append(vertices[j]) }
        faces.append(Int32(simplices.cell(face)!))
        signs.append((i - vertices.startIndex) % 2 == 0 ? 1 : -1)
      }
      starts.append(faces.count)
    }
    self.simplices = simplices
    complex = CellComplex(
      dimensionStarts: simplices.dimensionStarts, faceStarts: starts, faces: faces, signs: signs,
      names: .simplices(simplices, vertexNames: vertexNames))
  }

  /// The simplices given by their vertices, with all their faces and the vertices 0..<n.
  ///
  /// - Throws: `quantity` for a simplex with a vertex that is not there, or twice the same.
  public init(
    facets: [[Int]], vertices n: Int? = nil, vertexNames: [String]? = nil
  ) throws(CellComplexError) {
    let n = n ?? vertexNames?.count ?? (facets.joined().max() ?? -1) + 1
    var found: [Set<[Int32]>] = [Set((0..<n).map { [Int32($0)] })]
    for facet in facets {
      let vertices = Set(facet).sorted()
      guard vertices.count == facet.count && vertices.allSatisfy({ (0..<n).contains($0) }) else {
        throw .quantity(
          name: "a simplex", found: "the vertices \(facet)",
          expected: "different vertices, numbers from 0 to \(n - 1)")
      }
      while found.count < vertices.count { found.append([]) }
      Self.insert(vertices.map { Int32($0) }, into: &found)
    }
    self.init(
      sorted: found.map { simplices in
        simplices.sorted { $0.lexicographicallyPrecedes($1) }.flatMap { $0 }
      }, vertexNames: vertexNames)
  }

  /// A simplex with those of its faces that are not there.
  private static func insert(_ simplex: [Int32], into found: inout [Set<[Int32]>]) {
    guard !simplex.isEmpty, found[simplex.count - 1].insert(simplex).inserted else { return }
    for i in simplex.indices {
      var face = simplex
      face.remove(at: i)
      insert(face, into: &found)
    }
  }

  /// The simplices that are faces of no other.
  public var facets: [[Int]] {
    let cofaces = complex.cofaces()
    return (0..<complex.count).filter { cofaces.degree($0) == 0 }.map {
      simplices[$0].map(Int.init)
    }
  }

  /// The number of vertices.
  public var vertexCount: Int { complex.cells(ofDimension: 0).count }

  /// The cone: every simplex joined with a new vertex, the last. It has the cohomology of a point.
  public var cone: SimplicialComplex {
    madeToFit {
      try SimplicialComplex(facets: facets.map { $0 + [vertexCount] } + [[vertexCount]])
    }
  }

  /// The suspension: two cones over one complex. H̃^{k+1} of it is H̃^k of the complex.
  public var suspension: SimplicialComplex {
    let n = vertexCount
    return madeToFit {
      try SimplicialComplex(
        facets: facets.flatMap { [$0 + [n], $0 + [n + 1]] }, vertices: n + 2)
    }
  }
}

import CellComplexes
import CellularSheaves
import LinearAlgebra

/// What `make` gives, which cannot fail but by a mistake in the tests.
func known<Value>(_ make: () throws -> Value) -> Value {
  do { return try make() } catch { preconditionFailure("\(error)") }
}

/// Complexes of known spaces.
enum Spaces {
  static let sphere = known {
    try SimplicialComplex(
      facets: [[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]])
  }

  /// The six vertices of the projective plane, half an icosahedron.
  static let projectivePlane = known {
    try SimplicialComplex(facets: [
      [0, 1, 2], [0, 2, 3], [0, 3, 4], [0, 4, 5], [0, 1, 5],
      [1, 2, 4], [2, 4, 5], [2, 3, 5], [1, 3, 5], [1, 3, 4],
    ])
  }

  static let torus = surface(4, isTwisted: false)
  static let klein = surface(4, isTwisted: true)

  /// A grid of squares with sides glued, the right one turned over for Klein's bottle.
  static func surface(_ n: Int, isTwisted: Bool) -> SimplicialComplex {
    func vertex(_ i: Int, _ j: Int) -> Int {
      let y = i >= n && isTwisted ? n - j : j
      return (i % n) * n + ((y % n) + n) % n
    }
    var triangles: [[Int]] = []
    for i in 0..<n {
      for j in 0..<n {
        let (a, b) = (vertex(i, j), vertex(i + 1, j))
        let (c, d) = (vertex(i, j + 1), vertex(i + 1, j + 1))
        triangles += [[a, b, d], [a, c, d]]
      }
    }
    return known { try SimplicialComplex(facets: triangles) }
  }

  /// One vertex, two loops and a square with the boundary a b a⁻¹ b^±¹: a torus, or Klein's bottle.
  static func square(isTwisted: Bool) -> CellComplex {
    var builder = CellComplex.Builder()
    let v = builder.addCell([])
    let (a, b) = (
      builder.addCell([(v, -1), (v, 1)]), builder.addCell([(v, -1), (v, 1)])
    )
    builder.addCell([(a, 1), (b, 1), (a, -1), (b, isTwisted ? 1 : -1)])
    return known { try builder.complex().complex }
  }

  /// The lens space L(q, 1): one cell of each dimension, the disc wound q times about the loop.
  static func lens(_ q: Int) -> CellComplex {
    var builder = CellComplex.Builder()
    let v = builder.addCell([])
    let e = builder.addCell([(v, -1), (v, 1)])
    let f = builder.addCell((0..<q).map { _ in (e, 1) })
    builder.addCell([(f, 1), (f, -1)])
    return known { try builder.complex().complex }
  }

  /// The edges of the icosahedron: vertices (0, ±1, ±φ) and their cyclic permutations, joined at distance 2.
  static let icosahedron: CellComplex = {
    let phi = (1 + 5.0.squareRoot()) / 2
    var points: [[Double]] = []
    for s in [-1.0, 1] {
      for t in [-phi, phi] { points += [[0, s, t], [s, t, 0], [t, 0, s]] }
    }
    return known {
      try SimplicialComplex.vietorisRips(
        points: Matrix(rows: 3, columns: 12, columnMajor: points.flatMap { $0 }), radius: 2.1,
        maximumDimension: 1
      ).complex
    }
  }()

  static func complete(_ n: Int) -> CellComplex {
    known {
      try .graph(
        vertices: n, edges: (0..<n).flatMap { i in (0..<i).map { (i, $0) } })
    }
  }
}

extension RandomGenerator {
  /// A graph with loops and several edges between vertices; some half-open if wanted.
  mutating func graph(vertices n: Int, edges m: Int, halfOpen: Bool = false) -> CellComplex {
    let edges = (0..<m).map { _ -> (Int, Int?) in
      (integer(0...n - 1), halfOpen && uniform() < 0.2 ? nil : integer(0...n - 1))
    }
    return known { try .graph(vertices: n, edges: edges) }
  }

  /// A connected graph: a random tree and so many edges beside it.
  mutating func connectedGraph(vertices n: Int, extra: Int) -> CellComplex {
    var edges: [(Int, Int?)] = (1..<n).map { ($0, integer(0...$0 - 1)) }
    for _ in 0..<extra { edges.append((integer(0...n - 1), integer(0...n - 1))) }
    return known { try .graph(vertices: n, edges: edges) }
  }

  /// Random facets of up to k + 1 of n vertices.
  mutating func simplicial(vertices n: Int, facets: Int, dimension k: Int) -> SimplicialComplex {
    let lists = (0..<facets).map { _ in Array(permutation(n).prefix(integer(1...k + 1))) }
    return known { try SimplicialComplex(facets: lists, vertices: n) }
  }

  mutating func integerMatrix(rows: Int, columns: Int, density: Double = 0.6) -> Matrix {
    Matrix(
      rows: rows, columns: columns,
      columnMajor: (0..<rows * columns).map { _ in uniform() < density ? Double(integer(-2...2)) : 0
      })
  }

  /// A matrix of whole numbers whose inverse is one too, and that inverse.
  mutating func unimodular(_ n: Int) -> (matrix: Matrix, inverse: Matrix) {
    var (a, b) = (Matrix.identity(n), Matrix.identity(n))
    guard n > 1 else { return (a, b) }
    for _ in 0..<n {
      let (i, j) = (integer(0...n - 1), integer(0...n - 1))
      if i == j { continue }
      let c = Double(integer(-1...1))
      // Row i of a gains c times row j; column j of b loses c times column i.
      for k in 0..<n {
        a[i, k] += c * a[j, k]
        b[k, j] -= c * b[k, i]
      }
    }
    return (a, b)
  }

  /// A well conditioned invertible matrix.
  mutating func invertible(_ n: Int) -> Matrix {
    var m = normalMatrix(rows: n, columns: n, deviation: 0.3)
    m.add(.identity(n))
    return m
  }

  /// An orthogonal matrix.
  mutating func orthogonal(_ n: Int) -> Matrix {
    var gram = normalMatrix(rows: n, columns: n)
    gram.add(gram.transposed)
    return known { try SymmetricEigendecomposition(gram).vectors }
  }

  /// Inner products of all kinds.
  mutating func weights(_ stalks: [Int]) -> [InnerProduct] {
    stalks.map { n in
      switch integer(0...3) {
      case 0: return .standard
      case 1: return .scalar(uniform(0.3, 3))
      case 2: return .diagonal((0..<n).map { _ in uniform(0.3, 3) })
      default:
        let root = normalMatrix(rows: n, columns: n + 1)
        var w = Matrix.identity(n)
        w.addGram(root, transposed: false, keeping: 0.5)
        return .matrix(w)
      }
    }
  }

  /// A sheaf of whole numbers on a graph.
  mutating func integerSheaf(on graph: CellComplex, stalks: ClosedRange<Int>) -> CellularSheaf {
    let dimensions = (0..<graph.count).map { _ in integer(stalks) }
    let cellOf = graph.cellsOfIncidences
    return known {
      try CellularSheaf(graph, stalks: dimensions) { i in
        .matrix(integerMatrix(rows: dimensions[cellOf[i]], columns: dimensions[graph.face(i)]))
      }
    }
  }

  /// A sheaf of whole numbers on any complex: a sum of constant sheaves on closed sets of cells, open ones and their
  /// intersections, the maps multiplied by a number for each dimension, in random bases of the stalks.
  mutating func integerSheaf(on complex: CellComplex, summands: Int) -> CellularSheaf {
    func support() -> Set<Int> {
      let cells = (0..<complex.count).filter { _ in uniform() < 0.2 }
      let others = (0..<complex.count).filter { _ in uniform() < 0.2 }
      switch integer(0...3) {
      case 0: return Set(0..<complex.count)
      case 1: return complex.closure(cells)
      case 2: return complex.openStar(cells)
      default: return complex.closure(cells).intersection(complex.openStar(others))
      }
    }
    let supports = (0..<summands).map { _ in support() }
    let factors = (0..<summands).map { _ in
      (0...max(complex.dimension, 0)).map { _ in Double([1, 1, 1, 2, 3][integer(0...4)]) }
    }
    let parts = (0..<complex.count).map { cell in
      supports.indices.filter { supports[$0].contains(cell) }
    }
    let stalks = parts.map(\.count)
    let bases = stalks.map { unimodular($0) }
    let cellOf = complex.cellsOfIncidences
    return known {
      try CellularSheaf(complex, stalks: stalks) { i in
        let (cell, face) = (cellOf[i], complex.face(i))
        var map = Matrix(rows: stalks[cell], columns: stalks[face])
        for (row, s) in parts[cell].enumerated() {
          guard let column = parts[face].firstIndex(of: s) else { continue }
          map[row, column] = factors[s][complex.dimension(of: cell)]
        }
        return .matrix(bases[cell].matrix * map * bases[face].inverse)
      }
    }
  }

  /// A sheaf of real numbers on any complex, with weights: the same in random bases.
  mutating func weightedSheaf(on complex: CellComplex, summands: Int) -> CellularSheaf {
    let sheaf = integerSheaf(on: complex, summands: summands)
    let bases = sheaf.stalks.map { invertible($0) }
    return known { try sheaf.changingBases(bases).weighted(weights(sheaf.stalks)) }
  }
}

extension CellularSheaf {
  /// This sheaf with other inner products.
  func weighted(_ weights: [InnerProduct]) throws -> CellularSheaf {
    try CellularSheaf(complex, stalks: stalks, weights: weights) { map($0) }
  }

  /// ⟨a, b⟩ of cochains of degree k, by the definition.
  func inner(_ a: [Double], _ b: [Double], degree k: Int) -> Double {
    complex.cells(ofDimension: k).reduce(0) { sum, cell in
      let range = range(of: cell)
      let (x, y) = (Matrix(column: Array(a[range])), Matrix(column: Array(b[range])))
      return sum + (x.transposed * (innerProduct(of: cell).dense(range.count) * y))[0, 0]
    }
  }

  /// W of all cells of dimension k.
  func weight(degree k: Int) -> Matrix {
    var w = Matrix(rows: cochainDimension(k), columns: cochainDimension(k))
    for cell in complex.cells(ofDimension: k) {
      let range = range(of: cell)
      w.setBlock(
        row: range.lowerBound, column: range.lowerBound,
        to: innerProduct(of: cell).dense(range.count))
    }
    return w
  }

  /// W_k⁻¹ δᵀ W_{k+1} δ + δ W_{k−1}⁻¹ δᵀ W_k in the coordinates of the stalks, by the definition of the adjoint.
  func denseLaplacian(_ k: Int) throws -> Matrix {
    let (up, down) = (coboundary(k).dense, coboundary(k - 1).dense)
    let w = weight(degree: k)
    var sum = Matrix(rows: w.rows, columns: w.rows)
    if up.rows > 0 {
      sum.add(try w.solve(up.transposed * (weight(degree: k + 1) * up)))
    }
    if down.columns > 0 {
      sum.add(down * (try weight(degree: k - 1).solve(down.transposed * w)))
    }
    return sum
  }
}

extension Matrix {
  func minus(_ other: Matrix) -> Matrix {
    var result = self
    result.add(other, scale: -1)
    return result
  }

  /// The pseudo-inverse of a symmetric matrix, eigenvalues up to 1e-9 of the largest being 0.
  var pseudoInverse: Matrix { spectral { $0 == 0 ? 0 : 1 / $0 } }

  /// f of a symmetric matrix.
  func spectral(_ f: (Double) -> Double) -> Matrix {
    let pairs = known { try SymmetricEigendecomposition(self) }
    let top = pairs.values.reduce(0) { Swift.max($0, abs($1)) }
    var scaled = pairs.vectors
    for j in 0..<columns {
      let value = f(abs(pairs.values[j]) <= 1e-9 * top ? 0 : pairs.values[j])
      for i in 0..<rows { scaled[i, j] *= value }
    }
    return scaled * pairs.vectors.transposed
  }
}

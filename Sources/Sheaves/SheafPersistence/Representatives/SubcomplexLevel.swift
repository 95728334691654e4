import CellularSheaves
import ConvexPrograms
import LinearAlgebra

/// The cells of a filtration up to some value, and the chains or cochains of a degree on them.
struct SubcomplexLevel {
  private let filtration: SheafFiltration
  private let degree: Int
  private let isThere: (Double) -> Bool
  /// The cells of the degree that are there.
  private let cells: [Int]

  init(_ filtration: SheafFiltration, degree: Int, isThere: @escaping (Double) -> Bool) {
    (self.filtration, self.degree, self.isThere) = (filtration, degree, isThere)
    cells = filtration.sheaf.complex.cells(ofDimension: degree).filter {
      isThere(filtration.values[$0])
    }
  }

  /// That a map sends a vector to 0 on the cells that are there, up to rounding.
  ///
  /// - Throws: `PersistenceError.quantity`.
  func checkClosed(
    _ x: [Double], under map: SparseMatrix, to images: Range<Int>, _ name: String
  ) throws(PersistenceError) {
    var y = Matrix(rows: map.rows, columns: 1)
    if map.rows > 0 { map.addProduct(Matrix(column: x), keeping: 0, into: &y) }
    let largest = images.filter { isThere(filtration.values[$0]) }.reduce(0.0) { most, cell in
      filtration.sheaf.range(of: cell).reduce(most) { max($0, abs(y[$1, 0])) }
    }
    let size = x.reduce(0) { max($0, abs($1)) } * max(map.largestColumnNorm, .leastNormalMagnitude)
    guard largest <= 1e-8 * size else {
      throw .quantity(
        name: "representative of degree \(degree)",
        found: "\(largest) where a \(name) is 0", expected: "a \(name) over ℝ or ℚ")
    }
  }

  /// The shortest x + D y, D the map from the coordinates of another degree that are there.
  ///
  /// - Parameter ascending: whether columns follow from those before, as of boundaries, or from those behind.
  func shortest(
    _ x: [Double], by map: SparseMatrix, of other: Int, ascending: Bool, weights: [Double]?,
    halt: Halt
  ) throws(FactorizationError) -> ShortestCombination {
    let (sheaf, values) = (filtration.sheaf, filtration.values)
    var z = [Double](repeating: 0, count: x.count)
    var place = [Int](repeating: -1, count: x.count)
    // Rows in the order of appearance, so that the reduction stays sparse.
    let rows = sheaf.coordinates(cells.sorted { (values[$0], $0) < (values[$1], $1) })
    for (k, i) in (ascending ? rows.reversed() : rows).enumerated() {
      place[i] = k
      z[i] = x[i]
    }
    let others = sheaf.complex.cells(ofDimension: other).filter { isThere(values[$0]) }
      .sorted { (values[$0], $0) < (values[$1], $1) }
    let coordinates = sheaf.coordinates(ascending ? others.reversed() : others)
    let columns = coordinates.map { j in
      var column: [(row: Int, value: Double)] = []
      map.forEachEntry(ofColumn: j) { if $1 != 0 && place[$0] >= 0 { column.append(($0, $1)) } }
      return column
    }
    let reduction = RealReduction(
      columns.map { $0.map { (place[$0.row], $0.value) } },
      rowValues: rows.indices.map { Double($0) }, skipping: columns.map { _ in false },
      tolerance: map.negligible(nil), recording: false)
    var settings = ConicProgram.Settings()
    settings.halt = halt
    return try ShortestCombination(
      z, columns: reduction.result.pairs.map { columns[$0.column] }, blocks: blocks(weights),
      settings: settings)
  }

  private func blocks(_ weights: [Double]?) -> [ShortestCombination.Block] {
    let all = filtration.sheaf.complex.cells(ofDimension: degree)
    precondition(
      weights?.count ?? all.count == all.count && weights?.allSatisfy { $0 > 0 } ?? true,
      "weights that are not above 0, one for each of \(all.count) cells")
    return cells.map {
      .init(
        rows: filtration.sheaf.range(of: $0), weight: weights?[$0 - all.lowerBound] ?? 1)
    }
  }

  /// What is not rounding, in coordinates of the caller's.
  func result(
    _ shortest: ShortestCombination, from x: [Double], weights: [Double]?,
    _ change: ([Double]) -> [Double]
  ) -> LocalizedRepresentative {
    let sheaf = filtration.sheaf
    let top = shortest.values.reduce(0) { max($0, abs($1)) }
    var (z, support) = (shortest.values, [Int]())
    for cell in cells {
      let range = sheaf.range(of: cell)
      if range.contains(where: { abs(z[$0]) > 1e-6 * top }) {
        support.append(cell)
      } else {
        for i in range { z[i] = 0 }
      }
    }
    // Where whole numbers come close to whole numbers they are those.
    if x.allSatisfy({ $0 == $0.rounded() }), z.allSatisfy({ abs($0 - $0.rounded()) < 1e-6 }) {
      z = z.map { $0.rounded() }
    }
    let size = ShortestCombination.size(z, blocks(weights))
    let given = change(z)
    let coordinates = given.indices.filter { given[$0] != 0 }
    return LocalizedRepresentative(
      coordinates: coordinates, values: coordinates.map { given[$0] }, cells: support, size: size,
      lowerBound: shortest.lowerBound, status: shortest.status)
  }
}

import CellComplexes
import LinearAlgebra

/// δᵀδ on cochains of degree k in blocks: that of two cells is Σ ± F_{σ ⊴ τ}ᵀ F_{σ′ ⊴ τ} over the cells τ that both are
/// faces of.
///
/// The cells τ are gone through in their order, so that maps are read as they stand in memory; what is far apart are only
/// the blocks that are added to.
struct EnergyBlocks {
  private let sheaf: CellularSheaf
  private let cells: Range<Int>
  private let above: Range<Int>
  /// Where the blocks below the diagonal begin in each column of blocks.
  private var columnStarts: [Int]
  /// The cell of each block's rows, counted from the first of its dimension; ascending in a column.
  private var rows: [Int32] = []
  /// Where the entries of each block begin, column-major.
  private var blockStarts: [Int] = []
  private var diagonalStarts: [Int] = []
  private var entries: [Double] = []

  init(_ sheaf: CellularSheaf, degree k: Int) {
    self.sheaf = sheaf
    cells = sheaf.complex.cells(ofDimension: k)
    above = sheaf.complex.cells(ofDimension: k + 1)
    columnStarts = [Int](repeating: 0, count: cells.count + 1)
    let blockOfPair = findPattern()
    placeBlocks()
    addProducts(blockOfPair)
  }

  /// Visits the pairs of faces of each cell τ, the row of the pair below its column, in one and the same order.
  @inline(__always) private func forEachPair(_ visit: (_ row: Int, _ column: Int) -> Void) {
    let complex = sheaf.complex
    for cell in above {
      let incidences = complex.incidences(of: cell)
      for i in incidences {
        let column = complex.face(i) - cells.lowerBound
        for j in incidences {
          let row = complex.face(j) - cells.lowerBound
          if row > column { visit(row, column) }
        }
      }
    }
  }

  /// The blocks below the diagonal, and the one of each pair.
  private mutating func findPattern() -> [Int32] {
    var counts = [Int](repeating: 0, count: cells.count + 1)
    forEachPair { counts[$1 + 1] += 1 }
    for i in 0..<cells.count { counts[i + 1] += counts[i] }
    let total = counts[cells.count]
    var (pairRows, pairs) = (
      [Int32](repeating: 0, count: total), [Int32](repeating: 0, count: total)
    )
    var place = counts
    var pair: Int32 = 0
    forEachPair { row, column in
      (pairRows[place[column]], pairs[place[column]]) = (Int32(row), pair)
      place[column] += 1
      pair += 1
    }
    var blockOfPair = pairs
    rows.reserveCapacity(total)
    for column in 0..<cells.count {
      let range = counts[column]..<counts[column + 1]
      Self.sort(&pairRows, &pairs, range)
      for p in range {
        if p == range.lowerBound || pairRows[p] != pairRows[p - 1] { rows.append(pairRows[p]) }
        blockOfPair[Int(pairs[p])] = Int32(rows.count - 1)
      }
      columnStarts[column + 1] = rows.count
    }
    return blockOfPair
  }

  /// Sorts a part of a list, short as a rule, and another list along with it.
  private static func sort(_ keys: inout [Int32], _ others: inout [Int32], _ range: Range<Int>) {
    guard range.count <= 32 else {
      let order = range.sorted { (keys[$0], $0) < (keys[$1], $1) }
      (keys[range], others[range]) = (
        ArraySlice(order.map { keys[$0] }), ArraySlice(order.map { others[$0] })
      )
      return
    }
    for i in range.dropFirst() {
      let (key, other) = (keys[i], others[i])
      var k = i
      while k > range.lowerBound && keys[k - 1] > key {
        (keys[k], others[k]) = (keys[k - 1], others[k - 1])
        k -= 1
      }
      (keys[k], others[k]) = (key, other)
    }
  }

  private func stalk(_ cell: Int) -> Int { sheaf.stalk(of: cells.lowerBound + cell) }

  /// A column of blocks stands together: first that of the diagonal.
  private mutating func placeBlocks() {
    var next = 0
    blockStarts.reserveCapacity(rows.count)
    diagonalStarts.reserveCapacity(cells.count)
    for column in 0..<cells.count {
      let width = stalk(column)
      diagonalStarts.append(next)
      next += width * width
      for b in columnStarts[column]..<columnStarts[column + 1] {
        blockStarts.append(next)
        next += width * stalk(Int(rows[b]))
      }
    }
    entries = [Double](repeating: 0, count: next)
  }

  private mutating func addProducts(_ blockOfPair: [Int32]) {
    let complex = sheaf.complex
    let maps = sheaf.maps
    var pair = 0
    for cell in above {
      let incidences = complex.incidences(of: cell)
      for i in incidences {
        let column = complex.face(i) - cells.lowerBound
        let width = stalk(column)
        let right = maps.table[Int(maps.places[i])]
        for j in incidences {
          let row = complex.face(j) - cells.lowerBound
          guard row >= column else { continue }
          let start =
            row == column ? diagonalStarts[column] : blockStarts[Int(blockOfPair[pair])]
          if row > column { pair += 1 }
          add(
            maps.table[Int(maps.places[j])], right, maps.buffer,
            Double(complex.sign(i) * complex.sign(j)), stalk(row), width, start)
        }
      }
    }
  }

  /// The block at a place += sign · Lᵀ R.
  @inline(__always) private mutating func add(
    _ left: RestrictionMaps.Entry, _ right: RestrictionMaps.Entry, _ buffer: [Double],
    _ sign: Double, _ height: Int, _ width: Int, _ block: Int
  ) {
    switch (left, right) {
    case (.scalar(let a), .scalar(let b)):
      for i in 0..<width { entries[block + i + i * height] += sign * a * b }
    case (.scalar(let a), .matrix(let start, let m, _)):
      for c in 0..<width {
        for r in 0..<height {
          entries[block + r + c * height] += sign * a * buffer[start + r + c * m]
        }
      }
    case (.matrix(let start, let m, _), .scalar(let b)):
      for c in 0..<width {
        for r in 0..<height {
          entries[block + r + c * height] += sign * b * buffer[start + c + r * m]
        }
      }
    case (.matrix(let l, let m, _), .matrix(let r0, _, _)):
      for c in 0..<width {
        for r in 0..<height {
          var sum = 0.0
          for i in 0..<m { sum += buffer[l + i + r * m] * buffer[r0 + i + c * m] }
          entries[block + r + c * height] += sign * sum
        }
      }
    default: preconditionFailure("sparse maps are assembled from their coboundary")
    }
  }

  /// The lower triangle on the free coordinates, and minus the others' part times their values.
  func system(isFree: [Bool], values: Matrix) -> (triangle: SparseMatrix, right: Matrix) {
    var places: [Int32] = []
    places.reserveCapacity(isFree.count)
    var count: Int32 = 0
    for isIn in isFree {
      places.append(isIn ? count : -1)
      if isIn { count += 1 }
    }
    var builder = SparseMatrix.ColumnBuilder(rows: Int(count))
    builder.reserve(columns: Int(count), entries: entries.count)
    var right = Matrix(rows: Int(count), columns: values.columns)
    let base = cells.isEmpty ? 0 : sheaf.starts[cells.lowerBound]
    func start(_ cell: Int) -> Int { sheaf.starts[cells.lowerBound + cell] - base }
    /// What is given at a coordinate goes to the right-hand side of another.
    func give(_ coordinate: Int, to row: Int32, _ entry: Double) {
      for j in 0..<values.columns { right[Int(row), j] -= entry * values[coordinate, j] }
    }
    func take(_ block: Int, _ row: Int, _ height: Int, _ column: Int, _ c: Int) {
      let to = places[column + c]
      for r in 0..<height {
        let entry = entries[block + r + c * height]
        let at = places[row + r]
        if at >= 0 && to >= 0 {
          if at >= to { builder.append(row: Int(at), entry) }
        } else if at >= 0 {
          give(column + c, to: at, entry)
        } else if to >= 0 && row != column {
          give(row + r, to: to, entry)
        }
      }
    }
    for column in 0..<cells.count {
      let (first, width) = (start(column), stalk(column))
      for c in 0..<width {
        take(diagonalStarts[column], first, width, first, c)
        for b in columnStarts[column]..<columnStarts[column + 1] {
          take(blockStarts[b], start(Int(rows[b])), stalk(Int(rows[b])), first, c)
        }
        if places[first + c] >= 0 { builder.endColumn() }
      }
    }
    return (builder.matrix, right)
  }
}

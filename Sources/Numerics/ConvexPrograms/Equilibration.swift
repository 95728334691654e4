import LinearAlgebra

/// Units of the unknowns and rows in which the columns of [P Aᵀ Gᵀ; A 0 0; G 0 0] have entries of size 1 at most:
/// x = D x̂, rows of A times E, rows of G times F with one number in F for each second-order cone, and an
/// objective c times as large (Ruiz, RAL-TR-2001-034: repeated division by roots of largest entries).
struct Equilibration: Sendable {
  /// The program in these units.
  let program: ConicProgram
  /// D.
  let unknowns: [Double]
  /// E.
  let equalities: [Double]
  /// F.
  let inequalities: [Double]
  /// c.
  let objective: Double

  init(_ original: ConicProgram, rounds: Int = 10) {
    let (p, a, g) = (original.quadratic, original.equalities, original.inequalities)
    let blocks = ConeBlocks(original.cones).blocks
    var d = [Double](repeating: 1, count: p.rows)
    var e = [Double](repeating: 1, count: a.rows)
    var f = [Double](repeating: 1, count: g.rows)
    for _ in 0..<rounds {
      var columns = [Double](repeating: 0, count: d.count)
      var equalityRows = [Double](repeating: 0, count: e.count)
      var inequalityRows = [Double](repeating: 0, count: f.count)
      for j in 0..<d.count {
        p.forEachEntry(ofColumn: j) { i, value in
          let size = abs(value) * d[i] * d[j]
          columns[i] = max(columns[i], size)
          columns[j] = max(columns[j], size)
        }
        a.forEachEntry(ofColumn: j) { i, value in
          let size = abs(value) * e[i] * d[j]
          columns[j] = max(columns[j], size)
          equalityRows[i] = max(equalityRows[i], size)
        }
        g.forEachEntry(ofColumn: j) { i, value in
          let size = abs(value) * f[i] * d[j]
          columns[j] = max(columns[j], size)
          inequalityRows[i] = max(inequalityRows[i], size)
        }
      }
      for block in blocks where !block.isOrthant {
        var most = 0.0
        for i in block.start..<block.end { most = max(most, inequalityRows[i]) }
        for i in block.start..<block.end { inequalityRows[i] = most }
      }
      Self.divide(&d, by: columns)
      Self.divide(&e, by: equalityRows)
      Self.divide(&f, by: inequalityRows)
    }
    let linear = zip(original.linear, d).map { $0 * $1 }
    let quadratic = Self.scaled(p, rows: d, columns: d)
    let size = max(linear.size, quadratic.values.size)
    let c = size > 0 ? min(max(1 / size, 1e-8), 1e8) : 1
    program = ConicProgram(
      quadratic: quadratic.mapValues { c * $0 }, linear: linear.scaled(by: c),
      equalities: Self.scaled(a, rows: e, columns: d),
      equalityValues: zip(original.equalityValues, e).map { $0 * $1 },
      inequalities: Self.scaled(g, rows: f, columns: d),
      bounds: zip(original.bounds, f).map { $0 * $1 }, cones: original.cones)
    (unknowns, equalities, inequalities, objective) = (d, e, f, c)
  }

  private static func divide(_ scales: inout [Double], by sizes: [Double]) {
    for i in scales.indices where sizes[i] > 0 {
      scales[i] = min(max(scales[i] / sizes[i].squareRoot(), 1e-6), 1e6)
    }
  }

  private static func scaled(
    _ a: SparseMatrix, rows: [Double], columns: [Double]
  ) -> SparseMatrix {
    var values = a.values
    for j in 0..<a.columns {
      for k in a.columnStarts[j]..<a.columnStarts[j + 1] {
        values[k] *= rows[Int(a.rowIndices[k])] * columns[j]
      }
    }
    return a.with(values)
  }
}

import CellComplexes
import CellularSheaves
import LinearAlgebra

/// How values on different cells belong together.
public enum FusionModel: String, Sendable, CaseIterable {
  /// The truth is a global section; readings are it plus errors.
  case section
  /// The truth is near one: the discrepancy (δx)_e on an edge is an error too, whose precision is the weight of the
  /// edge's stalk (the inner product). As weights grow this tends to the section model.
  case agreement
}

/// The model of a cellular sheaf on its vertices.
///
/// In the agreement model an edge that has a reading is a variable of its own, x_e, and each of its ends is compared with it
/// in twice the weight of the edge: where x_e is free, min over x_e of 2‖F_u x_u − x_e‖² + 2‖F_v x_v − x_e‖² is
/// ‖F_u x_u − F_v x_v‖², what an edge without reading contributes. Cells of higher dimension are compared with their vertices.
struct LinearModel: InferenceModel {
  let sheaf: CellularSheaf
  let assignment: Assignment
  private(set) var layout = ModelLayout()
  private let system: Linearization
  private let sections: Linearization

  /// - Throws: for readings that do not go with the sheaf.
  init(
    _ sheaf: CellularSheaf, _ assignment: Assignment, _ model: FusionModel
  ) throws(InferenceError) {
    try assignment.check(sheaf)
    (self.sheaf, self.assignment) = (sheaf, assignment)
    let complex = sheaf.complex
    let vertices = complex.cells(ofDimension: 0)
    let readings = assignment.cells
    layout.reserve(variables: vertices.count, blocks: readings.count + complex.count)
    for v in vertices { layout.addVariable(v, dimension: sheaf.stalk(of: v)) }
    let above = readings.filter { $0 >= vertices.upperBound }
    if model == .agreement {
      for cell in above { layout.addVariable(cell, dimension: sheaf.stalk(of: cell)) }
    }
    var rows = ResidualBuilder(unknowns: layout.dimension)
    for cell in readings {
      let reading = assignment.readings[cell]!
      let n = sheaf.stalk(of: cell)
      let whitening = reading.covariance.whitening(n)
      var source = cell
      if let range = layout.range(of: cell) {
        rows.append(whitening, at: range.lowerBound)
      } else {
        guard let (v, map) = sheaf.vertexMaps(of: cell).first else {
          throw .quantity(
            name: "\"\(complex.name(cell))\"", found: "a reading of a cell without vertices",
            expected: "one that the values of vertices tell of; the agreement model takes it")
        }
        rows.append([(layout.range(of: v)!.lowerBound, whitening(map))], rows: n)
        source = v
      }
      rows.residual += whitening(reading.values).map { -$0 }
      layout.addBlock(.reading, cell, source, rows: n)
    }
    switch model {
    case .section:
      sections = Linearization(
        transposed: sheaf.coboundaryTransposed(0),
        residual: [Double](repeating: 0, count: sheaf.cochainDimension(1)))
    case .agreement:
      sections = Linearization(
        transposed: SparseMatrix.ColumnBuilder(rows: layout.dimension).matrix, residual: [])
      Self.addAgreements(sheaf, observed: Set(above), &layout, &rows)
    }
    system = rows.linearization
  }

  private static func addAgreements(
    _ sheaf: CellularSheaf, observed: Set<Int>, _ layout: inout ModelLayout,
    _ rows: inout ResidualBuilder
  ) {
    let complex = sheaf.complex
    let delta = sheaf.coboundaryTransposed(0, in: .orthonormalAbove)
    for edge in complex.cells(ofDimension: 1) where !observed.contains(edge) {
      rows.append(columns: sheaf.range(of: edge), of: delta)
      let ends = complex.incidences(of: edge)
      guard let first = ends.first else {
        layout.addBlock(.meeting, edge, -1, rows: sheaf.stalk(of: edge))
        continue
      }
      layout.addBlock(
        .meeting, edge, complex.face(first), ends.count > 1 ? complex.face(first + 1) : -1,
        rows: sheaf.stalk(of: edge))
    }
    for cell in observed.sorted() {
      let n = sheaf.stalk(of: cell)
      let whitening = Whitening(root: sheaf.innerProduct(of: cell).root(n))
        .scaled(by: 2.0.squareRoot())
      let own = (
        layout.range(of: cell)!.lowerBound, whitening(.diagonal([Double](repeating: -1, count: n)))
      )
      let ends = sheaf.vertexMaps(of: cell)
      for (v, map) in ends {
        rows.append([(layout.range(of: v)!.lowerBound, whitening(map)), own], rows: n)
        rows.residual += [Double](repeating: 0, count: n)
        layout.addBlock(.image, cell, v, cell, rows: n)
      }
      if ends.count == 1 && complex.dimension(of: cell) == 1 {
        // What stands at the missing end of a half-open edge is 0.
        rows.append([own], rows: n)
        rows.residual += [Double](repeating: 0, count: n)
        layout.addBlock(.image, cell, cell, rows: n)
      }
    }
  }

  /// Discrepancies may count up to 10¹³ times as much as readings: beyond that double precision has no digits left for these.
  ///
  /// - Throws: `quantity` where they count more.
  func checkStiffness() throws(InferenceError) {
    var (reading, agreement) = (0.0, 0.0)
    for block in layout.blocks {
      for row in block.rows {
        system.transposed.forEachEntry(ofColumn: row) {
          if block.kind == .reading {
            reading = max(reading, $1 * $1)
          } else {
            agreement = max(agreement, $1 * $1)
          }
        }
      }
    }
    guard reading == 0 || agreement <= 1e13 * reading else {
      throw .quantity(
        name: "the weights of edges",
        found: "\(agreement / reading) times the readings' precisions",
        expected: "at most 1e13 times; the section model takes edges as exact")
    }
  }

  var isAffine: Bool { true }

  func residual(at x: [Double]) -> [Double] {
    zip(system.transposed.adjoint(Matrix(column: x)).column(0), system.residual).map { $0 + $1 }
  }

  func linearized(at x: [Double]) -> Linearization {
    Linearization(transposed: system.transposed, residual: residual(at: x))
  }

  func constraints(at x: [Double]) -> Linearization {
    Linearization(
      transposed: sections.transposed,
      residual: sections.transposed.adjoint(Matrix(column: x)).column(0))
  }

  func value(of cell: Int, at x: [Double]) -> (value: [Double], transposed: SparseMatrix)? {
    let n = sheaf.stalk(of: cell)
    var builder = ResidualBuilder(unknowns: layout.dimension)
    if let range = layout.range(of: cell) {
      builder.append(.diagonal([Double](repeating: 1, count: n)), at: range.lowerBound)
      return (Array(x[range]), builder.linearization.transposed)
    }
    // What is nearest to the images of all vertices: their mean.
    let ends = sheaf.vertexMaps(of: cell)
    guard !ends.isEmpty else { return nil }
    var blocks: [(Int, Matrix)] = []
    var sum = [Double](repeating: 0, count: n)
    for (v, map) in ends {
      var map = map
      map.scale(by: 1 / Double(ends.count))
      let range = layout.range(of: v)!
      let image = map * Matrix(column: Array(x[range]))
      for i in 0..<n { sum[i] += image[i, 0] }
      blocks.append((range.lowerBound, map))
    }
    builder.append(blocks, rows: n)
    return (sum, builder.linearization.transposed)
  }

  func start() -> (point: [Double], spread: [Double]) {
    let zero = [Double](repeating: 0, count: layout.dimension)
    return (zero, zero)
  }

  var cellCount: Int { sheaf.complex.count }

  func name(_ cell: Int) -> String { sheaf.complex.name(cell) }

  func reading(of cell: Int) -> [Double] { assignment.readings[cell]!.values }

  func whitening(ofReading cell: Int) -> Whitening {
    assignment.readings[cell]!.covariance.whitening(sheaf.stalk(of: cell))
  }
}

/// Writes residuals row by row: the columns of Jᵀ.
struct ResidualBuilder {
  private var builder: SparseMatrix.ColumnBuilder
  var residual: [Double] = []

  init(unknowns: Int) { builder = SparseMatrix.ColumnBuilder(rows: unknowns) }

  /// The rows of T x, x beginning at an unknown.
  mutating func append(_ whitening: Whitening, at start: Int) {
    let n =
      switch whitening {
      case .diagonal(let d): d.count
      case .matrix(let t): t.rows
      }
    for i in 0..<n {
      for (j, value) in whitening.row(i) { builder.append(row: start + j, value) }
      builder.endColumn()
    }
  }

  /// The rows of Σ A_k x_k, the x_k beginning at some unknowns.
  mutating func append(_ blocks: [(start: Int, matrix: Matrix)], rows: Int) {
    for i in 0..<rows {
      for (start, matrix) in blocks {
        for j in 0..<matrix.columns { builder.append(row: start + j, matrix[i, j]) }
      }
      builder.endColumn()
    }
  }

  /// Some columns of a matrix whose rows are the first unknowns, with residuals 0.
  mutating func append(columns: Range<Int>, of matrix: SparseMatrix) {
    for j in columns {
      for k in matrix.columnStarts[j]..<matrix.columnStarts[j + 1] {
        builder.append(row: Int(matrix.rowIndices[k]), matrix.values[k])
      }
      builder.endColumn()
      residual.append(0)
    }
  }

  var linearization: Linearization {
    Linearization(transposed: builder.matrix, residual: residual)
  }
}

extension CellularSheaf {
  /// The vertices of a cell with the maps of their stalks to its own, along some way each; an end of a loop for itself.
  func vertexMaps(of cell: Int) -> [(vertex: Int, map: Matrix)] {
    guard complex.dimension(of: cell) > 0 else { return [(cell, .identity(stalk(of: cell)))] }
    let incidences = complex.incidences(of: cell)
    if complex.dimension(of: cell) == 1 {
      return incidences.map { (complex.face($0), map($0).dense(stalk(of: cell))) }
    }
    var found: [(vertex: Int, map: Matrix)] = []
    var seen: Set<Int> = []
    for i in incidences {
      let last = map(i).dense(stalk(of: cell))
      for (v, first) in vertexMaps(of: complex.face(i)) where seen.insert(v).inserted {
        found.append((v, last * first))
      }
    }
    return found
  }
}

extension Assignment {
  /// Checks the readings of cells of a complex, and that units are carried along identities.
  func check(_ sheaf: CellularSheaf) throws(InferenceError) {
    let complex = sheaf.complex
    try check(cells: complex.count, name: complex.name, stalk: sheaf.stalk)
    guard readings.values.contains(where: { $0.unit != nil }) else { return }
    for cell in 0..<complex.count where !complex.incidences(of: cell).isEmpty {
      let faces = complex.incidences(of: cell).filter { sheaf.map($0) == .identity }
        .map { complex.face($0) }
      try checkUnits(of: [cell] + faces, name: complex.name)
    }
  }

  /// The units of cells between which the identity leads are one.
  func checkUnits(of cells: [Int], name: (Int) -> String) throws(InferenceError) {
    let told = cells.compactMap { cell in readings[cell]?.unit.map { (cell, $0) } }
    if let other = told.first(where: { $0.1 != told[0].1 }) {
      throw .units(
        cell: name(told[0].0), other: name(other.0), found: told[0].1, expected: other.1)
    }
  }
}

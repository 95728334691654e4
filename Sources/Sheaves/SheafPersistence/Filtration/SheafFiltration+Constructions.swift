import CellComplexes
import CellularSheaves
import LinearAlgebra

extension SheafFiltration {
  /// The lower star filtration: every cell as soon as all its vertices are there, at the largest of their values.
  ///
  /// - Parameter vertexValues: one for each vertex, in the order of the complex.
  /// - Throws: `missing`, `notFinite`; `quantity` for a cell without a vertex.
  /// - Complexity: proportional to the number of incidences.
  public static func lowerStar(
    _ sheaf: CellularSheaf, vertexValues: [Double]
  ) throws(PersistenceError) -> SheafFiltration {
    try sublevel(sheaf, valuesOfDegree: 0, vertexValues)
  }

  /// The sublevel sets of a cochain's norm ‖c_σ‖, in the inner products of the stalks.
  ///
  /// The cells σ of dimension k have the value ‖c_σ‖. A larger one appears with the last of its faces, a smaller one
  /// with the first cell that it is a face of, at 0 if there is none of dimension k: X_a is the largest subcomplex
  /// without cells of dimension k that are larger than a, but for smaller cells that only those contain.
  ///
  /// - Parameters:
  ///   - cochain: of degree k, dim C^k numbers.
  ///   - k: the degree.
  /// - Throws: `notFinite`; `quantity` for a cell above dimension k without a face.
  public static func sublevel(
    _ sheaf: CellularSheaf, normOf cochain: [Double], degree k: Int = 0
  ) throws(PersistenceError) -> SheafFiltration {
    precondition(
      cochain.count == sheaf.cochainDimension(k),
      "a cochain of \(cochain.count) numbers, dim C^\(k) is \(sheaf.cochainDimension(k))")
    return try sublevel(
      sheaf, valuesOfDegree: k, norms(sheaf, Matrix(column: cochain), degree: k))
  }

  /// The filtration by discord: the cells of dimension k + 1 at ‖(δc)_τ‖, in the inner products of their stalks, those
  /// below at 0, larger ones with the last of their faces. For k = 0 an edge is there as soon as the assignment's
  /// discord on it is allowed: X_a has all vertices and is where the assignment c agrees up to a.
  ///
  /// It is `sublevel` of δc but for the cells below, which are there from the start.
  ///
  /// - Parameters:
  ///   - cochain: c, of degree k, dim C^k numbers.
  ///   - k: the degree.
  /// - Throws: `notFinite` for a cell on which δc is not; `quantity` for a cell above dimension k + 1 without a face.
  /// - Complexity: proportional to the entries of the maps.
  public static func discord(
    _ sheaf: CellularSheaf, of cochain: [Double], degree k: Int = 0
  ) throws(PersistenceError) -> SheafFiltration {
    precondition(
      cochain.count == sheaf.cochainDimension(k),
      "a cochain of \(cochain.count) numbers, dim C^\(k) is \(sheaf.cochainDimension(k))")
    if sheaf.complex.cells(ofDimension: k + 1).isEmpty {
      return try SheafFiltration(
        sheaf, values: [Double](repeating: 0, count: sheaf.complex.count))
    }
    let coboundary = sheaf.applyCoboundary(Matrix(column: cochain), degree: k)
    return try sublevel(
      sheaf, valuesOfDegree: k + 1, norms(sheaf, coboundary, degree: k + 1), below: 0)
  }

  /// ‖c_σ‖ for the cells of dimension k.
  private static func norms(
    _ sheaf: CellularSheaf, _ cochain: Matrix, degree k: Int
  ) -> [Double] {
    let orthonormal = sheaf.orthonormal(cochain, degree: k).elements
    return sheaf.complex.cells(ofDimension: k).map { cell in
      let part = orthonormal[sheaf.range(of: cell)]
      let scale = part.reduce(0) { max($0, abs($1)) }
      guard scale > 0, scale.isFinite else { return part.contains { $0.isNaN } ? .nan : scale }
      return scale * part.reduce(0) { $0 + ($1 / scale) * ($1 / scale) }.squareRoot()
    }
  }

  /// Values of the cells of dimension k, spread to the others: a larger cell appears with the last of its faces, a
  /// smaller one with the first cell that it is a face of, at 0 if there is none.
  ///
  /// - Parameter below: the value of all smaller cells instead.
  static func sublevel(
    _ sheaf: CellularSheaf, valuesOfDegree k: Int, _ given: [Double], below: Double? = nil
  ) throws(PersistenceError) -> SheafFiltration {
    let complex = sheaf.complex
    let cells = complex.cells(ofDimension: k)
    precondition(given.count <= cells.count, "\(given.count) values for \(cells.count) cells")
    if given.count < cells.count {
      throw .missing(cell: complex.name(cells.lowerBound + given.count))
    }
    var values = [Double](repeating: .infinity, count: complex.count)
    for (cell, value) in zip(cells, given) {
      if !value.isFinite { throw .notFinite(cell: complex.name(cell), found: value) }
      values[cell] = value
    }
    for cell in (0..<cells.upperBound).reversed() {
      for i in complex.incidences(of: cell) {
        values[complex.face(i)] = min(values[complex.face(i)], values[cell])
      }
    }
    for cell in 0..<cells.lowerBound where below != nil || values[cell] == .infinity {
      values[cell] = below ?? 0
    }
    for cell in cells.upperBound..<max(complex.count, cells.upperBound) {
      let faces = complex.incidences(of: cell).map { values[complex.face($0)] }
      guard let last = faces.max() else {
        throw .quantity(
          name: "cell \"\(complex.name(cell))\"", found: "no face", expected: "faces to appear with"
        )
      }
      values[cell] = last
    }
    return try SheafFiltration(sheaf, values: values)
  }
}

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
    let orthonormal = sheaf.orthonormal(Matrix(column: cochain), degree: k).elements
    let norms = sheaf.complex.cells(ofDimension: k).map { cell -> Double in
      let part = orthonormal[sheaf.range(of: cell)]
      let scale = part.reduce(0) { max($0, abs($1)) }
      guard scale > 0, scale.isFinite else { return scale }
      return scale * part.reduce(0) { $0 + ($1 / scale) * ($1 / scale) }.squareRoot()
    }
    return try sublevel(sheaf, valuesOfDegree: k, norms)
  }

  /// Values of the cells of dimension k, spread to the others: a larger cell appears with the last of its faces, a
  /// smaller one with the first cell that it is a face of, at 0 if there is none.
  static func sublevel(
    _ sheaf: CellularSheaf, valuesOfDegree k: Int, _ given: [Double]
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
    for cell in 0..<cells.lowerBound where values[cell] == .infinity { values[cell] = 0 }
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

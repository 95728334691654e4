import CellComplexes
import CellularSheaves
import LinearAlgebra
import SheafCohomology

extension LearnedSheaf {
  /// The values of some vertices as the others tell them: the means and the harmonic extension of the others' deviations
  /// from theirs (`HarmonicExtension`).
  ///
  /// Along directions that no edge sees the deviation is 0, the least that it can be; so for vertices without an edge the
  /// means are all that is told.
  ///
  /// It is no regression, nothing is shrunk towards the mean: from one neighbour of correlation ρ and equal variance it
  /// explains 2ρ − 1 of the variance, and not ρ².
  ///
  /// - Parameters:
  ///   - hidden: vertices, whose values in the signals are not read.
  ///   - signals: on the same graph.
  /// - Returns: (d_v, N) for each of them, in their order.
  /// - Throws: `factorization`.
  /// - Complexity: an extension on the edges at the hidden vertices.
  public func imputed(
    _ hidden: [Int], in signals: VertexSignals
  ) throws(LearningError) -> [Matrix] {
    check(signals)
    return try imputed(hidden, signals.subtracting(means), sheaf.complex.cofaces())
  }

  /// The values of each vertex as all the others tell them, (d_v, N).
  ///
  /// - Throws: `factorization`.
  /// - Complexity: for each vertex an extension on its edges.
  public func imputedInTurn(_ signals: VertexSignals) throws(LearningError) -> [Matrix] {
    check(signals)
    let (centred, cofaces) = (signals.subtracting(means), sheaf.complex.cofaces())
    var result: [Matrix] = []
    for v in sheaf.complex.cells(ofDimension: 0) {
      result += try imputed([v], centred, cofaces)
    }
    return result
  }

  /// - Parameter centred: the deviations from the means.
  private func imputed(
    _ hidden: [Int], _ centred: VertexSignals, _ cofaces: Cofaces
  ) throws(LearningError) -> [Matrix] {
    let isHidden = Set(hidden)
    // What is not on an edge of a hidden vertex does not matter to them.
    var cells = isHidden
    for v in hidden {
      for (edge, _) in cofaces.of(v) {
        cells.insert(edge)
        for i in sheaf.complex.incidences(of: edge) { cells.insert(sheaf.complex.face(i)) }
      }
    }
    let (star, origin) = sheaf.restricted(to: cells)
    let vertices = star.complex.cells(ofDimension: 0)
    let known = vertices.filter { !isHidden.contains(origin[$0]) }
    let values = Matrix(
      stacking: known.map { centred.values[origin[$0]] }, columns: centred.count)
    let found = try LearningError.wrapping { () throws(FactorizationError) in
      try HarmonicExtension(of: values, on: star.coordinates(known), in: star).cochains
    }
    var places: [Int: Range<Int>] = [:]
    for v in vertices { places[origin[v]] = star.range(of: v) }
    return hidden.map { v in
      var x = found.rows(places[v] ?? 0..<0)
      for j in 0..<x.columns { for i in 0..<x.rows { x[i, j] += means[v][i, 0] } }
      return x
    }
  }
}

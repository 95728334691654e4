import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// The step from a state to the least energy on its face: the fixed branches and kinks of each
/// sample, where the energy is a quadratic.
///
/// With K the rows of Eδ_Ω⁻¹ for the held, softly held and resting coordinates E, one reverse sweep
/// each, (K Kᵀ + diag(1/γ or 0)) λ = t − Eω + Kρ; the step is δ_Ω⁻¹(Kᵀλ − ρ), and λ are the pin
/// forces: δ_Ωᵀρ = Eᵀλ at its end.
struct FaceMinimizer {
  /// One row of E.
  struct Row {
    let coordinate: Int
    /// Subtracted, for a tie.
    var other: Int?
    let value: Double
    /// γ, infinite where the coordinate is held or rests.
    var stiffness = Double.infinity
    /// The place in the sample's kinks, −1 for a pin.
    var kink = -1
  }

  /// The rows of each sample.
  private(set) var rows: [[Row]]
  /// λ of each sample.
  private(set) var forces: [[Double]]
  /// Kᵀλ − ρ.
  private(set) var rhoStep: [Matrix]
  /// The step of the stalks.
  private(set) var step: [Matrix]

  init(_ set: ActiveSet) {
    let (flat, network) = (set.flat, set.sheaf.network)
    let rows = (0..<set.batch).map { Self.rows(set, $0) }
    self.rows = rows
    // K, the rows of each sample beside each other as columns.
    var starts = [0]
    for list in rows { starts.append(starts.last! + list.count) }
    let owners = rows.indices.flatMap { [Int](repeating: $0, count: rows[$0].count) }
    var k = network.vertices.enumerated().map { v, vertex in
      Matrix(rows: v == 0 ? 0 : vertex.dimension, columns: owners.count)
    }
    for (j, list) in rows.enumerated() {
      for (q, row) in list.enumerated() {
        let (v, i) = flat.place(row.coordinate)
        k[v][i, starts[j] + q] += 1
        if let other = row.other {
          let (v, i) = flat.place(other)
          k[v][i, starts[j] + q] -= 1
        }
      }
    }
    k = set.sheaf.reverseSubstitution(consume k, at: set.patterns.map { $0.samples(owners) })
    rhoStep = set.rho
    for v in rhoStep.indices { rhoStep[v].scale(by: -1) }
    forces = []
    for (j, list) in rows.enumerated() {
      let columns = starts[j]..<starts[j + 1]
      var s = Matrix(rows: list.count, columns: list.count)
      var right = [Double](repeating: 0, count: list.count)
      for v in k.indices where v > 0 {
        s.addGram(ofColumns: columns, of: k[v])
        k[v].addTransposedProduct(columns: columns, withColumn: j, of: set.rho[v], to: &right)
      }
      for (q, row) in list.enumerated() {
        if row.stiffness.isFinite { s[q, q] += 1 / row.stiffness }
        let (v, i) = flat.place(row.coordinate)
        var at = set.state.stalks[v][i, j]
        if let other = row.other {
          let (v, i) = flat.place(other)
          at -= set.state.stalks[v][i, j]
        }
        right[q] += row.value - at
      }
      let lambda = Self.solve(s, right)
      for v in k.indices where v > 0 {
        rhoStep[v].addProduct(ofColumns: columns, of: k[v], with: lambda, toColumn: j)
      }
      forces.append(lambda)
    }
    step = set.sheaf.forwardSubstitution(rhoStep, at: set.patterns)
  }

  private static func rows(_ set: ActiveSet, _ j: Int) -> [Row] {
    let flat = set.flat
    var rows: [Row] = []
    for v in set.sheaf.network.vertices.indices.dropFirst() {
      let values = set.pins.heldValues(v)
      for (p, i) in set.pins.held(v).enumerated() {
        rows.append(Row(coordinate: flat.starts[v] + i, value: values[p, set.samples[j]]))
      }
    }
    for s in set.springs(j) {
      rows.append(Row(coordinate: s.coordinate, value: s.value, stiffness: s.stiffness))
    }
    for (n, kink) in set.kinks[j].enumerated() {
      switch kink {
      case .value(let c, let threshold):
        rows.append(Row(coordinate: c, value: threshold, kink: n))
      case .tie(let r, let branch):
        let row = flat.rows[r]
        let operation = set.sheaf.network.edges[row.edge].operation
        let top = operation.branch(set.patterns[row.edge][row.row, j], ofRow: row.row).source
        let other = operation.branch(branch, ofRow: row.row).source
        rows.append(
          Row(coordinate: row.source + other, other: row.source + top, value: 0, kink: n))
      }
    }
    return rows
  }

  /// S λ = r. Rows of E that depend on each other (ties in a circle) make S singular: then the
  /// solution of least norm.
  private static func solve(_ s: Matrix, _ right: [Double]) -> [Double] {
    var lambda = Matrix(column: right)
    if let factor = try? CholeskyFactorization(s) {
      factor.solve(&lambda)
      return lambda.elements
    }
    guard let eigen = try? SymmetricEigendecomposition(s), let top = eigen.values.last else {
      return right.map { _ in .nan }
    }
    var coordinates = Matrix(rows: right.count, columns: 1)
    coordinates.setProduct(eigen.vectors, lambda, transposing: .left)
    for i in right.indices {
      coordinates[i, 0] = eigen.values[i] > 1e-12 * top ? coordinates[i, 0] / eigen.values[i] : 0
    }
    return (eigen.vectors * coordinates).elements
  }
}

import CellularSheaves
import ConvexPrograms
import LinearAlgebra

extension SheafFiltration {
  /// A cocycle of small support with the classes of a bar: x + δy of least Σ w_σ ‖(x + δy)_σ‖ over the cells that are
  /// there before the bar ends, y any cochain on them.
  ///
  /// It restricts to the classes of x on X_a, birth ≤ a < death. Below the birth its classes are 0, but it need not
  /// itself be 0 there. Cells that appear later are left out: it is 0 on them. The norms are those of the stalks' inner
  /// products.
  ///
  /// - Parameters:
  ///   - bar: with a representative over ℝ or ℚ.
  ///   - weights: w_σ > 0 for each cell of dimension q, in their order; 1 if nil.
  ///   - halt: asked before each step of the optimisation.
  /// - Throws: `PersistenceError.quantity` for a representative that is no real cocycle; `FactorizationError`.
  /// - Complexity: a second-order cone program, linear for stalks of dimension 1, with an unknown for each cell of
  ///   dimension q and each coordinate of C^{q−1} that is no cocycle: some 20 sparse factorisations, made for up to 10⁴
  ///   cells.
  public func localized(
    _ bar: PersistenceInterval, weights: [Double]? = nil, halt: Halt = .never
  ) throws -> LocalizedRepresentative {
    guard let representative = bar.representative else {
      throw PersistenceError.quantity(
        name: "bar of degree \(bar.degree)", found: "no representative", expected: "a real cocycle")
    }
    let level = SubcomplexLevel(self, degree: bar.degree) { $0 < bar.death }
    let x = sheaf.orthonormal(
      Matrix(column: dense(representative, degree: bar.degree)), degree: bar.degree
    ).elements
    let up = sheaf.coboundary(bar.degree, in: .orthonormal)
    try level.checkClosed(
      x, under: up, to: sheaf.complex.cells(ofDimension: bar.degree + 1), "cocycle")
    let down = sheaf.coboundary(bar.degree - 1, in: .orthonormal)
    let shortest = try level.shortest(
      x, by: down, of: bar.degree - 1, ascending: false, weights: weights, halt: halt)
    return level.result(shortest, from: x, weights: weights) { values in
      sheaf.given(Matrix(column: values), degree: bar.degree).elements
    }
  }

  /// A cycle of small support with the classes of a bar: z + ∂w of least Σ ℓ_σ ‖(z + ∂w)_σ‖ over the chains w of the
  /// cells that are there at the bar's birth (Escolar, Hiraoka 2016, *Optimal cycles for persistent homology via linear
  /// programming*).
  ///
  /// With lengths of edges and a constant sheaf it is a shortest loop among those homologous at the birth over ℝ. Other
  /// bases of the persistent homology may have shorter ones: to z may be added cycles of bars that are born no later and
  /// die no later (Obayashi 2018), which is not done here. The norms are Euclidean in the coordinates.
  ///
  /// - Parameters:
  ///   - cycle: over ℝ or ℚ.
  ///   - weights: ℓ_σ > 0 for each cell of dimension q, in their order; 1 if nil.
  ///   - halt: asked before each step of the optimisation.
  /// - Throws: `PersistenceError.quantity` for what is no real cycle; `FactorizationError`.
  /// - Complexity: as of a bar's cocycle, with an unknown for each coordinate of C_{q+1} whose boundary does not follow
  ///   from those before.
  public func localized(
    _ cycle: PersistentCycle, weights: [Double]? = nil, halt: Halt = .never
  ) throws -> LocalizedRepresentative {
    let q = cycle.interval.degree
    let level = SubcomplexLevel(self, degree: q) { $0 <= cycle.interval.birth }
    let z = dense(cycle.cycle, degree: q)
    try level.checkClosed(
      z, under: sheaf.coboundary(q - 1).transposed, to: sheaf.complex.cells(ofDimension: q - 1),
      "cycle")
    let shortest = try level.shortest(
      z, by: sheaf.coboundaryTransposed(q), of: q + 1, ascending: true, weights: weights,
      halt: halt)
    return level.result(shortest, from: z, weights: weights) { $0 }
  }

  private func dense(_ sparse: PersistenceInterval.Representative, degree q: Int) -> [Double] {
    var result = [Double](repeating: 0, count: sheaf.cochainDimension(q))
    for (i, value) in zip(sparse.coordinates, sparse.values) { result[i] = value }
    return result
  }
}

import CellComplexes
import LinearAlgebra

/// Sheaves that need no data of their own.
extension CellularSheaf {
  /// The constant sheaf: F(σ) = ℝᵈ everywhere, all maps the identity. H^k is the cohomology of the complex, d times.
  public static func constant(_ d: Int = 1, on complex: CellComplex) -> CellularSheaf {
    madeToFit {
      try CellularSheaf(
        complex, stalks: [Int](repeating: d, count: complex.count), maps: [.identity],
        choice: [Int32](repeating: 0, count: complex.incidenceCount))
    }
  }

  /// The zero sheaf.
  public static func zero(on complex: CellComplex) -> CellularSheaf { constant(0, on: complex) }

  /// A sheaf that is ℝᵈ on some cells and 0 elsewhere, with the identity wherever both ends are ℝᵈ.
  ///
  /// It is a functor where no way between two of the cells leaves them, as on a closed or an open set of cells, or on
  /// their intersections.
  public static func supported(
    on cells: Set<Int>, stalk d: Int = 1, in complex: CellComplex
  ) -> CellularSheaf {
    let stalks = (0..<complex.count).map { cells.contains($0) ? d : 0 }
    var choice: [Int32] = []
    for cell in 0..<complex.count {
      for i in complex.incidences(of: cell) {
        let face = complex.face(i)
        choice.append(
          cells.contains(cell) && cells.contains(face)
            ? 0 : cells.contains(cell) ? 1 : cells.contains(face) ? 2 : 3)
      }
    }
    return madeToFit {
      try CellularSheaf(
        complex, stalks: stalks,
        maps: [
          .identity, .matrix(Matrix(rows: d, columns: 0)), .matrix(Matrix(rows: 0, columns: d)),
          .identity,
        ], choice: choice)
    }
  }

  /// The skyscraper sheaf: ℝᵈ at one cell, 0 elsewhere.
  public static func skyscraper(
    at cell: Int, stalk d: Int = 1, in complex: CellComplex
  ) -> CellularSheaf { supported(on: [cell], stalk: d, in: complex) }

  /// The representable sheaf of a cell: ℝ on its open star, with identities; Hom(it, F) = F(σ) (Yoneda).
  public static func representable(by cell: Int, in complex: CellComplex) -> CellularSheaf {
    supported(on: complex.openStar([cell]), in: complex)
  }

  /// A sheaf with the stalk ℝᵈ on a cycle of n vertices whose transport once around is given: all maps the identity but
  /// the last edge's from its first vertex. H⁰ is the kernel of transport − 1, H¹ its cokernel.
  public static func cycle(_ n: Int, transport: Matrix) throws -> CellularSheaf {
    let complex = CellComplex.cycle(n)
    let last = complex.incidences(of: complex.count - 1).first { complex.sign($0) < 0 }
    return try CellularSheaf(
      complex, stalks: [Int](repeating: transport.rows, count: complex.count),
      map: { $0 == last ? .matrix(transport) : .identity })
  }

  /// A random sheaf on a graph: independent normal entries of all maps.
  ///
  /// - Parameters:
  ///   - complex: of dimension 1 at most; beyond it such maps are no functor.
  ///   - stalks: the dimension of each cell's.
  public static func random(
    on complex: CellComplex, stalks: [Int], using generator: inout RandomGenerator
  ) throws -> CellularSheaf {
    guard complex.dimension <= 1 else {
      throw SheafError.quantity(
        name: "a random sheaf", found: "a complex of dimension \(complex.dimension)",
        expected: "a graph: independent maps of larger complexes do not commute")
    }
    let cellOf = complex.cellsOfIncidences
    return try CellularSheaf(complex, stalks: stalks) { i in
      .matrix(
        generator.normalMatrix(rows: stalks[cellOf[i]], columns: stalks[complex.face(i)]))
    }
  }

  /// A sheaf that is isomorphic to another by a change of basis of every stalk: F′_{σ ⊴ τ} = B_τ F B_σ⁻¹, with the weights
  /// B⁻ᵀ W B⁻¹ that make the isomorphism an isometry.
  ///
  /// - Parameter bases: the invertible B of each cell.
  public func changingBases(_ bases: [Matrix]) throws -> CellularSheaf {
    let inverses = try bases.map { try $0.solve(.identity($0.rows)) }
    let cellOf = complex.cellsOfIncidences
    let weights = (0..<complex.count).map { cell in
      InnerProduct.matrix(products[cell].dense(stalk(of: cell)).congruent(inverses[cell]))
    }
    return try CellularSheaf(complex, stalks: stalks, weights: weights) { i in
      let face = complex.face(i)
      return .matrix(
        bases[cellOf[i]] * maps[i].dense(stalk(of: face)) * inverses[face])
    }
  }

  /// The dimensions of all stalks.
  public var stalks: [Int] { (0..<complex.count).map(stalk) }
}

extension CellComplex {
  /// The cell τ of each incidence σ ⊴ τ.
  public var cellsOfIncidences: [Int] {
    (0..<count).flatMap { cell in incidences(of: cell).map { _ in cell } }
  }
}

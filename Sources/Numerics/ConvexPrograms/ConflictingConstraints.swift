import LinearAlgebra

/// Constraints that no point meets, while without any one of them there is a point: an irreducible infeasible subset.
///
/// Found from the constraints that have a multiplier in a certificate of infeasibility, by leaving out one after
/// another for good where the others stay infeasible (the deletion filter of Chinneck & Dravnieks, ORSA J. Computing
/// 3(2), 1991). A program may have many such subsets; this is one.
public struct ConflictingConstraints: Sendable, Equatable {
  /// Rows of A, ascending.
  public let equalities: [Int]
  /// Rows of G, ascending; a second-order cone with all of its rows.
  public let inequalities: [Int]
  /// y of these equalities: Aᵀy + Gᵀz ≈ 0, bᵀy + hᵀz = −1.
  public let equalityMultipliers: [Double]
  /// z of these inequalities, in their cones.
  public let inequalityMultipliers: [Double]

  /// The rows and multipliers of a refutation.
  fileprivate init(_ refutation: [Refutation.Part]) {
    var (y, z): ([(Int, Double)], [(Int, Double)]) = ([], [])
    for part in refutation {
      switch part.constraint {
      case .equality(let row): y.append((row, part.multipliers[0]))
      case .cone(let rows): z += zip(rows, part.multipliers)
      }
    }
    y.sort { $0.0 < $1.0 }
    z.sort { $0.0 < $1.0 }
    (equalities, equalityMultipliers) = (y.map(\.0), y.map(\.1))
    (inequalities, inequalityMultipliers) = (z.map(\.0), z.map(\.1))
  }
}

extension ConicProgram {
  /// A smallest set of constraints that contradict one another, in the sense that none can be left out.
  ///
  /// Whether constraints have a point is decided by `solve`, within its tolerances: those whose points all have a
  /// 1-norm above 1 / `certificateTolerance` count as infeasible. Where it stalls they count as feasible, so that a
  /// constraint too many may be named.
  ///
  /// Cost: one solution with all constraints, and one for each constraint that has a multiplier, with these only and
  /// the unknowns in them.
  ///
  /// - Returns: nil if there is a point, or no certificate was found.
  /// - Throws: As `solve`.
  public func conflictingConstraints(
    _ settings: Settings = Settings()
  ) throws(FactorizationError) -> ConflictingConstraints? {
    let refuter = Refutation(self, settings)
    guard let all = try refuter.refutation(of: refuter.constraints) else { return nil }
    // The support of a certificate contradicts itself, unless what was cut off was no rounding.
    let support = all.filter(\.isLarge).map(\.constraint)
    guard let start = try refuter.refutation(of: support) else { return nil }
    var (open, kept): ([Refutation.Part], [Refutation.Constraint]) = (start, [])
    while !open.isEmpty {
      open.sort { $0.weight > $1.weight }
      let candidate = open.removeLast().constraint
      if let rest = try refuter.refutation(of: open.map(\.constraint) + kept) {
        // What is needed in a set is needed in every part of it that is infeasible.
        let isKept = Set(kept)
        open = rest.filter { $0.isLarge && !isKept.contains($0.constraint) }
      } else {
        kept.append(candidate)
      }
    }
    return try refuter.refutation(of: kept).map { ConflictingConstraints($0) }
  }
}

/// Certificates for some of the constraints of a program.
private struct Refutation {
  /// Rows that stand or fall together.
  enum Constraint: Hashable {
    case equality(Int)
    case cone(Range<Int>)
  }

  /// A constraint of a certificate.
  struct Part {
    let constraint: Constraint
    let multipliers: [Double]
    /// The largest multiplier times the largest entry of the rows, over the largest of these of all constraints.
    var weight: Double
    /// Whether it is no rounding.
    var isLarge: Bool { weight > 1e-6 }
  }

  private let program: ConicProgram
  private let settings: ConicProgram.Settings
  private let equalities: SparseMatrix
  private let inequalities: SparseMatrix
  private let secondOrder: Set<Range<Int>>
  /// All constraints of the program.
  let constraints: [Constraint]

  init(_ program: ConicProgram, _ settings: ConicProgram.Settings) {
    (self.program, self.settings) = (program, settings)
    (equalities, inequalities) = (program.equalities.transposed, program.inequalities.transposed)
    var list = (0..<program.equalities.rows).map { Constraint.equality($0) }
    var cones: Set<Range<Int>> = []
    var row = 0
    for cone in program.cones {
      switch cone {
      case .orthant(let n): list += (row..<row + n).map { .cone($0..<$0 + 1) }
      case .secondOrder(let n):
        list.append(.cone(row..<row + n))
        if n > 1 { cones.insert(row..<row + n) }
      }
      row += cone.rows
    }
    (constraints, secondOrder) = (list, cones)
  }

  /// A certificate that some constraints have no common point, nil if none is found.
  func refutation(of some: [Constraint]) throws(FactorizationError) -> [Part]? {
    var (equalityRows, inequalityRows): ([Int], [Int]) = ([], [])
    var cones: [ConicProgram.Cone] = []
    for constraint in some {
      switch constraint {
      case .equality(let row): equalityRows.append(row)
      case .cone(let rows):
        inequalityRows += rows
        cones.append(secondOrder.contains(rows) ? .secondOrder(rows.count) : .orthant(1))
      }
    }
    let (a, g) = (
      equalities.part(columns: equalityRows), inequalities.part(columns: inequalityRows)
    )
    let unknowns = Set(a.rowIndices + g.rowIndices).sorted().map { Int($0) }
    let (aPart, gPart) = (a.part(rows: unknowns), g.part(rows: unknowns))
    let part = ConicProgram(
      linear: [Double](repeating: 0, count: unknowns.count), equalities: aPart.transposed,
      equalityValues: equalityRows.map { program.equalityValues[$0] },
      inequalities: gPart.transposed, bounds: inequalityRows.map { program.bounds[$0] },
      cones: cones)
    let solution = try part.feasibility.solve(settings)
    guard solution.status == .infeasible else { return nil }
    var (y, z) = (0, 0)
    var parts = some.map { constraint in
      switch constraint {
      case .equality:
        y += 1
        return Part(
          constraint: constraint, multipliers: [solution.y[y - 1]],
          weight: abs(solution.y[y - 1]) * a.largest(inColumn: y - 1))
      case .cone(let rows):
        let range = z..<z + rows.count
        z += rows.count
        return Part(
          constraint: constraint, multipliers: Array(solution.z[range]),
          weight: range.reduce(0) {
            max($0, abs(solution.z[$1]) * max(g.largest(inColumn: $1), .leastNonzeroMagnitude))
          })
      }
    }
    let most = parts.reduce(0) { max($0, $1.weight) }
    // Rows without entries contradict themselves: 0 = 1 or −1 ≥ 0.
    for k in parts.indices { parts[k].weight = most > 1e-300 ? parts[k].weight / most : 1 }
    return parts
  }
}

extension SparseMatrix {
  /// The largest magnitude in a column.
  fileprivate func largest(inColumn j: Int) -> Double {
    var most = 0.0
    forEachEntry(ofColumn: j) { most = max(most, abs($1)) }
    return most
  }
}

import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// One row of E: a coordinate, or a combination of coordinates, whose value the face or a pin sets.
struct FaceRow: Sendable {
  /// What the row is, the same from face to face.
  enum Key: Hashable {
    case held(Int)
    case spring(Int)
    case kink(Int)
    case tie(row: Int, branch: Int)
    case model(Int)
  }

  let key: Key
  /// The coordinate; for a column of the output model, the number of the column.
  let coordinate: Int
  /// Subtracted, for a tie.
  var other: Int?
  /// What the row is to become, less what it is.
  let gap: Double
  /// 1/γ: 0 where the coordinate is held or rests.
  var compliance = 0.0
  /// The place in the sample's kinks, −1 for a pin.
  var kink = -1
}

/// The least energy on the face of each sample: the fixed branches and kinks, where the energy is a
/// quadratic.
///
/// With K the rows of Eδ_Ω⁻¹ for the held, softly held and resting coordinates E, one reverse sweep each,
///
///     (K Kᵀ + diag 1/γ) λ = t − Eω + K(ρ − k̂),   step of ρ = Kᵀλ + k̂ − ρ,
///
/// and λ are the forces: δ_Ωᵀρ = Eᵀλ + (the output edge's) at its end. A smooth output edge takes part
/// by its convex model ⟨g, d⟩ + ½‖Fᵀd‖² in z_{k+1}: the columns of F are rows of E with γ = 1, and
/// k̂ = −δ_Ω⁻ᵀg.
///
/// A freed input adds Q, the derivative of Eω in it. Where it has a prior, K Kᵀ gains QΓ⁻¹Qᵀ; where it
/// has none, Qᵀλ = −q̂ must hold and the system is a saddle.
struct FaceProblem {
  let rows: [[FaceRow]]
  /// By sample, where the output edge is smooth.
  let models: [OutputModel]?
  /// k̂, with the input's part where that is free; all 0 without a model.
  let offset: [Matrix]?
  /// ρ − k̂, the input's part t̄ − x + q̂/γ with its sign turned.
  let base: [Matrix]

  init(_ set: ActiveSet) {
    let network = set.sheaf.network
    rows = (0..<set.batch).map { Self.rows(set, $0) }
    let last = network.lastVertex
    models = set.smoothPotential.map { potential in
      (0..<set.batch).map { j in
        OutputModel(
          potential, at: set.state.stalks[last].columns(j..<j + 1), sample: set.samples[j],
          // With an open input the system needs F regular.
          damping: set.freed?.open.isEmpty ?? true
            ? set.progress[j].damping
            : max(set.progress[j].damping, 1e-7 * potential.largestWeight))
      }
    }
    var base = set.rho
    if let models {
      var seed = set.sheaf.zeroCochain(batch: set.batch)
      if set.freed != nil { seed[0] = Matrix(rows: network.inputDimension, columns: set.batch) }
      for (j, model) in models.enumerated() {
        for (i, g) in model.gradient.enumerated() { seed[last][i, j] = -g }
      }
      let offset = set.sheaf.reverseSubstitution(seed, at: set.patterns)
      for v in base.indices where v > 0 { base[v].add(offset[v], scale: -1) }
      self.offset = offset
    } else {
      offset = nil
    }
    if let freed = set.freed {
      base[0] = Matrix(rows: network.inputDimension, columns: set.batch)
      for j in 0..<set.batch {
        for (i, gamma) in freed.stiffness.enumerated() where gamma > 0 && gamma < .infinity {
          base[0][i, j] =
            set.state.stalks[0][i, j] - freed.prior[i, set.samples[j]]
            - (offset?[0][i, j] ?? 0) / gamma
        }
      }
    }
    self.base = base
  }

  /// A cochain, with room for a freed input.
  static func cochain(_ set: ActiveSet, columns: Int) -> [Matrix] {
    set.sheaf.network.vertices.enumerated().map { v, vertex in
      Matrix(rows: v == 0 && set.freed == nil ? 0 : vertex.dimension, columns: columns)
    }
  }

  /// The coordinates of one row of sample j, with their weights.
  func seeds(_ row: FaceRow, of j: Int, _ flat: FlatNetwork) -> [(coordinate: Int, weight: Double)]
  {
    if case .model(let k) = row.key {
      let factor = models![j].factor
      let first = flat.count - factor.rows
      return (0..<factor.rows).map { (first + $0, factor[$0, k]) }
    }
    return [(row.coordinate, 1)] + (row.other.map { [($0, -1)] } ?? [])
  }

  /// Column `column` of a cochain gains weight · Eᵀ of one row of sample j.
  func add(
    _ row: FaceRow, of j: Int, times weight: Double, _ flat: FlatNetwork, to u: inout [Matrix],
    column: Int
  ) {
    if case .model(let k) = row.key {
      let factor = models![j].factor
      for i in 0..<factor.rows { u[u.count - 1][i, column] += weight * factor[i, k] }
      return
    }
    let (v, i) = flat.place(row.coordinate)
    u[v][i, column] += weight
    if let other = row.other {
      let (v, i) = flat.place(other)
      u[v][i, column] -= weight
    }
  }

  /// E u of one row of sample j, from column `column` of a cochain.
  func value(
    _ row: FaceRow, of j: Int, _ flat: FlatNetwork, in u: [Matrix], column: Int
  ) -> Double {
    if case .model(let k) = row.key {
      let factor = models![j].factor
      return (0..<factor.rows).reduce(0) { $0 + factor[$1, k] * u[u.count - 1][$1, column] }
    }
    let (v, i) = flat.place(row.coordinate)
    guard let other = row.other else { return u[v][i, column] }
    let (w, k) = flat.place(other)
    return u[v][i, column] - u[w][k, column]
  }

  private static func rows(_ set: ActiveSet, _ j: Int) -> [FaceRow] {
    let flat = set.flat
    func now(_ c: Int) -> Double {
      let (v, i) = flat.place(c)
      return set.state.stalks[v][i, j]
    }
    var rows: [FaceRow] = []
    if set.smoothPotential != nil {
      for k in 0..<set.sheaf.network.outputDimension {
        rows.append(FaceRow(key: .model(k), coordinate: k, gap: 0, compliance: 1))
      }
    }
    for (p, c) in set.held.enumerated() {
      rows.append(
        FaceRow(
          key: .held(c), coordinate: c, gap: set.heldValues[p, set.samples[j]] - now(c)))
    }
    for (p, s) in set.springs.enumerated() where s.coordinate >= flat.starts[1] {
      rows.append(
        FaceRow(
          key: .spring(p), coordinate: s.coordinate,
          gap: set.springValues[p, set.samples[j]] - now(s.coordinate),
          compliance: 1 / s.stiffness))
    }
    for (n, kink) in set.progress[j].kinks.enumerated() {
      switch kink {
      case .value(let c, let threshold):
        rows.append(FaceRow(key: .kink(c), coordinate: c, gap: threshold - now(c), kink: n))
      case .tie(let r, let branch):
        let top = set.source(of: set.branch(j, row: r), row: r)
        let other = set.source(of: branch, row: r)
        rows.append(
          FaceRow(
            key: .tie(row: r, branch: branch), coordinate: other, other: top,
            gap: now(top) - now(other), kink: n))
      }
    }
    return rows
  }
}

/// The step from a state to the least energy on its face.
struct FaceStep {
  /// The rows of each sample.
  let rows: [[FaceRow]]
  /// λ of each sample.
  let forces: [[Double]]
  /// The step of ρ.
  let rhoStep: [Matrix]
  /// The step of the stalks; the input's has no rows where it is held.
  let step: [Matrix]
  /// The models of the output potential that it used.
  let models: [OutputModel]?
  /// How far, relative to Σρ², the sum that gives dE/dt at the start of each step may be from its true
  /// value by rounding alone; 0 for a step that only goes near a minimiser.
  let slopeTolerances: [Double]
  /// The freedom left to the input, by sample, where there is any.
  var freedom: [InputFreedom?]
}

/// Directions of a freed input that the pins and the face leave undetermined.
public struct InputFreedom: Sendable, Equatable {
  /// Their dimension.
  public let dimension: Int
  /// The coordinates of the input that they move.
  public let coordinates: [Int]
  /// An orthonormal basis of the directions that are determined, (n, rank), in the open coordinates.
  let determined: Matrix

  /// Equal dimensions and coordinates.
  public static func == (a: InputFreedom, b: InputFreedom) -> Bool {
    a.dimension == b.dimension && a.coordinates == b.coordinates
  }
}

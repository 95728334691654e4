import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// One row of E: a coordinate, or a combination of coordinates, whose value the face or a pin sets.
struct FaceRow: Sendable {
  /// A coordinate of a stalk, with its weight in the row.
  typealias Term = (vertex: Int, row: Int, weight: Double)

  /// One coordinate; for a tie that of the other branch less that of the row's own; for a column of F
  /// all of z_{k+1}.
  let terms: [Term]
  /// What the row is to become, less what it is.
  let gap: Double
  /// 1/γ: 0 where the coordinate is held or rests.
  var compliance = 0.0
  /// The place in the sample's kinks, −1 for a pin.
  var kink = -1
  /// The column of F that it is, −1 for another row.
  var factorColumn = -1
}

/// The least energy on the face of each sample: the fixed branches and kinks, where the energy is a
/// quadratic.
///
/// With K the rows of Eδ_Ω⁻¹ for the held, softly held and resting coordinates E, one reverse sweep each,
///
///     (KΓ⁻¹Kᵀ + diag 1/γ) λ = t − Eω + K(ρ − Γ⁻¹k̂),   step of ρ = Γ⁻¹(Kᵀλ + k̂) − ρ,
///
/// and λ are the forces: δ_ΩᵀΓρ = Eᵀλ + (the output edge's) at its end. A smooth output edge takes part
/// by its convex model ⟨g, d⟩ + ½‖Fᵀd‖² in z_{k+1}: the columns of F are rows of E with γ = 1, and
/// k̂ = −δ_Ω⁻ᵀg.
///
/// A freed input adds Q, the derivative of Eω in it. Where it has a prior, KΓ⁻¹Kᵀ gains Q diag(1/γ) Qᵀ; where it
/// has none, Qᵀλ = −q̂ must hold and the system is a saddle.
struct FaceProblem {
  let rows: [[FaceRow]]
  /// By sample, where the output edge is smooth.
  let models: [OutputModel]?
  /// k̂, with the input's part where that is free; all 0 without a model.
  let offset: [Matrix]?
  /// ρ − Γ⁻¹k̂, the input's part t̄ − x + q̂/γ with its sign turned.
  let base: [Matrix]

  init(_ set: ActiveSet) {
    let network = set.sheaf.network
    let last = network.lastVertex
    let models = set.smoothPotential.map { potential in
      (0..<set.batch).map { j in
        OutputModel(
          potential, at: set.state.stalks[last].columns(j..<j + 1), sample: set.samples[j],
          // With an open input the system needs F regular.
          damping: set.freed?.open.isEmpty ?? true
            ? set.progress[j].damping
            : max(set.progress[j].damping, 1e-7 * potential.largestWeight))
      }
    }
    self.models = models
    rows = (0..<set.batch).map { Self.rows(set, $0, models?[$0]) }
    var base = set.rho
    if let models {
      var seed = set.sheaf.zeroCochain(batch: set.batch, input: set.input)
      for (j, model) in models.enumerated() {
        for (i, g) in model.gradient.enumerated() { seed[last][i, j] = -g }
      }
      let offset = set.sheaf.reverseSubstitution(seed, at: set.patterns, input: set.input)
      var moved = offset
      set.stiffness.multiply(&moved) { 1 / $0 }
      for v in base.indices where v > 0 { base[v].add(moved[v], scale: -1) }
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

  private static func rows(_ set: ActiveSet, _ j: Int, _ model: OutputModel?) -> [FaceRow] {
    let flat = set.flat
    var rows: [FaceRow] = []
    func term(_ c: Int, _ weight: Double = 1) -> FaceRow.Term {
      let (v, i) = flat.place(c)
      return (v, i, weight)
    }
    /// A row that is to become `value`.
    func append(
      _ terms: [FaceRow.Term], value: Double, compliance: Double = 0, kink: Int = -1
    ) {
      let now = terms.reduce(0) { $0 + $1.weight * set.state.stalks[$1.vertex][$1.row, j] }
      rows.append(
        FaceRow(terms: terms, gap: value - now, compliance: compliance, kink: kink))
    }
    if let factor = model?.factor {
      let last = set.sheaf.network.lastVertex
      for k in 0..<factor.columns {
        let terms = (0..<factor.rows).map { (last, $0, factor[$0, k]) }
        rows.append(FaceRow(terms: terms, gap: 0, compliance: 1, factorColumn: k))
      }
    }
    for (p, c) in set.held.enumerated() {
      append([term(c)], value: set.heldValues[p, set.samples[j]])
    }
    for (p, s) in set.springs.enumerated() where s.coordinate >= flat.starts[1] {
      append(
        [term(s.coordinate)], value: set.springValues[p, set.samples[j]],
        compliance: 1 / s.stiffness)
    }
    for (n, kink) in set.progress[j].kinks.enumerated() {
      switch kink {
      case .value(let c, let threshold):
        append([term(c)], value: threshold, kink: n)
      case .tie(let r, let branch):
        let (top, other) = (
          set.source(of: set.branch(j, row: r), row: r), set.source(of: branch, row: r)
        )
        append(
          [term(other), term(top, -1)], value: 0, kink: n)
      }
    }
    return rows
  }
}

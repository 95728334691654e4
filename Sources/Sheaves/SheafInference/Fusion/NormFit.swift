import ConvexPrograms
import LinearAlgebra
import SparseFactorizations

/// The unknowns that make the largest norm of a block of residuals, or the sum of the norms, least: second-order cone
/// programs,
///
///     minimise t   subject to   s_k ‖r_k + J_k d‖ ≤ t          (minimax)
///     minimise Σ t_k   subject to   s_k ‖r_k + J_k d‖ ≤ t_k    (sum)
///
/// solved once where the residuals are affine functions of d, else one after another within a radius of trust.
struct NormFit: Sendable {
  /// What is least.
  enum Goal: Sendable {
    case largest
    case sum
  }

  /// x.
  private(set) var point: [Double]
  private(set) var system: Linearization
  /// The largest s_k ‖r_k‖, or their sum.
  private(set) var value: Double
  /// A lower bound on it, from the dual program; of the last program for residuals that are not affine.
  private(set) var bound: Double
  private(set) var status = SolutionStatus.converged

  /// - Parameters:
  ///   - scales: s_k for each block; blocks with 0 are left out.
  ///   - basis: x = start + B z.
  init(
    _ model: any InferenceModel, _ goal: Goal, scales: [Double], from start: [Double],
    along basis: SparseMatrix, tolerance: Double = 1e-9, maximumIterations: Int = 100,
    halt: Halt = .never
  ) throws {
    point = start
    system = try model.linearized(at: start)
    let blocks = model.layout.blocks
    value = Self.value(system.residual, blocks, scales, goal)
    bound = 0
    guard basis.columns > 0, value > 0 else {
      bound = value
      return
    }
    let byRows = basis.transposed
    var radius: Double? =
      model.isAffine ? nil : 0.3 * (start.reduce(1) { max($0, abs($1)) })
    for _ in 0..<(model.isAffine ? 1 : maximumIterations) {
      if let reason = halt.reason {
        status = reason
        return
      }
      let found = try Self.program(
        byRows.times(system.transposed), system.residual, blocks, scales, goal, radius: radius
      ).solve(.init(tolerance: min(tolerance, 1e-9), halt: halt))
      guard found.status == .optimal else {
        status = found.status == .interrupted ? .interrupted : .stalled
        return
      }
      let step = basis(Matrix(column: Array(found.x.prefix(basis.columns)))).column(0)
      let next = zip(point, step).map { $0 + $1 }
      let there = try? model.linearized(at: next)
      let promised = value - found.objective
      let reached = there.map { Self.value($0.residual, blocks, scales, goal) } ?? .infinity
      bound = found.dualObjective
      if reached <= value - 0.1 * max(promised, 0) || model.isAffine && reached.isFinite {
        let isDone = value - reached <= tolerance * max(value, 1e-300)
        (point, system, value) = (next, there!, reached)
        if model.isAffine || isDone { return }
        if reached <= found.objective + 0.5 * promised { radius = radius.map { 2 * $0 } }
      } else {
        radius = radius.map { $0 / 4 }
        let size = point.reduce(1e-300) { max($0, abs($1)) }
        if promised <= tolerance * value || radius! <= 1e-13 * size { return }
      }
    }
    if !model.isAffine { status = .stepLimit }
  }

  static func value(
    _ residual: [Double], _ blocks: [ModelLayout.Block], _ scales: [Double], _ goal: Goal
  ) -> Double {
    let norms = zip(blocks, scales).lazy.map { block, s in
      s == 0 ? 0 : s * block.norm(residual)
    }
    switch goal {
    case .largest: return norms.reduce(0, max)
    case .sum: return norms.reduce(0, +)
    }
  }

  private static func program(
    _ transposed: SparseMatrix, _ residual: [Double], _ blocks: [ModelLayout.Block],
    _ scales: [Double], _ goal: Goal, radius: Double?
  ) -> ConicProgram {
    let n = transposed.rows
    let used = zip(blocks, scales).filter { $0.1 > 0 && !$0.0.rows.isEmpty }
    let bounds = goal == .largest ? 1 : used.count
    // Columns are the rows of G.
    var builder = SparseMatrix.ColumnBuilder(rows: n + bounds)
    var h: [Double] = []
    var cones: [ConicProgram.Cone] = []
    for (k, (block, s)) in used.enumerated() {
      builder.append(row: n + (goal == .largest ? 0 : k), -1)
      builder.endColumn()
      h.append(0)
      for i in block.rows {
        transposed.forEachEntry(ofColumn: i) { builder.append(row: $0, -s * $1) }
        builder.endColumn()
        h.append(s * residual[i])
      }
      cones.append(.secondOrder(1 + block.rows.count))
    }
    if let radius {
      builder.endColumn()
      h.append(radius)
      for j in 0..<n {
        builder.append(row: j, -1)
        builder.endColumn()
        h.append(0)
      }
      cones.append(.secondOrder(1 + n))
    }
    return ConicProgram(
      linear: [Double](repeating: 0, count: n) + [Double](repeating: 1, count: bounds),
      inequalities: builder.matrix.transposed, bounds: h, cones: cones)
  }
}

extension ModelLayout.Block {
  /// ‖r_k‖.
  func norm(_ residual: [Double]) -> Double {
    rows.reduce(0) { $0 + residual[$1] * residual[$1] }.squareRoot()
  }
}

import ConvexPrograms
import LinearAlgebra

/// The z = x + D y of least Σ w_b ‖z_b‖ over blocks b of coordinates, D of full column rank: a linear program where all
/// blocks have one coordinate, a second-order cone program otherwise.
///
/// Often many z are least, and an interior point method comes to a mean of them, which lives on the cells of all. So the
/// weights are changed by up to half a per cent, each by its own share; then one is left, mostly, and its sum is within
/// one per cent of the least.
struct ShortestCombination {
  /// The coordinates and the weight of a block.
  struct Block {
    let rows: Range<Int>
    let weight: Double
  }

  /// z.
  let values: [Double]
  /// No z has a smaller sum.
  let lowerBound: Double
  let status: SolutionStatus

  private static let tilt = 0.005

  /// - Throws: `FactorizationError`.
  init(
    _ x: [Double], columns: [[(row: Int, value: Double)]], blocks: [Block],
    settings: ConicProgram.Settings
  ) throws(FactorizationError) {
    var isTouched = [Bool](repeating: false, count: x.count)
    for column in columns { for (row, _) in column { isTouched[row] = true } }
    let free = blocks.indices.filter { blocks[$0].rows.contains { isTouched[$0] } }
    // What is not touched costs what it costs.
    let constant = Self.size(x, blocks.filter { $0.rows.allSatisfy { !isTouched[$0] } })
    guard !free.isEmpty else {
      (values, lowerBound, status) = (x, constant, .converged)
      return
    }
    let m = columns.count
    var costs = [Double](repeating: 0, count: m)
    var entries: [(row: Int, column: Int, value: Double)] = []
    var (bounds, cones) = ([Double](), [ConicProgram.Cone]())
    // For each coordinate the rows of G that it is in, with the sign there.
    var places = [[(row: Int, sign: Double)]](repeating: [], count: x.count)
    let (single, several) = (
      free.filter { blocks[$0].rows.count == 1 }, free.filter { blocks[$0].rows.count > 1 }
    )
    if !single.isEmpty { cones.append(.orthant(2 * single.count)) }
    for b in single + several {
      let t = costs.count
      let share = (Double(b) * 0.618_033_988_749_895).truncatingRemainder(dividingBy: 1)
      costs.append(blocks[b].weight * (1 + Self.tilt * (2 * share - 1)))
      let rows = blocks[b].rows
      if rows.count == 1 {
        // ±(x + D y) ≤ t.
        for sign in [1.0, -1] {
          places[rows.lowerBound].append((bounds.count, sign))
          entries.append((bounds.count, t, -1))
          bounds.append(-sign * x[rows.lowerBound])
        }
      } else {
        // (t, x + D y) in the cone.
        cones.append(.secondOrder(rows.count + 1))
        entries.append((bounds.count, t, -1))
        bounds.append(0)
        for i in rows {
          places[i].append((bounds.count, -1))
          bounds.append(x[i])
        }
      }
    }
    for (j, column) in columns.enumerated() {
      for (row, value) in column {
        for place in places[row] { entries.append((place.row, j, place.sign * value)) }
      }
    }
    let solution = try ConicProgram(
      linear: costs,
      inequalities: SparseMatrix(rows: bounds.count, columns: costs.count, entries: entries),
      bounds: bounds, cones: cones
    ).solve(settings)
    var z = x
    for (j, column) in columns.enumerated() {
      for (row, value) in column { z[row] += value * solution.x[j] }
    }
    switch solution.status {
    case .optimal: status = .converged
    case .interrupted: status = .interrupted
    default: status = .stalled
    }
    // An unfinished iterate may be worse than what there was.
    values = status == .converged || Self.size(z, blocks) < Self.size(x, blocks) ? z : x
    lowerBound = constant + max(0, solution.dualObjective) / (1 + Self.tilt)
  }

  /// Σ w_b ‖z_b‖.
  static func size(_ z: [Double], _ blocks: [Block]) -> Double {
    blocks.reduce(0) { sum, block in
      sum + block.weight * block.rows.reduce(0) { $0 + z[$1] * z[$1] }.squareRoot()
    }
  }
}

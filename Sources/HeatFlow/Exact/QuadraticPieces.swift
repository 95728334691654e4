import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

/// The piecewise quadratic energy of a flow in coordinates: what its affine edges and pins give to the Hessian
/// and the force, and the branches of its state-dependent rows.
///
/// Coordinates are numbered as in `FlatNetwork`, those of a_{k+1} behind them. The force on the free
/// coordinates is c − H x, plus γρ (slope e_source − e_target) for each state-dependent row, ρ = t − P(s).
/// Cost: order n² max(n, batch) for n free coordinates.
struct QuadraticPieces: Sendable {
  /// One branch of a row: x_target is predicted as slope · x_source + offset.
  struct Branch: Sendable {
    let source: Int
    let slope, offset: Double
    let boundaries: [Boundary]
  }

  /// Where the branch ends: it holds where sign · (x_source − x_other − threshold) > 0.
  struct Boundary: Sendable {
    let source: Int
    /// nil for a value.
    let other: Int?
    let threshold, sign: Double
    let neighbour: Int
  }

  /// A coordinate that a state-dependent operation determines.
  struct Row: Sendable {
    let target: Int
    /// γ.
    let stiffness: Double
    let branches: [Branch]
  }

  let flat: FlatNetwork
  /// The vertices' names.
  let names: [String]
  /// The number of all coordinates.
  let count: Int
  /// The free coordinates, and the place of each coordinate among them, −1 where it is held.
  let free: [Int]
  let place: [Int]
  let rows: [Row]
  /// The row that determines a coordinate, −1 if none, and those that read it.
  let rowOf: [Int]
  let readers: [[Int]]
  /// H, (free, free).
  let hessian: Matrix
  /// c, (free, batch).
  let linear: Matrix
  /// The largest of 1, the rows' γ and the entries of H.
  let largestStiffness: Double

  init(_ flow: HeatFlow, _ state: SheafState, limit: Int) throws(FlowError) {
    let network = flow.sheaf.network
    let (pins, stiffness) = (flow.pins, flow.pinned.stiffness)
    flat = FlatNetwork(network)
    names = network.vertices.map(\.name)
    var dimensions = network.vertices.map(\.dimension)
    if flow.output != nil { dimensions.append(network.outputDimension) }
    count = dimensions.reduce(0, +)
    var isHeld: [Bool] = []
    for (v, n) in dimensions.enumerated() {
      var held = [Bool](repeating: false, count: n)
      for i in pins.held(v) { held[i] = true }
      isHeld += held
    }
    let free = isHeld.indices.filter { !isHeld[$0] }
    guard free.count <= limit else { throw .tooLarge(freeDimension: free.count, limit: limit) }
    self.free = free
    var place = [Int](repeating: -1, count: count)
    for (i, c) in free.enumerated() { place[c] = i }
    self.place = place

    rows = flat.rows.map { row in
      let operation = network.edges[row.edge].operation
      let branches = (0..<operation.branchCount(ofRow: row.row)).map { b in
        let f = operation.branch(b, ofRow: row.row)
        var boundaries: [Boundary] = []
        operation.forEachBoundary(ofRow: row.row, branch: b) {
          boundaries.append(
            Boundary(
              source: row.source + $0.source, other: $0.other.map { row.source + $0 },
              threshold: $0.threshold, sign: $0.sign, neighbour: $0.neighbour))
        }
        return Branch(
          source: row.source + f.source, slope: f.slope, offset: f.offset, boundaries: boundaries)
      }
      return Row(
        target: row.target,
        stiffness: stiffness.value(network.edges[row.edge].target, row: row.row),
        branches: branches)
    }
    var rowOf = [Int](repeating: -1, count: count)
    var readers = [[Int]](repeating: [], count: count)
    for (r, row) in rows.enumerated() {
      rowOf[row.target] = r
      for c in Set(row.branches.map(\.source)) { readers[c].append(r) }
    }
    (self.rowOf, self.readers) = (rowOf, readers)

    // Column i of these is the i-th unit vector of the free coordinates.
    let n = free.count
    var units = dimensions.map { Matrix(rows: $0, columns: n) }
    var starts = flat.starts
    if flow.output != nil { starts.append(count) }
    for v in dimensions.indices {
      for i in 0..<dimensions[v] where place[starts[v] + i] >= 0 {
        units[v][i, place[starts[v] + i]] = 1
      }
    }
    // The state with free coordinates 0: there the force is c.
    var base = state
    for v in dimensions.indices {
      for i in 0..<dimensions[v] where place[starts[v] + i] >= 0 {
        for j in 0..<state.batch {
          if v < base.stalks.count { base.stalks[v][i, j] = 0 } else { base.output![i, j] = 0 }
        }
      }
    }
    var hessian = Matrix(rows: n, columns: n)
    var gradients = dimensions.map { Matrix(rows: $0, columns: state.batch) }
    for edge in network.edges where !edge.operation.isStateDependent {
      let operation = edge.operation
      var rho = Matrix(rows: dimensions[edge.target], columns: n)
      rho.copyRows(operation.targetRows, of: units[edge.target])
      operation.addLinearPart(units[edge.source], at: .affine, scale: -1, keeping: 1, into: &rho)
      if let gamma = stiffness[edge.target] { rho.scaleRows(by: gamma.map { $0.squareRoot() }) }
      hessian.addGram(rho, transposed: true)
      var value = Matrix(rows: dimensions[edge.target], columns: state.batch)
      operation.discrepancy(
        base.stalks[edge.source], base.stalks[edge.target], into: &value)
      stiffness.multiply(&value, of: edge.target)
      gradients[edge.target].add(value)
      var back = Matrix(rows: dimensions[edge.source], columns: state.batch)
      operation.addTranspose(value, at: .affine, keeping: 0, into: &back)
      gradients[edge.source].add(back, scale: -1)
    }
    if let output = flow.output, let a = base.output {
      let last = network.lastVertex
      var rho = units[last + 1]
      rho.add(units[last], scale: -1)
      hessian.addGram(rho, transposed: true, scale: output.coupling)
      var value = a
      value.add(base.stalks[last], scale: -1)
      gradients[last + 1].add(value, scale: output.coupling)
      gradients[last].add(value, scale: -output.coupling)
    }
    for v in dimensions.indices {
      for pin in pins.soft(v) {
        for (p, i) in pin.rows.enumerated() where place[starts[v] + i] >= 0 {
          let k = place[starts[v] + i]
          hessian[k, k] += pin.stiffness
          for j in 0..<state.batch { gradients[v][i, j] -= pin.stiffness * pin.values[p, j] }
        }
      }
    }
    var linear = Matrix(rows: n, columns: state.batch)
    for v in dimensions.indices {
      for i in 0..<dimensions[v] where place[starts[v] + i] >= 0 {
        for j in 0..<state.batch { linear[place[starts[v] + i], j] = -gradients[v][i, j] }
      }
    }
    (self.hessian, self.linear) = (hessian, linear)
    largestStiffness = rows.reduce(max(1, hessian.maximumMagnitude)) { max($0, $1.stiffness) }
  }

  /// All coordinates of sample j of a state.
  func coordinates(_ state: SheafState, sample j: Int) -> [Double] {
    var x: [Double] = []
    for stalk in state.stalks { x += stalk.column(j) }
    if let a = state.output { x += a.column(j) }
    return x
  }

  /// Writes the coordinates of sample j into a state.
  func write(_ x: [Double], sample j: Int, into state: inout SheafState) {
    var c = 0
    for v in state.stalks.indices {
      for i in 0..<state.stalks[v].rows {
        state.stalks[v][i, j] = x[c]
        c += 1
      }
    }
    for i in 0..<(state.output?.rows ?? 0) {
      state.output![i, j] = x[c]
      c += 1
    }
  }
}

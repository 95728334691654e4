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

    // What the affine edges, the output edge and the pins give: the energy with no stiffness elsewhere. With
    // free coordinates 0 its force is c.
    let (affine, n) = (flow.pinned.affinePart, free.count)
    var units = Matrix(rows: count, columns: n)
    for (i, c) in free.enumerated() { units[c, i] = 1 }
    let whole = PinnedHessian(affine, at: flow.sheaf.blankPatterns(batch: n), batch: n)
    let hessian = whole(units)[rows: free, columns: Array(0..<n)]
    let samples = Array(0..<state.batch)
    var base = state
    for j in samples {
      var x = state.coordinates(ofSample: j)
      for c in free { x[c] = 0 }
      base.setCoordinates(ofSample: j, to: x)
    }
    let gradient = affine.gradient(at: base)
    var linear = Matrix(stacking: gradient, columns: state.batch)[rows: free, columns: samples]
    linear.scale(by: -1)
    (self.hessian, self.linear) = (hessian, linear)
    largestStiffness = rows.reduce(max(1, hessian.maximumMagnitude)) { max($0, $1.stiffness) }
  }
}

extension SheafState {
  /// All coordinates of sample j, vertex by vertex, a_{k+1} last.
  func coordinates(ofSample j: Int) -> [Double] {
    stalks.flatMap { $0.column(j) } + (output?.column(j) ?? [])
  }

  /// Writes all coordinates of sample j.
  mutating func setCoordinates(ofSample j: Int, to x: [Double]) {
    var start = 0
    for v in stalks.indices {
      stalks[v].setColumn(j, to: x, from: start)
      start += stalks[v].rows
    }
    output?.setColumn(j, to: x, from: start)
  }
}

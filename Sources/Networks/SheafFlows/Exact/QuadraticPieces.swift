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
  let flat: FlatNetwork
  /// The vertices' names.
  let names: [String]
  /// The number of all coordinates.
  let count: Int
  /// The free coordinates, and the place of each coordinate among them, −1 where it is held.
  let free: [Int]
  let place: [Int]
  /// γ of each coordinate's discrepancy.
  let gamma: [Double]
  /// The state-dependent row that determines a coordinate, −1 if none.
  let rowOf: [Int]
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

    var rowOf = [Int](repeating: -1, count: count)
    for (r, row) in flat.rows.enumerated() { rowOf[row.target] = r }
    self.rowOf = rowOf
    let gamma = flat.weights(stiffness)
    self.gamma = gamma

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
    largestStiffness = flat.rows.reduce(max(1, hessian.maximumMagnitude)) {
      max($0, gamma[$1.target])
    }
  }

  /// The rows that read a coordinate; none read a_{k+1}.
  func readers(_ c: Int) -> ArraySlice<Int> {
    c < flat.count ? flat.readers[flat.readerStarts[c]..<flat.readerStarts[c + 1]] : []
  }

  /// ρ = t − P(s) of a row.
  func discrepancy(_ r: Int, _ branches: [Int], _ x: [Double]) -> Double {
    let f = flat.function(r, branches[r])
    return x[flat.rows[r].target] - f.slope * x[f.source] - f.offset
  }

  /// The branch of a row on which it reads a coordinate.
  func branch(ofRow r: Int, reading c: Int) -> Int {
    let row = flat.rows[r]
    let operation = flat.operations[row.edge]
    return (0..<operation.branchCount(ofRow: row.row)).first { flat.function(r, $0).source == c }!
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

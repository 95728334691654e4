import LinearAlgebra
import NeuralSheaves

/// The Hessian of one sample's pinned energy on the face where its state is: coordinates that are held, or rest on a
/// kink that their readers pull at, do not move, and coordinates tied for the largest of a window move as one.
///
/// Vectors have a number for each degree of freedom; `expanded` gives all coordinates, the input first and a_{k+1}
/// last where there is one, and keeps lengths. Of a smooth output edge the curvature is an upper bound (`PinnedHessian`).
///
/// Cost: two sweeps for each application.
public struct FaceHessian: SymmetricOperator {
  private let hessian: PinnedHessian
  /// The coordinates that move as one, for each degree of freedom.
  private let groups: [[Int]]
  private let dimension: Int

  /// The Hessian at a sample of a state.
  ///
  /// - Parameter tolerance: how near to a boundary a coordinate rests on it.
  public init(
    _ energy: PinnedEnergy, at state: SheafState, sample: Int, tolerance: Double = 1e-9
  ) {
    let energy = energy.samples([sample])
    let state = state.samples([sample])
    let flat = FlatNetwork(energy.sheaf.network)
    let patterns = energy.sheaf.patterns(at: state)
    hessian = PinnedHessian(energy, at: patterns, batch: 1)
    dimension = hessian.rows
    var isHeld = [Bool](repeating: false, count: dimension)
    let starts = flat.starts
    for v in 0..<energy.sheaf.network.vertices.count + (energy.output == nil ? 0 : 1) {
      for i in energy.pins.held(v) { isHeld[starts[v] + i] = true }
    }
    var rho = energy.sheaf.discrepancy(state)
    energy.stiffness.multiply(&rho)
    var (x, forces) = (
      [Double](repeating: 0, count: flat.count), [Double](repeating: 0, count: flat.count)
    )
    flat.gather(state.stalks, 0, into: &x)
    flat.gather(rho, 0, into: &forces)
    let least = 1e-10 * max(1e-3, forces.maximumMagnitude)
    // Ties join sets of coordinates.
    var leader = Array(0..<dimension)
    func root(_ c: Int) -> Int {
      var c = c
      while leader[c] != c { c = leader[c] }
      return c
    }
    for (r, row) in flat.rows.enumerated() where abs(forces[row.target]) > least {
      flat.forEachBoundary(r, patterns[row.edge][row.row, 0]) { boundary in
        guard boundary.contains(x, tolerance: tolerance) else { return }
        if let other = boundary.other {
          let (a, b) = (root(boundary.source), root(other))
          if a != b { leader[max(a, b)] = min(a, b) }
        } else {
          isHeld[boundary.source] = true
        }
      }
    }
    var members: [Int: [Int]] = [:]
    for c in 0..<dimension { members[root(c), default: []].append(c) }
    groups = members.sorted { $0.key < $1.key }.map(\.value)
      .filter { group in !group.contains { isHeld[$0] } }
  }

  public var rows: Int { groups.count }
  public var traits: OperatorTraits { .positiveSemidefinite }

  /// Vectors by coordinate.
  public func expanded(_ x: Matrix) -> Matrix {
    var full = Matrix(rows: dimension, columns: x.columns)
    for (k, group) in groups.enumerated() {
      let share = 1 / Double(group.count).squareRoot()
      for c in group { for j in 0..<x.columns { full[c, j] = share * x[k, j] } }
    }
    return full
  }

  public func apply(_ x: Matrix, into y: inout Matrix) {
    let image = hessian.systems([Int](repeating: 0, count: x.columns))(expanded(x))
    for (k, group) in groups.enumerated() {
      let share = 1 / Double(group.count).squareRoot()
      for j in 0..<x.columns { y[k, j] = share * group.reduce(0) { $0 + image[$1, j] } }
    }
  }
}

import LinearAlgebra
import NeuralSheaves
import SheafInference

/// A feedforward network as a restriction map: x ↦ φ(z_{k+1}(x)), its derivative by the reverse sweep.
///
/// It is piecewise smooth; on a kink the derivative is that of the branch that the forward pass takes.
public struct NetworkMap: SmoothMap {
  private let sheaf: NeuralSheaf

  /// A network's map, its output activation included.
  public init(_ network: Network) { sheaf = NeuralSheaf(network) }

  private var network: Network { sheaf.network }

  public var sourceDimension: Int? { network.inputDimension }
  public func targetDimension(from n: Int) -> Int { network.outputDimension }

  public func value(_ x: [Double]) -> [Double] { network(Matrix(column: x)).column(0) }

  /// One row per output coordinate.
  ///
  /// Cost: a forward sweep, and a reverse sweep with as many columns as there are outputs.
  public func jacobian(_ x: [Double]) -> Matrix {
    let n = network.outputDimension
    // A column for each output coordinate, all of one sample.
    let state = sheaf.forwardPass(
      Matrix(rows: x.count, columns: n, columnMajor: (0..<n).flatMap { _ in x }))
    var patterns = network.edges.map { $0.operation.blankPattern(batch: n) }
    _ = sheaf.readPatterns(at: state, into: &patterns)
    var pulled = network.vertices.map { Matrix(rows: $0.dimension, columns: n) }
    let last = network.lastVertex
    pulled[last] = .identity(n)
    network.outputActivation.applyJacobian(
      at: network.outputActivation(state.stalks[last]), to: &pulled[last])
    for e in network.edges.indices.reversed() {
      let edge = network.edges[e]
      let from = pulled[edge.target]
      edge.operation.addTranspose(from, at: patterns[e], keeping: 1, into: &pulled[edge.source])
    }
    return pulled[0].transposed
  }
}

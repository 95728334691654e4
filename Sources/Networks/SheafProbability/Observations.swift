import Foundation
import LinearAlgebra
import NeuralSheaves

/// What is known of a sample's stalks beside x: pinned coordinates and, with a target, the output.
///
/// With E selecting the pinned coordinates and those of z_{k+1}, a soft pin of stiffness w has the density of N(t, 1/w) and is a row √w of B, a hard one
/// is exact and a row 1 of B whose noise is 0: D is the diagonal with 0 for hard pins and 1 elsewhere. What is known has the covariance
/// D + BᵀGB, G that of the selected coordinates under p(ω | x).
struct Observations: Sendable {
  /// The pinned coordinates, vertex by vertex, and those of z_{k+1}.
  let coordinates: [StalkCoordinate]
  /// For each pin √w; nil for a hard one.
  private let roots: [Double?]
  /// V's, with a target.
  private let output: OutputCurvature?
  private let outputDimension: Int
  /// log Z: minus the logarithms of the densities' constants that E* and the determinant leave out.
  let logNormaliser: Double

  init(_ pins: Pins, output: OutputCurvature?, of network: Network) {
    var coordinates: [StalkCoordinate] = []
    var roots: [Double?] = []
    for v in 1...network.lastVertex {
      for row in pins.held(v) {
        coordinates.append(StalkCoordinate(vertex: v, row: row))
        roots.append(nil)
      }
      for pin in pins.soft(v) {
        for row in pin.rows {
          coordinates.append(StalkCoordinate(vertex: v, row: row))
          roots.append(pin.stiffness.squareRoot())
        }
      }
    }
    self.coordinates = coordinates + network.coordinates(of: [network.lastVertex])
    (self.roots, self.output) = (roots, output)
    outputDimension = network.outputDimension
    logNormaliser =
      roots.reduce(0) { $0 + log(2 * .pi) / 2 - log($1 ?? 1) }
      + (output?.logNormaliser(outputDimension) ?? 0)
  }

  /// How many coordinates are pinned.
  var pinned: Int { roots.count }

  /// B at z_{k+1} of sample j, (coordinates, observations).
  func factor(at z: Matrix, sample j: Int) -> Matrix {
    var b = Matrix(rows: coordinates.count, columns: pinned + (output == nil ? 0 : outputDimension))
    for (p, root) in roots.enumerated() { b[p, p] = root ?? 1 }
    if let output {
      b.setBlock(row: pinned, column: pinned, to: output.factor(at: z, sample: j))
    }
    return b
  }

  /// The diagonal of D.
  var noise: [Double] {
    roots.map { $0 == nil ? 0 : 1 }
      + [Double](repeating: 1, count: output == nil ? 0 : outputDimension)
  }

  /// The block of z_{k+1} in a matrix over the coordinates.
  func outputBlock(of g: Matrix) -> Matrix {
    let rows = Array(pinned..<coordinates.count)
    return pinned == 0 ? g : g[rows: rows, columns: rows]
  }
}

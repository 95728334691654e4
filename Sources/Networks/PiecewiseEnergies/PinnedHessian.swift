import LinearAlgebra
import NeuralSheaves

/// The Hessian of the pinned energy of each sample on a fixed pattern: δᵀΓδ on the free coordinates, the soft
/// pins' stiffness and the output edge's curvature.
///
/// Vectors have all coordinates, vertex by vertex, the input first and a_{k+1} last where there is one; what is
/// held is taken for 0 and stays 0. Of a smooth output edge it is an upper bound: κ[c, −1]ᵀ[c, −1] with the
/// largest slope c of φ (`OutputActivation.jacobianBound`).
///
/// Cost: two sweeps for each application.
public struct PinnedHessian: SymmetricOperator {
  private let energy: PinnedEnergy
  private let patterns: [ActivationPattern]
  private let dimensions: [Int]
  public let systems: Int?

  /// The Hessian of a batch on patterns, one for each edge.
  public init(_ energy: PinnedEnergy, at patterns: [ActivationPattern], batch: Int) {
    (self.energy, self.patterns, systems) = (energy, patterns, batch)
    let network = energy.sheaf.network
    dimensions =
      network.vertices.map(\.dimension) + (energy.output == nil ? [] : [network.outputDimension])
  }

  public var rows: Int { dimensions.reduce(0, +) }
  public var traits: OperatorTraits { .positiveSemidefinite }

  public func systems(_ indices: [Int]) -> PinnedHessian {
    PinnedHessian(
      energy.samples(indices), at: patterns.map { $0.samples(indices) }, batch: indices.count)
  }

  /// A vector with what is held set to 0.
  public func cleared(_ x: Matrix) -> Matrix {
    var parts = x.split(dimensions)
    for v in parts.indices { energy.pins.clear(v, &parts[v]) }
    return Matrix(stacking: parts, columns: x.columns)
  }

  public func apply(_ x: Matrix, into y: inout Matrix) {
    let (sheaf, pins) = (energy.sheaf, energy.pins)
    let last = sheaf.network.lastVertex
    var v = x.split(dimensions)
    for i in v.indices { pins.clear(i, &v[i]) }
    // δᵀΓδ, with the input's column of δ where that is free.
    var image = v
    sheaf.applyCoboundary(&image, at: patterns, input: energy.inputRole)
    image[0].fill(0)
    if energy.output != nil { image[last + 1].fill(0) }
    energy.stiffness.multiply(&image)
    sheaf.applyCoboundaryTransposed(&image, at: patterns, input: energy.inputRole)
    if let output = energy.output {
      let bound = output.activation.jacobianBound
      let c = output.energy == .squared ? bound : bound.squareRoot()
      var rho = v[last + 1]
      rho.add(v[last], scale: -c)
      image[last + 1].add(rho, scale: output.coupling)
      image[last].add(rho, scale: -c * output.coupling)
    }
    for i in image.indices {
      pins.addStiffness(i, v[i], into: &image[i])
      pins.clear(i, &image[i])
    }
    y = Matrix(stacking: image, columns: x.columns)
  }
}

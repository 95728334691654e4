import LinearAlgebra
import NeuralSheaves

extension CoarseNetwork {
  /// The kept stalks of least energy E_K(x) + Σ (γ/2)(x_j − t_j)² under pins: those of the network's equilibrium on the same pattern.
  ///
  /// With P the pinned coordinates and C = S_K⁻¹, x = x̂ + C_KP λ, (C_PP + D) λ = t − x̂_P, D = 1/γ and 0 for hard pins; λ are the forces of the pins.
  /// A clamp of the output with an edge of weight κ is a soft pin of γ = κ on z_{k+1}.
  ///
  /// - Parameter pins: on kept stalks, with one column of values.
  /// - Returns: x, (|K|, 1).
  /// - Throws: `pins`, `notKept`; `factorization` where numbers are not finite.
  /// - Complexity: the covariance and a factorisation of the order of the pins.
  public func equilibrium(_ pins: [Pin]) throws(ScaleError) -> Matrix {
    let network = sheaf.network
    for pin in pins where starts[pin.vertex] == nil {
      let names = network.vertices.map(\.name) + ["output"]
      throw .notKept(
        stalk: names.indices.contains(pin.vertex) ? names[pin.vertex] : "vertex \(pin.vertex)",
        kept: vertices.map { network.vertices[$0].name })
    }
    let checked: Pins
    do throws(PinError) {
      checked = try Pins(pins, network: network, input: forward.stalks[0])
    } catch {
      throw .pins(error)
    }
    var (places, values, softness) = ([Int](), [Double](), [Double]())
    for v in vertices {
      let start = range(of: v).lowerBound
      for (p, i) in checked.held(v).enumerated() {
        places.append(start + i)
        values.append(checked.heldValues(v)[p, 0])
        softness.append(0)
      }
      for soft in checked.soft(v) {
        for (p, i) in soft.rows.enumerated() {
          places.append(start + i)
          values.append(soft.values[p, 0])
          softness.append(1 / soft.stiffness)
        }
      }
    }
    var x = mean
    guard !places.isEmpty else { return x }
    let columns = covariance[rows: Array(0..<dimension), columns: places]
    var inner = columns[rows: places, columns: Array(places.indices)]
    for (p, s) in softness.enumerated() { inner[p, p] += s }
    var lambda = Matrix(column: zip(places, values).map { $1 - x[$0, 0] })
    do throws(FactorizationError) {
      try CholeskyFactorization(inner).solve(&lambda)
    } catch {
      throw .factorization(error)
    }
    x.addProduct(columns, lambda)
    return x
  }
}

import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies

extension FaceModel {
  /// A diagonal preconditioner near C + diag(L δ_π⁻¹κ⁻¹δ_π⁻ᵀLᵀ): the variances of predictions are passed on from layer
  /// to layer as if those of one layer were independent, and the means that levels subtract are left out. Where the
  /// slope is 0 or small, as on a level of a flat piece, a hundredth of the variance stands in. Cost: a forward sweep.
  func preconditioner(_ squares: SquaredMaps) -> DiagonalSystems {
    var v = compliances
    var held = blankHeld()
    for t in network.vertices.indices.dropFirst() {
      for e in network.incoming[t] {
        let edge = network.edges[e]
        let n = elimination.cellsOfEdge[e]
        if n == -1 {
          if edge.source == 0 && energy.inputRole == .held { continue }
          let source = v[edge.source]
          squares.add(e, source, into: &v[t])
        } else if n >= 0 {
          let cell = elimination.cells[n]
          let (d, source) = (v[cell.source].rows, v[cell.source].elements)
          v[t].update { target, rows in
            for j in 0..<batch {
              elimination.forEachEntry(of: cell, in: cells[j]) { row, i, weight in
                target[row + j * rows] += weight * weight * source[i + j * d]
              }
            }
          }
        }
      }
      for (p, i) in energy.pins.held(t).enumerated() {
        for j in 0..<batch {
          held[t][p, j] = v[t][i, j]
          v[t][i, j] = 0
        }
      }
    }
    var inverse = Matrix(rows: rows, columns: batch, repeating: 1)
    let last = network.lastVertex
    for j in 0..<batch {
      for (k, o) in observations[j].enumerated() {
        let (t, i) = (Int(o.vertex), Int(o.index))
        let variance =
          elimination.roles[t][i] == .held
          ? held[t][Int(elimination.heldPlaces[t][i]), j] : v[t].elements[i + j * v[t].rows]
        let sum = o.compliance + max(o.slope * o.slope, 0.01) * variance
        inverse[k, j] = sum > 0 ? 1 / sum : 1
      }
      if let model = outputs?[j] {
        for k in 0..<model.factor.columns {
          var sum = 1.0
          for i in 0..<model.factor.rows {
            sum += model.factor[i, k] * model.factor[i, k] * v[last][i, j]
          }
          inverse[observations[j].count + k, j] = 1 / sum
        }
      }
    }
    return DiagonalSystems(inverse)
  }
}

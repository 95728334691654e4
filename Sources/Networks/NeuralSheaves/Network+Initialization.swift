import LinearAlgebra

extension Network {
  /// Draws the parameters of every operation anew, by He's initialisation (He et al. 2015): `weight`
  /// normal with mean 0 and variance 2/n, n the coordinates that a row reads (`entriesPerRow`), `bias`
  /// and `shift` 0, `scale` 1. Other parameters, such as slopes, stay.
  ///
  /// Edge by edge and column by column, so that a chain of dense layers gets the numbers of
  /// `init(widths:outputActivation:using:)`.
  public mutating func reinitialize(using generator: inout RandomGenerator) {
    for e in edges.indices {
      let names = edges[e].operation.parameterNames
      let deviation = (2 / Double(max(1, edges[e].operation.entriesPerRow))).squareRoot()
      updateParameters(of: e) { i, matrix in
        switch names[i] {
        case "weight":
          matrix = generator.normalMatrix(
            rows: matrix.rows, columns: matrix.columns, deviation: deviation)
        case "bias", "shift": matrix.fill(0)
        case "scale": matrix.fill(1)
        default: break
        }
      }
    }
  }
}

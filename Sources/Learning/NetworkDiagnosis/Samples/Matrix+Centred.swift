import LinearAlgebra

extension Matrix {
  /// The columns less their mean.
  var centred: Matrix {
    var means = Matrix(rows: rows, columns: 1)
    means.addRowSums(of: self, scale: 1 / Double(max(columns, 1)))
    var result = self
    result.addToEachColumn(means, scale: -1)
    return result
  }
}

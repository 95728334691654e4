import LinearAlgebra

/// What is asked of a symmetric matrix of which there is the lower triangle.
extension SparseMatrix {
  /// ‖A‖₁ of the symmetric matrix with this lower triangle.
  package var symmetricOneNorm: Double {
    var sums = [Double](repeating: 0, count: columns)
    for j in 0..<columns {
      for k in columnStarts[j]..<columnStarts[j + 1] {
        let (i, size) = (Int(rowIndices[k]), abs(values[k]))
        sums[j] += size
        if i != j { sums[i] += size }
      }
    }
    return sums.max() ?? 0
  }

  /// L x for the symmetric matrix with this lower triangle.
  package func symmetricProduct(_ x: Matrix) -> Matrix {
    var y = Matrix(rows: rows, columns: x.columns)
    for c in 0..<x.columns {
      y.update { y, n in
        let base = c * n
        for j in 0..<columns {
          let xj = x.elements[base + j]
          var sum = 0.0
          for k in columnStarts[j]..<columnStarts[j + 1] {
            let (i, value) = (Int(rowIndices[k]), values[k])
            sum += value * x.elements[base + i]
            if i != j { y[base + i] += value * xj }
          }
          y[base + j] += sum
        }
      }
    }
    return y
  }

  /// Whether a connected component of the symmetric matrix with this lower triangle has a well-conditioned block.
  func isRegular(component places: [Int]) -> Bool {
    var block = Matrix(rows: places.count, columns: places.count)
    for (c, j) in places.enumerated() {
      for k in columnStarts[j]..<columnStarts[j + 1] {
        // The entries of a component's columns lie in it.
        var (low, high) = (0, places.count)
        while low < high {
          let middle = (low + high) / 2
          if places[middle] < Int(rowIndices[k]) { low = middle + 1 } else { high = middle }
        }
        block[low, c] = values[k]
      }
    }
    guard let factor = try? CholeskyFactorization(block) else { return false }
    let pivots = places.indices.map { factor.lowerTriangle[$0, $0] }
    return pivots.min()! > 1e-6 * pivots.max()!
  }
}

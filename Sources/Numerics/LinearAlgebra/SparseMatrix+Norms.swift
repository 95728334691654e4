/// Norms of columns and what they bound.
extension SparseMatrix {
  /// The largest 2-norm of a column; 0 without one.
  public var largestColumnNorm: Double {
    // Squares of large or small numbers are none.
    let scale = maximumMagnitude
    guard scale > 0, scale.isFinite, scale > 1e100 || scale < 1e-100 else { return plainNorm }
    return scale * mapValues { $0 / scale }.plainNorm
  }

  private var plainNorm: Double {
    largestOfColumns { $0 * $0 }.squareRoot()
  }

  /// ‖A‖₁, the largest sum of magnitudes of a column; a bound on the eigenvalues of a symmetric matrix.
  public var oneNorm: Double { largestOfColumns(abs) }

  /// The largest magnitude of an entry; 0 without one.
  public var maximumMagnitude: Double { values.reduce(0) { max($0, abs($1)) } }

  /// ‖·‖² of each row.
  public var rowSquares: [Double] {
    var squares = [Double](repeating: 0, count: rows)
    for (k, i) in rowIndices.enumerated() { squares[Int(i)] += values[k] * values[k] }
    return squares
  }

  /// ‖·‖² of each column.
  public var columnSquares: [Double] {
    (0..<columns).map { j in
      values[columnStarts[j]..<columnStarts[j + 1]].reduce(0) { $0 + $1 * $1 }
    }
  }

  private func largestOfColumns(_ size: (Double) -> Double) -> Double {
    (0..<columns).reduce(0) { most, j in
      var sum = 0.0
      forEachEntry(ofColumn: j) { sum += size($1) }
      return max(most, sum)
    }
  }
}

import LinearAlgebra

extension OutputActivation {
  /// Checks that targets of a cross-entropy are probabilities and, for softmax, sum to 1.
  ///
  /// - Parameters:
  ///   - y: some or all coordinates of a_{k+1}, (coordinates, batch).
  ///   - coordinates: which; nil for all.
  ///   - name: what errors call y.
  /// - Throws: `NetworkError.value` for the first that is not.
  package func checkTarget(
    _ y: Matrix, coordinates: [Int]? = nil, named name: String
  ) throws(NetworkError) {
    for j in 0..<y.columns {
      var sum = 0.0
      for i in 0..<y.rows {
        guard (0...1).contains(y[i, j]) else {
          throw .value(
            name: "\(name) of sample \(j), coordinate \(coordinates?[i] ?? i),",
            found: "\(y[i, j])",
            expected: "a probability in [0, 1] for a cross-entropy")
        }
        sum += y[i, j]
      }
      // Rounded to single precision they still count.
      guard self != .softmax || coordinates != nil || abs(sum - 1) < 1e-6 else {
        throw .value(
          name: "the sum of \(name) of sample \(j)", found: "\(sum)", expected: "1 for softmax")
      }
    }
  }
}

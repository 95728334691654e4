import LinearAlgebra

/// Chains of dense layers and ReLU, the networks of the paper.
extension Network {
  /// The chain z_ℓ = W_ℓ a_{ℓ−1} + b_ℓ, a_ℓ = ReLU(z_ℓ), with no activation after the last layer
  /// but φ.
  ///
  /// - Parameters:
  ///   - weights: W_ℓ of shape (n_ℓ, n_{ℓ−1}).
  ///   - biases: b_ℓ with n_ℓ entries.
  /// - Throws: `NetworkError` naming the first array whose shape does not chain or that holds a
  ///   number which is not finite.
  public init(
    weights: [Matrix], biases: [[Double]], outputActivation: OutputActivation = .identity
  ) throws(NetworkError) {
    guard !weights.isEmpty, weights.count == biases.count else {
      throw .shape(
        array: "the list of biases", found: "\(biases.count)",
        expected: "one for each of \(weights.count) weights, at least one")
    }
    for (l, (w, b)) in zip(weights, biases).enumerated() {
      let inputs = l == 0 ? w.columns : weights[l - 1].rows
      guard w.rows > 0, w.columns == inputs, inputs > 0 else {
        throw .shape(
          array: "W\(l + 1)", found: w.shape,
          expected: "(n\(l + 1), \(inputs)) with n\(l + 1) ≥ 1")
      }
      guard b.count == w.rows else {
        throw .shape(array: "b\(l + 1)", found: "(\(b.count))", expected: "(\(w.rows))")
      }
      if let (i, j) = w.firstNonFinite {
        throw .notFinite(array: "W\(l + 1)", index: "[\(i), \(j)]")
      }
      if let i = b.firstIndex(where: { !$0.isFinite }) {
        throw .notFinite(array: "b\(l + 1)", index: "[\(i)]")
      }
    }
    self.init(inputDimension: weights[0].columns, outputActivation: outputActivation)
    var last = 0
    for (l, (w, b)) in zip(weights, biases).enumerated() {
      last = append(Dense(weight: w, bias: b), to: last)
      if l + 1 < weights.count { last = append(Elementwise.rectifier(dimension: w.rows), to: last) }
    }
  }

  /// A chain of the given widths n₀, …, n_{k+1} with He's initialisation: W_ℓ normal with variance
  /// 2/n_{ℓ−1}, b_ℓ = 0 (He et al. 2015).
  public init(
    widths: [Int], outputActivation: OutputActivation = .identity,
    using generator: inout RandomGenerator
  ) throws(NetworkError) {
    guard widths.count >= 2, widths.allSatisfy({ $0 >= 1 }) else { throw .widths(widths) }
    var total = 0
    for (n, m) in zip(widths, widths.dropFirst()) {
      let (size, overflow) = n.multipliedReportingOverflow(by: m)
      guard !overflow && size < (1 << 28) - total else { throw .tooLarge(widths) }
      total += size
    }
    var weights: [Matrix] = []
    for (n, m) in zip(widths, widths.dropFirst()) {
      weights.append(
        generator.normalMatrix(rows: m, columns: n, deviation: (2 / Double(n)).squareRoot()))
    }
    try self.init(
      weights: weights, biases: widths.dropFirst().map { [Double](repeating: 0, count: $0) },
      outputActivation: outputActivation)
  }
}

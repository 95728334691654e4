extension PersistenceLandscape {
  /// A norm of sequences of functions, ‖λ‖_p = (Σ_k ∫ |λ_k|ᵖ)^(1/p).
  public enum Norm: Sendable, CaseIterable {
    /// p = 1.
    case one
    /// p = 2.
    case two
    /// sup |λ_k(t)| over k and t.
    case maximum
  }

  /// ‖λ‖_p.
  public func norm(_ norm: Norm) -> Double {
    switch norm {
    case .one: functions.reduce(0) { $0 + $1.integral }
    case .two: functions.reduce(0) { $0 + $1.squareIntegral }.squareRoot()
    case .maximum: functions.reduce(0) { max($0, $1.maximum) }
    }
  }

  /// ‖λ − μ‖_p. In the maximum norm at most the bottleneck distance of the barcodes (Bubenik 2015, Theorem 13).
  ///
  /// - Complexity: O(m log m) for m critical points of both.
  public func distance(to other: PersistenceLandscape, _ norm: Norm) -> Double {
    Self.combination([(1, self), (-1, other)]).norm(norm)
  }

  /// The mean, function by function; without landscapes 0.
  ///
  /// - Complexity: O(n m) for n landscapes with m critical points in all, for each k.
  public static func mean(_ landscapes: [PersistenceLandscape]) -> PersistenceLandscape {
    combination(landscapes.map { (1 / Double(landscapes.count), $0) })
  }

  private static func combination(
    _ terms: [(factor: Double, landscape: PersistenceLandscape)]
  ) -> PersistenceLandscape {
    let count = terms.reduce(0) { max($0, $1.landscape.functions.count) }
    return PersistenceLandscape(
      functions: (0..<count).map { k in
        .combination(
          terms.compactMap { factor, landscape in
            k < landscape.functions.count ? (factor, landscape.functions[k]) : nil
          })
      })
  }
}

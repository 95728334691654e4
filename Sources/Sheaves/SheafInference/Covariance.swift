import LinearAlgebra

/// How uncertain a value is.
public enum Covariance: Sendable, Equatable {
  /// The same variance in every coordinate.
  case scalar(Double)
  /// A variance for each coordinate.
  case diagonal([Double])
  /// Any symmetric positive definite matrix.
  case matrix(Matrix)
}

/// The larger of two numbers, NaN where either is: the `maximum` of IEEE 754-2019.
///
/// `max` drops a NaN or keeps it, depending on the order of its arguments; what is judged by the result
/// must not be.
@inlinable public func maximum(_ a: Double, _ b: Double) -> Double {
  a > b || a.isNaN ? a : b
}

extension Sequence where Element == Double {
  /// The largest number, NaN if one is; nil of none.
  @inlinable public func maximum() -> Double? {
    reduce(nil) { LinearAlgebra.maximum($0 ?? $1, $1) }
  }

  /// The largest absolute value, NaN if a number is; 0 of none.
  @inlinable public var maximumMagnitude: Double {
    reduce(0) { LinearAlgebra.maximum($0, abs($1)) }
  }
}

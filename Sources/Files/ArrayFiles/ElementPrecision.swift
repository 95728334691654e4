/// The elements of arrays that are written.
public enum ElementPrecision: String, Sendable, CaseIterable {
  /// Rounded to the nearest; infinite beyond ±3.4·10³⁸.
  case float32
  /// Exact.
  case float64
}

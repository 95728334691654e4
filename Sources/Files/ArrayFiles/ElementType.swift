/// The element types of array files; arrays are read as doubles.
package enum ElementType: Sendable {
  case float64, float32, float16, bfloat16
  case int64, int32, int16, int8
  case uint64, uint32, uint16, uint8
  case boolean

  /// Bytes per element.
  package var size: Int {
    switch self {
    case .float64, .int64, .uint64: 8
    case .float32, .int32, .uint32: 4
    case .float16, .bfloat16, .int16, .uint16: 2
    case .int8, .uint8, .boolean: 1
    }
  }

  /// The bytes of an array; nil if they cannot be counted.
  func byteCount(shape: [Int]) -> Int? { ArrayFiles.byteCount(elements: size, shape: shape) }
}

/// The bytes of an array of elements of `size` bytes; nil if they cannot be counted.
func byteCount(elements size: Int, shape: [Int]) -> Int? {
  // Extents beside a 0 count too: products of some of them are taken elsewhere.
  var total = max(size, 1)
  for n in shape {
    let (product, overflow) = total.multipliedReportingOverflow(by: max(n, 1))
    if overflow { return nil }
    total = product
  }
  return shape.contains(0) || size == 0 ? 0 : total
}

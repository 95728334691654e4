import Foundation

extension ElementType {
  /// `count` elements as doubles, from byte `offset` on. Integers beyond 2⁵³ are rounded; a
  /// boolean is 0 or 1.
  package func decode(
    _ data: Data, from offset: Int, count: Int, isBigEndian: Bool = false
  ) -> [Double] {
    precondition(
      offset >= 0 && count >= 0 && count <= (data.count - offset) / size,
      "\(count) elements from byte \(offset) of \(data.count)")
    return data.withUnsafeBytes { bytes in
      @inline(__always)
      func values<T: FixedWidthInteger>(_ type: T.Type, _ value: (T) -> Double) -> [Double] {
        [Double](unsafeUninitializedCapacity: count) { result, initialized in
          for i in 0..<count {
            let place = offset + i * MemoryLayout<T>.size
            let bits = bytes.loadUnaligned(fromByteOffset: place, as: type)
            result.initializeElement(
              at: i, to: value(isBigEndian ? T(bigEndian: bits) : T(littleEndian: bits)))
          }
          initialized = count
        }
      }
      switch self {
      case .float64: return values(UInt64.self) { Double(bitPattern: $0) }
      case .float32: return values(UInt32.self) { Double(Float(bitPattern: $0)) }
      case .float16: return values(UInt16.self) { Double(binary16: $0) }
      case .bfloat16: return values(UInt16.self) { Double(Float(bitPattern: UInt32($0) << 16)) }
      case .int64: return values(Int64.self) { Double($0) }
      case .int32: return values(Int32.self) { Double($0) }
      case .int16: return values(Int16.self) { Double($0) }
      case .int8: return values(Int8.self) { Double($0) }
      case .uint64: return values(UInt64.self) { Double($0) }
      case .uint32: return values(UInt32.self) { Double($0) }
      case .uint16: return values(UInt16.self) { Double($0) }
      case .uint8: return values(UInt8.self) { Double($0) }
      case .boolean: return values(UInt8.self) { $0 == 0 ? 0 : 1 }
      }
    }
  }
}

extension ElementType {
  /// `count` floats, from byte `offset` on.
  package func decodeFloats(_ data: Data, from offset: Int, count: Int) -> [Float] {
    precondition(
      self == .float32 && offset >= 0 && count >= 0 && count <= (data.count - offset) / size,
      "\(count) elements from byte \(offset) of \(data.count)")
    return data.withUnsafeBytes { bytes in
      [Float](unsafeUninitializedCapacity: count) { result, initialized in
        for i in 0..<count {
          let place = offset + i * MemoryLayout<UInt32>.size
          let bits = UInt32(
            littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self))
          result.initializeElement(at: i, to: Float(bitPattern: bits))
        }
        initialized = count
      }
    }
  }
}

extension ElementType {
  /// `count` elements of an integer type or booleans, from byte `offset` on; nil for other types.
  package func decodeIntegers(_ data: Data, from offset: Int, count: Int) -> [Int]? {
    precondition(
      offset >= 0 && count >= 0 && count <= (data.count - offset) / size,
      "\(count) elements from byte \(offset) of \(data.count)")
    return data.withUnsafeBytes { bytes in
      func values<T: FixedWidthInteger>(_ type: T.Type) -> [Int] {
        (0..<count).map {
          let place = offset + $0 * MemoryLayout<T>.size
          return Int(
            clamping: T(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: type)))
        }
      }
      switch self {
      case .float64, .float32, .float16, .bfloat16: return nil
      case .int64: return values(Int64.self)
      case .int32: return values(Int32.self)
      case .int16: return values(Int16.self)
      case .int8: return values(Int8.self)
      case .uint64: return values(UInt64.self)
      case .uint32: return values(UInt32.self)
      case .uint16: return values(UInt16.self)
      case .uint8, .boolean: return values(UInt8.self)
      }
    }
  }
}

extension Double {
  /// The value of an IEEE 754 binary16 (the standard library has no Float16 on all platforms).
  fileprivate init(binary16 h: UInt16) {
    let (sign, exponent, fraction) = (UInt64(h >> 15), UInt64(h >> 10) & 31, UInt64(h & 1023))
    switch exponent {
    case 0: self = (sign == 0 ? 0x1p-24 : -0x1p-24) * Double(fraction)
    case 31: self = Double(bitPattern: sign << 63 | 0x7ff << 52 | fraction << 42)
    default: self = Double(bitPattern: sign << 63 | (exponent + 1008) << 52 | fraction << 42)
    }
  }
}

extension ElementPrecision {
  /// The bytes of numbers, little-endian.
  package func bytes(of values: [Double]) -> Data {
    var data = Data()
    switch self {
    case .float64: data.append(littleEndian: values.map(\.bitPattern))
    case .float32: data.append(littleEndian: values.map { Float($0).bitPattern })
    }
    return data
  }
}

extension Data {
  /// Appends integers, the least significant byte first.
  mutating func append<T: FixedWidthInteger>(littleEndian values: [T]) {
    values.map(\.littleEndian).withUnsafeBytes { append(contentsOf: $0) }
  }

  /// The integer at byte `offset`, the least significant byte first.
  func integer<T: FixedWidthInteger>(at offset: Int, as type: T.Type) -> T {
    precondition(offset >= 0 && MemoryLayout<T>.size <= count - offset)
    return withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: type)) }
  }
}

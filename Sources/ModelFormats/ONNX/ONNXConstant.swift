import ArrayFiles
import Foundation

/// A constant tensor of an ONNX file: real or whole numbers in row-major order.
struct ONNXConstant {
  enum Values {
    case real([Double])
    case integer([Int])
  }

  var shape: [Int]
  var values: Values

  init(shape: [Int], _ values: Values) {
    self.shape = shape
    self.values = values
  }

  /// The numbers as reals.
  var reals: [Double] {
    switch values {
    case .real(let x): x
    case .integer(let n): n.map(Double.init)
    }
  }

  /// The numbers as whole numbers; nil if they are real.
  var integers: [Int]? {
    if case .integer(let n) = values { n } else { nil }
  }

  var count: Int {
    switch values {
    case .real(let x): x.count
    case .integer(let n): n.count
    }
  }

  /// The elements that a view of this constant chooses, with `fill` for those that are none of its
  /// own.
  func chosen(by view: TensorView, fill: Double = 0) -> ONNXConstant {
    switch values {
    case .real(let x):
      ONNXConstant(shape: view.shape, .real(view.indices.map { $0 < 0 ? fill : x[Int($0)] }))
    case .integer(let n):
      ONNXConstant(
        shape: view.shape,
        .integer(view.indices.map { $0 < 0 ? Int(exactly: fill) ?? 0 : n[Int($0)] }))
    }
  }

  /// The numbers repeated to a shape that this one broadcasts to, as reals.
  func reals(broadcastTo shape: [Int]) -> [Double] {
    shape == self.shape
      ? reals : chosen(by: TensorView(shape: self.shape).expanded(to: shape)).reals
  }
}

/// Reading tensors, raw, typed or from another file.
struct ONNXTensorReader {
  /// The ONNX file.
  let file: String
  /// The most elements of one tensor.
  static let elementLimit = 1 << 28

  func constant(_ tensor: ONNXTensorProto, name: String) throws(ArrayFileError) -> ONNXConstant {
    func fail(_ problem: String) -> ArrayFileError {
      ArrayFileError(file: file, problem: "tensor \"\(name)\": \(problem)")
    }
    let shape = tensor.dims.map { Int($0) }
    guard let count = elementCount(shape, limit: Self.elementLimit) else {
      throw fail("shape \(shape), expected extents ≥ 0 and at most 2^28 elements")
    }
    guard let type = ElementType(rawValue: tensor.dataType) else {
      throw fail("data type \(tensor.dataType), expected float, double, integer or boolean")
    }
    if tensor.dataLocation == 1 {
      let bytes = try externalBytes(tensor, count: count * type.size, fail: fail)
      return ONNXConstant(shape: shape, type.decode(bytes))
    }
    if !tensor.rawData.isEmpty {
      guard tensor.rawData.count == count * type.size else {
        throw fail(
          "\(tensor.rawData.count) bytes for shape \(shape) of \(type), expected "
            + "\(count * type.size)")
      }
      return ONNXConstant(shape: shape, type.decode(tensor.rawData))
    }
    let values = type.typedValues(tensor)
    let found: Int
    switch values {
    case .real(let x): found = x.count
    case .integer(let n): found = n.count
    }
    guard found == count else {
      throw fail("\(found) numbers for shape \(shape), expected \(count)")
    }
    return ONNXConstant(shape: shape, values)
  }

  /// The bytes of a tensor that lie in another file, which must be in the folder of this one.
  private func externalBytes(
    _ tensor: ONNXTensorProto, count: Int, fail: (String) -> ArrayFileError
  ) throws(ArrayFileError) -> Data {
    var entries: [String: String] = [:]
    for entry in tensor.externalData { entries[entry.key] = entry.value }
    guard let location = entries["location"], !location.isEmpty else {
      throw fail("external data without a location")
    }
    let parts = location.split(separator: "/", omittingEmptySubsequences: false)
    guard !location.hasPrefix("/"), !parts.contains(".."), !location.contains("\0") else {
      throw fail("external data in \"\(location)\", expected a file in the folder of the network")
    }
    func number(_ key: String, default other: Int) throws(ArrayFileError) -> Int {
      guard let text = entries[key] else { return other }
      guard let n = Int(text), n >= 0 else {
        throw fail("external data with \(key) \"\(text)\", expected a number ≥ 0")
      }
      return n
    }
    let offset = try number("offset", default: 0)
    let length = try number("length", default: count)
    guard length == count else {
      throw fail("external data of \(length) bytes, expected \(count)")
    }
    let folder = URL(fileURLWithPath: file).deletingLastPathComponent()
    let path = folder.appendingPathComponent(location).path
    let resolved = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    guard resolved.hasPrefix(folder.resolvingSymlinksInPath().path) else {
      throw fail("external data in \"\(location)\", which leads out of the folder of the network")
    }
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw fail("external data file \(path) cannot be read: no such file")
    }
    defer { try? handle.close() }
    do {
      let size = Int(try handle.seekToEnd())
      guard offset <= size, count <= size - offset else {
        throw fail(
          "external data at \(offset) to \(offset + count) of \(location), which has \(size) bytes")
      }
      try handle.seek(toOffset: UInt64(offset))
      let data = try handle.read(upToCount: count) ?? Data()
      guard data.count == count else { throw fail("external data file \(path) is truncated") }
      return data
    } catch let error as ArrayFileError {
      throw error
    } catch {
      throw fail("external data file \(path) cannot be read")
    }
  }
}

/// The element types of ONNX tensors that are read, by their numbers.
private enum ElementType: Int32 {
  case float = 1
  case uint8, int8, uint16, int16, int32, int64
  case bool = 9
  case float16, double, uint32, uint64
  case bfloat16 = 16

  var size: Int {
    switch self {
    case .uint8, .int8, .bool: 1
    case .uint16, .int16, .float16, .bfloat16: 2
    case .float, .int32, .uint32: 4
    case .int64, .double, .uint64: 8
    }
  }

  /// Little-endian numbers.
  func decode(_ data: Data) -> ONNXConstant.Values {
    func all<T>(_ type: T.Type) -> [T] {
      data.withUnsafeBytes { bytes in
        (0..<bytes.count / MemoryLayout<T>.size).map {
          bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<T>.size, as: T.self)
        }
      }
    }
    return switch self {
    case .float: .real(all(UInt32.self).map { Double(Float(bitPattern: UInt32(littleEndian: $0))) })
    case .double: .real(all(UInt64.self).map { Double(bitPattern: UInt64(littleEndian: $0)) })
    case .float16: .real(all(UInt16.self).map { halfPrecision(UInt16(littleEndian: $0)) })
    case .bfloat16:
      .real(
        all(UInt16.self).map { Double(Float(bitPattern: UInt32(UInt16(littleEndian: $0)) << 16)) })
    case .uint8, .bool: .integer(all(UInt8.self).map { Int($0) })
    case .int8: .integer(all(Int8.self).map { Int($0) })
    case .uint16: .integer(all(UInt16.self).map { Int(UInt16(littleEndian: $0)) })
    case .int16: .integer(all(Int16.self).map { Int(Int16(littleEndian: $0)) })
    case .int32: .integer(all(Int32.self).map { Int(Int32(littleEndian: $0)) })
    case .uint32: .integer(all(UInt32.self).map { Int(UInt32(littleEndian: $0)) })
    case .int64: .integer(all(Int64.self).map { Int(Int64(littleEndian: $0)) })
    case .uint64: .integer(all(UInt64.self).map { Int(clamping: UInt64(littleEndian: $0)) })
    }
  }

  /// The typed fields; small types share that of int32.
  func typedValues(_ t: ONNXTensorProto) -> ONNXConstant.Values {
    switch self {
    case .float: .real(t.floatData.map { Double($0) })
    case .double: .real(t.doubleData)
    case .float16: .real(t.int32Data.map { halfPrecision(UInt16(truncatingIfNeeded: $0)) })
    case .bfloat16:
      .real(
        t.int32Data.map {
          Double(Float(bitPattern: UInt32(UInt16(truncatingIfNeeded: $0)) << 16))
        })
    case .int64: .integer(t.int64Data.map { Int($0) })
    case .uint32, .uint64: .integer(t.uint64Data.map { Int(clamping: $0) })
    default: .integer(t.int32Data.map { Int($0) })
    }
  }
}

/// IEEE 754 binary16.
private func halfPrecision(_ h: UInt16) -> Double {
  let sign: Double = h & 0x8000 == 0 ? 1 : -1
  let (exponent, fraction) = (Int(h >> 10) & 31, Double(h & 1023))
  switch exponent {
  case 0: return sign * fraction * 0x1p-24
  case 31: return fraction == 0 ? sign * .infinity : .nan
  default:
    return sign * (1 + fraction / 1024)
      * Double(sign: .plus, exponent: exponent - 15, significand: 1)
  }
}

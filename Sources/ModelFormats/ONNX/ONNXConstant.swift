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
      ArrayFileError(file: file, problem: "tensor \"\(name.printable)\": \(problem)")
    }
    let shape = tensor.dims.map { Int($0) }
    guard let count = elementCount(shape, limit: Self.elementLimit) else {
      throw fail("shape \(shape), expected extents ≥ 0 and at most 2^28 elements")
    }
    guard let type = ElementType(onnx: tensor.dataType) else {
      throw fail("data type \(tensor.dataType), expected float, double, integer or boolean")
    }
    if tensor.dataLocation == 1 {
      let bytes = try externalBytes(tensor, count: count * type.size, fail: fail)
      return ONNXConstant(shape: shape, type.values(bytes, count: count))
    }
    if !tensor.rawData.isEmpty {
      guard tensor.rawData.count == count * type.size else {
        throw fail(
          "\(tensor.rawData.count) bytes for shape \(shape) of \(type), expected "
            + "\(count * type.size)")
      }
      return ONNXConstant(shape: shape, type.values(tensor.rawData, count: count))
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
      throw fail(
        "external data in \"\(location.printable)\", expected a file in the folder of the network")
    }
    func number(_ key: String, default other: Int) throws(ArrayFileError) -> Int {
      guard let text = entries[key] else { return other }
      guard let n = Int(text), n >= 0 else {
        throw fail("external data with \(key) \"\(text.printable)\", expected a number ≥ 0")
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
    guard resolved.hasPrefix(folder.resolvingSymlinksInPath().path + "/") else {
      throw fail(
        "external data in \"\(location.printable)\", which leads out of the folder of the network")
    }
    // A pipe or a device would have no end.
    let kind = try? FileManager.default.attributesOfItem(atPath: resolved)[.type]
    guard kind == nil || kind as? FileAttributeType == .typeRegular else {
      throw fail("external data in \"\(location.printable)\", which is no regular file")
    }
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw fail("external data file \(path.printable) cannot be read: no such file")
    }
    defer { try? handle.close() }
    do {
      let size = Int(try handle.seekToEnd())
      guard offset <= size, count <= size - offset else {
        throw fail(
          "external data at \(offset) to \(offset + count) of \(location.printable), which has \(size) bytes"
        )
      }
      try handle.seek(toOffset: UInt64(offset))
      let data = try handle.read(upToCount: count) ?? Data()
      guard data.count == count else { throw fail("external data file \(path) is truncated") }
      return data
    } catch let error as ArrayFileError {
      throw error
    } catch {
      throw fail("external data file \(path.printable) cannot be read")
    }
  }
}

extension ElementType {
  /// The type with a number of ONNX's enumeration `TensorProto.DataType`.
  init?(onnx number: Int32) {
    switch number {
    case 1: self = .float32
    case 2: self = .uint8
    case 3: self = .int8
    case 4: self = .uint16
    case 5: self = .int16
    case 6: self = .int32
    case 7: self = .int64
    case 9: self = .boolean
    case 10: self = .float16
    case 11: self = .float64
    case 12: self = .uint32
    case 13: self = .uint64
    case 16: self = .bfloat16
    default: return nil
    }
  }

  /// `count` little-endian numbers.
  fileprivate func values(_ data: Data, count: Int) -> ONNXConstant.Values {
    decodeIntegers(data, from: 0, count: count).map { .integer($0) }
      ?? .real(decode(data, from: 0, count: count))
  }

  /// The numbers in a tensor's typed fields; small types share that of int32, as bits.
  fileprivate func typedValues(_ t: ONNXTensorProto) -> ONNXConstant.Values {
    switch self {
    case .float32: .real(t.floatData.map { Double($0) })
    case .float64: .real(t.doubleData)
    case .float16, .bfloat16:
      values(
        Data(
          t.int32Data.flatMap {
            [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)]
          }
        ), count: t.int32Data.count)
    case .int64: .integer(t.int64Data.map { Int($0) })
    case .uint32, .uint64: .integer(t.uint64Data.map { Int(clamping: $0) })
    case .int32, .int16, .int8, .uint16, .uint8, .boolean: .integer(t.int32Data.map { Int($0) })
    }
  }
}

import ArrayFiles
import Foundation
import LinearAlgebra

/// A constant tensor of an ONNX file: real or whole numbers in row-major order.
struct ONNXConstant {
  enum Values: Equatable {
    case real([Double])
    /// Real numbers that are floats, in half the memory.
    case single([Float])
    case integer([Int])
  }

  /// The extents; where the numbers repeat along the batch, without that axis.
  var shape: [Int]
  var values: Values
  /// The axis of the batch, along which the numbers repeat.
  var batchAxis: Int?
  /// The numbers for another batch, where they depend on its extent.
  var alternative: Values?
  /// Whether it was worked out from numbers that depend on the batch, so that it may for some batches.
  var mayCountSamples = false
  /// The least and the largest number of its type, where that is of one or two bytes.
  var range: ClosedRange<Int>?
  /// The initializers and Constant nodes that its numbers come from.
  var origins: Set<String> = []

  init(shape: [Int], _ values: Values, batchAxis: Int? = nil) {
    self.shape = shape
    self.values = values
    self.batchAxis = batchAxis
  }

  /// The shape, with the batch in its place.
  var layout: TensorShape { TensorShape(sample: shape, batchAxis: batchAxis) }

  /// The numbers as reals.
  var reals: [Double] {
    switch values {
    case .real(let x): x
    case .single(let x): x.map(Double.init)
    case .integer(let n): n.map(Double.init)
    }
  }

  /// The numbers as whole numbers; nil if they are real.
  var integers: [Int]? {
    if case .integer(let n) = values { n } else { nil }
  }

  var count: Int { values.count }

  /// The place of a number that is not finite.
  var firstNonFinite: Int? {
    switch values {
    case .real(let x): x.firstIndex { !$0.isFinite }
    case .single(let x): x.firstIndex { !$0.isFinite }
    case .integer: nil
    }
  }

  /// The numbers as a matrix, row by row or column by column.
  func matrix(rows: Int, columns: Int, isRowMajor: Bool) -> Matrix {
    guard isRowMajor && rows > 1 && columns > 1 else {
      return Matrix(rows: rows, columns: columns, columnMajor: reals)
    }
    switch values {
    case .real(let x): return Matrix(rows: rows, columns: columns, rowMajor: x)
    case .integer: return Matrix(rows: rows, columns: columns, rowMajor: reals)
    case .single(let x):
      // In squares that fit into the cache, without a copy in between.
      var elements = [Double](repeating: 0, count: rows * columns)
      let side = 32
      for i0 in stride(from: 0, to: rows, by: side) {
        for j0 in stride(from: 0, to: columns, by: side) {
          for j in j0..<min(j0 + side, columns) {
            for i in i0..<min(i0 + side, rows) {
              elements[j * rows + i] = Double(x[i * columns + j])
            }
          }
        }
      }
      return Matrix(rows: rows, columns: columns, columnMajor: elements)
    }
  }

  /// The elements that a view of this constant chooses, with `fill` for those that are none of its
  /// own.
  func chosen(by view: TensorView, fill: Double = 0, batchAxis: Int? = nil) -> ONNXConstant {
    ONNXConstant(
      shape: view.shape, values.chosen(by: view.indices, fill: fill), batchAxis: batchAxis)
  }

  /// The same numbers, of the given shape, for so many samples.
  func reshaped(_ layout: TensorShape) -> ONNXConstant {
    var result = self
    (result.shape, result.batchAxis) = (layout.sample, layout.batchAxis)
    return result
  }

  /// The numbers repeated to a shape that this one broadcasts to.
  func expanded(to target: [Int]) -> ONNXConstant {
    target == shape
      ? self
      : chosen(by: TensorView(shape: shape).expanded(to: target), batchAxis: batchAxis)
  }

  /// The numbers repeated to a shape that this one broadcasts to, as reals.
  func reals(broadcastTo shape: [Int]) -> [Double] { expanded(to: shape).reals }

  /// The same tensor without `axis`, along which its numbers repeat; nil if they do not.
  func withoutRepetition(along axis: Int) -> ONNXConstant? {
    let inner = shape[(axis + 1)...].reduce(1, *)
    let block = shape[axis] * inner
    func repeats<T: Equatable>(_ x: [T]) -> Bool {
      x.indices.allSatisfy { $0 % block < inner || x[$0] == x[$0 - inner] }
    }
    let isRepeated =
      switch values {
      case .real(let x): repeats(x)
      case .single(let x): repeats(x)
      case .integer(let n): repeats(n)
      }
    guard isRepeated else { return nil }
    var result = chosen(by: TensorView(shape: shape).gathered(axis: axis, [0]))
    result.shape.remove(at: axis)
    return result
  }
}

extension ONNXConstant.Values {
  var count: Int {
    switch self {
    case .real(let x): x.count
    case .single(let x): x.count
    case .integer(let n): n.count
    }
  }

  func chosen(by indices: [Int32], fill: Double = 0) -> ONNXConstant.Values {
    switch self {
    case .real(let x): .real(indices.map { $0 < 0 ? fill : x[Int($0)] })
    case .single(let x):
      Double(Float(fill)) == fill
        ? .single(indices.map { $0 < 0 ? Float(fill) : x[Int($0)] })
        : .real(indices.map { $0 < 0 ? fill : Double(x[Int($0)]) })
    case .integer(let n):
      .integer(indices.map { $0 < 0 ? Int(exactly: fill) ?? 0 : n[Int($0)] })
    }
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
    func result(_ values: ONNXConstant.Values) -> ONNXConstant {
      var constant = ONNXConstant(shape: shape, values)
      constant.range = type.range
      return constant
    }
    if tensor.dataLocation == 1 {
      let bytes = try externalBytes(tensor, count: count * type.size, fail: fail)
      return result(type.values(bytes, count: count))
    }
    if !tensor.rawData.isEmpty {
      guard tensor.rawData.count == count * type.size else {
        throw fail(
          "\(tensor.rawData.count) bytes for shape \(shape) of \(type), expected "
            + "\(count * type.size)")
      }
      return result(type.values(tensor.rawData, count: count))
    }
    let values = type.typedValues(tensor)
    guard values.count == count else {
      throw fail("\(values.count) numbers for shape \(shape), expected \(count)")
    }
    return result(values)
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

  /// The numbers of a small integer type.
  fileprivate var range: ClosedRange<Int>? {
    switch self {
    case .int8: -128...127
    case .uint8: 0...255
    case .int16: -32768...32767
    case .uint16: 0...65535
    default: nil
    }
  }

  /// `count` little-endian numbers.
  fileprivate func values(_ data: Data, count: Int) -> ONNXConstant.Values {
    if self == .float32 { return .single(decodeFloats(data, from: 0, count: count)) }
    return decodeIntegers(data, from: 0, count: count).map { .integer($0) }
      ?? .real(decode(data, from: 0, count: count))
  }

  /// The numbers in a tensor's typed fields; small types share that of int32, as bits.
  fileprivate func typedValues(_ t: ONNXTensorProto) -> ONNXConstant.Values {
    switch self {
    case .float32: .single(t.floatData)
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

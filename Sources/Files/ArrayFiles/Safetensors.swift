import Foundation

/// Hugging Face's safetensors format: named arrays and a table of strings.
///
/// A file is the length of its header (8 bytes, little-endian), the header as JSON and the arrays'
/// bytes, which the header's `data_offsets` cover exactly once.
///
/// Source: https://github.com/huggingface/safetensors, section "Format".
public struct Safetensors: Sendable, Equatable {
  /// The arrays by name.
  public var arrays: [String: NumericArray]
  /// The strings of `__metadata__`.
  public var metadata: [String: String]

  static let metadataName = "__metadata__"
  /// The official reader's bound on the header.
  private static let longestHeader: UInt64 = 100_000_000

  /// Arrays, none named `__metadata__`, and strings.
  public init(arrays: [String: NumericArray] = [:], metadata: [String: String] = [:]) {
    self.arrays = arrays
    self.metadata = metadata
  }

  /// Reads a file.
  public init(contentsOf path: String) throws(ArrayFileError) {
    try self.init(try ArrayFile.bytes(path), file: path)
  }

  /// Reads the bytes of a file, which need not be trusted.
  ///
  /// Elements become doubles: floats of 64, 32, 16 bits and bfloat16 exactly, integers of up to 64
  /// bits rounded beyond 2⁵³, booleans 0 or 1. Memory: 8 bytes an element beside `data`.
  /// - Parameter file: the name for messages.
  /// - Throws: whatever the official reader refuses, names or fields that stand twice, fields
  ///   unknown to the format, and elements of other types (`F8_E4M3`, …).
  public init(_ data: Data, file: String) throws(ArrayFileError) {
    func fail(_ problem: String) -> ArrayFileError { ArrayFileError(file: file, problem: problem) }
    guard data.count >= 8 else {
      throw fail("\(data.count) bytes, expected the 8 of the header's length first")
    }
    if let found = FileSignature(data), found != .safetensors {
      throw fail("is \(found.summary), not a safetensors file")
    }
    let length = data.integer(at: 0, as: UInt64.self)
    guard length <= Self.longestHeader else {
      throw fail("a header of \(length) bytes, expected at most \(Self.longestHeader)")
    }
    let start = 8 + Int(length)
    guard start <= data.count else {
      throw fail("truncated: the header needs \(start) bytes, the file has \(data.count)")
    }
    let header = try SafetensorsHeader(
      data.dropFirst(8).prefix(Int(length)), byteCount: data.count - start, file: file)
    arrays = [:]
    for entry in header.entries {
      let count = (entry.end - entry.begin) / entry.type.size
      arrays[entry.name] = NumericArray(
        shape: entry.shape,
        elements: entry.type.decode(data, from: start + entry.begin, count: count))
    }
    metadata = header.metadata
  }

  /// The bytes of a file, the names sorted: equal contents give equal bytes.
  public func encoded(_ precision: ElementPrecision) -> Data {
    precondition(arrays[Self.metadataName] == nil, "\(Self.metadataName) names no array")
    let (type, size) = precision == .float64 ? ("F64", 8) : ("F32", 4)
    var fields: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }.map {
        "\($0.key.jsonLiteral):\($0.value.jsonLiteral)"
      }
      fields.append("\"\(Self.metadataName)\":{\(pairs.joined(separator: ","))}")
    }
    let sorted = arrays.sorted { $0.key < $1.key }
    var begin = 0
    for (name, array) in sorted {
      let shape = array.shape.map(String.init).joined(separator: ",")
      let end = begin + size * array.elements.count
      fields.append(
        "\(name.jsonLiteral):{\"dtype\":\"\(type)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(begin),\(end)]}")
      begin = end
    }
    var header = "{\(fields.joined(separator: ","))}"
    // Spaces, so that the arrays start at a multiple of 8 bytes.
    header += String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
    var data = Data(capacity: 8 + header.utf8.count + begin)
    data.append(littleEndian: [UInt64(header.utf8.count)])
    data.append(contentsOf: header.utf8)
    for (_, array) in sorted { data.append(precision.bytes(of: array.elements)) }
    return data
  }
}

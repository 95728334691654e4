import Foundation

/// The JSON at the head of a safetensors file, checked against the bytes after it.
struct SafetensorsHeader {
  /// One array.
  struct Entry {
    let name: String
    let type: ElementType
    let shape: [Int]
    /// Where its bytes begin and end, after the header.
    let begin, end: Int
  }

  /// The arrays in the order of their bytes, which they cover once and without a hole.
  private(set) var entries: [Entry] = []
  private(set) var metadata: [String: String] = [:]

  /// - Parameter byteCount: the number of bytes after the header.
  init(_ json: Data, byteCount: Int, file: String) throws(ArrayFileError) {
    var scanner = JSONScanner(json, file: file)
    var names: Set<String> = []
    try scanner.take("{")
    while try scanner.hasNext(before: "}", after: names.count) {
      let name = try scanner.string()
      guard names.insert(name).inserted else {
        throw scanner.failure("the name \"\(name.printable)\" stands twice")
      }
      scanner.path = [name]
      try scanner.take(":")
      if name == Safetensors.metadataName {
        metadata = try Self.metadata(&scanner)
      } else {
        entries.append(try Self.entry(name, &scanner))
      }
      scanner.path = []
    }
    try scanner.finish()
    entries.sort { ($0.begin, $0.end, $0.name) < ($1.begin, $1.end, $1.name) }
    try checkPlaces(byteCount: byteCount, file: file)
  }

  private static func metadata(
    _ scanner: inout JSONScanner
  ) throws(ArrayFileError) -> [String: String] {
    var result: [String: String] = [:]
    try scanner.take("{")
    while try scanner.hasNext(before: "}", after: result.count) {
      let key = try scanner.string()
      try scanner.take(":")
      let value = try scanner.string()
      guard result.updateValue(value, forKey: key) == nil else {
        throw scanner.failure("the key \"\(key.printable)\" stands twice")
      }
    }
    return result
  }

  private static func entry(
    _ name: String, _ scanner: inout JSONScanner
  ) throws(ArrayFileError) -> Entry {
    var type: ElementType?
    var shape: [Int]?
    var offsets: [Int]?
    var count = 0
    try scanner.take("{")
    while try scanner.hasNext(before: "}", after: count) {
      let field = try scanner.string()
      scanner.path = [name, field]
      try scanner.take(":")
      switch field {
      case "dtype" where type == nil:
        let code = try scanner.string()
        type = types[code]
        guard type != nil else {
          throw scanner.failure(
            "\"\(code.printable)\" is not read, expected one of \(list(types.keys))")
        }
      case "shape" where shape == nil: shape = try scanner.wholeNumbers()
      case "data_offsets" where offsets == nil: offsets = try scanner.wholeNumbers()
      case "dtype", "shape", "data_offsets": throw scanner.failure("stands twice")
      default: throw scanner.failure("expected dtype, shape and data_offsets only")
      }
      scanner.path = [name]
      count += 1
    }
    guard let type else { throw scanner.failure("dtype is missing") }
    guard let shape else { throw scanner.failure("shape is missing") }
    guard let offsets else { throw scanner.failure("data_offsets are missing") }
    guard offsets.count == 2 else {
      throw scanner.failure("\(offsets.count) data_offsets, expected 2")
    }
    return Entry(name: name, type: type, shape: shape, begin: offsets[0], end: offsets[1])
  }

  private static let types: [String: ElementType] = [
    "F64": .float64, "F32": .float32, "F16": .float16, "BF16": .bfloat16,
    "I64": .int64, "I32": .int32, "I16": .int16, "I8": .int8,
    "U64": .uint64, "U32": .uint32, "U16": .uint16, "U8": .uint8,
    "BOOL": .boolean,
  ]

  private func checkPlaces(byteCount: Int, file: String) throws(ArrayFileError) {
    func fail(_ problem: String) -> ArrayFileError { ArrayFileError(file: file, problem: problem) }
    var covered = 0
    for entry in entries {
      let (begin, end) = (entry.begin, entry.end)
      let place = "\"\(entry.name.printable)\", data_offsets [\(begin), \(end)]"
      guard begin <= end else { throw fail("\(place): reversed") }
      guard end <= byteCount else {
        throw fail("\(place): beyond the \(byteCount) bytes after the header")
      }
      guard let needed = entry.type.byteCount(shape: entry.shape) else {
        throw fail("\(place): the shape is too large")
      }
      guard needed == end - begin else {
        throw fail(
          "\(place): \(end - begin) bytes, but \(needed) in shape \(describe(entry.shape)) "
            + "of \(entry.type)")
      }
      guard begin >= covered else {
        throw fail("\(place): overlaps the array before, which ends at \(covered)")
      }
      guard begin == covered else {
        throw fail("\(place): bytes \(covered)..<\(begin) before it belong to no array")
      }
      covered = end
    }
    guard covered == byteCount else {
      throw fail("bytes \(covered)..<\(byteCount) after the header belong to no array")
    }
  }

  private func describe(_ shape: [Int]) -> String {
    shape.count > 20 ? "of \(shape.count) axes" : "\(shape)"
  }
}

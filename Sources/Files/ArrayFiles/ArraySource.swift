import Foundation

/// What a reference names, read but not taken for numbers yet: an array, or columns of a table, which
/// may hold words.
///
/// The kind follows from the ending of the file's name: `.npy`, `.npz`, `.safetensors`, `.csv`, `.tsv`,
/// `.txt` and `.data` (tables), `.idx` and `-ubyte` (IDX), and all but the archives with `.gz` behind.
/// Standard input, and what is no regular file, is recognised by its first bytes.
public struct ArraySource: Sendable {
  /// Where it is.
  public let reference: ArrayReference
  private let content: Content

  private enum Content: Sendable {
    case array(NumericArray)
    case table(TableFile, rows: Range<Int>, columns: [Int])
  }

  private enum Kind { case npy, npz, safetensors, idx, table, unknown }

  /// Reads the file of a reference.
  ///
  /// - Parameter hasHeader: whether tables begin with a header; nil to find out.
  public init(_ reference: ArrayReference, hasHeader: Bool? = nil) throws(ArrayFileError) {
    self.reference = reference
    let path = reference.path
    var kind = Self.kind(of: path)
    if kind == .npz || kind == .safetensors {
      let arrays =
        kind == .npz ? try NPZ.read(path) : try Safetensors(contentsOf: path).arrays
      content = .array(
        try Self.choose(reference.part, of: arrays, in: path).taking(reference.rows, of: path))
      return
    }
    if kind == .unknown && Self.isRegular(path) {
      throw ArrayFileError(
        file: path,
        problem: "unknown kind of file, expected .npy, .npz#key, .safetensors#name, .csv#columns "
          + "or IDX" + (path.contains("@") ? "; rows a until before b are FILE@a:b" : ""))
    }
    let file = path == "-" ? "standard input" : path
    var data = try ArrayFile.bytes(path)
    if Gzip.isGzip(data) || path.hasSuffix(".gz") { data = try Gzip.unpack(data, file: file) }
    if kind == .unknown { kind = try Self.kind(of: data, file: file) }
    guard kind != .table else {
      let table = try TableFile(data, file: file, hasHeader: hasHeader)
      content = .table(
        table, rows: try Self.rows(reference.rows, of: table.rowCount, in: file),
        columns: try table.columns(reference.part ?? ""))
      return
    }
    if let part = reference.part {
      throw ArrayFileError(
        file: file, problem: "holds one array, expected nothing after # (\(part.printable))")
    }
    let array =
      kind == .npy ? try NPY.decode(data, file: file) : try IDX.decode(data, file: file)
    content = .array(try array.taking(reference.rows, of: file))
  }

  private static func kind(of path: String) -> Kind {
    var name = path.lowercased()
    if path == "-" { return .unknown }
    if name.hasSuffix(".gz") { name.removeLast(3) }
    if IDX.isName(name) { return .idx }
    switch URL(fileURLWithPath: name).pathExtension {
    case "npy": return .npy
    case "npz": return .npz
    case "safetensors": return .safetensors
    case "csv", "tsv", "txt", "data": return .table
    default: return .unknown
    }
  }

  private static func kind(of data: Data, file: String) throws(ArrayFileError) -> Kind {
    if NPY.isNPY(data) { return .npy }
    if IDX.isIDX(data) { return .idx }
    if data.starts(with: Data("PK\u{3}\u{4}".utf8)) {
      throw ArrayFileError(
        file: file, problem: "is a zip archive, expected a table, NPY or IDX (write .npz to a file)"
      )
    }
    return .table
  }

  private static func isRegular(_ path: String) -> Bool {
    if path == "-" { return false }
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    let type = attributes?[.type] as? FileAttributeType
    return type == nil || type == .typeRegular || type == .typeDirectory
  }

  private static func choose(
    _ name: String?, of arrays: [String: NumericArray], in path: String
  ) throws(ArrayFileError) -> NumericArray {
    guard !arrays.isEmpty else { throw ArrayFileError(file: path, problem: "holds no arrays") }
    guard let name else {
      if arrays.count == 1 { return arrays.first!.value }
      throw ArrayFileError(
        file: path, problem: "holds several arrays; name one after #, of \(list(arrays.keys))")
    }
    guard let array = arrays[name] else {
      throw ArrayFileError(
        file: path, problem: "no array \"\(name.printable)\"; it has \(list(arrays.keys))")
    }
    return array
  }

  fileprivate static func rows(
    _ range: ArrayReference.RowRange?, of count: Int, in file: String
  ) throws(ArrayFileError) -> Range<Int> {
    guard let range else { return 0..<count }
    guard let rows = range.resolved(of: count) else {
      let text = "\(range.lower.map { "\($0)" } ?? ""):\(range.upper.map { "\($0)" } ?? "")"
      throw ArrayFileError(
        file: file, problem: "no rows \(text), expected a range that is not empty in 0:\(count)")
    }
    return rows
  }
}

/// What it holds.
extension ArraySource {
  /// The numbers, not all finite where the file is no table.
  public func numbers() throws(ArrayFileError) -> NumericArray {
    switch content {
    case .array(let array): array
    case .table(let table, let rows, let columns): try table.numbers(rows: rows, columns: columns)
    }
  }

  /// One word for each sample: the fields of a table's one column, or the numbers of an array of one
  /// axis, whole ones without a point.
  ///
  /// - Throws: for several columns or axes, and for missing values.
  public func words() throws(ArrayFileError) -> [String] {
    switch content {
    case .array(let array):
      guard array.shape.count(where: { $0 != 1 }) <= 1 else {
        throw ArrayFileError(
          file: reference.description,
          problem: "shape \(array.shape), expected one value per sample")
      }
      if let j = array.elements.firstIndex(where: { !$0.isFinite }) {
        throw ArrayFileError(
          file: reference.description,
          problem: "sample \(j) is \(array.elements[j]), expected a finite number")
      }
      return array.elements.map { x in Int(exactly: x).map { "\($0)" } ?? "\(x)" }
    case .table(let table, let rows, let columns):
      guard columns.count == 1 else {
        throw ArrayFileError(
          file: reference.description,
          problem: "\(columns.count) columns, expected the one of the labels (after #)")
      }
      return try table.words(rows: rows, column: columns[0])
    }
  }

  /// How a table was read, in a line; nil for arrays, which say themselves what they are.
  public var reading: String? {
    guard case .table(let table, _, _) = content else { return nil }
    return "\(table.file): \(table.reading)"
  }

  /// Where a sample is: the file with its line, or with the number of its row.
  public func place(ofSample j: Int) -> String {
    switch content {
    case .array: "\(reference.description), sample \(j)"
    case .table(let table, let rows, _):
      "\(table.file), line \(table.line(ofRow: rows.lowerBound + j))"
    }
  }

  /// The columns' names for messages; nil for what is no table.
  public var columnNames: [String]? {
    guard case .table(let table, _, let columns) = content else { return nil }
    return columns.map(table.name(ofColumn:))
  }
}

extension NumericArray {
  /// Some of the rows: a range of the first axis.
  fileprivate func taking(
    _ range: ArrayReference.RowRange?, of file: String
  ) throws(ArrayFileError) -> NumericArray {
    guard let range else { return self }
    guard let count = shape.first else {
      throw ArrayFileError(file: file, problem: "holds a single number, expected rows")
    }
    let rows = try ArraySource.rows(range, of: count, in: file)
    let size = shape.dropFirst().reduce(1, *)
    return NumericArray(
      shape: [rows.count] + shape.dropFirst(),
      elements: Array(elements[rows.lowerBound * size..<rows.upperBound * size]))
  }
}

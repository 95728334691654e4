import Foundation

/// NumPy's NPY format, versions 1 to 3.
///
/// Source: NumPy Enhancement Proposal 1, "A simple file format for NumPy arrays".
public enum NPY {
  private static let magic: [UInt8] = [0x93] + [UInt8]("NUMPY".utf8)
  /// NumPy's own bound: a header of plain numbers takes about 100 bytes.
  private static let longestHeader = 10_000

  /// Whether bytes begin as an NPY file does.
  static func isNPY(_ data: Data) -> Bool { data.starts(with: magic) }

  /// Reads an array from the bytes of an NPY file.
  ///
  /// Little-endian floats, integers and booleans of any size up to 64 bits; C or Fortran order.
  /// - Parameter file: the name for messages.
  public static func decode(_ data: Data, file: String) throws(ArrayFileError) -> NumericArray {
    try decode(data, file: file, byteLimit: .max)
  }

  /// What an NPY file holds.
  enum Array {
    case numbers(NumericArray)
    case texts([String])
  }

  /// - Parameter byteLimit: the most that the array may take, 8 bytes an element.
  static func decode(
    _ data: Data, file: String, byteLimit: Int
  ) throws(ArrayFileError) -> NumericArray {
    guard case .numbers(let array) = try read(data, file: file, byteLimit: byteLimit) else {
      throw ArrayFileError(
        file: file, problem: "an array of texts, dtype \"<U…\" or \"|S…\", expected numbers")
    }
    return array
  }

  /// An array of numbers or of texts (`<U`, `|S`), the latter in C order whatever the file's.
  static func read(
    _ data: Data, file: String, byteLimit: Int
  ) throws(ArrayFileError) -> Array {
    func fail(_ problem: String) -> ArrayFileError { ArrayFileError(file: file, problem: problem) }
    guard data.count >= 10, isNPY(data) else {
      throw fail(
        FileSignature(data).map { "is \($0.summary), not an NPY file" }
          ?? "not an NPY file: the first bytes are not \\x93NUMPY")
    }
    let version = data.integer(at: 6, as: UInt8.self)
    guard (1...3).contains(version) else {
      throw fail("NPY version \(version), expected 1, 2 or 3")
    }
    guard data.count >= 12 else { throw fail("truncated: the file has \(data.count) bytes") }
    let length =
      version == 1
      ? Int(data.integer(at: 8, as: UInt16.self)) : Int(data.integer(at: 8, as: UInt32.self))
    guard length <= longestHeader else {
      throw fail("a header of \(length) bytes, expected at most \(longestHeader)")
    }
    let prologue = version == 1 ? 10 : 12
    let start = prologue + length
    guard start <= data.count else {
      throw fail("truncated: the header needs \(start) bytes, the file has \(data.count)")
    }
    let header = try NPYHeader(
      String(decoding: data.dropFirst(prologue).prefix(length), as: UTF8.self), file: file)
    let payload = data.count - start
    guard payload >= header.byteCount else {
      throw fail(
        "truncated: shape \(header.shape) needs \(header.byteCount) bytes, the file has \(payload)")
    }
    switch header.content {
    case .numbers(let type):
      let count = header.byteCount / type.size
      guard count <= byteLimit / 8 else {
        throw fail("\(count) elements of 8 bytes, expected at most \(byteLimit) bytes in all")
      }
      let values = type.decode(data, from: start, count: count)
      return .numbers(
        NumericArray(
          shape: header.shape,
          elements: header.isFortranOrder ? rowMajor(values, shape: header.shape) : values))
    case .texts(let width, let isUnicode):
      let size = isUnicode ? 4 * width : width
      let count = size == 0 ? 0 : header.byteCount / size
      // A text takes at least its own 16 bytes.
      guard count <= byteLimit / 16 else {
        throw fail("\(count) texts of 16 bytes, expected at most \(byteLimit) bytes in all")
      }
      let texts = (0..<count).map { i in
        text(data, at: start + i * size, width: width, isUnicode: isUnicode)
      }
      guard header.isFortranOrder else { return .texts(texts) }
      let places = rowMajor((0..<count).map(Double.init), shape: header.shape)
      return .texts(places.map { texts[Int($0)] })
    }
  }

  /// One text without the zeros that fill it up; what is no scalar becomes U+FFFD.
  private static func text(_ data: Data, at place: Int, width: Int, isUnicode: Bool) -> String {
    guard isUnicode else {
      let bytes = (0..<width).map { data.integer(at: place + $0, as: UInt8.self) }
      return String(
        decoding: bytes.prefix((bytes.lastIndex { $0 != 0 } ?? -1) + 1), as: UTF8.self)
    }
    let codes = (0..<width).map { data.integer(at: place + 4 * $0, as: UInt32.self) }
    var scalars = String.UnicodeScalarView()
    for code in codes.prefix((codes.lastIndex { $0 != 0 } ?? -1) + 1) {
      scalars.append(Unicode.Scalar(code) ?? "\u{FFFD}")
    }
    return String(scalars)
  }

  /// The bytes of an NPY file (version 1) of little-endian float64 in C order.
  public static func encode(_ array: NumericArray) -> Data {
    var data = head("<f8", shape: array.shape)
    data.append(littleEndian: array.elements.map(\.bitPattern))
    return data
  }

  /// The bytes of an NPY file of whole numbers along one axis, little-endian int64.
  public static func encode(integers: [Int]) -> Data {
    var data = head("<i8", shape: [integers.count])
    data.append(littleEndian: integers.map { UInt64(bitPattern: Int64($0)) })
    return data
  }

  /// The bytes of an NPY file of texts in UTF-32, which NumPy reads without pickle; no shape stands for
  /// one text alone. NumPy drops zeros at the end of a text.
  public static func encode(texts: [String], shape: [Int]? = nil) -> Data {
    let width = max(texts.map(\.unicodeScalars.count).max() ?? 0, 1)
    var data = head("<U\(width)", shape: shape ?? [texts.count])
    for text in texts {
      let codes = text.unicodeScalars.map(\.value)
      data.append(littleEndian: codes + [UInt32](repeating: 0, count: width - codes.count))
    }
    return data
  }

  private static func head(_ type: String, shape extents: [Int]) -> Data {
    let shape = extents.map(String.init).joined(separator: ", ")
    let tuple = extents.count == 1 ? "(\(shape),)" : "(\(shape))"
    var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': \(tuple), }"
    // Magic, version, length and header together fill whole blocks of 64 bytes.
    header += String(repeating: " ", count: (64 - (header.utf8.count + 11) % 64) % 64) + "\n"
    var data = Data(magic + [1, 0])
    data.append(littleEndian: [UInt16(header.utf8.count)])
    data.append(contentsOf: header.utf8)
    return data
  }

  private static func rowMajor(_ values: [Double], shape: [Int]) -> [Double] {
    if values.isEmpty { return [] }
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * shape[axis + 1]
    }
    var result = [Double](repeating: 0, count: values.count)
    var index = [Int](repeating: 0, count: shape.count)
    var place = 0
    for value in values {
      result[place] = value
      for axis in shape.indices {
        index[axis] += 1
        place += strides[axis]
        if index[axis] < shape[axis] { break }
        place -= strides[axis] * shape[axis]
        index[axis] = 0
      }
    }
    return result
  }
}

import Foundation

/// NumPy's NPY format, versions 1 to 3.
///
/// Source: NumPy Enhancement Proposal 1, "A simple file format for NumPy arrays".
public enum NPY {
  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  /// NumPy's own bound: a header of plain numbers takes about 100 bytes.
  private static let longestHeader = 10_000

  /// Reads an array from the bytes of an NPY file.
  ///
  /// Little-endian floats, integers and booleans of any size up to 64 bits; C or Fortran order.
  /// - Parameter file: the name for messages.
  public static func decode(_ data: Data, file: String) throws(ArrayFileError) -> NumericArray {
    try decode(data, file: file, byteLimit: .max)
  }

  /// - Parameter byteLimit: the most that the array may take, 8 bytes an element.
  static func decode(
    _ data: Data, file: String, byteLimit: Int
  ) throws(ArrayFileError) -> NumericArray {
    func fail(_ problem: String) -> ArrayFileError { ArrayFileError(file: file, problem: problem) }
    guard data.count >= 10, data.starts(with: magic) else {
      throw fail("not an NPY file: the first bytes are not \\x93NUMPY")
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
        "truncated: shape \(header.shape) of \(header.type.size)-byte elements needs "
          + "\(header.byteCount) bytes, the file has \(payload)")
    }
    let count = header.byteCount / header.type.size
    guard count <= byteLimit / 8 else {
      throw fail("\(count) elements of 8 bytes, expected at most \(byteLimit) bytes in all")
    }
    let values = header.type.decode(data, from: start, count: count)
    return NumericArray(
      shape: header.shape,
      elements: header.isFortranOrder ? rowMajor(values, shape: header.shape) : values)
  }

  /// The bytes of an NPY file (version 1) of little-endian float64 in C order.
  public static func encode(_ array: NumericArray) -> Data {
    let shape = array.shape.map(String.init).joined(separator: ", ")
    let tuple = array.shape.count == 1 ? "(\(shape),)" : "(\(shape))"
    var header = "{'descr': '<f8', 'fortran_order': False, 'shape': \(tuple), }"
    // Magic, version, length and header together fill whole blocks of 64 bytes.
    header += String(repeating: " ", count: (64 - (header.utf8.count + 11) % 64) % 64) + "\n"
    var data = Data(magic + [1, 0])
    data.append(littleEndian: [UInt16(header.utf8.count)])
    data.append(contentsOf: header.utf8)
    data.append(littleEndian: array.elements.map(\.bitPattern))
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

import Foundation

/// NumPy's NPY format, versions 1 to 3.
///
/// Source: NumPy Enhancement Proposal 1, "A simple file format for NumPy arrays".
public enum NPY {
  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// Reads an array from the bytes of an NPY file.
  ///
  /// Little-endian floats, integers and booleans of any size up to 64 bits; C or Fortran order.
  /// - Parameter file: the name for messages.
  public static func decode(_ data: Data, file: String) throws(ArrayFileError) -> NumericArray {
    func fail(_ problem: String) -> ArrayFileError { ArrayFileError(file: file, problem: problem) }
    let bytes = [UInt8](data)
    guard bytes.count >= 10, Array(bytes[0..<6]) == magic else {
      throw fail("not an NPY file: the first bytes are not \\x93NUMPY")
    }
    let wide = bytes[6] >= 2
    guard (1...3).contains(bytes[6]) else {
      throw fail("NPY version \(bytes[6]), expected 1, 2 or 3")
    }
    guard bytes.count >= 12 else { throw fail("truncated: the file has \(bytes.count) bytes") }
    let length = (0..<(wide ? 4 : 2)).reduce(0) { $0 | Int(bytes[8 + $1]) << (8 * $1) }
    let start = (wide ? 12 : 10) + length
    guard start <= bytes.count else {
      throw fail("truncated: the header needs \(start) bytes, the file has \(bytes.count)")
    }
    let header = try NPYHeader(
      String(decoding: bytes[(wide ? 12 : 10)..<start], as: UTF8.self), file: file)
    let payload = bytes.count - start
    guard payload >= header.byteCount else {
      throw fail(
        "truncated: shape \(header.shape) of \(header.type.size)-byte elements needs "
          + "\(header.byteCount) bytes, the file has \(payload)")
    }
    let values = header.type.decode(bytes[start..<start + header.byteCount])
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
    var bytes = magic + [1, 0]
    bytes += [UInt8(header.utf8.count & 255), UInt8(header.utf8.count >> 8)]
    bytes += Array(header.utf8)
    bytes.reserveCapacity(bytes.count + 8 * array.elements.count)
    for x in array.elements {
      let bits = x.bitPattern
      for k in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: bits >> (8 * UInt64(k)))) }
    }
    return Data(bytes)
  }

  private static func rowMajor(_ values: [Double], shape: [Int]) -> [Double] {
    var result = [Double](repeating: 0, count: values.count)
    var index = [Int](repeating: 0, count: shape.count)
    for value in values {
      result[zip(index, shape).reduce(0) { $0 * $1.1 + $1.0 }] = value
      for axis in shape.indices {
        index[axis] += 1
        if index[axis] < shape[axis] { break }
        index[axis] = 0
      }
    }
    return result
  }
}

/// The element types that are read.
private struct ElementType {
  let kind: Character
  let size: Int

  func decode(_ bytes: ArraySlice<UInt8>) -> [Double] {
    var result: [Double] = []
    result.reserveCapacity(bytes.count / size)
    var start = bytes.startIndex
    while start < bytes.endIndex {
      var bits: UInt64 = 0
      for k in 0..<size { bits |= UInt64(bytes[start + k]) << (8 * UInt64(k)) }
      start += size
      switch (kind, size) {
      case ("f", 8): result.append(Double(bitPattern: bits))
      case ("f", 4): result.append(Double(Float(bitPattern: UInt32(bits))))
      case ("f", _): result.append(halfPrecision(UInt16(bits)))
      case ("i", _):
        let shift = UInt64(64 - 8 * size)
        result.append(Double(Int64(bitPattern: bits << shift) >> Int64(shift)))
      default: result.append(Double(bits))
      }
    }
    return result
  }

  /// IEEE 754 binary16 (the standard library has no Float16 on all platforms).
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
}

/// The Python dictionary at the head of an NPY file.
private struct NPYHeader {
  let type: ElementType
  let isFortranOrder: Bool
  let shape: [Int]
  let byteCount: Int

  init(_ text: String, file: String) throws(ArrayFileError) {
    func fail(_ problem: String) -> ArrayFileError { ArrayFileError(file: file, problem: problem) }
    func value(_ key: String) -> Substring? {
      guard let place = text.range(of: "'\(key)':") ?? text.range(of: "\"\(key)\":") else {
        return nil
      }
      return text[place.upperBound...].drop { $0 == " " }
    }
    guard let descr = value("descr"), let order = value("fortran_order"),
      let tuple = value("shape"), tuple.first == "(", let end = tuple.firstIndex(of: ")")
    else { throw fail("the NPY header lacks descr, fortran_order or shape") }
    guard descr.first == "'" || descr.first == "\"" else {
      throw fail("a structured array, expected plain numbers")
    }
    let code = descr.dropFirst().prefix { $0 != "'" && $0 != "\"" }
    guard let byteOrder = code.first, let kind = code.dropFirst().first else {
      throw fail("dtype \"\(code)\", expected numbers such as <f8")
    }
    if kind == "O" { throw fail("object dtype; expected numbers (save it as float64)") }
    let size = Int(code.dropFirst(2)) ?? 0
    let sizes: [Character: [Int]] = [
      "f": [2, 4, 8], "i": [1, 2, 4, 8], "u": [1, 2, 4, 8], "b": [1],
    ]
    guard sizes[kind]?.contains(size) == true else {
      throw fail("dtype \"\(code)\", expected float, integer or boolean of at most 64 bits")
    }
    guard byteOrder == "<" || byteOrder == "|" || (byteOrder == "=" && size >= 1) else {
      throw fail(
        "big-endian dtype \"\(code)\"; expected little-endian (save it with astype('<f8'))")
    }
    type = ElementType(kind: kind, size: size)
    isFortranOrder = order.hasPrefix("True")
    var extents: [Int] = []
    for part in tuple[tuple.index(after: tuple.startIndex)..<end].split(separator: ",") {
      let word = part.trimmingCharacters(in: .whitespaces)
      if word.isEmpty { continue }
      guard let n = Int(word), n >= 0 else { throw fail("shape \(tuple[...end]) is malformed") }
      extents.append(n)
    }
    // Extents after a 0 count too: products of some of them are taken elsewhere.
    var total = size
    for n in extents {
      let (product, overflow) = total.multipliedReportingOverflow(by: max(n, 1))
      guard !overflow else { throw fail("shape \(extents) is too large") }
      total = product
    }
    shape = extents
    byteCount = extents.contains(0) ? 0 : total
  }
}

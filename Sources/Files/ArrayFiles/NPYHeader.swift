import Foundation

/// The Python dictionary at the head of an NPY file.
struct NPYHeader {
  /// What the elements are.
  enum Content {
    case numbers(ElementType)
    /// Strings of `width` scalars of 32 bits, or of `width` bytes, filled up with zeros.
    case texts(width: Int, isUnicode: Bool)
  }

  let content: Content
  let isFortranOrder: Bool
  let shape: [Int]
  let byteCount: Int

  /// NumPy's own bound on the number of axes.
  private static let mostAxes = 64

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
      throw fail("dtype \"\(code.printable)\", expected numbers such as <f8")
    }
    if kind == "O" { throw fail("object dtype; expected numbers (save it as float64)") }
    guard let content = Self.content(code.dropFirst()), "<>|=".contains(byteOrder) else {
      throw fail(
        "dtype \"\(code.printable)\", expected float, integer or boolean of at most 64 bits")
    }
    let size = Self.size(of: content)
    guard byteOrder != ">" || size == 1 || kind == "S" else {
      throw fail(
        "big-endian dtype \"\(code)\"; expected little-endian (save it with astype('<f8'))")
    }
    guard order.hasPrefix("True") || order.hasPrefix("False") else {
      throw fail("fortran_order \"\(order.prefix(5).printable)\", expected True or False")
    }
    var extents: [Int] = []
    for part in tuple[tuple.index(after: tuple.startIndex)..<end].split(separator: ",") {
      let word = part.trimmingCharacters(in: .whitespaces)
      if word.isEmpty { continue }
      guard let n = Int(word), n >= 0 else {
        throw fail("shape \(tuple[...end].printable) is malformed")
      }
      extents.append(n)
    }
    guard extents.count <= Self.mostAxes else {
      throw fail("\(extents.count) axes, expected at most \(Self.mostAxes)")
    }
    guard let byteCount = ArrayFiles.byteCount(elements: size, shape: extents) else {
      throw fail("shape \(extents) is too large")
    }
    self.content = content
    isFortranOrder = order.hasPrefix("True")
    shape = extents
    self.byteCount = byteCount
  }

  private static func content(_ code: Substring) -> Content? {
    if let type = types[String(code)] { return .numbers(type) }
    // A wider text than a page is a mistake, and widths are multiplied.
    guard let kind = code.first, kind == "U" || kind == "S", let width = Int(code.dropFirst()),
      (0...1 << 16).contains(width)
    else { return nil }
    return .texts(width: width, isUnicode: kind == "U")
  }

  private static func size(of content: Content) -> Int {
    switch content {
    case .numbers(let type): type.size
    case .texts(let width, let isUnicode): isUnicode ? 4 * width : width
    }
  }

  /// The element types by their code after the byte order.
  private static let types: [String: ElementType] = [
    "f8": .float64, "f4": .float32, "f2": .float16,
    "i8": .int64, "i4": .int32, "i2": .int16, "i1": .int8,
    "u8": .uint64, "u4": .uint32, "u2": .uint16, "u1": .uint8,
    "b1": .boolean,
  ]
}

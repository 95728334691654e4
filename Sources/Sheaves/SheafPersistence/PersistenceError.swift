import ExactAlgebra

/// Values that are no filtration, coefficients that a sheaf does not have, or a complex too large to be made.
public enum PersistenceError: Error, Equatable, CustomStringConvertible {
  /// A face that appears after a cell that it is a face of.
  case faceAfterCoface(face: String, value: Double, coface: String, cofaceValue: Double)
  /// A cell whose value is not a finite number.
  case notFinite(cell: String, found: Double)
  /// A cell without a value.
  case missing(cell: String)
  /// A value for a cell that is not there.
  case unknownCell(String)
  /// Coboundaries that are no cochain complex over the coefficients.
  case coefficients(CochainComplexError)
  /// More simplices than memory holds: the estimated number, what they take and what there is, in bytes.
  case tooLarge(simplices: Double, bytes: Double, available: Double)
  /// Something about a quantity: what was found and what is expected.
  case quantity(name: String, found: String, expected: String)

  /// What was found and what was expected, in one line.
  public var description: String {
    switch self {
    case .faceAfterCoface(let face, let value, let coface, let cofaceValue):
      "face \"\(face)\" has the value \(value) and its coface \"\(coface)\" the value \(cofaceValue)"
        + ", expected a face no later than its cofaces"
    case .notFinite(let cell, let found):
      "cell \"\(cell)\" has the value \(found), expected a finite number"
    case .missing(let cell): "cell \"\(cell)\" has no value, expected one for every cell"
    case .unknownCell(let name): "a value for \"\(name)\", expected the name of a cell"
    case .coefficients(let error): "\(error)"
    case .tooLarge(let simplices, let bytes, let available):
      "about \(Self.rounded(simplices)) simplices need \(Self.rounded(bytes / 1e9)) GB"
        + ", expected at most \(Self.rounded(available / 1e9)) GB: a smaller radius, dimension or number"
        + " of points"
    case .quantity(let name, let found, let expected):
      "\(name): found \(found), expected \(expected)"
    }
  }

  /// Three digits are enough for an estimate.
  private static func rounded(_ x: Double) -> String {
    guard x.isFinite, x > 0 else { return "\(x)" }
    var (scaled, power) = (x, 1.0)
    while scaled >= 1000 { (scaled, power) = (scaled / 10, power * 10) }
    while scaled < 100 { (scaled, power) = (scaled * 10, power / 10) }
    let value = scaled.rounded() * power
    return value < 1e15 && value == value.rounded() ? "\(Int(value))" : "\(value)"
  }
}

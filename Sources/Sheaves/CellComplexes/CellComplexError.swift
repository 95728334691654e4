/// Cells that are no complex, or a complex that cannot be made.
public enum CellComplexError: Error, Equatable, CustomStringConvertible {
  /// Two cells bear one name.
  case repeatedName(String)
  /// A cell has a face that is not there.
  case unknownFace(of: String, face: String)
  /// The face relation runs in a circle through these cells.
  case circularFaces([String])
  /// The faces of a cell have different dimensions.
  case mixedFaces(of: String, face: String, dimension: Int, expected: Int)
  /// An incidence number that is neither 1 nor −1.
  case incidenceNumber(of: String, face: String, found: String)
  /// The incidence numbers by way of which a cell contains another do not cancel.
  case openSquare(of: String, face: String, sum: Int)
  /// The faces of a cell cannot be given incidence numbers that cancel.
  case notOrientable(String)
  /// Something about a quantity: what was found and what is expected.
  case quantity(name: String, found: String, expected: String)

  /// What was found and what was expected, in one line.
  public var description: String {
    switch self {
    case .repeatedName(let name): "two cells are called \"\(name)\", expected different ids"
    case .unknownFace(let cell, let face):
      "cell \"\(cell)\" has the face \"\(face)\", expected the id of a cell"
    case .circularFaces(let names):
      "the face relation runs in a circle: "
        + names.map { "\"\($0)\"" }.joined(separator: " < ")
        + ", expected cells whose faces have smaller dimension"
    case .mixedFaces(let cell, let face, let found, let expected):
      "cell \"\(cell)\" has the face \"\(face)\" of dimension \(found), expected dimension \(expected)"
        + ", as its first face or its own dimension says"
    case .incidenceNumber(let cell, let face, let found):
      "cell \"\(cell)\", face \"\(face)\": the incidence number is \(found), expected 1 or -1"
    case .openSquare(let cell, let face, let sum):
      "cell \"\(cell)\" contains \"\(face)\" with incidence numbers that add up to \(sum), expected 0"
    case .notOrientable(let cell):
      "the faces of cell \"\(cell)\" cannot be oriented so that their boundaries cancel"
    case .quantity(let name, let found, let expected):
      "\(name): found \(found), expected \(expected)"
    }
  }
}

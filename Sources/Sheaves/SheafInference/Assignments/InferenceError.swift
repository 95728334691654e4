/// Readings, maps or constraints from which nothing can be inferred.
public enum InferenceError: Error, Equatable, CustomStringConvertible {
  /// A reading of a cell that the sheaf does not have.
  case unknownCell(String)
  /// A reading of the wrong length.
  case length(cell: String, found: Int, expected: Int)
  /// A reading with a value that is not finite.
  case notFinite(cell: String, found: Double)
  /// A covariance that is none.
  case covariance(cell: String, found: String, expected: String)
  /// Units that differ along an identity map.
  case units(cell: String, other: String, found: String, expected: String)
  /// A restriction map that has no finite value or derivative where it was asked.
  case map(from: String, to: String, at: [Double], found: String)
  /// Constraints that nothing satisfies: an irreducible set of them.
  case infeasible([String])
  /// Something about a quantity: what was found and what is expected.
  case quantity(name: String, found: String, expected: String)

  /// What was found and what was expected, in one line.
  public var description: String {
    switch self {
    case .unknownCell(let name): "\"\(name)\" is no cell of the sheaf, expected ids of its cells"
    case .length(let cell, let found, let expected):
      "\"\(cell)\" has \(found) values, expected \(expected), the dimension of its stalk"
    case .notFinite(let cell, let found):
      "\"\(cell)\" has the value \(found), expected a finite number"
    case .covariance(let cell, let found, let expected):
      "\"\(cell)\" has \(found), expected \(expected)"
    case .units(let cell, let other, let found, let expected):
      "\"\(cell)\" is in \"\(found)\" and \"\(other)\", to which the identity leads, in \"\(expected)\": "
        + "expected one unit, or a map that converts"
    case .map(let from, let to, let at, let found):
      "the map from \"\(from)\" to \"\(to)\" is \(found) at \(at), expected finite values and derivatives"
    case .infeasible(let names):
      "the constraints " + names.map { "\"\($0)\"" }.joined(separator: ", ")
        + " contradict each other, expected ones that some section satisfies"
    case .quantity(let name, let found, let expected):
      "\(name): found \(found), expected \(expected)"
    }
  }
}

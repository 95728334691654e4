import CellComplexes

/// Stalks, maps or cochains that are no sheaf's.
public enum SheafError: Error, Equatable, CustomStringConvertible {
  /// A restriction map whose shape does not go with its stalks.
  case shape(cell: String, face: String, found: String, expected: String)
  /// A restriction map with an entry that is not finite.
  case notFinite(cell: String, face: String)
  /// An inner product that is none.
  case weight(cell: String, found: String, expected: String)
  /// Two ways from one stalk to another that do not agree.
  case square(cell: String, face: String, between: [String], difference: Double)
  /// δδ ≠ 0 from one stalk to another.
  case coboundary(cell: String, face: String, norm: Double)
  /// A map between sheaves that does not commute with a restriction map.
  case morphism(cell: String, face: String, difference: Double)
  /// Something about a quantity: what was found and what is expected.
  case quantity(name: String, found: String, expected: String)

  /// What was found and what was expected, in one line.
  public var description: String {
    switch self {
    case .shape(let cell, let face, let found, let expected):
      "cell \"\(cell)\", face \"\(face)\": the map is of shape \(found), expected \(expected)"
    case .notFinite(let cell, let face):
      "cell \"\(cell)\", face \"\(face)\": the map has an entry that is not finite, expected numbers"
    case .weight(let cell, let found, let expected):
      "cell \"\(cell)\": the weight is \(found), expected \(expected)"
    case .square(let cell, let face, let between, let difference):
      "the maps from \"\(face)\" to \"\(cell)\" by way of "
        + between.map { "\"\($0)\"" }.joined(separator: " and ")
        + " differ by \(difference), expected one map"
    case .coboundary(let cell, let face, let norm):
      "the coboundary of the coboundary from \"\(face)\" to \"\(cell)\" has the norm \(norm), expected 0"
    case .morphism(let cell, let face, let difference):
      "the morphism does not commute with the map from \"\(face)\" to \"\(cell)\": the ways differ by "
        + "\(difference)"
    case .quantity(let name, let found, let expected):
      "\(name): found \(found), expected \(expected)"
    }
  }
}

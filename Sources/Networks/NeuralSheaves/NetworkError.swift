/// A network or a quantity that does not fit together.
public enum NetworkError: Error, Equatable, CustomStringConvertible {
  /// Fewer than two widths, or a width below 1.
  case widths([Int])
  /// Widths whose weights have 2²⁸ elements or more in all.
  case tooLarge([Int])
  /// A value out of its range.
  case value(name: String, found: String, expected: String)
  /// A weight or bias whose shape does not continue the chain.
  case shape(array: String, found: String, expected: String)
  /// A number that is not finite.
  case notFinite(array: String, index: String)
  /// A quantity over a batch of the wrong shape.
  case quantity(name: String, found: String, expected: String)
  /// A name that is one vertex's own and that of the tensor of another.
  case ambiguousVertex(name: String, other: String)
  /// A vertex that the network does not have, and the name that may have been meant.
  case unknownVertex(name: String, valid: [String], nearest: String?)

  /// What was found and what was expected, in a sentence.
  public var description: String {
    switch self {
    case .widths(let widths):
      "widths \(widths): expected at least two, each at least 1"
    case .tooLarge(let widths):
      "widths \(widths): expected fewer than 2^28 weights in all"
    case .value(let name, let found, let expected):
      "\(name) is \(found), expected \(expected)"
    case .shape(let array, let found, let expected):
      "\(array) has shape \(found), expected \(expected)"
    case .notFinite(let array, let index):
      "\(array)\(index) is not finite"
    case .quantity(let name, let found, let expected):
      "\(name) has shape \(found), expected \(expected)"
    case .ambiguousVertex(let name, let other):
      "\"\(name)\" is a stalk, but the file has a tensor of that name, which is \(other); say "
        + "\(other) or tensor:\(name) for the tensor, or convert the file for names without it"
    case .unknownVertex(let name, let valid, let nearest):
      "no stalk is called \"\(name)\"" + (nearest.map { " (did you mean \"\($0)\"?)" } ?? "")
        + "; the network has \(valid.shortened(to: 20)), and the names of its file's tensors"
    }
  }
}

/// Cells, partitions or settings from which no coarser sheaf comes.
public enum CoarseningError: Error, Equatable, CustomStringConvertible {
  /// A cell that is not there, or of another dimension than the others.
  case cell(found: String, expected: String)
  /// A partition that is none, or not one of the parts before it.
  case partition(level: Int, found: String, expected: String)
  /// A number that is not allowed.
  case quantity(name: String, found: String, expected: String)

  /// What was found and what was expected, in one line.
  public var description: String {
    switch self {
    case .cell(let found, let expected): "cells to keep: found \(found), expected \(expected)"
    case .partition(let level, let found, let expected):
      "level \(level) of the hierarchy: found \(found), expected \(expected)"
    case .quantity(let name, let found, let expected):
      "\(name): found \(found), expected \(expected)"
    }
  }
}

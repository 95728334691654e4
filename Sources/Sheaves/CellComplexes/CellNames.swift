/// How the cells of a complex are called.
public enum CellNames: Sendable, Equatable {
  /// By their numbers.
  case numbered
  /// By a list.
  case listed([String])
  /// Simplices by their vertices with commas, "a,b"; a vertex without a name by its number.
  case simplices(SimplexVertices, vertexNames: [String]?)

  /// The name of a cell.
  public func name(_ cell: Int) -> String {
    switch self {
    case .numbered: "\(cell)"
    case .listed(let names): names[cell]
    case .simplices(let simplices, let names):
      simplices[cell].map { v in names.map { $0[Int(v)] } ?? "\(v)" }.joined(separator: ",")
    }
  }
}

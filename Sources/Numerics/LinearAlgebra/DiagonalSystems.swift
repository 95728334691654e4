/// Diagonal matrices, one for each column that they are applied to, such as the preconditioners of systems that are
/// solved side by side.
public struct DiagonalSystems: SymmetricOperator {
  /// The diagonals, (n, columns).
  public let diagonals: Matrix
  public let traits: OperatorTraits
  public var rows: Int { diagonals.rows }
  public var systems: Int? { diagonals.columns }

  /// The diagonal matrices with the columns of a matrix on their diagonals; positive definite where all entries are
  /// positive.
  public init(_ diagonals: Matrix) {
    self.diagonals = diagonals
    traits = diagonals.elements.allSatisfy { $0 > 0 } ? .positiveDefinite : .symmetric
  }

  public func apply(_ x: Matrix, into y: inout Matrix) {
    y = x
    y.multiply(elementwise: diagonals)
  }

  public func systems(_ indices: [Int]) -> DiagonalSystems {
    DiagonalSystems(diagonals.columns(indices))
  }
}

/// A linear map A : ℝⁿ → ℝᵐ that can be applied to vectors and need not be written down.
///
/// Vectors are the columns of matrices. Where `systems` is nil the map is one and the same for any number
/// of columns; otherwise there are so many maps of one shape, one for each column, such as the Hessians of
/// the samples of a batch. Whoever iterates with columns of their own (conjugate gradients, Lanczos) treats
/// both alike.
public protocol LinearOperator: Sendable {
  /// m.
  var rows: Int { get }
  /// n.
  var columns: Int { get }
  /// What is known of the map beyond being linear.
  var traits: OperatorTraits { get }
  /// The number of maps, one for each column of a vector; nil for one map that serves any number.
  var systems: Int? { get }
  /// y ← A x, column by column, whatever y held before; (n, k) to (m, k).
  func apply(_ x: Matrix, into y: inout Matrix)
  /// x ← Aᵀ y, column by column, whatever x held before; (m, k) to (n, k).
  func applyAdjoint(_ y: Matrix, into x: inout Matrix)
  /// The maps with the given indices, in their order, repetitions allowed; itself where there is one.
  func systems(_ indices: [Int]) -> Self
}

/// What may be known of a linear operator.
public struct OperatorTraits: OptionSet, Sendable {
  /// One bit for each trait.
  public let rawValue: Int
  /// The traits of some bits.
  public init(rawValue: Int) { self.rawValue = rawValue }

  /// A = Aᵀ.
  public static let symmetric = OperatorTraits(rawValue: 1)
  /// Symmetric with ⟨x, A x⟩ ≥ 0.
  public static let positiveSemidefinite: OperatorTraits = [
    symmetric, OperatorTraits(rawValue: 2),
  ]
  /// Symmetric with ⟨x, A x⟩ > 0 for x ≠ 0.
  public static let positiveDefinite: OperatorTraits = [
    positiveSemidefinite, OperatorTraits(rawValue: 4),
  ]
  /// Ones on the diagonal and zeros above it.
  public static let unitLowerTriangular = OperatorTraits(rawValue: 8)
}

/// A square map that is its own adjoint: it says how it is applied, once.
public protocol SymmetricOperator: LinearOperator {}

extension SymmetricOperator {
  /// As many as rows.
  public var columns: Int { rows }
  /// A y.
  public func applyAdjoint(_ y: Matrix, into x: inout Matrix) { apply(y, into: &x) }
}

extension LinearOperator {
  /// Nothing.
  public var traits: OperatorTraits { [] }
  /// One map.
  public var systems: Int? { nil }
  /// Itself: there is one map.
  public func systems(_ indices: [Int]) -> Self {
    precondition(systems == nil, "\(Self.self) does not say how to choose among its maps")
    return self
  }

  /// A x.
  public func callAsFunction(_ x: Matrix) -> Matrix {
    var y = Matrix(rows: rows, columns: x.columns)
    apply(x, into: &y)
    return y
  }

  /// Aᵀ y.
  public func adjoint(_ y: Matrix) -> Matrix {
    var x = Matrix(rows: columns, columns: y.columns)
    applyAdjoint(y, into: &x)
    return x
  }

  /// The matrix of the map, or of map number `system`: the images of the unit vectors.
  ///
  /// Cost: one application to n vectors.
  public func assembled(system: Int = 0) -> Matrix {
    let one = systems == nil ? self : systems([Int](repeating: system, count: columns))
    return one(.identity(columns))
  }
}

/// An operator of which more is known than it says itself, such as a matrix that is symmetric.
public struct KnownOperator<Base: LinearOperator>: LinearOperator {
  /// The operator.
  public let base: Base
  /// What it says of itself and what the caller knows.
  public let traits: OperatorTraits

  /// An operator with what the caller knows of it.
  public init(_ base: Base, _ traits: OperatorTraits) {
    (self.base, self.traits) = (base, base.traits.union(traits))
  }

  public var rows: Int { base.rows }
  public var columns: Int { base.columns }
  public var systems: Int? { base.systems }
  public func apply(_ x: Matrix, into y: inout Matrix) { base.apply(x, into: &y) }
  public func applyAdjoint(_ y: Matrix, into x: inout Matrix) { base.applyAdjoint(y, into: &x) }
  public func systems(_ indices: [Int]) -> KnownOperator {
    KnownOperator(base.systems(indices), traits)
  }
}

extension Matrix: LinearOperator {
  public func apply(_ x: Matrix, into y: inout Matrix) { y.setProduct(self, x) }
  public func applyAdjoint(_ y: Matrix, into x: inout Matrix) {
    x.setProduct(self, y, transposing: .left)
  }
}

import LinearAlgebra

/// What an operation does, in the vocabulary of reports.
public enum OperationKind: String, Sendable, CaseIterable {
  /// An affine map: dense, convolution, normalisation, sum.
  case affine
  /// A piecewise affine function of each coordinate.
  case activation
  /// A mean or a maximum over windows.
  case pooling
  /// A copy into a block of a junction's stalk.
  case junction
  /// The output edge: a smooth activation or the clamp to a target.
  case output
}

/// A piecewise affine operation P : F(source) → F(target), the data of one edge of a neural sheaf.
///
/// On branch pattern π it is z ↦ R_π z + c_π. The edge's restriction maps are [R_π | diag c_π] from
/// the source (the offset rides on constant-one boundary coordinates) and, from the target, the
/// projection onto `targetRows`; the edge's discrepancy is ρ = t − P(s). Everything above works
/// through this protocol alone and never asks which operation it has.
///
/// It has parts: the map here; its rows and branches one by one (`RowwiseMap`); and, with defaults for
/// operations that have nothing to say, parameters (`Parametrised`), what local optimisers ask for
/// (`LeastSquaresMap`) and the heat flow's step (`HeatStepping`).
///
/// Quantities are (dimension, batch). All methods work in place and allocate
/// nothing, but those of `Relabelled`, which makes what the operation sees.
public protocol NetworkOperation: RowwiseMap, Parametrised, LeastSquaresMap, HeatStepping {
  /// What kind of edge this is in reports.
  var kind: OperationKind { get }
  /// The operation in a few words, such as "convolution 3×3, 8→16".
  var summary: String { get }
  /// Whether P has an offset c on some pattern.
  var hasOffset: Bool { get }
  /// Multiplications of one application to one sample, to decide about threads.
  var cost: Int { get }

  /// t ← P(s) on `targetRows`.
  func apply(_ source: Matrix, into target: inout Matrix)
  /// ρ ← t − P(s) on `targetRows`.
  func discrepancy(_ source: Matrix, _ target: Matrix, into rho: inout Matrix)
  /// Reads the pattern at the source; returns how many coordinates switched branch.
  func readPattern(at source: Matrix, into pattern: inout ActivationPattern) -> Int
  /// t ← R_π s + c_π on `targetRows`, for a given pattern.
  func apply(_ source: Matrix, at pattern: ActivationPattern, into target: inout Matrix)
  /// y ← scale · R_π v + keep · y on `targetRows`.
  func addLinearPart(
    _ v: Matrix, at pattern: ActivationPattern, scale: Double, keeping keep: Double,
    into y: inout Matrix)
  /// u ← R_πᵀ v + keep · u, where only `targetRows` of v are read.
  func addTranspose(
    _ v: Matrix, at pattern: ActivationPattern, keeping keep: Double, into u: inout Matrix)
}

extension NetworkOperation {
  /// One multiplication for each target coordinate.
  public var cost: Int { targetRows.count }

  /// A pattern of the right size for a batch, every coordinate on branch 0.
  public func blankPattern(batch: Int) -> ActivationPattern {
    isStateDependent ? ActivationPattern(dimension: targetDimension, batch: batch) : .affine
  }
}

/// An operation with one branch: R and c are constant.
public protocol AffineOperation: NetworkOperation {}

extension AffineOperation {
  public var isStateDependent: Bool { false }
  public func readPattern(at source: Matrix, into pattern: inout ActivationPattern) -> Int { 0 }
  public func branchCount(ofRow row: Int) -> Int { 1 }
  public func branch(_ branch: Int, ofRow row: Int) -> BranchFunction {
    preconditionFailure("\(summary) has no branches")
  }
  public func forEachBoundary(ofRow row: Int, branch: Int, _ visit: (BranchBoundary) -> Void) {}
  /// As many as there are source coordinates.
  public var entriesPerRow: Int { sourceDimension }
  /// Found out by pulling back a unit vector; an operation that knows its rows says them itself.
  public func forEachEntry(ofRow row: Int, branch: Int, _ visit: (Int, Double) -> Void) {
    var unit = Matrix(rows: targetDimension, columns: 1)
    unit[row, 0] = 1
    var entries = Matrix(rows: sourceDimension, columns: 1)
    addTranspose(unit, at: .affine, keeping: 0, into: &entries)
    for i in 0..<sourceDimension where entries[i, 0] != 0 { visit(i, entries[i, 0]) }
  }
  public func apply(_ source: Matrix, at pattern: ActivationPattern, into target: inout Matrix) {
    apply(source, into: &target)
  }
  /// What ⟨v, P(s)⟩ gives less what ⟨v, P(0)⟩ gives; an operation that knows its offset leaves it out.
  public func addLinearPartGradients(
    _ v: Matrix, source: Matrix, at pattern: ActivationPattern, scale: Double, keeping keep: Double,
    into gradients: inout [Matrix]
  ) {
    guard !parameterNames.isEmpty else { return }
    addParameterGradients(v, source: source, scale: scale, keeping: keep, into: &gradients)
    addParameterGradients(
      v, source: Matrix(rows: source.rows, columns: source.columns), scale: -scale, keeping: 1,
      into: &gradients)
  }
}

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
/// Quantities are (dimension, batch). All methods work in place and allocate
/// nothing, but those of `Relabelled`, which makes what the operation sees.
public protocol NetworkOperation: Sendable {
  /// What kind of edge this is in reports.
  var kind: OperationKind { get }
  /// The operation in a few words, such as "convolution 3×3, 8→16".
  var summary: String { get }
  /// The dimension of the source stalk.
  var sourceDimension: Int { get }
  /// The dimension of the target vertex's stalk.
  var targetDimension: Int { get }
  /// The coordinates of the target that this edge determines: all, except into a junction.
  var targetRows: Range<Int> { get }
  /// Whether P has an offset c on some pattern.
  var hasOffset: Bool { get }
  /// Whether R depends on the source, so that there is a pattern to read.
  var isStateDependent: Bool { get }
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

  /// The most entries of a row of R that are not 0, where the operation is affine.
  var entriesPerRow: Int { get }
  /// Visits the entries of row `row` of R that may not be 0, as (source coordinate, value), where the
  /// operation is affine.
  func forEachEntry(ofRow row: Int, _ visit: (Int, Double) -> Void)

  /// Column j of u gains scale · (row `row` of R)ᵀ, where the operation is affine.
  func addRow(_ row: Int, scale: Double, toColumn j: Int, of u: inout Matrix)

  /// How many branches target coordinate `row` has.
  func branchCount(ofRow row: Int) -> Int
  /// The affine function on branch `branch` of target coordinate `row`, where the operation is state-
  /// dependent: it reads one source coordinate.
  func branch(_ branch: Int, ofRow row: Int) -> BranchFunction
  /// Visits the boundaries of the region of the source in which `row` is on branch `branch`.
  func forEachBoundary(ofRow row: Int, branch: Int, _ visit: (BranchBoundary) -> Void)

  /// The step of the heat equation at a source whose only outgoing edge this is: ρ ← t − P(s), then
  /// s ← s + h · (Rᵀρ − ρ_s). The source's own discrepancy ρ_s is `incoming` on entry, which holds
  /// anything on return, or s − prediction where a prediction is given. `pattern` is that of the
  /// source before and after. Returns the largest change of a coordinate and how many coordinates of
  /// the target switched branch.
  func relax(
    _ source: inout Matrix, target: Matrix, prediction: Matrix?, incoming: inout Matrix,
    by h: Double, pattern: inout ActivationPattern, into rho: inout Matrix
  ) -> (change: Double, switched: Int)

  /// The trainable parameters, by name.
  var parameterNames: [String] { get }
  /// The trainable parameters, in the order of `parameterNames`.
  var parameters: [Matrix] { get set }
  /// Visits each parameter in place.
  mutating func updateParameters(_ update: (Int, inout Matrix) -> Void)
  /// gradients ← scale · (derivative of ⟨v, P(s)⟩ in the parameters) + keep · gradients.
  func addParameterGradients(
    _ v: Matrix, source: Matrix, scale: Double, keeping keep: Double,
    into gradients: inout [Matrix])
  /// parameters ← parameters + scale · (derivative of ⟨v, P(s)⟩ in them), without a gradient in
  /// between.
  mutating func moveParameters(along v: Matrix, source: Matrix, scale: Double, threads: Int)

  /// Where P is linear in its parameters, P(s) = Θ_g ψ_g(s) block by block (g), with ψ the regressors:
  /// the source with a 1 for the bias, or a window of it; the number of regressors of each block.
  /// Empty where there are no parameters or P is not of this form.
  var regressorDimensions: [Int] { get }
  /// moments[g] ← scale · Σ ψ_g ψ_gᵀ + keep · moments[g] over the samples and the places of a window,
  /// symmetric of order `regressorDimensions[g]`.
  func addRegressorMoments(
    _ source: Matrix, scale: Double, keeping keep: Double, into moments: inout [Matrix])
  /// gradients ← gradients · M⁻¹ block by block, in the shapes of the parameters, for M factored.
  ///
  /// With M = Σ ψψᵀ and the gradient of ⟨ρ, P(s)⟩, ρ = t − P(s), it is the step to the parameters of
  /// least Σ‖t − P(s)‖². It allocates: it is for once in many samples.
  func solveMoments(_ factors: [CholeskyFactorization], _ gradients: inout [Matrix])
}

/// The affine function t = slope · s[source] + offset of one target coordinate on one branch.
public struct BranchFunction: Sendable, Equatable {
  /// The source coordinate that it reads.
  public var source: Int
  /// The slope.
  public var slope: Double
  /// The offset.
  public var offset: Double

  /// A function of one source coordinate.
  public init(source: Int, slope: Double, offset: Double = 0) {
    self.source = source
    self.slope = slope
    self.offset = offset
  }
}

/// Where one branch of one target coordinate ends: the branch holds where
/// sign · (s[source] − s[other] − threshold) > 0, beyond it `neighbour` does. On the boundary both
/// give one value.
public struct BranchBoundary: Sendable, Equatable {
  /// The source coordinate that counts.
  public var source: Int
  /// The source coordinate that it is compared with; nil for a kink at a fixed value.
  public var other: Int?
  /// The value of the kink; 0 for a comparison.
  public var threshold: Double
  /// 1 where the branch lies above the boundary, −1 where below.
  public var sign: Double
  /// The branch on the other side.
  public var neighbour: Int

  /// A kink at a value, or a tie of two coordinates.
  public init(source: Int, other: Int? = nil, threshold: Double, sign: Double, neighbour: Int) {
    self.source = source
    self.other = other
    self.threshold = threshold
    self.sign = sign
    self.neighbour = neighbour
  }
}

extension NetworkOperation {
  /// The step put together of the other methods.
  public func relax(
    _ source: inout Matrix, target: Matrix, prediction: Matrix?, incoming: inout Matrix,
    by h: Double, pattern: inout ActivationPattern, into rho: inout Matrix
  ) -> (change: Double, switched: Int) {
    if let prediction { incoming.setDifference(source, prediction) }
    discrepancy(source, target, into: &rho)
    addTranspose(rho, at: pattern, keeping: -1, into: &incoming)
    let change = source.advance(along: incoming, by: h)
    return (change, readPattern(at: source, into: &pattern))
  }
}

/// Rows of R, found out by pulling back a unit vector.
extension NetworkOperation {
  /// As many as there are source coordinates.
  public var entriesPerRow: Int { sourceDimension }
  /// Cost: one pull-back.
  public func forEachEntry(ofRow row: Int, _ visit: (Int, Double) -> Void) {
    precondition(!isStateDependent, "\(summary) has no one row \(row)")
    var unit = Matrix(rows: targetDimension, columns: 1)
    unit[row, 0] = 1
    var entries = Matrix(rows: sourceDimension, columns: 1)
    addTranspose(unit, at: .affine, keeping: 0, into: &entries)
    for i in 0..<sourceDimension where entries[i, 0] != 0 { visit(i, entries[i, 0]) }
  }

  /// Entry by entry.
  public func addRow(_ row: Int, scale: Double, toColumn j: Int, of u: inout Matrix) {
    forEachEntry(ofRow: row) { i, value in u[i, j] += scale * value }
  }
}

/// An operation without parameters.
extension NetworkOperation {
  /// One multiplication for each target coordinate.
  public var cost: Int { targetRows.count }
  /// All.
  public var targetRows: Range<Int> { 0..<targetDimension }
  /// None.
  public var parameterNames: [String] { [] }
  /// None.
  public var parameters: [Matrix] {
    get { [] }
    set { precondition(newValue.isEmpty, "\(kind) has no parameters") }
  }
  /// Nothing to visit.
  public mutating func updateParameters(_ update: (Int, inout Matrix) -> Void) {}
  /// Nothing to add.
  public func addParameterGradients(
    _ v: Matrix, source: Matrix, scale: Double, keeping keep: Double,
    into gradients: inout [Matrix]
  ) {}
  /// Nothing to move.
  public mutating func moveParameters(
    along v: Matrix, source: Matrix, scale: Double, threads: Int
  ) {}

  /// None.
  public var regressorDimensions: [Int] { [] }
  /// Nothing to add.
  public func addRegressorMoments(
    _ source: Matrix, scale: Double, keeping keep: Double, into moments: inout [Matrix]
  ) {}
  /// Nothing to solve.
  public func solveMoments(_ factors: [CholeskyFactorization], _ gradients: inout [Matrix]) {}

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
  public func apply(_ source: Matrix, at pattern: ActivationPattern, into target: inout Matrix) {
    apply(source, into: &target)
  }
}

import LinearAlgebra
import NeuralSheaves
import SheafLaws
import Testing

/// The check of operations finds what is wrong with one.
struct OperationCheckTests {
  /// A dense layer with one thing spoiled.
  private struct Spoiled: AffineOperation {
    enum Fault { case none, transpose, row, discrepancy, gradient, linearGradient, moments }
    var base: Dense
    var fault: Fault

    var kind: OperationKind { .affine }
    var summary: String { "spoiled" }
    var sourceDimension: Int { base.sourceDimension }
    var targetDimension: Int { base.targetDimension }
    var hasOffset: Bool { true }
    var parameterNames: [String] { base.parameterNames }
    var parameters: [Matrix] {
      get { base.parameters }
      set { base.parameters = newValue }
    }
    func apply(_ s: Matrix, into t: inout Matrix) { base.apply(s, into: &t) }
    func discrepancy(_ s: Matrix, _ t: Matrix, into rho: inout Matrix) {
      base.discrepancy(s, t, into: &rho)
      if fault == .discrepancy { rho.scale(by: -1) }
    }
    func addLinearPart(
      _ v: Matrix, at pattern: ActivationPattern, scale: Double, keeping keep: Double,
      into y: inout Matrix
    ) {
      base.addLinearPart(v, at: pattern, scale: scale, keeping: keep, into: &y)
    }
    func addTranspose(
      _ v: Matrix, at pattern: ActivationPattern, keeping keep: Double, into u: inout Matrix
    ) {
      base.addTranspose(v, at: pattern, keeping: keep, into: &u)
      if fault == .transpose { u[0, 0] += 0.01 }
    }
    func forEachEntry(ofRow row: Int, branch: Int, _ visit: (Int, Double) -> Void) {
      base.forEachEntry(ofRow: row, branch: branch) { visit($0, fault == .row ? 2 * $1 : $1) }
    }
    mutating func updateParameters(_ update: (Int, inout Matrix) -> Void) {
      base.updateParameters(update)
    }
    func addParameterGradients(
      _ v: Matrix, source: Matrix, scale: Double, keeping keep: Double,
      into gradients: inout [Matrix]
    ) {
      base.addParameterGradients(
        v, source: source, scale: fault == .gradient ? -scale : scale, keeping: keep,
        into: &gradients)
    }
    func addLinearPartGradients(
      _ v: Matrix, source: Matrix, at pattern: ActivationPattern, scale: Double,
      keeping keep: Double, into gradients: inout [Matrix]
    ) {
      base.addLinearPartGradients(
        v, source: source, at: pattern, scale: fault == .linearGradient ? -scale : scale,
        keeping: keep, into: &gradients)
    }
    mutating func moveParameters(along v: Matrix, source: Matrix, scale: Double, threads: Int) {
      base.moveParameters(along: v, source: source, scale: scale, threads: threads)
    }
    var regressorDimensions: [Int] { base.regressorDimensions }
    func addRegressorMoments(
      _ s: Matrix, scale: Double, keeping keep: Double, into moments: inout [Matrix]
    ) {
      base.addRegressorMoments(s, scale: scale, keeping: keep, into: &moments)
      if fault == .moments { for i in moments.indices { moments[i].scale(by: 2) } }
    }
    func solveMoments(_ factors: [CholeskyFactorization], _ gradients: inout [Matrix]) {
      base.solveMoments(factors, &gradients)
    }
  }

  /// A function that jumps, and one whose boundary lies elsewhere.
  private struct Misplaced: NetworkOperation {
    let base: Elementwise
    var shift = 0.0

    var kind: OperationKind { .activation }
    var summary: String { "misplaced" }
    var sourceDimension: Int { base.dimension }
    var targetDimension: Int { base.dimension }
    var hasOffset: Bool { false }
    var isStateDependent: Bool { true }
    func apply(_ s: Matrix, into t: inout Matrix) { base.apply(s, into: &t) }
    func discrepancy(_ s: Matrix, _ t: Matrix, into rho: inout Matrix) {
      base.discrepancy(s, t, into: &rho)
    }
    func readPattern(at s: Matrix, into pattern: inout ActivationPattern) -> Int {
      base.readPattern(at: s, into: &pattern)
    }
    func apply(_ s: Matrix, at pattern: ActivationPattern, into t: inout Matrix) {
      base.apply(s, at: pattern, into: &t)
    }
    func addLinearPart(
      _ v: Matrix, at pattern: ActivationPattern, scale: Double, keeping keep: Double,
      into y: inout Matrix
    ) {
      base.addLinearPart(v, at: pattern, scale: scale, keeping: keep, into: &y)
    }
    func addTranspose(
      _ v: Matrix, at pattern: ActivationPattern, keeping keep: Double, into u: inout Matrix
    ) {
      base.addTranspose(v, at: pattern, keeping: keep, into: &u)
    }
    func branchCount(ofRow row: Int) -> Int { 2 }
    func branch(_ branch: Int, ofRow row: Int) -> BranchFunction { base.branch(branch, ofRow: row) }
    func forEachBoundary(ofRow row: Int, branch: Int, _ visit: (BranchBoundary) -> Void) {
      base.forEachBoundary(ofRow: row, branch: branch) {
        var boundary = $0
        boundary.threshold += shift
        visit(boundary)
      }
    }
  }

  private func broken(_ operation: any NetworkOperation) -> Set<OperationLaw> {
    Set(checkOperation(operation).violations.map(\.law))
  }

  @Test func faultsAreFound() {
    var g = RandomGenerator(seed: 5)
    func spoiled(_ fault: Spoiled.Fault) -> Spoiled {
      Spoiled(base: dense(4, 3, &g), fault: fault)
    }
    #expect(broken(spoiled(.none)) == [])
    #expect(broken(spoiled(.transpose)).contains(.transposeIsAdjoint))
    #expect(broken(spoiled(.row)).contains(.rowsAreTransposedUnits))
    #expect(broken(spoiled(.discrepancy)).contains(.patternReproducesTheOperation))
    #expect(broken(spoiled(.gradient)).contains(.parameterGradientsAreFiniteDifferences))
    #expect(broken(spoiled(.linearGradient)) == [.parameterGradientsAreFiniteDifferences])
    #expect(broken(spoiled(.moments)) == [.solvedMomentsAreLeastSquares])
    let rectifier = Elementwise.rectifier(dimension: 5)
    #expect(broken(Misplaced(base: rectifier)) == [])
    #expect(
      broken(Misplaced(base: rectifier, shift: 0.3)) == [.branchesAndBoundariesDescribeThePattern])
  }

  /// Each law compares something of an operation that it is about, and one violation says what.
  @Test func comparisonsAreCounted() {
    var g = RandomGenerator(seed: 6)
    let affine = checkOperation(dense(4, 3, &g)).comparisons
    #expect(affine[.solvedMomentsAreLeastSquares, default: 0] > 0)
    #expect(affine[.branchesAndBoundariesDescribeThePattern] == nil)
    let active = checkOperation(Elementwise.rectifier(dimension: 5)).comparisons
    #expect(active[.relaxationIsItsDefinition, default: 0] > 0)
    #expect(active[.rowsAreTransposedUnits] == 10)
    let violation = checkOperation(Spoiled(base: dense(4, 3, &g), fault: .row)).violations[0]
    #expect(violation.description.contains("spoiled: row"))
  }
}

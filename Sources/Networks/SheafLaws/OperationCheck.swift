import LinearAlgebra
import NeuralSheaves

/// Checks an operation against the laws that all of the library relies on, at random sources.
///
///     let report = checkOperation(MyOperation(dimension: 7))
///     precondition(report.violations.isEmpty, "\(report.violations)")
///
/// A law that is broken at one place is told once. Cost: some hundred applications of the operation, and for
/// moments a factorisation of the order of its regressors.
///
/// - Parameters:
///   - operation: the operation, with parameters as they would be in a network.
///   - laws: the laws to check.
///   - seed: of the random sources; the same seed makes the same check.
public func checkOperation(
  _ operation: any NetworkOperation, laws: [OperationLaw] = OperationLaw.allCases,
  seed: UInt64 = 0
) -> OperationReport {
  var check = OperationCheck(operation, seed: seed)
  for law in laws {
    switch law {
    case .patternReproducesTheOperation: check.patternReproducesTheOperation()
    case .transposeIsAdjoint: check.transposeIsAdjoint()
    case .rowsAreTransposedUnits: check.rowsAreTransposedUnits()
    case .branchesAndBoundariesDescribeThePattern: check.branchesAndBoundariesDescribeThePattern()
    case .parameterGradientsAreFiniteDifferences: check.parameterGradientsAreFiniteDifferences()
    case .relaxationIsItsDefinition: check.relaxationIsItsDefinition()
    case .solvedMomentsAreLeastSquares: check.solvedMomentsAreLeastSquares()
    }
  }
  return check.report
}

/// One operation under check, with a random source and the pattern read there.
struct OperationCheck {
  let operation: any NetworkOperation
  let batch = 3
  var g: RandomGenerator
  /// (source dimension, batch).
  let source: Matrix
  let pattern: ActivationPattern
  private(set) var report = OperationReport()

  init(_ operation: any NetworkOperation, seed: UInt64) {
    self.operation = operation
    g = RandomGenerator(seed: seed)
    source = g.normalMatrix(rows: operation.sourceDimension, columns: batch)
    var pattern = operation.blankPattern(batch: batch)
    _ = operation.readPattern(at: source, into: &pattern)
    self.pattern = pattern
  }

  /// The coordinates of the target that the operation determines.
  var rows: Range<Int> { operation.targetRows }

  /// Counts a comparison, and notes a violation if it fails, the first of each law.
  mutating func expect(_ holds: Bool, _ law: OperationLaw, _ found: @autoclosure () -> String) {
    report.comparisons[law, default: 0] += 1
    if !holds && !report.violations.contains(where: { $0.law == law }) {
      report.violations.append(
        LawViolation(law: law, operation: operation.summary, found: found()))
    }
  }

  /// Expects ‖a − b‖ ≤ tolerance · size, in the largest element; the size is that of b, or of the terms
  /// whose sum b is.
  mutating func expectEqual(
    _ a: Matrix, _ b: Matrix, _ tolerance: Double, size: Double? = nil, _ law: OperationLaw,
    _ what: String
  ) {
    var difference = a
    difference.add(b, scale: -1)
    let (error, size) = (difference.maximumMagnitude, size ?? b.maximumMagnitude)
    expect(
      error <= tolerance * size, law,
      "\(what) differs by \(error) of \(size), expected at most \(tolerance * size)")
  }

  /// P(s) on the rows that P determines.
  func applied(_ operation: any NetworkOperation, _ s: Matrix) -> Matrix {
    var t = Matrix(rows: operation.targetDimension, columns: s.columns)
    operation.apply(s, into: &t)
    return t.rows(operation.targetRows)
  }

  mutating func target(columns: Int? = nil) -> Matrix {
    g.normalMatrix(rows: operation.targetDimension, columns: columns ?? batch)
  }

  /// A whole number below `n`.
  mutating func index(below n: Int) -> Int { min(n - 1, Int(g.uniform() * Double(n))) }
}

import LinearAlgebra
import SparseFactorizations

/// The matrices of the saddle-point systems of all steps, and the analysis of their pattern:
///
///     [ P     Aᵀ  GᵀW⁻¹ ] [x]   [a]
///     [ A     0   0     ] [y] = [b]
///     [ W⁻¹G  0   −I    ] [z]   [c]
///
/// The third unknown is W times the step of the multipliers: near a solution of a second-order cone program W² has
/// numbers so large that what rounding leaves of W² times that step says nothing.
struct SaddleSystem: Sendable {
  let program: ConicProgram
  let cones: ConeBlocks
  /// P with both triangles, and transposes, which gather faster than the matrices scatter.
  let quadratic: SparseMatrix
  let transposedEqualities: SparseMatrix
  let transposedInequalities: SparseMatrix
  let normal: NormalMatrix
  let analysis: SparseCholesky.Analysis
  /// Whether Aᵀ R A is a part of the normal matrix.
  let isAugmented: Bool
  /// Whether A M⁻¹ Aᵀ is made and factored, at one solution with M for each equality.
  let hasDenseSchur: Bool
  /// A direction with P d = 0, A d = 0, G d = 0 and qᵀd = −1.
  private(set) var freeDirection: [Double]?

  /// The most equalities for which a dense Schur complement is made, 128 MB, and the most operations that it may
  /// take for a step; up to `fewEqualities` it is made in any case.
  private static let denseSchurLimit = 4000
  private static let denseSchurOperations = 2e10
  private static let fewEqualities = 300
  /// The condition from which on a matrix is looked at as one that may be singular.
  private static let singularCondition = 1e5
  /// What is added to the diagonal of M at first; the systems of the program's units have entries near 1.
  static let shift = 1e-11

  init(_ program: ConicProgram, cones: ConeBlocks) throws(FactorizationError) {
    (self.program, self.cones) = (program, cones)
    quadratic = program.quadratic.symmetrized
    transposedEqualities = program.equalities.transposed
    transposedInequalities = program.inequalities.transposed
    let unit = NesterovToddScaling(identity: cones)
    var augmented = false
    let equalityRows = program.equalities.rows
    var (normal, analysis): (NormalMatrix?, SparseCholesky.Analysis?)
    var hasDenseSchur = true
    while true {
      let candidate = NormalMatrix(
        quadratic: program.quadratic, transposedInequalities: transposedInequalities,
        cones: cones, transposedEqualities: augmented ? transposedEqualities : nil)
      let weights = [Double](repeating: 1, count: augmented ? equalityRows : 0)
      let matrix = candidate.matrix(
        unit, weights: weights, shift: Self.shift, relativeShift: 0)
      (normal, analysis) = (candidate, try SparseCholesky.Analysis(matrix))
      let factor = try SparseCholesky(matrix, using: analysis!)
      let isSingular = factor.conditionEstimate > Self.singularCondition
      if !augmented {
        let p = Double(equalityRows)
        let operations = 4 * p * Double(factor.factorEntries) + p * p * p / 3
        hasDenseSchur =
          equalityRows <= Self.fewEqualities
          || equalityRows <= Self.denseSchurLimit && operations <= Self.denseSchurOperations
      }
      let wanted = isSingular || !hasDenseSchur
      if !augmented && wanted && equalityRows > 0 {
        augmented = true
        continue
      }
      if isSingular {
        // (δ M⁻¹)³ keeps the kernel of M − δI and shrinks the rest.
        var d = Matrix(column: program.linear)
        for _ in 0..<3 {
          try factor.solve(&d)
          d.scale(by: Self.shift)
        }
        freeDirection = d.elements
      }
      break
    }
    (self.normal, self.analysis, isAugmented) = (normal!, analysis!, augmented)
    self.hasDenseSchur = hasDenseSchur
    if let d = freeDirection {
      let fall = dot(program.linear, d)
      let direction = fall > 0 ? d.scaled(by: -1 / fall) : d
      let drift = max(
        quadratic.times(direction).size, program.equalities.times(direction).size,
        program.inequalities.times(direction).size)
      freeDirection = fall > 0 && drift <= 1e-8 ? direction : nil
    }
  }

  /// a − (P x + Aᵀy + GᵀW⁻¹z), b − A x, c − (W⁻¹G x − z).
  func residual(
    _ right: SaddleVector, _ solution: SaddleVector, _ scaling: NesterovToddScaling
  ) -> SaddleVector {
    var (a, b) = (Matrix(column: right.x), Matrix(column: right.y))
    let (x, y, z) = (
      Matrix(column: solution.x), Matrix(column: solution.y),
      Matrix(column: scaling.applyInverse(solution.z))
    )
    quadratic.addTransposedProduct(x, scale: -1, keeping: 1, into: &a)
    program.equalities.addTransposedProduct(y, scale: -1, keeping: 1, into: &a)
    program.inequalities.addTransposedProduct(z, scale: -1, keeping: 1, into: &a)
    transposedEqualities.addTransposedProduct(x, scale: -1, keeping: 1, into: &b)
    let image = scaling.applyInverse(transposedInequalities.transposedTimes(solution.x))
    return SaddleVector(
      x: a.elements, y: b.elements,
      z: sum(sum(right.z, solution.z), image, scale: -1))
  }
}

/// A right-hand side or a solution of a saddle-point system.
struct SaddleVector: Sendable {
  var x: [Double]
  var y: [Double]
  var z: [Double]

  /// The largest magnitude.
  var size: Double {
    let sizes = [x.size, y.size, z.size]
    return sizes.contains(where: \.isNaN) ? .nan : sizes.max()!
  }

  /// This plus another times a factor.
  func adding(_ other: SaddleVector, scale: Double = 1) -> SaddleVector {
    SaddleVector(
      x: sum(x, other.x, scale: scale), y: sum(y, other.y, scale: scale),
      z: sum(z, other.z, scale: scale))
  }
}

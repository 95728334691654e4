import LinearAlgebra
import NeuralSheaves

/// Derivatives in the parameters, and least squares where the operation is linear in them.
extension OperationCheck {
  mutating func parameterGradientsAreFiniteDifferences() {
    let operation = operation
    let law = OperationLaw.parameterGradientsAreFiniteDifferences
    let names = operation.parameterNames
    guard !names.isEmpty else { return }
    expect(
      operation.parameters.count == names.count, law,
      "\(operation.parameters.count) parameters, \(names.count) names")
    let v = target()
    var gradients = operation.parameters
    operation.addParameterGradients(v, source: source, scale: 2, keeping: 0, into: &gradients)
    expectDifferences(gradients, law) { dot(v.rows($0.targetRows), $1.applied($0, $1.source)) }
    // Of R_π at another source, beside what was there before.
    let other = g.normalMatrix(rows: operation.sourceDimension, columns: batch)
    var linear = operation.parameters
    operation.addLinearPartGradients(
      v, source: other, at: pattern, scale: 2, keeping: 0.5, into: &linear)
    for i in linear.indices { linear[i].add(operation.parameters[i], scale: -0.5) }
    expectDifferences(linear, law) { operation, check in
      var t = Matrix(rows: operation.targetDimension, columns: other.columns)
      operation.addLinearPart(other, at: check.pattern, scale: 1, keeping: 0, into: &t)
      return dot(v.rows(operation.targetRows), t.rows(operation.targetRows))
    }
    // The move along a direction is the gradient added, and setting parameters is seen.
    var moved = operation
    moved.moveParameters(along: v, source: source, scale: 0.1, threads: 1)
    for i in gradients.indices {
      var expected = operation.parameters[i]
      expected.add(gradients[i], scale: 0.05)
      expectEqual(
        moved.parameters[i], expected, 1e-13,
        size: operation.parameters[i].maximumMagnitude + gradients[i].maximumMagnitude, law,
        "\(names[i]), moved,")
    }
    var copy = operation
    copy.parameters = moved.parameters
    expect(
      applied(copy, source) == applied(moved, source), law, "parameters that are set are not seen")
  }

  /// One element of each parameter: twice the central difference of a value is what was told.
  private mutating func expectDifferences(
    _ gradients: [Matrix], _ law: OperationLaw,
    of value: (any NetworkOperation, OperationCheck) -> Double
  ) {
    let (operation, h) = (operation, 1e-5)
    for i in gradients.indices where gradients[i].count > 0 {
      let (p, q) = (index(below: gradients[i].rows), index(below: gradients[i].columns))
      func moved(_ change: Double) -> Double {
        var moved = operation
        moved.updateParameters { if $0 == i { $1[p, q] += change } }
        return value(moved, self)
      }
      let slope = (moved(h) - moved(-h)) / (2 * h)
      expect(
        abs(gradients[i][p, q] - 2 * slope) < 1e-7 * max(1, abs(slope)), law,
        "the derivative in \(operation.parameterNames[i])[\(p), \(q)] is \(slope), told "
          + "\(gradients[i][p, q] / 2)")
    }
  }

  mutating func solvedMomentsAreLeastSquares() {
    let operation = operation
    let law = OperationLaw.solvedMomentsAreLeastSquares
    let orders = operation.regressorDimensions
    guard !orders.isEmpty else { return }
    let s = g.normalMatrix(rows: operation.sourceDimension, columns: 40)
    var moments = orders.map { Matrix(rows: $0, columns: $0) }
    operation.addRegressorMoments(s, scale: 1, keeping: 0, into: &moments)
    // Scale and keep.
    let before = orders.map { order in
      var symmetric = g.normalMatrix(rows: order, columns: order)
      symmetric.add(symmetric.transposed)
      return symmetric
    }
    var sum = before
    operation.addRegressorMoments(s, scale: 0.5, keeping: -0.3, into: &sum)
    for (k, m) in moments.enumerated() {
      expect(m == m.transposed, law, "moments of block \(k) are not symmetric")
      var both = before[k]
      both.add(m, scale: 0.5, keeping: -0.3)
      expectEqual(
        sum[k], both, 1e-13, size: 0.5 * m.maximumMagnitude + 0.3 * before[k].maximumMagnitude,
        law, "0.5 M − 0.3 N of block \(k)")
    }
    var factors: [CholeskyFactorization] = []
    for m in moments {
      // Places of a kernel that see nothing but padding have no moment.
      var regular = m
      for i in 0..<m.rows { regular[i, i] += 1e-9 * m.maximumMagnitude }
      guard let factor = try? CholeskyFactorization(regular) else {
        return expect(false, law, "moments are not positive semidefinite")
      }
      factors.append(factor)
    }
    let t = target(columns: 40)
    func gradients(_ operation: any NetworkOperation) -> [Matrix] {
      var rho = Matrix(rows: t.rows, columns: t.columns)
      operation.discrepancy(s, t, into: &rho)
      var gradients = operation.parameters
      operation.addParameterGradients(rho, source: s, scale: 1, keeping: 0, into: &gradients)
      return gradients
    }
    let first = gradients(operation)
    var step = first
    operation.solveMoments(factors, &step)
    var best = operation
    best.updateParameters { $1.add(step[$0]) }
    let largest = first.map(\.maximumMagnitude).max() ?? 0
    for (i, after) in gradients(best).enumerated() {
      expect(
        after.maximumMagnitude < 1e-6 * largest, law,
        "the gradient in \(operation.parameterNames[i]) at the least squares is "
          + "\(after.maximumMagnitude), at the start \(largest)")
    }
  }
}

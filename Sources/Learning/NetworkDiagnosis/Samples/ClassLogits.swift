import LinearAlgebra
import NeuralSheaves

/// Outputs as scores of classes.
extension Network {
  /// How many classes the outputs tell apart: as many as there are outputs of a softmax, two of a single sigmoid; nil for others.
  public var classCount: Int? {
    switch outputActivation {
    case .softmax where outputDimension > 1: outputDimension
    case .sigmoid where outputDimension == 1: 2
    default: nil
    }
  }

  /// The logits of the classes, (classes, batch), whose softmax are their probabilities: z_{k+1} of a softmax, (0, z) of a single
  /// sigmoid.
  public func classLogits(_ z: Matrix) -> Matrix {
    precondition(classCount != nil, "\(outputDimension) outputs that are no classes")
    guard outputActivation == .sigmoid else { return z }
    var logits = Matrix(rows: 2, columns: z.columns)
    for j in 0..<z.columns { logits[1, j] = z[0, j] }
    return logits
  }

  /// The class of each target, (outputs, samples), where outputs stand for classes and every target is one of them.
  public func classes(ofTargets target: Matrix) -> [Int]? {
    guard classCount != nil, target.elements.allSatisfy({ $0 == 0 || $0 == 1 }) else { return nil }
    if outputActivation == .sigmoid { return (0..<target.columns).map { Int(target[0, $0]) } }
    return (0..<target.columns).map { target.largestRow(ofColumn: $0) }
  }

  /// The targets of classes, (outputs, samples).
  public func classTargets(_ classes: [Int]) -> Matrix {
    var target = Matrix(rows: outputDimension, columns: classes.count)
    for (j, c) in classes.enumerated() {
      if outputActivation == .sigmoid { target[0, j] = Double(c) } else { target[c, j] = 1 }
    }
    return target
  }
}

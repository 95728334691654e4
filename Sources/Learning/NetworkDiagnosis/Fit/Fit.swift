import Foundation
import LinearAlgebra
import NeuralSheaves
import SheafTraining

/// How well outputs are what they should be.
public struct Fit: Sendable {
  /// The loss of each sample: their mean is that of `Evaluation`.
  public let losses: [Double]
  /// Of a classifier.
  public let classification: Classification?
  /// Of values: for each output the share of its variance that is explained, R² = 1 − Σ(y − ŷ)²/Σ(y − ȳ)²; NaN where the target is constant.
  public let explained: [Double]?

  /// The mean loss.
  public var loss: Double { losses.reduce(0, +) / Double(losses.count) }

  /// The fit of samples with targets; nil for samples without.
  public init?(_ samples: NetworkSamples) {
    guard let target = samples.target else { return nil }
    let (network, z) = (samples.network, samples.logits)
    let m = Double(network.outputDimension)
    losses = (0..<samples.count).map { j in
      let sum = network.outputActivation.crossEntropy(z, target, sample: j)
      return switch network.outputActivation {
      case .identity: 2 * sum / m
      case .sigmoid: sum / m
      case .softmax: sum
      }
    }
    classification = samples.classes.map { Classification(network.classLogits(z), $0) }
    explained =
      network.outputActivation == .identity
      ? (0..<target.rows).map { i in
        let mean =
          (0..<target.columns).reduce(0) { $0 + target[i, $1] } / Double(target.columns)
        var (left, all) = (0.0, 0.0)
        for j in 0..<target.columns {
          left += (target[i, j] - z[i, j]) * (target[i, j] - z[i, j])
          all += (target[i, j] - mean) * (target[i, j] - mean)
        }
        return all > 0 ? 1 - left / all : .nan
      } : nil
  }
}

/// The classes given and predicted.
public struct Classification: Sendable {
  /// The class given.
  public let given: [Int]
  /// The class of the largest logit.
  public let predicted: [Int]
  /// log p, (classes, samples).
  public let logProbabilities: Matrix
  /// z_y − max over c ≠ y of z_c, y the class given: positive where it is predicted.
  public let margins: [Double]

  /// The classes of logits, (classes, samples), beside those given.
  public init(_ logits: Matrix, _ given: [Int]) {
    self.given = given
    predicted = given.indices.map { logits.largestRow(ofColumn: $0) }
    logProbabilities = logSoftmax(logits)
    margins = given.enumerated().map { j, y in
      logits[y, j] - logits[logits.largestRow(ofColumn: j, except: y), j]
    }
  }

  /// The share of samples whose class is predicted.
  public var accuracy: Double {
    Double(given.indices.count { given[$0] == predicted[$0] }) / Double(given.count)
  }

  /// How many samples of each class given (row) were taken for each class (column).
  public var confusion: Matrix {
    let n = logProbabilities.rows
    var counts = Matrix(rows: n, columns: n)
    for (y, c) in zip(given, predicted) { counts[y, c] += 1 }
    return counts
  }
}

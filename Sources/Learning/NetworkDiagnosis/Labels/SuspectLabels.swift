import Foundation
import LinearAlgebra
import NeuralSheaves

/// Which labels look wrong.
///
/// Labels are judged by networks trained without the sample where training is allowed: by distances from the classes in their last hidden stalk, which
/// tell wrong labels from right ones no worse than cross-entropy and are surer where only some classes are taken for others (Docs/Diagnosis.md).
/// The other scores are shown beside it.
public struct SuspectLabels: Sendable {
  /// What labels are judged by.
  public enum Source: Sendable, Equatable {
    /// Networks trained without the sample (`CrossValidation`).
    case crossValidation(folds: Int)
    /// The network itself, which may have learned wrong labels by heart, and why no others were trained.
    case network(why: String)
  }

  /// Where they come from.
  public let source: Source
  /// The model of wrong labels, with its p-values, chances and proposed classes.
  public let noise: LabelNoise
  /// Whether labels are judged by distances in the last hidden stalk, not by logits.
  public let isByDistance: Bool
  /// How many samples are of classes with fewer samples than there are folds; nothing is said of their labels.
  public let unjudged: Int
  /// The share of labels that are predicted by what they are judged by: where it is low, little can be said of them.
  public let accuracy: Double
  /// By sample −log of the probability of its label, by the networks that labels are judged by.
  public let crossEntropies: [Double]
  /// The samples in the order of the chances that their labels are wrong.
  public let ranking: [Int]
  /// The samples whose labels are taken for wrong, likeliest first.
  public let suspects: [Int]
  /// The bound of the share of right labels among the suspects, as the model has it.
  public let falseDiscoveryRate: Double
  /// By sample the cross-entropy less its median, over 1.4826 times the median of the absolute deviations; NaN where that is 0.
  public let robustScores: [Double]
  /// By sample d_y² − min over c ≠ y of d_c², d_c the Mahalanobis distance from class c in the last hidden stalk of the network; empty where there
  /// is none.
  public let mahalanobisGaps: [Double]
  /// By sample m_y (`FlipEnergies`), y the class given; empty where they were not worked out.
  public let flipEnergies: [Double]
  /// The mean of m_y along training, where there is a record of it.
  public let averagedFlipEnergies: [Double]

  /// The suspects among samples with classes, some of which have as many samples as there are folds.
  ///
  /// - Parameters:
  ///   - validation: networks trained without each sample; nil to judge by the network itself.
  ///   - record: the mean along training of m_y of each sample.
  public init(
    _ samples: NetworkSamples, validation: CrossValidation?, folds: Int = 5,
    why: String = "training was not allowed",
    flipEnergies: [Double] = [], record: [Double] = [], falseDiscoveryRate: Double = 0.1
  ) {
    guard let classes = samples.classes, let count = samples.network.classCount else {
      preconditionFailure("suspect labels of samples without classes")
    }
    let logits = validation?.logits ?? samples.network.classLogits(samples.logits)
    // Of classes with fewer samples than there are folds nothing is known.
    var sizes = [Int](repeating: 0, count: count)
    for c in classes { sizes[c] += 1 }
    let judged = classes.indices.filter { sizes[classes[$0]] >= folds }
    let given = judged.map { classes[$0] }
    func fit(_ scores: Matrix, _ kind: LabelNoise.Score) -> LabelNoise {
      LabelNoise(scores.columns(judged), given, kind).spread(over: scores, classes, at: judged)
    }
    // Of both forms of distances that which explains the labels better.
    var noise: LabelNoise?
    if let squares = validation?.squaredDistances {
      var (power, normal) = (squares, squares)
      for j in 0..<squares.columns {
        for c in 0..<squares.rows {
          (power[c, j], normal[c, j]) = (-log(squares[c, j]), -squares[c, j])
        }
      }
      let (a, b) = (fit(power, .logarithmicDistances), fit(normal, .squaredDistances))
      noise = a.evidence >= b.evidence ? a : b
    }
    isByDistance = noise != nil
    let model = noise ?? fit(logits, .logits)
    unjudged = classes.count - judged.count
    source = validation == nil ? .network(why: why) : .crossValidation(folds: folds)
    self.noise = model
    self.falseDiscoveryRate = falseDiscoveryRate
    ranking = model.ranking
    accuracy =
      Double(classes.indices.count { logits.largestRow(ofColumn: $0) == classes[$0] })
      / Double(classes.count)
    let logs = logSoftmax(logits)
    crossEntropies = classes.enumerated().map { -logs[$1, $0] }
    suspects = model.suspects(falseDiscoveryRate: falseDiscoveryRate)
    robustScores = robustDeviations(crossEntropies)
    self.flipEnergies = flipEnergies
    averagedFlipEnergies = record
    let stalk = samples.network.lastHiddenVertex.map { samples.state.stalks[$0] }
    let gaussians = stalk.flatMap { stalk in
      stalk.rows <= 2048
        ? try? ClassGaussians(stalk, classes: classes, count: count, shrinkage: .ledoitWolf) : nil
    }
    if let stalk, let distances = gaussians?.squaredDistances(stalk) {
      mahalanobisGaps = classes.enumerated().map { j, y in
        distances[y, j] - (0..<count).filter { $0 != y }.map { distances[$0, j] }.min()!
      }
    } else {
      mahalanobisGaps = []
    }
  }
}

extension Network {
  /// The vertex that the last affine edges read, if it is not the input.
  var lastHiddenVertex: Int? {
    guard incoming[lastVertex].count == 1, let e = incoming[lastVertex].first else { return nil }
    let source = edges[e].source
    return source == 0 ? nil : source
  }
}

import Distributions
import LinearAlgebra
import NeuralSheaves

/// How unlike the training inputs samples are.
public struct Familiarity: Sendable {
  /// The combined score of each sample: the largest over stalks and detectors of (log d − median)/spread, by those held out of training inputs.
  public let scores: [Double]
  /// (1 + the samples held out whose score is not smaller)/(1 + their number): at most u with probability at most u for an input drawn as they
  /// were (conformal; Vovk et al. 2005).
  public let pValues: [Double]
  /// The vertices that were looked at.
  public let vertices: [Int]
  /// By those vertices and sample the p-value at that stalk alone.
  public let stalkPValues: [[Double]]
  /// The first stalk from the input on at which a sample is strange, at the level of the suspects; nil where there is none.
  public let firstStalks: [Int?]
  /// Samples taken for unfamiliar, strangest first: their p-values adjusted by Benjamini, Hochberg are at most the rate.
  public let unfamiliar: [Int]
  /// The number held out that p-values are from.
  public let calibrationCount: Int
  /// The number of training samples that distances are from.
  public let count: Int
  /// The largest shrinkage of a covariance.
  public let shrinkage: Double

  /// The scores of samples. Cost: distances to the training samples.
  public init(
    _ samples: NetworkSamples, _ model: FamiliarityModel, falseDiscoveryRate: Double = 0.1
  ) {
    let (stalks, combined) = model.scores(samples.state)
    let n = model.calibration.count
    func pValues(_ scores: [Double], _ sorted: [Double]) -> [Double] {
      scores.map { Double(1 + sorted.count - sorted.firstPlace(notBelow: $0)) / Double(n + 1) }
    }
    scores = combined
    let p = pValues(combined, model.calibration)
    self.pValues = p
    vertices = model.stalks.map(\.features.vertex)
    stalkPValues = zip(stalks, model.stalkCalibration).map { pValues($0, $1) }
    let level = 0.01
    let (byStalk, all) = (stalkPValues, vertices)
    firstStalks = combined.indices.map { j in
      all.indices.first { byStalk[$0][j] <= max(level, 1 / Double(n + 1)) }.map { all[$0] }
    }
    let adjusted = FalseDiscoveryRate.benjaminiHochberg(p)
    unfamiliar = combined.indices.filter { adjusted[$0] <= falseDiscoveryRate }
      .sorted { combined[$0] > combined[$1] }
    (calibrationCount, count, shrinkage) = (n, model.count, model.shrinkage)
  }
}

extension [Double] {
  /// The first place of an ascending list whose number is not below x; its count if there is none.
  fileprivate func firstPlace(notBelow x: Double) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < x { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

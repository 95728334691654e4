import Distributions
import Foundation
import LinearAlgebra
import NeuralSheaves

/// How unlike the training inputs samples are.
public struct Familiarity: Sendable {
  /// The score of each sample (`FamiliarityModel`).
  public let scores: [Double]
  /// (1 + the samples held out whose score is not smaller)/(1 + their number): at most u with probability about u or less for an input drawn as they
  /// were (conformal; Vovk et al. 2005). Where training inputs are held out in turn it is a little too large, as inputs held out are measured by fewer than
  /// new ones; where once, a little too small, as the network has seen them.
  public let pValues: [Double]
  /// The same, but for scores beyond all of those held out, where it is what an exponential tail of their cube roots leads to expect: an extrapolation,
  /// without which no single input could stand out from many.
  public let tailPValues: [Double]
  /// The vertices that were looked at.
  public let vertices: [Int]
  /// By those vertices and sample the p-value at that stalk alone.
  public let stalkPValues: [[Double]]
  /// The first stalk from the input on with p ≤ 1 %; nil where there is none.
  public let firstStalks: [Int?]
  /// The last stalk with p ≤ 1 %: how far what is strange is carried.
  public let lastStalks: [Int?]
  /// Samples taken for unfamiliar, strangest first: their tail p-values adjusted by Benjamini, Hochberg are at most the rate.
  public let unfamiliar: [Int]
  /// The number held out that p-values are from; none is smaller than 1/(1 + that).
  public let calibrationCount: Int
  /// The number of training samples that distances are from.
  public let count: Int
  /// Whether covariances had fewer samples than dimensions at some stalk.
  public let isShort: Bool

  /// The scores of samples. Cost: distances to the training samples.
  public init(
    _ samples: NetworkSamples, _ model: FamiliarityModel, falseDiscoveryRate: Double = 0.1
  ) {
    let (stalks, combined) = model.scores(samples.network, samples.state)
    scores = combined
    let p = combined.map { model.calibration.conformalPValue(of: $0) }
    pValues = p
    let (usual, most) = (model.calibration, model.calibration.last ?? 0)
    let tail = TailScale(cubeRootsOf: usual)
    let extended = zip(combined, p).map { score, p in
      score > most ? min(p, tail.upperTail(cbrt(score))) : p
    }
    tailPValues = extended
    let vertices = model.stalks.map(\.features.vertex)
    let byStalk = zip(stalks, model.stalkCalibration).map { scores, usual in
      scores.map { usual.conformalPValue(of: $0) }
    }
    (self.vertices, stalkPValues) = (vertices, byStalk)
    func strange(_ j: Int) -> [Int] { vertices.indices.filter { byStalk[$0][j] <= 0.01 } }
    firstStalks = combined.indices.map { strange($0).first.map { vertices[$0] } }
    lastStalks = combined.indices.map { strange($0).last.map { vertices[$0] } }
    let adjusted = FalseDiscoveryRate.benjaminiHochberg(extended)
    unfamiliar = combined.indices.filter { adjusted[$0] <= falseDiscoveryRate }
      .sorted { combined[$0] > combined[$1] }
    (calibrationCount, count) = (model.calibration.count, model.count)
    isShort = model.isShort
  }
}

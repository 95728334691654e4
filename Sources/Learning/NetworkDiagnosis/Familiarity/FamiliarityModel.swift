import Foundation
import LinearAlgebra
import NeuralSheaves

/// What training inputs look like at the stalks of a network, so that others can be told from them.
///
/// At the input, behind every activation and at the output up to three distances are measured: that to the nearest training sample, that between
/// directions to the fifth nearest, and the Mahalanobis distance from the mean of the class that is predicted. Training inputs that are held out say
/// how large each usually is (`TailScale`); a sample's score at a stalk is the sum of the cubes of its t, and its score as a whole that of the input
/// and the first activation: deeper stalks forget what is strange about an input (Docs/Diagnosis.md).
public struct FamiliarityModel: Sendable {
  /// A way to measure how strange an input is.
  public enum Detector: String, Sendable, CaseIterable {
    /// The distance to the nearest training sample.
    case nearest
    /// The distance to the fifth nearest, both divided by their norms; where the input has 50 coordinates or more.
    case directions
    /// The Mahalanobis distance from the mean of the predicted class.
    case mahalanobis
  }

  /// One stalk.
  struct Stalk: Sendable {
    let features: StalkFeatures
    let gaussians: ClassGaussians?
    let neighbours: [Detector: NearestNeighbours]

    init(
      features: StalkFeatures, gaussians: ClassGaussians?,
      neighbours: [Detector: NearestNeighbours] = [:]
    ) {
      (self.features, self.gaussians, self.neighbours) = (features, gaussians, neighbours)
    }

    /// The detectors that there are.
    var detectors: [Detector] {
      Detector.allCases.filter { $0 == .mahalanobis ? gaussians != nil : neighbours[$0] != nil }
    }

    /// The distances by detector of a stalk's values, (dimension, samples).
    func distances(_ stalk: Matrix, classes: [Int]) -> [Detector: [Double]] {
      let x = features(stalk)
      var result = neighbours.mapValues { $0.distances(x) }
      if let squares = gaussians?.squaredDistances(x) {
        result[.mahalanobis] = classes.enumerated().map { j, c in
          let own = squares[c, j]
          // A class that no training sample was put into has no mean.
          return
            (own.isFinite ? own : (0..<squares.rows).map { squares[$0, j] }.min()!).squareRoot()
        }
      }
      return result
    }
  }

  /// The dimension of every vertex of the network, to tell whether a model is of it.
  let dimensions: [Int]
  let stalks: [Stalk]
  /// By stalk and detector the scale of distances.
  let scales: [[Detector: TailScale]]
  /// By stalk the scores of the samples held out, ascending.
  let stalkCalibration: [[Double]]
  /// Their scores as a whole, ascending.
  let calibration: [Double]
  /// How many samples the distances are from.
  public let count: Int

  /// The part of the mean variance that is added to covariances.
  static let ridge = 1e-3

  /// Whether covariances had fewer samples than dimensions at some stalk.
  public var isShort: Bool { stalks.contains { $0.features.dimension >= count } }

  /// The model of training inputs, (n₀, samples).
  ///
  /// Up to 2,500 samples each fifth is held out in turn from the statistics that it is measured by; of more 2,000 are held out once.
  ///
  /// Cost: a forward pass; d²n for the covariance of d features of n samples; products of n and the samples held out.
  /// - Parameters:
  ///   - most: the most samples that are kept to measure distances to.
  ///   - hasNeighbours: whether samples are kept at all.
  /// - Throws: `FamiliarityError` for fewer than 20 samples, samples that are all alike, or numbers that are not finite.
  public init(
    _ network: Network, training: Matrix, most: Int = 10_000, hasNeighbours: Bool = true,
    seed: UInt64 = 0
  ) throws(FamiliarityError) {
    guard training.rows == network.inputDimension else {
      throw .shape(found: training.rows, expected: network.inputDimension)
    }
    guard training.columns >= 20 else { throw .few(training.columns) }
    var generator = RandomGenerator(seed: seed)
    let order = Array(generator.permutation(training.columns).prefix(most + Self.heldOut))
    let state = NeuralSheaf(network).forwardPass(training.columns(order))
    if let (v, _, j) = state.firstNonFinite {
      throw .notFinite(stalk: network.vertices[v].name, sample: order[j])
    }
    let classes = network.predictedClasses(state)
    /// The stalks as some samples have them.
    func stalks(_ some: [Int]) -> [Stalk?] {
      Self.stalks(
        network, state.samples(some), some.map { classes[$0] }, hasNeighbours: hasNeighbours)
    }
    let n = order.count
    let isSmall = n <= Self.mostFolded
    guard state.stalks[0].centred.sumOfSquares > 1e-26 * state.stalks[0].sumOfSquares else {
      throw .alike
    }
    let folds: [(held: [Int], kept: [Int])] =
      isSmall
      ? (0..<5).map { f in
        ((0..<n).filter { $0 % 5 == f }, (0..<n).filter { $0 % 5 != f })
      } : [(Array(0..<Self.heldOut), Array(Self.heldOut..<n))]
    let own = stalks(isSmall ? Array(0..<n) : folds[0].kept)
    let known = own.indices.filter { own[$0] != nil }
    guard !known.isEmpty else { throw .alike }
    var distances = [[Detector: [Double]]](repeating: [:], count: known.count)
    for fold in folds {
      let theirs = isSmall ? stalks(fold.kept) : own
      for (k, s) in known.enumerated() {
        // A stalk that is the same for all kept samples measures nothing: its distances are 0.
        let stalk = own[s]!
        let v = stalk.features.vertex
        let held = state.stalks[v].columns(fold.held)
        let found = theirs[s]?.distances(held, classes: fold.held.map { classes[$0] }) ?? [:]
        for detector in stalk.detectors {
          distances[k][detector, default: []] +=
            found[detector] ?? [Double](repeating: 0, count: fold.held.count)
        }
      }
    }
    let scales = distances.map { $0.mapValues { TailScale($0) } }
    let scores = Self.scores(scales, distances)
    self.init(
      dimensions: network.vertices.map(\.dimension), stalks: known.map { own[$0]! },
      scales: scales, stalkCalibration: scores.map { $0.sorted() },
      calibration: Self.combined(scores).sorted(), count: isSmall ? n : folds[0].kept.count)
  }

  /// How many of many samples are held out; up to how many each is held out in turn.
  private static let (heldOut, mostFolded) = (2000, 2500)

  /// What some samples of a forward pass look like at each stalk; nil where they are all the same.
  private static func stalks(
    _ network: Network, _ state: SheafState, _ classes: [Int], hasNeighbours: Bool
  ) -> [Stalk?] {
    network.familiarVertices.map { v in
      let features = StalkFeatures(vertex: v, dimension: network.vertices[v].dimension)
      let x = features(state.stalks[v])
      var neighbours: [Detector: NearestNeighbours] = [:]
      if hasNeighbours {
        neighbours[.nearest] = NearestNeighbours(x, .nearest)
        if network.inputDimension >= 50 {
          neighbours[.directions] = NearestNeighbours(x, .directions)
        }
      }
      let gaussians = try? ClassGaussians(
        x, classes: classes, count: network.classCount ?? 1, shrinkage: .ridge(Self.ridge))
      return gaussians == nil && !hasNeighbours
        ? nil : Stalk(features: features, gaussians: gaussians, neighbours: neighbours)
    }
  }

  init(
    dimensions: [Int], stalks: [Stalk], scales: [[Detector: TailScale]],
    stalkCalibration: [[Double]], calibration: [Double], count: Int
  ) {
    (self.dimensions, self.stalks, self.scales) = (dimensions, stalks, scales)
    (self.stalkCalibration, self.calibration) = (stalkCalibration, calibration)
    self.count = count
  }

  private static func distances(
    _ stalks: [Stalk], _ network: Network, _ state: SheafState
  ) -> [[Detector: [Double]]] {
    let classes = network.predictedClasses(state)
    return stalks.map { $0.distances(state.stalks[$0.features.vertex], classes: classes) }
  }

  /// By stalk and sample the sum over detectors of t³.
  private static func scores(
    _ scales: [[Detector: TailScale]], _ distances: [[Detector: [Double]]]
  ) -> [[Double]] {
    zip(scales, distances).map { scales, distances in
      let n = distances.first?.value.count ?? 0
      return (0..<n).map { j in
        Detector.allCases.reduce(0) { sum, detector in
          guard let list = distances[detector], let scale = scales[detector] else { return sum }
          let t = scale(list[j])
          return sum + t * t * t
        }
      }
    }
  }

  /// The sum over the first two stalks: the input and what the first activation gives.
  private static func combined(_ scores: [[Double]]) -> [Double] {
    scores[0].indices.map { j in scores.prefix(2).reduce(0) { $0 + $1[j] } }
  }

  /// By stalk and as a whole the score of each sample of a forward pass.
  func scores(
    _ network: Network, _ state: SheafState
  ) -> (stalks: [[Double]], combined: [Double]) {
    let scores = Self.scores(scales, Self.distances(stalks, network, state))
    return (scores, Self.combined(scores))
  }
}

extension Network {
  /// The class that each sample of a forward pass is put into; 0 where outputs are no classes.
  func predictedClasses(_ state: SheafState) -> [Int] {
    guard classCount != nil else { return [Int](repeating: 0, count: state.batch) }
    let logits = classLogits(state.stalks[lastVertex])
    return (0..<state.batch).map { logits.largestRow(ofColumn: $0) }
  }
}

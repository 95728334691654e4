import Foundation
import LinearAlgebra
import NeuralSheaves

/// What training inputs look like at the stalks of a network, so that others can be told from them.
///
/// At the input, behind every activation and at the output two distances are measured: the Mahalanobis distance from the nearest class
/// (`ClassGaussians`, classes as the network predicts them), and the distance to the k-th nearest training sample. A part of the training
/// inputs that is held out says how large each distance usually is.
public struct FamiliarityModel: Sendable {
  /// A way to measure how strange an input is.
  public enum Detector: String, Sendable, CaseIterable {
    /// The Mahalanobis distance from the nearest class.
    case mahalanobis
    /// The distance to the k-th nearest training sample.
    case neighbours
  }

  /// One stalk.
  struct Stalk: Sendable {
    let features: StalkFeatures
    let gaussians: ClassGaussians?
    let neighbours: NearestNeighbours?

    /// log of each distance that there is, by detector; stalk (dimension, samples).
    func logDistances(_ stalk: Matrix) -> [Detector: [Double]] {
      let x = features(stalk)
      var result: [Detector: [Double]] = [:]
      if let squares = gaussians?.squaredDistances(x) {
        result[.mahalanobis] = (0..<x.columns).map { j in
          log((0..<squares.rows).map { squares[$0, j] }.min()! + 1e-300) / 2
        }
      }
      if let distances = neighbours?.distances(x) {
        result[.neighbours] = distances.map { log($0 + 1e-150) }
      }
      return result
    }
  }

  /// The usual size of the logarithm of one distance.
  struct Scale: Sendable {
    let vertex: Int
    let detector: Detector
    /// The median and 1.4826 times the median absolute deviation over the samples held out.
    let median, spread: Double
  }

  /// The dimension of every vertex of the network, to tell whether a model is of it.
  let dimensions: [Int]
  let stalks: [Stalk]
  let scales: [Scale]
  /// The combined score of the samples held out, ascending.
  let calibration: [Double]
  /// By stalk their scores, ascending.
  let stalkCalibration: [[Double]]
  /// How many samples the distances are from.
  public let count: Int
  /// The largest shrinkage of a covariance.
  public var shrinkage: Double { stalks.compactMap { $0.gaussians?.shrinkage }.max() ?? 0 }

  /// k of the neighbours.
  static let rank = 5

  /// The model of training inputs, (n₀, samples).
  ///
  /// Cost: a forward pass; d²n for the covariance of d features of n samples; products of n and the samples held out.
  /// - Parameters:
  ///   - most: the most samples that are kept to measure distances to.
  ///   - heldOut: the share held out, of at most 2,000.
  ///   - hasNeighbours: whether samples are kept at all.
  /// - Throws: `FamiliarityError` for fewer than 20 samples or numbers that are not finite.
  public init(
    _ network: Network, training: Matrix, most: Int = 10_000, heldOut: Double = 0.2,
    hasNeighbours: Bool = true, seed: UInt64 = 0
  ) throws(FamiliarityError) {
    guard training.rows == network.inputDimension else {
      throw .shape(found: training.rows, expected: network.inputDimension)
    }
    guard training.columns >= 20 else { throw .few(training.columns) }
    var generator = RandomGenerator(seed: seed)
    let order = generator.permutation(training.columns)
    let size = min(2000, max(10, Int(heldOut * Double(training.columns))))
    let (held, kept) = (Array(order.prefix(size)), Array(order.dropFirst(size).prefix(most)))
    let sheaf = NeuralSheaf(network)
    let (own, other) = (
      sheaf.forwardPass(training.columns(kept)), sheaf.forwardPass(training.columns(held))
    )
    for state in [own, other] {
      if let (v, _, j) = state.firstNonFinite {
        throw .notFinite(stalk: network.vertices[v].name, sample: j)
      }
    }
    let classes = Self.classes(network, own)
    let stalks = network.familiarVertices.map { v in
      let features = StalkFeatures(vertex: v, dimension: network.vertices[v].dimension)
      let x = features(own.stalks[v])
      return Stalk(
        features: features,
        gaussians: try? ClassGaussians(x, classes: classes, count: network.classCount ?? 1),
        neighbours: hasNeighbours ? NearestNeighbours(x, rank: Self.rank) : nil)
    }.filter { $0.gaussians != nil || $0.neighbours != nil }
    guard !stalks.isEmpty else { throw .alike }
    let logs = stalks.map { $0.logDistances(other.stalks[$0.features.vertex]) }
    dimensions = network.vertices.map(\.dimension)
    count = kept.count
    self.stalks = stalks
    let scales = Self.scales(stalks, logs)
    self.scales = scales
    let scores = Self.scores(stalks, logs, scales)
    stalkCalibration = scores.map { $0.sorted() }
    calibration = Self.combined(scores).sorted()
  }

  /// From parts that were stored.
  init(
    dimensions: [Int], stalks: [Stalk], scales: [Scale], calibration: [Double],
    stalkCalibration: [[Double]], count: Int
  ) {
    (self.dimensions, self.stalks, self.scales) = (dimensions, stalks, scales)
    (self.calibration, self.stalkCalibration) = (calibration, stalkCalibration)
    self.count = count
  }

  private static func classes(_ network: Network, _ state: SheafState) -> [Int] {
    guard network.classCount != nil else { return [Int](repeating: 0, count: state.batch) }
    let logits = network.classLogits(state.stalks[network.lastVertex])
    return (0..<state.batch).map { logits.largestRow(ofColumn: $0) }
  }

  private static func scales(
    _ stalks: [Stalk], _ logs: [[Detector: [Double]]]
  ) -> [Scale] {
    zip(stalks, logs).flatMap { stalk, logs in
      Detector.allCases.compactMap { detector in
        logs[detector].map { values in
          let (median, spread) = medianAndSpread(values)
          return Scale(
            vertex: stalk.features.vertex, detector: detector, median: median,
            spread: max(spread, 1e-6))
        }
      }
    }
  }

  /// By stalk and sample the largest of (log d − median)/spread over its distances.
  private static func scores(
    _ stalks: [Stalk], _ logs: [[Detector: [Double]]], _ scales: [Scale]
  ) -> [[Double]] {
    zip(stalks, logs).map { stalk, logs in
      let own = scales.filter { $0.vertex == stalk.features.vertex }
      let n = logs.first?.value.count ?? 0
      return (0..<n).map { j in
        own.reduce(-Double.infinity) { best, scale in
          max(best, (logs[scale.detector]![j] - scale.median) / scale.spread)
        }
      }
    }
  }

  /// The largest over the stalks.
  private static func combined(_ scores: [[Double]]) -> [Double] {
    guard let n = scores.first?.count else { return [] }
    return (0..<n).map { j in scores.reduce(-Double.infinity) { max($0, $1[j]) } }
  }

  /// By stalk and over all of them the score of each sample of a forward pass.
  func scores(_ state: SheafState) -> (stalks: [[Double]], combined: [Double]) {
    let logs = stalks.map { $0.logDistances(state.stalks[$0.features.vertex]) }
    let scores = Self.scores(stalks, logs, scales)
    return (scores, Self.combined(scores))
  }
}

import NeuralSheaves

/// The layers of a network with what speaks for a fault in each, the suspect first.
public struct FaultRanking: Sendable {
  /// What is known of a layer.
  public struct Entry: Sendable {
    /// Its place in the network's list of layers.
    public let index: Int
    /// Its name.
    public let layer: String
    /// Its score by learned stiffness.
    public let stiffness: Double?
    /// The held-out loss after training it alone.
    public let fineTuneLoss: Double?
    /// The sum of its ranks by both, 2 for the suspect of both.
    public let rankSum: Int?
    /// The discrepancy of its activations.
    public let discrepancy: Double?
  }

  /// The layers, the suspect first.
  public let entries: [Entry]
  /// Why the answer is weak, in sentences; empty where nothing is against it.
  public let doubts: [String]

  /// Ranks by learned stiffness, and if each layer was trained alone by its stiffness score over its held-out loss: two signs of a fault that fail on
  /// different ones, each as sure as it is. The sum of their ranks, which forgets that, names fewer (Docs/FaultLocation.md).
  public init(
    _ probes: FaultProbes, _ stiffness: LayerStiffness, fineTuneLosses: [Double]? = nil
  ) {
    let layers = probes.layers
    let ranks = Self.ranks(stiffness.scores.map { -$0 })
    let tuned = fineTuneLosses.map { Self.ranks($0) }
    let entries = layers.indices.map { l in
      Entry(
        index: l, layer: layers[l].name, stiffness: stiffness.scores[l],
        fineTuneLoss: fineTuneLosses?[l], rankSum: tuned.map { ranks[l] + $0[l] }, discrepancy: nil)
    }
    let evidence = layers.indices.map { l in
      stiffness.scores[l]
        / (fineTuneLosses.map { $0[l].isNaN ? .infinity : max($0[l], 1e-300) } ?? 1)
    }
    let order = layers.indices.sorted { evidence[$0] > evidence[$1] }
    self.entries = order.map { entries[$0] }
    var doubts: [String] = []
    if layers.count > Self.mostLayers {
      doubts.append(
        "\(layers.count) layers: from outputs alone faults are found less often in networks of more than \(Self.mostLayers)"
      )
    }
    if probes.count < Self.fewestProbes {
      doubts.append("\(probes.count) probes, expected \(Self.fewestProbes) or more")
    }
    for l in layers.indices where stiffness.scores[l] == 0 {
      doubts.append(
        "nothing of \(layers[l].name) reaches the outputs of these probes, so that a fault of it has no score"
      )
    }
    if order.count > 1 && evidence[order[0]] < Self.clearFactor * evidence[order[1]] {
      let what = tuned == nil ? "largest stiffness score" : "largest score over loss"
      doubts.append("the two layers of \(what) are within a factor of \(Self.clearFactor)")
    }
    if let tuned, let first = ranks.firstIndex(of: 1), tuned[first] > 2 {
      doubts.append("training layers alone points to another layer than their stiffness")
    }
    if probes.difference.relative < 1e-5 {
      doubts.append(
        "the outputs differ by \(Float(probes.difference.relative)) of their size, which rounding in single precision does as well"
      )
    }
    self.doubts = doubts
  }

  /// Ranks by the activations of a reference network.
  public init(_ network: Network, _ comparison: ActivationComparison) {
    let layers = network.layers
    let d = comparison.discrepancies
    entries = layers.indices.sorted { d[$0] > d[$1] }.map { l in
      Entry(
        index: l, layer: layers[l].name, stiffness: nil, fineTuneLoss: nil, rankSum: nil,
        discrepancy: d[l])
    }
    let sorted = d.sorted(by: >)
    doubts =
      sorted.count > 1 && sorted[0] < Self.clearFactor * sorted[1]
      ? ["several layers differ about as much"] : []
  }

  /// The most layers of a network whose faults outputs tell reliably.
  public static let mostLayers = 6
  /// The fewest probes that were tried.
  public static let fewestProbes = 20
  /// How far the first is ahead of the second where the answer is clear.
  public static let clearFactor = 1.5

  /// 1 for the least.
  private static func ranks(_ values: [Double]) -> [Int] {
    var ranks = [Int](repeating: 0, count: values.count)
    let order = values.indices.sorted {
      let (a, b) = (values[$0], values[$1])
      return a.isNaN ? false : b.isNaN ? true : a < b
    }
    for (rank, l) in order.enumerated() { ranks[l] = rank + 1 }
    return ranks
  }
}

import NeuralSheaves

/// What the relaxations of one or more batches came to.
public struct RelaxationReport: Sendable, Equatable {
  /// How many samples were looked at.
  public var samples = 0
  /// How many of them did not settle.
  public var unsettled = 0
  /// How many coordinates rested on a kink; nil where nobody looked.
  public var kinkNeurons: Int?
  /// Their stationarity residuals, ‖the smallest element of ∂E‖∞ / max(1, ‖y − φ(ŷ)‖∞).
  public var residuals: [Double] = []
  /// The discords by kind of edge, summed over the samples.
  public var discordSums: [OperationKind: Double] = [:]

  /// Nothing relaxed, as in backpropagation.
  public init() {}

  /// Appends another report.
  public mutating func add(_ other: RelaxationReport) {
    samples += other.samples
    unsettled += other.unsettled
    if let kinks = other.kinkNeurons { kinkNeurons = (kinkNeurons ?? 0) + kinks }
    residuals += other.residuals
    discordSums.merge(other.discordSums) { $0 + $1 }
  }

  /// The share of samples that did not settle; nil if none was relaxed to a residual.
  public var unsettledFraction: Double? {
    residuals.isEmpty ? nil : Double(unsettled) / Double(residuals.count)
  }

  /// The median stationarity residual; nil if none was relaxed.
  public var medianResidual: Double? {
    residuals.isEmpty ? nil : residuals.sorted()[residuals.count / 2]
  }

  /// The mean over samples of the discord of all edges of a kind; nil where none was relaxed.
  public func discord(_ kind: OperationKind) -> Double? {
    samples == 0 ? nil : discordSums[kind].map { $0 / Double(samples) }
  }
}

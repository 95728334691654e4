import NeuralSheaves

/// The state of a training run at the end of an epoch; epoch 0 is the start.
public struct EpochRecord: Sendable, Equatable {
  /// The epoch.
  public let epoch: Int
  /// The number of weight steps so far.
  public let step: Int
  /// On the training data.
  public let train: Evaluation
  /// On the part of the training data that is held out, if there is one.
  public let validation: Evaluation?
  /// On the test data, if there are any.
  public let test: Evaluation?
  /// Training time so far in seconds, evaluation not counted.
  public let seconds: Double
  /// The rate of the last step.
  public let rate: Double?
  /// The coupling κ of the last step.
  public let coupling: Double?
  /// The relaxations of this epoch: all samples where a solver relaxed them, those of the last batch
  /// within a budget of sweeps.
  public let relaxation: RelaxationSummary
  /// ‖W‖, the Frobenius norm, of each parameter called `weight`, by vertex.
  public let weightNorms: [WeightNorm]

  /// The norm of one edge's weights.
  public struct WeightNorm: Sendable, Equatable, Codable {
    /// The vertex that the edge determines.
    public let vertex: String
    /// ‖W‖.
    public let norm: Double
  }
}

/// The means over the samples of a `RelaxationReport`.
public struct RelaxationSummary: Sendable, Equatable, Codable {
  /// The share of samples that did not settle.
  public let unsettledFraction: Double?
  /// The median stationarity residual.
  public let medianResidual: Double?
  /// The mean number of coordinates of a sample that rest on a kink.
  public let kinkNeurons: Double?
  /// The mean discord of all edges of a kind, by `OperationKind`'s names.
  public let discords: [String: Double]

  init(_ report: RelaxationReport) {
    unsettledFraction = report.unsettledFraction
    medianResidual = report.medianResidual
    kinkNeurons =
      report.samples == 0 ? nil : report.kinkNeurons.map { Double($0) / Double(report.samples) }
    discords = Dictionary(
      uniqueKeysWithValues: report.discordSums.keys.map { ($0.rawValue, report.discord($0)!) })
  }

  /// The mean discord of the edges of a kind.
  public func discord(_ kind: OperationKind) -> Double? { discords[kind.rawValue] }
}

extension EpochRecord: Codable {}

/// The history as a table.
extension EpochRecord {
  /// The columns of `csv` for a network.
  public static func csvHeader(_ network: Network) -> String {
    let norms = weightNorms(of: network).map { "weightNorm:\($0.vertex)" }
    return
      ([
        "epoch", "step", "trainLoss", "validationLoss", "testLoss", "trainAccuracy",
        "validationAccuracy", "testAccuracy", "seconds", "rate", "coupling", "unsettledFraction",
        "medianResidual", "kinkNeurons",
      ] + OperationKind.allCases.map { "discord:\($0.rawValue)" } + norms).joined(separator: ",")
  }

  /// One line of a table; a column without a value is empty.
  public var csv: String {
    let values: [Double?] =
      [
        train.loss, validation?.loss, test?.loss, train.accuracy, validation?.accuracy,
        test?.accuracy, seconds, rate, coupling, relaxation.unsettledFraction,
        relaxation.medianResidual, relaxation.kinkNeurons,
      ] + OperationKind.allCases.map { relaxation.discord($0) } + weightNorms.map(\.norm)
    return
      (["\(epoch)", "\(step)"] + values.map { x in x.map { $0.isNaN ? "" : "\($0)" } ?? "" })
      .joined(separator: ",")
  }

  /// The norms of the weights of a network.
  static func weightNorms(of network: Network) -> [WeightNorm] {
    network.edges.flatMap { edge in
      zip(edge.operation.parameterNames, edge.operation.parameters).compactMap { name, w in
        name == "weight"
          ? WeightNorm(
            vertex: network.vertices[edge.target].name, norm: w.sumOfSquares.squareRoot()) : nil
      }
    }
  }
}

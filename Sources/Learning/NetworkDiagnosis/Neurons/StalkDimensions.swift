import Foundation
import LinearAlgebra
import NeuralSheaves

/// How many dimensions of a stalk samples use.
public struct StalkDimensions: Sendable {
  /// The vertex.
  public let vertex: Int
  /// The principal variances, descending: the eigenvalues of the covariance over the samples, as many as there are samples or coordinates.
  public let variances: [Double]
  /// How many are more than (10⁻⁶)² of the largest.
  public let rank: Int
  /// (Σλ)²/Σλ², the participation ratio: m for m equal variances.
  public let participation: Double
  /// How many directions hold 99 % of the variance.
  public let dimensions99: Int

  /// Of a stalk, (dimension, samples). Cost: the eigenvalues of a Gram matrix of its shorter side.
  init(vertex: Int, _ stalk: Matrix, tolerance: Double) throws(FactorizationError) {
    self.vertex = vertex
    let centred = stalk.centred
    let isWide = stalk.columns > stalk.rows
    var gram = Matrix(rows: min(stalk.rows, stalk.columns), columns: min(stalk.rows, stalk.columns))
    gram.addGram(centred, transposed: !isWide, scale: 1 / Double(stalk.columns), keeping: 0)
    let values = try SymmetricEigendecomposition(gram, vectors: false).values.reversed()
      .map { max($0, 0) }
    variances = values
    let (sum, squares) = (values.reduce(0, +), values.reduce(0) { $0 + $1 * $1 })
    // Eigenvalues below rounding say nothing: 10⁻¹⁴ of the largest beside 10⁻¹².
    rank = values.count { $0 > tolerance * tolerance * (values.first ?? 0) }
    participation = squares > 0 ? sum * sum / squares : 0
    var left = 0.99 * sum
    var count = 0
    for value in values where left > 1e-12 * sum {
      left -= value
      count += 1
    }
    dimensions99 = count
  }

  /// Of every stalk, on at most so many samples.
  public static func all(
    _ samples: NetworkSamples, most: Int = 1000, thresholds: FindingThresholds = .init()
  ) throws(FactorizationError) -> [StalkDimensions] {
    let some = samples.spread(most)
    var result: [StalkDimensions] = []
    for (v, stalk) in samples.state.stalks.enumerated() {
      result.append(
        try StalkDimensions(vertex: v, stalk.columns(some), tolerance: thresholds.rank))
    }
    return result
  }

  /// The first stalk that lacks dimensions which input and output have.
  static func findings(_ all: [StalkDimensions], _ samples: NetworkSamples) -> [Finding] {
    let network = samples.network
    let outputs =
      network.outputActivation == .softmax ? network.outputDimension - 1 : network.outputDimension
    let needed = min(outputs, all[0].rank)
    let hidden = all.dropFirst().dropLast()
    guard
      let least = hidden.first(where: { stalk in
        stalk.rank < needed && !network.outgoing[stalk.vertex].isEmpty
          && network.isCut(stalk.vertex)
      })
    else { return [] }
    let name = network.vertices[least.vertex].name
    return [
      Finding(
        .bottleneck, name, share: Double(least.rank) / Double(needed),
        "\(name) has rank \(least.rank) on \(samples.count) samples, the input \(all[0].rank), and the outputs ask for \(outputs) dimensions"
      )
    ]
  }
}

extension Network {
  /// Whether every path from the input to the output goes through a vertex.
  func isCut(_ vertex: Int) -> Bool {
    !edges.contains { $0.source < vertex && $0.target > vertex }
  }
}

import LinearAlgebra
import NeuralSheaves

/// Neurons of a stalk whose values before the activation are multiples of each other on all samples: what one of them does the other does as
/// well, up to a factor.
public struct AlignedNeurons: Sendable {
  /// The vertex before the activation.
  public let vertex: Int
  /// Whether neurons are whole channels of a convolution.
  public let areChannels: Bool
  /// Groups of neurons that are positive multiples of each other, each of two or more.
  public let duplicates: [[Int]]
  /// Pairs that are negative multiples of each other, the first of each group standing for it.
  public let opposites: [(Int, Int)]
  /// How many neurons there are.
  public let count: Int

  /// Those of every vertex that an activation reads. Cost: a Gram matrix of the neurons of each.
  public static func all(
    _ samples: NetworkSamples, thresholds: FindingThresholds = .init()
  ) -> [AlignedNeurons] {
    let network = samples.network
    let counts = network.channelCounts
    return network.edges.compactMap { edge in
      guard edge.operation.kind == .activation, edge.operation.isStateDependent else { return nil }
      return AlignedNeurons(
        vertex: edge.source, samples.state.stalks[edge.source], channels: counts[edge.source],
        tolerance: thresholds.alignment)
    }
  }

  private init(vertex: Int, _ z: Matrix, channels: Int, tolerance: Double) {
    (self.vertex, count) = (vertex, channels)
    areChannels = z.rows > channels
    let moments = ChannelMoments(z, channels: channels)
    /// Both with and without the means: neurons that hardly vary about large means would else look alike.
    func alignment(_ i: Int, _ k: Int) -> Int {
      let raw = moments.cosine(i, k, isCentred: false)
      let centred = moments.cosine(i, k, isCentred: true)
      if raw >= 1 - tolerance && centred >= 1 - tolerance { return 1 }
      return raw <= tolerance - 1 && centred <= tolerance - 1 ? -1 : 0
    }
    var groups: [[Int]] = []
    for i in 0..<channels where moments.varies(i) {
      if let g = groups.firstIndex(where: { alignment($0[0], i) == 1 }) {
        groups[g].append(i)
      } else {
        groups.append([i])
      }
    }
    var opposites: [(Int, Int)] = []
    for (a, first) in groups.enumerated() {
      for second in groups.dropFirst(a + 1) where alignment(first[0], second[0]) == -1 {
        opposites.append((first[0], second[0]))
      }
    }
    duplicates = groups.filter { $0.count > 1 }
    self.opposites = opposites
  }

  /// What is to be said of them.
  func findings(_ samples: NetworkSamples) -> [Finding] {
    let name = samples.network.vertices[vertex].name
    let noun = areChannels ? "channels" : "neurons"
    var findings: [Finding] = []
    func add(_ kind: Finding.Kind, _ neurons: [Int], _ words: String, _ groups: [String]) {
      guard !neurons.isEmpty else { return }
      let shown = groups.prefix(8).joined(separator: ", ") + (groups.count > 8 ? ", …" : "")
      findings.append(
        Finding(
          kind, name, coordinates: neurons, areChannels: areChannels,
          share: Double(neurons.count) / Double(count),
          "\(noun) of \(name) that are \(words) multiples of each other on \(samples.count) samples: \(shown)"
        ))
    }
    add(
      .duplicate, duplicates.flatMap { $0 }.sorted(), "positive",
      duplicates.map { $0.map(String.init).joined(separator: " = ") })
    add(
      .opposite, Set(opposites.flatMap { [$0.0, $0.1] }).sorted(), "negative",
      opposites.map { "\($0.0) = −\($0.1)" })
    return findings
  }
}

/// Sums and sums of products of channels, over samples and places.
private struct ChannelMoments {
  private let gram: Matrix
  private let sums: [Double]
  private let size: Double

  init(_ z: Matrix, channels: Int) {
    let places = z.rows / channels
    var gram = Matrix(rows: channels, columns: channels)
    var sums = [Double](repeating: 0, count: channels)
    for p in 0..<places {
      let part =
        places == 1
        ? z : z[rows: (0..<channels).map { $0 * places + p }, columns: Array(0..<z.columns)]
      gram.addProduct(part, part, transposing: .right)
      var ones = Matrix(rows: channels, columns: 1)
      ones.addRowSums(of: part)
      for i in 0..<channels { sums[i] += ones[i, 0] }
    }
    (self.gram, self.sums, size) = (gram, sums, Double(places * z.columns))
  }

  private func moment(_ i: Int, _ k: Int, isCentred: Bool) -> Double {
    gram[i, k] - (isCentred ? sums[i] * sums[k] / size : 0)
  }

  /// Whether a channel varies by more than rounding.
  func varies(_ i: Int) -> Bool {
    moment(i, i, isCentred: true) > 1e-12 * gram[i, i]
  }

  func cosine(_ i: Int, _ k: Int, isCentred: Bool) -> Double {
    let (a, b) = (moment(i, i, isCentred: isCentred), moment(k, k, isCentred: isCentred))
    return moment(i, k, isCentred: isCentred) / (a * b).squareRoot()
  }
}

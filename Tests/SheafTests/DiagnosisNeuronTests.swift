import LinearAlgebra
import NetworkDiagnosis
import NetworkKernels
import NeuralSheaves
import Testing

/// Planted faults of neurons and layers are found, and nothing is found where nothing was planted.
@Suite struct DiagnosisNeuronTests {
  private static let seeds = 0..<50 as Range<UInt64>

  /// A network without faults: enough samples that no neuron is dead by chance.
  private static func healthy(
    _ g: inout RandomGenerator, _ activation: PiecewiseAffine = .rectifier
  ) -> (Network, Matrix) {
    var network = Network(inputDimension: 6)
    var last = 0
    for (n, m) in [(6, 16), (16, 12)] {
      let layer = Dense(
        weight: g.normalMatrix(rows: m, columns: n, deviation: (2 / Double(n)).squareRoot()),
        bias: (0..<m).map { _ in 0.1 * g.normal() })
      last = network.append(layer, to: last)
      last = network.append(Elementwise(activation, dimension: m), to: last)
    }
    network.append(dense(12, 3, &g), to: last)
    return (network, g.normalMatrix(rows: 6, columns: 2000))
  }

  private static func findings(_ network: Network, _ x: Matrix) throws -> [Finding] {
    var g = RandomGenerator(seed: 1)
    return try NeuronReport(NetworkSamples(network, input: x), using: &g).findings
  }

  /// Changes the weight and the bias of one neuron of an edge.
  private static func change(
    _ network: inout Network, _ edge: Int, _ body: (inout Matrix, inout Matrix) -> Void
  ) {
    let p = network.edges[edge].operation.parameters
    var (w, b) = (p[0], p[1])
    body(&w, &b)
    network.updateParameters(of: edge) { i, m in m = i == 0 ? w : b }
  }

  /// Kinds that random networks of this size have by themselves now and then: second-layer neurons of one sign.
  private static let natural: Set<Finding.Kind> = [.dead, .alwaysActive]

  @Test func healthyNetworksHaveNoFindings() throws {
    var alarms = 0
    for seed in Self.seeds {
      var g = RandomGenerator(case: seed)
      let (network, x) = Self.healthy(&g)
      let found = try Self.findings(network, x)
      #expect(found.allSatisfy { Self.natural.contains($0.kind) }, "seed \(seed): \(found)")
      alarms += found.count
      for f in found {
        // They are what they are said to be.
        let state = NeuralSheaf(network).forwardPass(x)
        let v = try network.vertex(named: f.vertex)
        for i in f.coordinates {
          let isOn = (0..<x.columns).map { state.stalks[v][i, $0] > 0 }
          #expect(isOn.allSatisfy { $0 == (f.kind == .alwaysActive) }, "seed \(seed)")
        }
      }
    }
    #expect(alarms < 60, "\(alarms)")
  }

  @Test func deadAndAlwaysActiveNeuronsAreNamed() throws {
    for seed in Self.seeds {
      var g = RandomGenerator(case: seed)
      var (network, x) = Self.healthy(&g)
      let (dead, on) = (g.integer(0...7), g.integer(8...15))
      Self.change(&network, 0) { w, b in
        b[dead, 0] = -1e3
        b[on, 0] = 1e3
      }
      let found = try Self.findings(network, x)
      let a = found.first { $0.kind == .dead && $0.vertex == "a1" }
      let b = found.first { $0.kind == .alwaysActive && $0.vertex == "a1" }
      #expect(a?.coordinates.contains(dead) == true, "seed \(seed)")
      #expect(b?.coordinates.contains(on) == true, "seed \(seed)")
    }
  }

  /// At the lower limit a clipped neuron is dead, at the upper one saturated.
  @Test func clippedNeuronsHaveTwoEnds() throws {
    for seed in Self.seeds {
      var g = RandomGenerator(case: seed)
      var (network, x) = Self.healthy(&g, .clip(lower: 0, upper: 6))
      Self.change(&network, 0) { w, b in
        b[2, 0] = -1e3
        b[5, 0] = 1e3
      }
      let found = try Self.findings(network, x)
      #expect(
        found.first { $0.kind == .dead && $0.vertex == "a1" }?.coordinates.contains(2) == true)
      #expect(
        found.first { $0.kind == .saturated && $0.vertex == "a1" }?.coordinates == [5],
        "seed \(seed)")
    }
  }

  @Test func multiplesOfNeuronsAreFound() throws {
    for seed in Self.seeds {
      var g = RandomGenerator(case: seed)
      var (network, x) = Self.healthy(&g)
      let (s, t) = (exp2(g.normal()), -exp2(g.normal()))
      Self.change(&network, 0) { w, b in
        for j in 0..<6 {
          w[3, j] = s * w[1, j]
          w[9, j] = t * w[4, j]
        }
        b[3, 0] = s * b[1, 0]
        b[9, 0] = t * b[4, 0]
      }
      let found = try Self.findings(network, x)
      #expect(found.first { $0.kind == .duplicate }?.coordinates == [1, 3], "seed \(seed)")
      #expect(found.first { $0.kind == .opposite }?.coordinates == [4, 9], "seed \(seed)")
    }
  }

  /// Neurons that hardly vary about large means are no multiples of each other.
  @Test func largeMeansAreNoLikeness() throws {
    for seed in Self.seeds {
      var g = RandomGenerator(case: seed)
      var (network, x) = Self.healthy(&g)
      Self.change(&network, 0) { w, b in for i in 0..<16 { b[i, 0] = 1e6 + Double(i) } }
      let found = try Self.findings(network, x)
      #expect(!found.contains { $0.kind == .duplicate && $0.vertex == "z1" }, "seed \(seed)")
    }
  }

  @Test func layersThatLoseDimensionsAreFound() throws {
    for seed in Self.seeds {
      var g = RandomGenerator(case: seed)
      var (network, x) = Self.healthy(&g)
      // Rank 1 in the second layer, three outputs.
      let (u, v) = (g.normals(12), g.normals(16))
      Self.change(&network, 2) { w, b in
        for i in 0..<12 { for j in 0..<16 { w[i, j] = u[i] * v[j] } }
      }
      let found = try Self.findings(network, x)
      #expect(found.first { $0.kind == .bottleneck }?.vertex == "z2", "seed \(seed)")
      #expect(found.first { $0.kind == .rankDeficient }?.vertex == "z2", "seed \(seed)")
    }
  }

  @Test func signalsAndGradientsThatVanishOrExplode() throws {
    for seed in Self.seeds {
      var g = RandomGenerator(case: seed)
      let (network, x) = Self.healthy(&g)
      func scaled(
        _ first: Double, ofEdge layer: Int, _ last: Double
      ) throws -> Set<Finding.Kind> {
        var other = network
        Self.change(&other, layer) { w, b in
          w.scale(by: first)
          b.scale(by: first)
        }
        Self.change(&other, 4) { w, b in w.scale(by: last) }
        return Set(try Self.findings(other, x).map(\.kind))
      }
      #expect(try scaled(1e-5, ofEdge: 2, 1e5).contains(.vanishingSignal), "seed \(seed)")
      #expect(try scaled(1e5, ofEdge: 2, 1e-5).contains(.explodingSignal), "seed \(seed)")
      #expect(try scaled(1e-5, ofEdge: 0, 1e5).contains(.explodingGradient), "seed \(seed)")
      #expect(try scaled(1e5, ofEdge: 0, 1e-5).contains(.vanishingGradient), "seed \(seed)")
      // The same network with its input in other units has no such fault.
      var units = network
      Self.change(&units, 0) { w, b in w.scale(by: 1e-4) }
      var large = x
      large.scale(by: 1e4)
      let kinds = try Self.findings(units, large).map(\.kind)
      #expect(!kinds.contains(.vanishingSignal) && !kinds.contains(.explodingSignal))
    }
  }

  @Test func outputsThatAreTooSureAreFound() throws {
    for seed in Self.seeds {
      var g = RandomGenerator(case: seed)
      var (network, x) = Self.healthy(&g)
      network.outputActivation = .softmax
      #expect(try !Self.findings(network, x).contains { $0.kind == .saturatedOutput })
      Self.change(&network, 4) { w, b in w.scale(by: 1e3) }
      let found = try Self.findings(network, x).first { $0.kind == .saturatedOutput }
      #expect(found != nil && found!.share > 0.9, "seed \(seed)")
    }
  }

  /// A few samples say nothing of neurons.
  @Test func fewSamplesHaveNoDeadNeurons() throws {
    for n in [1, 2, 19] {
      var g = RandomGenerator(case: UInt64(n))
      let (network, x) = Self.healthy(&g)
      let found = try Self.findings(network, x.columns(0..<n))
      let single: Set<Finding.Kind> = [.dead, .alwaysActive, .duplicate, .opposite, .saturated]
      #expect(!found.contains { single.contains($0.kind) }, "\(n) samples")
    }
  }

  /// Of convolutions whole channels are named.
  @Test func channelsOfConvolutionsAreNamed() throws {
    for seed in Self.seeds {
      var g = RandomGenerator(case: seed)
      let window = SlidingWindow(channels: 1, image: Extent(5, 5), kernel: Extent(3, 3))
      let convolution = Convolution(window: window, filters: 4)
      var w = g.normalMatrix(rows: 9, columns: 4)
      var bias = [0.0, 0, 0, 0]
      let (dead, copy) = (g.integer(0...1), g.integer(2...3))
      bias[dead] = -1e3
      for k in 0..<9 { w[k, copy] = 2 * w[k, 1 - dead] }
      bias[1 - dead] = 0.1
      bias[copy] = 0.2
      var network = Network(inputDimension: 25)
      let z = network.append(Convolutional(convolution, weight: w, bias: bias), to: 0)
      let a = network.append(Elementwise.rectifier(dimension: 36), to: z)
      network.append(dense(36, 2, &g), to: a)
      let found = try Self.findings(network, g.normalMatrix(rows: 25, columns: 200))
      let gone = found.first { $0.kind == .dead }
      #expect(gone?.coordinates == [dead] && gone?.areChannels == true, "seed \(seed)")
      #expect(
        found.first { $0.kind == .duplicate }?.coordinates == [1 - dead, copy].sorted(),
        "seed \(seed)")
    }
  }

  /// The singular values and the dimensions are those of the matrices themselves.
  @Test func dimensionsAreThoseOfTheCovariance() throws {
    for seed in 0..<10 as Range<UInt64> {
      var g = RandomGenerator(case: seed)
      let network = Network(inputDimension: 5)
      var whole = network
      whole.append(dense(5, 2, &g), to: 0)
      // Three dimensions of equal variance, exactly.
      var x = Matrix(rows: 5, columns: 6)
      for k in 0..<3 {
        x[k, 2 * k] = 3
        x[k, 2 * k + 1] = -3
      }
      let all = try StalkDimensions.all(NetworkSamples(whole, input: x))
      #expect(all[0].rank == 3 && all[0].dimensions99 == 3)
      #expect(abs(all[0].participation - 3) < 1e-12)
      let weights = try WeightSpectrum.all(whole)[0]
      let w = whole.edges[0].operation.parameters[0]
      #expect(abs(weights.values.reduce(0) { $0 + $1 * $1 } - w.sumOfSquares) < 1e-10)
    }
  }
}

private func exp2(_ x: Double) -> Double { x >= 0 ? 1 + x : 1 / (1 - x) }

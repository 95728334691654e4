import ArrayFiles
import Equilibria
import Foundation
import LinearAlgebra
import ModelFormats
import NetworkKernels
import NeuralSheaves
import PiecewiseEnergies
import SheafDiagnostics
import Synchronization
import Testing

/// Spectra of restricted Laplacians.
struct SpectrumTests {
  /// The paper's implementation, on the state of its runs.
  @Test func eigenvaluesAreTheReferences() throws {
    for name in ["b1_241_identity", "b2_26441_identity"] {
      let r = try Reference(name)
      let sheaf = NeuralSheaf(try r.network())
      let x = r["X"].columns(0..<1)
      let spectrum = SheafSpectrum(sheaf, at: sheaf.forwardPass(x)).samples[0]
      let expected = r["eig_free"].elements.sorted()
      let found = try #require(spectrum.eigenvalues)
      #expect(found.count == expected.count)
      #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-9 * expected.last! })
    }
  }

  /// The eight training runs of the paper's implementation: spectra at 50 samples before training, after it and after
  /// gradient descent, with the energies of the blocks and the mean cosines, whichever way they are found.
  @Test(arguments: [0, 1000]) func spectraOfTrainingRunsAreTheReferences(denseLimit: Int) throws {
    let file = Reference.folder.appendingPathComponent("spectra.npz").path
    let arrays = try NPZ.read(file)
    var compared = 0
    for run in ["paraboloid", "saddle", "circular", "blobs"].flatMap({ ["\($0)_1H", "\($0)_2H"] }) {
      for (stage, weights) in [("init", "init_"), ("sheaf", "final_"), ("sgd", "sgd_final_")] {
        func expected(_ name: String) throws -> [Double] {
          try #require(arrays["\(run)/spec_\(stage)_\(name)"]?.elements)
        }
        let sheaf = NeuralSheaf(
          try NPZNetwork.read(file, NetworkReading(prefix: "\(run)/\(weights)")))
        var settings = SheafSpectrum.Settings()
        settings.denseLimit = denseLimit
        // Cosines and energies need eigenvectors, known to residual over distance.
        settings.tolerance = 1e-13
        let state = sheaf.forwardPass(try #require(arrays["\(run)/Xspec"]?.matrix))
        let spectrum = SheafSpectrum(sheaf, at: state, settings: settings)
        func expect(_ found: [Double], _ name: String, within tolerance: Double = 1e-9) throws {
          let all = try expected(name)
          #expect(found.count == all.count, "\(run) \(stage) \(name)")
          let scale = all.maximumMagnitude
          for (a, b) in zip(found, all) where !(abs(a - b) <= tolerance * scale) {
            Issue.record("\(run) \(stage) \(name): \(a), expected \(b)")
          }
          compared += found.count
        }
        try expect(spectrum.samples.map(\.gap), "gaps")
        try expect(spectrum.samples.map(\.top.value), "lmax")
        try expect(spectrum.samples.map(\.condition), "kappa")
        if denseLimit > 0 && stage == "init" {
          try expect(spectrum.samples.flatMap { $0.eigenvalues ?? [] }, "eig")
        }
        try expect([spectrum.stability(.fiedler)!], "fiedler_meancos")
        try expect([spectrum.stability(.top)!], "max_meancos")
        for (end, name) in [(SheafSpectrum.End.fiedler, "fiedler"), (.top, "max")] {
          try expect(spectrum.blockEnergies(end).flatMap(\.energies), "\(name)_energy")
        }
      }
    }
    #expect(compared >= 13_000)
  }

  /// Spectra against depth at 50 samples: [2,30,1], [2,10,8,1], [2,8,6,4,1].
  @Test(arguments: ["1H", "2H", "3H"]) func spectraAgainstDepthAreTheReferences(name: String) throws
  {
    let file = Reference.folder.appendingPathComponent("spectra.npz").path
    let arrays = try NPZ.read(file)
    let network = try NPZNetwork.read(file, NetworkReading(prefix: "depth/\(name)_init_"))
    let sheaf = NeuralSheaf(network)
    let state = sheaf.forwardPass(try #require(arrays["depth/X"]?.matrix))
    let spectrum = SheafSpectrum(sheaf, at: state)
    for (key, found) in [
      ("gaps", spectrum.samples.map(\.gap)), ("lmax", spectrum.samples.map(\.top.value)),
      ("kappa", spectrum.samples.map(\.condition)),
    ] {
      let expected = try #require(arrays["depth/\(name)_\(key)"]?.elements)
      let error = relativeError(Matrix(column: found), Matrix(column: expected))
      #expect(found.count == 50 && error < 1e-9, "\(key): \(error)")
    }
  }

  /// Lanczos iterations find what a dense decomposition does, on networks of every operation and with unequal γ:
  /// values, multiplicities, spaces; and log det L = Σ log γ.
  @Test func endsAreThoseOfTheDenseSpectrum() throws {
    let seeds = NeuralSheafLawTests.linearSeeds.filter { $0 % 3 == 0 }
    try Tally.over(seeds) { seed, tally in
      var (network, g) = try randomNetwork(seed: seed)
      let n = network.freeDimension
      guard n >= 8 && n <= 250 else { return }
      let sheaf = NeuralSheaf(network)
      let x = g.normalMatrix(rows: network.inputDimension, columns: 2)
      let gamma = network.vertices.map { _ in seed % 2 == 0 ? 1 : g.uniform(0.3, 3) }
      let stiffness = Stiffness(network.edges.map { gamma[$0.target] }, of: network)
      func spectrum(_ denseLimit: Int) -> SheafSpectrum {
        var settings = SheafSpectrum.Settings()
        (settings.denseLimit, settings.pairs, settings.threads) = (denseLimit, 3, 1)
        return SheafSpectrum(
          sheaf, at: sheaf.forwardPass(x), stiffness: stiffness, settings: settings)
      }
      let (dense, found) = (spectrum(1000), spectrum(0))
      let sum = network.vertices.indices.dropFirst().reduce(0) {
        $0 + Double(network.vertices[$1].dimension) * log(gamma[$1])
      }
      let condition = dense.samples.map(\.condition).max()!
      tally.expect(
        abs(dense.logDeterminant - sum) <= 1e-12 * Double(n) * condition,
        "seed \(seed): log det \(dense.logDeterminant), Σ log γ \(sum)")
      tally.expect(abs(found.logDeterminant - sum) <= 1e-9, "seed \(seed)")
      for (a, b) in zip(dense.samples, found.samples) {
        // A dense decomposition knows λ₁ to rounding of λ_max.
        let rounding = 1e-13 * a.top.value
        tally.expect(b.status == .converged, "seed \(seed): \(b.status)")
        tally.expect(
          zip(a.largest, b.largest).allSatisfy { abs($0 - $1) <= 1e-8 * $0 }
            && zip(a.smallest, b.smallest).allSatisfy { abs($0 - $1) <= 1e-8 * $1 + rounding },
          "seed \(seed): \(a.smallest), \(b.smallest); \(a.largest), \(b.largest)")
        for (s, t) in [(a.top, b.top), (a.fiedler, b.fiedler)] where a.condition < 1e5 {
          guard s.dimension == t.dimension else { continue }
          tally.expect(
            abs(t.energies.reduce(0, +) - 1) < 1e-12
              && t.vectors.maximumMagnitude <= 1 + 1e-12, "seed \(seed)")
        }
      }
    }.check(atLeast: 600)
  }

  /// Copies of one chain side by side: a chain z − a of one neuron that is active has L = [[2, −1], [−1, 1]] with
  /// λ = (3 ± √5)/2, and n copies have n of each, whichever way they are found.
  @Test(arguments: [1, 3, 7], [0, 1000]) func repeatedEigenvaluesHaveTheirSpaces(
    n: Int, denseLimit: Int
  ) throws {
    var network = Network(inputDimension: n)
    let z = network.append(
      Dense(weight: .identity(n), bias: [Double](repeating: 0, count: n)), to: 0)
    network.append(Elementwise.rectifier(dimension: n), to: z)
    let sheaf = NeuralSheaf(network)
    let x = Matrix(rows: n, columns: 2, repeating: 1)
    var settings = SheafSpectrum.Settings()
    settings.denseLimit = denseLimit
    let spectrum = SheafSpectrum(sheaf, at: sheaf.forwardPass(x), settings: settings)
    for s in spectrum.samples {
      #expect(abs(s.gap - (3 - 5.0.squareRoot()) / 2) < 1e-12)
      #expect(abs(s.top.value - (3 + 5.0.squareRoot()) / 2) < 1e-12)
      #expect(s.fiedler.dimension == n && s.top.dimension == n)
    }
    // v ∝ (1, φ), φ the golden ratio, for λ₁: 1/(1 + φ²) of it in z.
    let golden = (1 + 5.0.squareRoot()) / 2
    let energies = spectrum.blockEnergies(.fiedler)
    #expect(abs(energies[0].energies[0] - 1 / (1 + golden * golden)) < 1e-10)
    #expect(abs(energies[0].energies[0] + energies[1].energies[0] - 1) < 1e-12)
    #expect(abs(try #require(spectrum.stability(.fiedler)) - 1) < 1e-10)
    #expect(abs(spectrum.neuronEnergies(.top).reduce(0, +) - 1) < 1e-12)
  }

  /// m stalks that follow each other by identities: λ_k = 4 sin²((2k − 1)π/(4m + 2)), each as often as the stalks have
  /// coordinates (Docs/Spectra.md).
  @Test(arguments: [1, 2, 5, 12], [0, 1000]) func identityChainsHaveAClosedForm(
    layers: Int, denseLimit: Int
  ) throws {
    let d = 3
    var network = Network(inputDimension: d)
    var last = 0
    for _ in 0..<layers {
      let zero = [Double](repeating: 0, count: d)
      let z = network.append(Dense(weight: .identity(d), bias: zero), to: last)
      last = network.append(Elementwise.rectifier(dimension: d), to: z)
    }
    let m = Double(2 * layers)
    func lambda(_ k: Double) -> Double {
      let root = sin((2 * k - 1) * .pi / (4 * m + 2))
      return 4 * root * root
    }
    let sheaf = NeuralSheaf(network)
    let state = sheaf.forwardPass(Matrix(rows: d, columns: 1, repeating: 1))
    var settings = SheafSpectrum.Settings()
    settings.denseLimit = denseLimit
    let found = SheafSpectrum(sheaf, at: state, settings: settings).samples[0]
    #expect(abs(found.gap / lambda(1) - 1) < 1e-10 && found.fiedler.dimension == d)
    #expect(abs(found.top.value / lambda(m) - 1) < 1e-10 && found.top.dimension == d)
    if let all = found.eigenvalues {
      for (i, value) in all.enumerated() {
        #expect(abs(value - lambda(Double(i / d + 1))) < 1e-13)
      }
    }
  }

  /// What there was no time for says so, in its place.
  @Test(arguments: [0, 1000]) func haltedSpectraSaySo(denseLimit: Int) throws {
    var g = RandomGenerator(seed: 3)
    let sheaf = NeuralSheaf(try Network(widths: [3, 8, 2], using: &g))
    let x = g.normalMatrix(rows: 3, columns: 4)
    var settings = SheafSpectrum.Settings()
    settings.denseLimit = denseLimit
    settings.halt = Halt { .timeLimit }
    let spectrum = SheafSpectrum(sheaf, at: sheaf.forwardPass(x), settings: settings)
    #expect(spectrum.samples.map(\.status) == [.timeLimit, .timeLimit, .timeLimit, .timeLimit])
    #expect(spectrum.samples.allSatisfy { $0.gap.isNaN } && spectrum.stability(.top) == nil)
    #expect(spectrum.blockEnergies(.fiedler).allSatisfy { $0.energies.isEmpty })
    #expect(spectrum.neuronEnergies(.top) == [])
  }

  /// The command's numbers are the library's; what is wrong is said.
  @Test func theCommandPrintsThem() throws {
    let b1 = Reference.folder.appendingPathComponent("b1_241_identity.npz").path
    let input = ["--input", b1 + "#X", "--samples", "columns"]
    let r = try Reference("b1_241_identity")
    let sheaf = NeuralSheaf(try r.network())
    let spectrum = SheafSpectrum(sheaf, at: sheaf.forwardPass(r["X"]))
    let json = try CommandTests().run(["spectrum", b1, "--full", "--json"] + input).json
    let samples = try #require(json["samples"] as? [[String: Any]])
    #expect(samples.count == r["X"].columns)
    for (object, sample) in zip(samples, spectrum.samples) {
      let found = try #require(object["eigenvalues"] as? [Double])
      let expected = try #require(sample.eigenvalues)
      #expect(found.count == expected.count)
      #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-13 })
      #expect(object["gap"] as? Double == found.first)
      #expect(object["largest"] as? Double == found.last)
      let condition = try #require(object["condition"] as? Double)
      #expect(abs(condition * found.first! / found.last! - 1) < 1e-13)
    }
    let energies = try #require(json["fiedlerEnergy"] as? [String: Double])
    #expect(Set(energies.keys) == ["z1", "a1", "z2"])
    #expect(abs(energies.values.reduce(0, +) - 1) < 1e-12)
    #expect(abs(try #require(json["logDeterminant"] as? Double)) < 1e-12)
    let text = try CommandTests().run(["spectrum", b1] + input)
    #expect(text.status == 0 && text.output.contains("median gap"), "\(text.output)")
    let bad = try CommandTests().run(["spectrum", b1, "--pairs", "0"] + input)
    #expect(bad.status == 64 && bad.error.contains("--pairs is 0"), "\(bad.error)")
  }

  /// The distribution of the eigenvalues of a chain of identities is that of its closed form; tr L and ‖L‖² of random
  /// networks come out within the estimate's spread, and the ends lie between the true ones.
  @Test func densitiesAreThoseOfTheSpectra() throws {
    let (m, d) = (12, 40)
    var chain = Network(inputDimension: d)
    for _ in 0..<m {
      chain.append(
        Dense(weight: .identity(d), bias: [Double](repeating: 0, count: d)),
        to: chain.lastVertex)
    }
    let sheaf = NeuralSheaf(chain)
    let state = sheaf.forwardPass(Matrix(rows: d, columns: 1, repeating: 1))
    let measure = SheafSpectrum.densities(sheaf, at: state, vectors: 100)[0]
    let edges: [Double] = [0, 0.5, 1.5, 2.5, 3.5, 4]
    let values = (1...m).map { k in
      4 * pow(sin(Double(2 * k - 1) * .pi / Double(4 * m + 2)), 2)
    }
    let shares = measure.shares(between: edges)
    for (k, share) in shares.enumerated() {
      let expected = values.count { $0 >= edges[k] && $0 < edges[k + 1] }
      #expect(abs(share - Double(expected) / Double(m)) < 0.02, "\(k): \(share)")
    }
    #expect(abs(measure.weights.reduce(0, +) - 1) < 1e-12)
    try Tally.over(NeuralSheafLawTests.linearSeeds.filter { $0 % 8 == 0 }) { seed, tally in
      var (network, g) = try randomNetwork(seed: seed)
      let n = network.freeDimension
      guard n >= 20 && n <= 250 else { return }
      let sheaf = NeuralSheaf(network)
      let state = sheaf.forwardPass(g.normalMatrix(rows: network.inputDimension, columns: 1))
      var settings = SheafSpectrum.Settings()
      settings.isFull = true
      let all = SheafSpectrum(sheaf, at: state, settings: settings).samples[0].eigenvalues!
      let measure = SheafSpectrum.densities(sheaf, at: state, vectors: 200, steps: 12)[0]
      // The spread of vᵀAv/vᵀv over normal v is at most √(2 Σλ²)/n; six of them for 200 vectors.
      for power in [1.0, 2] {
        let moment = all.reduce(0) { $0 + pow($1, power) } / Double(n)
        let spread =
          (2 * all.reduce(0) { $0 + pow($1, 2 * power) } / 200).squareRoot() / Double(n)
        let found = measure.mean { pow($0, power) }
        tally.expect(
          abs(found - moment) <= 6 * spread + 1e-9 * moment,
          "seed \(seed), power \(power): \(found), expected \(moment) ± \(spread)")
      }
      tally.expect(
        measure.nodes[0] >= all[0] * (1 - 1e-9) - 1e-12 * all[n - 1]
          && measure.nodes.last! <= all[n - 1] * (1 + 1e-9), "seed \(seed): ends")
    }.check(atLeast: 150)
  }

  /// The Hessian on a face is the derivative of the gradient along it, at pinned equilibria of random networks; both
  /// ways of finding its ends agree; what is held, or rests on a kink, has no part in its vectors.
  @Test func pinnedSpectraAreThoseOfTheHessian() throws {
    let faces = Mutex(0)
    try Tally.over(Array(UInt64(0)..<240)) { seed, tally in
      var (network, g) = try randomNetwork(seed: seed)
      let x = g.normalMatrix(rows: network.inputDimension, columns: 1)
      let pins = try PinnedEquilibriumTests.randomPins(network, input: x, &g)
      guard network.vertices.reduce(0, { $0 + $1.dimension }) <= 150 else { return }
      let energy = PinnedEnergy(NeuralSheaf(network), pins: pins)
      let end = try IterativeSolver(threads: 1).solve(energy, input: x)
      guard end.status == .converged else { return }
      let hessian = FaceHessian(energy, at: end.state, sample: 0)
      guard hessian.rows > 0 else { return }
      if end.kinkNeurons[0] + end.tiedCoordinates[0] > 0 { faces.withLock { $0 += 1 } }
      let matrix = hessian.assembled()
      let scale = max(1, matrix.maximumMagnitude)
      // Differences of the energy along directions of the face; where it is smooth along them both sides agree.
      let sizes = network.vertices.map(\.dimension)
      for _ in 0..<3 {
        let u = g.normalMatrix(rows: hessian.rows, columns: 1)
        let direction = hessian.expanded(u)
        let parts = direction.split(sizes)
        func moved(_ t: Double) -> SheafState {
          var state = end.state
          for v in parts.indices { state.stalks[v].add(parts[v], scale: t) }
          return state
        }
        func value(_ t: Double) -> Double { energy.values(at: moved(t))[0] }
        let h = 1e-5
        // Where a coordinate with no force on it lies on a boundary the two sides have curvatures of their own.
        let patterns = energy.sheaf.patterns(at: end.state)
        guard [h, -h].allSatisfy({ energy.sheaf.patterns(at: moved($0)) == patterns }) else {
          continue
        }
        let (plus, middle, minus) = (value(h), value(0), value(-h))
        let expected = dot(u, hessian(u))
        let second = (plus - 2 * middle + minus) / (h * h)
        let rounding = 40 * 2.3e-16 * max(middle, 1e-3 * scale) / (h * h)
        tally.expect(
          abs(second - expected) <= 1e-3 * abs(expected) + rounding,
          "seed \(seed): \(second), expected \(expected)")
      }
      var settings = SheafSpectrum.Settings()
      let dense = SheafSpectrum(energy, at: end.state, settings: settings).samples[0]
      settings.isFull = true
      let all = SheafSpectrum(energy, at: end.state, settings: settings)
      let values = try SymmetricEigendecomposition(matrix).values
      tally.expect(
        zip(all.samples[0].eigenvalues!, values).allSatisfy { abs($0 - $1) <= 1e-12 * scale },
        "seed \(seed): eigenvalues")
      tally.expect(
        abs(dense.top.energies.reduce(0, +) - 1) < 1e-12
          && dense.top.energies.count == sizes.reduce(0, +), "seed \(seed): lengths")
      let held = pins.held(0)
      tally.expect(held.allSatisfy { dense.top.energies[$0] == 0 }, "seed \(seed): held input")
    }.check(atLeast: 400)
    let seen = faces.withLock { $0 }
    #expect(seen >= 20, "\(seen) states on kinks or ties")
  }

  /// Faces by hand. x → z → a = max(0, z) → y, weights 1, y pinned to −1: from x = 1 both z and a move, L has 1 and 3;
  /// from x = 0.3 z rests on its kink, and a has 2 alone. Two values, tied for the largest, whose maximum is pinned to
  /// 0, move as one: 1 of each and ½ of the maximum's spring.
  @Test func facesHaveTheirOwnHessians() throws {
    var chain = Network(inputDimension: 1)
    for k in 0..<2 {
      let z = chain.append(Dense(weight: .identity(1), bias: [0]), to: chain.lastVertex)
      if k == 0 { chain.append(Elementwise.rectifier(dimension: 1), to: z) }
    }
    func eigenvalues(_ network: Network, _ x: [Double], _ target: Double) throws -> [Double] {
      let input = Matrix(column: x)
      let pin = Pin(
        vertex: network.lastVertex, coordinates: [0], values: Matrix(column: [target]))
      let energy = PinnedEnergy(
        NeuralSheaf(network), pins: try Pins([pin], network: network, input: input))
      let end = try IterativeSolver(threads: 1).solve(energy, input: input)
      #expect(end.status == .converged)
      return SheafSpectrum(energy, at: end.state).samples[0].eigenvalues ?? []
    }
    func expect(_ found: [Double], _ expected: [Double]) {
      #expect(
        found.count == expected.count
          && zip(found, expected).allSatisfy { abs($0 - $1) < 1e-12 }, "\(found), \(expected)")
    }
    expect(try eigenvalues(chain, [1], -1), [1, 3])
    expect(try eigenvalues(chain, [0.3], -1), [2])
    var pooled = Network(inputDimension: 2)
    let z = pooled.append(Dense(weight: .identity(2), bias: [0, 0]), to: 0)
    pooled.append(
      MaximumPooling(
        SlidingWindow(
          channels: 1, image: Extent(1, 2), kernel: Extent(1, 2), stride: Extent(1, 2))), to: z)
    expect(try eigenvalues(pooled, [0.5, 0.4], 0), [1.5])
  }
}

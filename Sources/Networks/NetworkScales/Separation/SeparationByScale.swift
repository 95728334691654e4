import Foundation
import LinearAlgebra
import NeuralSheaves
import SheafProbability

/// Which edges of a classifier give way when a decision is turned from a class to another, and how far its stalks hold the classes apart.
///
/// *Shares.* On the pattern of the forward pass the state of least energy ½⟨ρ, ρ⟩_Γ in which class c' has come up with class c has the energy
///
///     F = g² / (2 dᵀCd),   g = z_c − z_c',   d = e_c − e_c',   C = Σ_e C_e,   C_e = J_e Γ_e⁻¹ J_eᵀ,
///
/// (`GaussianSheaf.edgeCovariances`), and its discrepancy on edge e is Γ_e⁻¹J_eᵀd · g / dᵀCd, so that the edge has exactly the share
///
///     s_e = dᵀC_e d / dᵀCd,   Σ_e s_e = 1,
///
/// of it, whatever g is. Shares of edges add up to those of layers, halves and the whole. That of a group is also F over what the flip costs
/// if all other edges are rigid: edges are springs in parallel, 1/F = Σ_e 1/F_e. So an edge with a large share is where the
/// decision is the softest, by the noise of its size; it is not where the classes were told apart. That is what the stalks say.
///
/// *Stalks.* With μ_c the class means of a stalk v and M = (mean C_v)⁻¹, C_v = E_vL⁻¹E_vᵀ being the covariance that the noise of all edges before v has
/// there, so that M is the stiffness of the one effective edge from the input to v (`CoarseNetwork`),
///
///     between = Σ_c π_c (μ_c − μ)ᵀM(μ_c − μ),   within = mean (x − μ_c)ᵀM(x − μ_c).
///
/// ½(μ_c − μ_c')ᵀM(μ_c − μ_c') is the energy of taking one class mean to the other. between / within compares the classes with their own
/// spread; `plain` is the same with M = 1.
public struct SeparationByScale: Sendable {
  /// Two classes.
  public struct Pair: Sendable, Hashable {
    public let first: Int
    public let second: Int
  }

  /// A set of edges.
  public struct Group: Sendable, Equatable {
    /// What it is called: an edge by its name, "layer 2", "first half", "all".
    public let name: String
    /// Its edges in `network.edges`, consecutive.
    public let edges: Range<Int>
  }

  /// How far a stalk holds the classes apart.
  public struct Stalk: Sendable, Equatable {
    /// The vertex.
    public let vertex: Int
    /// Its name.
    public let name: String
    /// Its dimension.
    public let dimension: Int
    /// Between the classes, in units of the noise.
    public let between: Double
    /// Within them.
    public let within: Double
    /// between / within with M = 1.
    public let plain: Double
    /// between / within; ∞ for classes without spread, NaN where there is nothing.
    public var ratio: Double { between / within }
  }

  /// The edges' names.
  public let edgeNames: [String]
  /// The layer of each edge's target.
  public let layers: [Int]
  /// γ_e of each edge.
  public let stiffness: [Double]
  /// Pairs of classes with samples.
  public let pairs: [Pair]
  /// How many samples of either class.
  public let counts: [Int]
  /// s_e, (edges, pairs): means over the samples of the two classes. Columns sum to 1.
  public let shares: Matrix
  /// ±F of each pair, means over the samples of the two classes, negative for a sample whose own class is behind.
  public let flipEnergies: [Double]
  /// The stalks asked for, in the order of the network.
  public let stalks: [Stalk]
  /// What classes are called.
  public let classNames: [String]

  /// The least number of samples that the covariances of stalks are means of, if there are as many.
  public static let metricSamples = 64
  /// The most classes.
  public static let mostClasses = 64

  /// Looks at samples with their classes.
  ///
  /// - Parameters:
  ///   - network: its outputs are scores of classes; a single output is that of class 1 against 0.
  ///   - input: (n₀, samples).
  ///   - classes: one for each sample.
  ///   - vertices: the stalks to look at; nil for all free ones with at most `limit` coordinates.
  ///   - noise: Γ; in proportion to the signal if nil (`EdgeNoise.relative`), so that results do not depend on how a function's scale is shared out
  ///     over layers, as they do for γ = 1.
  ///   - limit: the most coordinates of a stalk.
  /// - Throws: `quantity` for more than 64 classes or a class that is no output; `tooLarge`; `factorization` where numbers are not finite.
  /// - Complexity: n_{k+1} reverse sweeps for each sample, (edges + pairs of a class) n_{k+1}² numbers; for the stalks as many sweeps as they have
  ///   coordinates for each of 64 samples, evenly chosen.
  public init(
    _ network: Network, input: Matrix, classes: [Int], stalks vertices: [Int]? = nil,
    noise: EdgeNoise? = nil, limit: Int = 1024,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) throws(ScaleError) {
    precondition(input.columns == classes.count, "\(classes.count) classes of \(input.shape)")
    let n = max(network.outputDimension, 2)
    guard n <= Self.mostClasses else {
      throw .quantity(
        name: "outputs", found: "\(n)", expected: "at most \(Self.mostClasses) classes")
    }
    if let j = classes.firstIndex(where: { !(0..<n).contains($0) }) {
      throw .quantity(
        name: "the class of sample \(j)", found: "\(classes[j])", expected: "0 to \(n - 1)")
    }
    let state = NeuralSheaf(network).forwardPass(input)
    let edgeNoise: EdgeNoise
    do throws(ProbabilityError) {
      if let noise { edgeNoise = noise } else { edgeNoise = try .relative(to: state, of: network) }
    } catch {
      throw .quantity(name: "the forward pass", found: "\(error)", expected: "finite values")
    }
    let model = GaussianSheaf(network, noise: edgeNoise)
    stiffness = model.noise.stiffness
    edgeNames = network.edges.indices.map { network.edgeName($0) }
    layers = network.edges.map { network.vertices[$0.target].layer }
    classNames = network.classNames.count == n ? network.classNames : (0..<n).map { "\($0)" }

    var sums = PairSums(network: network, classes: n)
    for start in stride(from: 0, to: classes.count, by: 64) {
      let range = start..<min(start + 64, classes.count)
      let parts = model.edgeCovariances(
        at: state.samples(range), gains: false, threads: threads)
      for (q, j) in range.enumerated() {
        sums.add(
          parts.map { $0.additive[q] }, model.noise,
          logits: state.stalks[network.lastVertex].column(j), class: classes[j])
      }
    }
    (pairs, counts, shares, flipEnergies) = sums.means

    let chosen =
      vertices?.sorted()
      ?? (1...network.lastVertex).filter { network.vertices[$0].dimension <= limit }
    var separations: [Stalk] = []
    let step = max(1, classes.count / Self.metricSamples)
    let some = stride(from: 0, to: classes.count, by: step).map { $0 }
    for v in chosen where !classes.isEmpty {
      separations.append(
        try Stalk(
          v, model, state, classes, n, some: state.samples(some), limit: limit, threads: threads))
    }
    stalks = separations
  }

  /// The share of a set of consecutive edges, by pair.
  public func shares(of edges: Range<Int>) -> [Double] {
    pairs.indices.map { p in edges.reduce(0) { $0 + shares[$1, p] } }
  }

  /// The mean over the pairs of the share of a set of edges.
  public func meanShare(of edges: Range<Int>) -> Double {
    shares(of: edges).reduce(0, +) / Double(pairs.count)
  }

  /// The scales, the finest first: single edges, layers, halves of the layers, the whole.
  ///
  /// A layer is a run of edges whose targets have one layer ℓ; the first half are the runs up to the middle one, that included.
  public var scales: [[Group]] {
    let edges = edgeNames.indices
    let single = edges.map { Group(name: edgeNames[$0], edges: $0..<$0 + 1) }
    var runs: [Group] = []
    var start = 0
    for e in edges where e + 1 == edges.count || layers[e + 1] != layers[e] {
      runs.append(Group(name: "layer \(layers[e])", edges: start..<e + 1))
      start = e + 1
    }
    let middle = runs.isEmpty ? 0 : runs[(runs.count - 1) / 2].edges.upperBound
    let halves = [
      Group(name: "first half", edges: 0..<middle),
      Group(name: "second half", edges: middle..<edges.count),
    ]
    return [single, runs, halves, [Group(name: "all", edges: 0..<edges.count)]]
  }
}

/// Sums over the samples of each pair of classes.
private struct PairSums {
  let outputs: Int
  let classes: Int
  var counts: Matrix
  var energies: Matrix
  /// By edge, (classes, classes) with the smaller class as the row.
  var shares: [Matrix]

  init(network: Network, classes n: Int) {
    (outputs, classes) = (network.outputDimension, n)
    counts = Matrix(rows: n, columns: n)
    energies = counts
    shares = network.edges.map { _ in Matrix(rows: n, columns: n) }
  }

  mutating func add(_ parts: [Matrix], _ noise: EdgeNoise, logits: [Double], class y: Int) {
    for other in 0..<classes where other != y {
      let spreads = parts.enumerated().map { e, c in
        noise.variance(ofEdge: e)
          * (outputs == 1 ? c[0, 0] : c[y, y] + c[other, other] - c[y, other] - c[other, y])
      }
      // Not 0: the noise of z_{k+1} itself is among it.
      let spread = spreads.reduce(0, +)
      let gap = outputs == 1 ? (y == 1 ? 1 : -1) * logits[0] : logits[y] - logits[other]
      let (a, b) = (min(y, other), max(y, other))
      counts[a, b] += 1
      energies[a, b] += gap * abs(gap) / (2 * spread)
      for e in spreads.indices { shares[e][a, b] += spreads[e] / spread }
    }
  }

  var means:
    (
      pairs: [SeparationByScale.Pair], counts: [Int], shares: Matrix, energies: [Double]
    )
  {
    var pairs: [SeparationByScale.Pair] = []
    for a in 0..<classes {
      for b in a + 1..<max(classes, a + 1) where counts[a, b] > 0 {
        pairs.append(.init(first: a, second: b))
      }
    }
    var table = Matrix(rows: shares.count, columns: pairs.count)
    for (p, pair) in pairs.enumerated() {
      for e in shares.indices {
        table[e, p] = shares[e][pair.first, pair.second] / counts[pair.first, pair.second]
      }
    }
    return (
      pairs, pairs.map { Int(counts[$0.first, $0.second]) }, table,
      pairs.map { energies[$0.first, $0.second] / counts[$0.first, $0.second] }
    )
  }
}

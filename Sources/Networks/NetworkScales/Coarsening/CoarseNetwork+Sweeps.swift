import Foundation
import LinearAlgebra
import NeuralSheaves

extension CoarseNetwork {
  /// A network at some of its stalks, for each sample of a state on its pattern.
  ///
  /// - Parameters:
  ///   - vertices: free vertices in any order, such as `[try network.vertex(named: "a2"), network.lastVertex]`.
  ///   - state: its input and the patterns read from it count.
  ///   - stiffness: Γ.
  ///   - limit: the most coordinates of the kept stalks together.
  /// - Throws: `tooLarge`; `factorization` where numbers are not finite.
  /// - Complexity: for each sample a forward pass and |K| reverse sweeps, each no further than the kept stalks before; a Cholesky
  ///   factorisation for each group. No factorisation of L.
  public static func coarsen(
    _ sheaf: NeuralSheaf, keeping vertices: [Int], at state: SheafState,
    stiffness: Stiffness = .uniform, limit: Int = defaultLimit,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) throws(ScaleError) -> [CoarseNetwork] {
    let patterns = sheaf.patterns(at: state)
    let paths = try KeptPaths(sheaf.network, keeping: vertices, limit: limit)
    typealias Entry = (sample: Int, result: Result<CoarseNetwork, ScaleError>?)
    var entries = (0..<state.batch).map { Entry($0, nil) }
    forEachInParallel(&entries, threads: threads) { entry in
      let j = entry.sample
      let patterns = patterns.map { $0.samples([j]) }
      entry.result = Result { () throws(ScaleError) in
        try CoarseNetwork(
          sheaf, paths, at: patterns, input: state.stalks[0].columns(j..<j + 1), stiffness)
      }
    }
    var networks: [CoarseNetwork] = []
    for entry in entries { networks.append(try entry.result!.get()) }
    return networks
  }

  /// The same on a given pattern, of one sample.
  ///
  /// - Parameter input: x, (n₀, 1).
  public init(
    _ sheaf: NeuralSheaf, keeping vertices: [Int], at patterns: [ActivationPattern], input: Matrix,
    stiffness: Stiffness = .uniform, limit: Int = defaultLimit
  ) throws(ScaleError) {
    precondition(input.rows == sheaf.network.inputDimension && input.columns == 1)
    try self.init(
      sheaf, KeptPaths(sheaf.network, keeping: vertices, limit: limit), at: patterns, input: input,
      stiffness)
  }

  private init(
    _ sheaf: NeuralSheaf, _ paths: KeptPaths, at patterns: [ActivationPattern], input: Matrix,
    _ stiffness: Stiffness
  ) throws(ScaleError) {
    (self.sheaf, self.patterns, self.stiffness) = (sheaf, patterns, stiffness)
    vertices = paths.kept
    var state = sheaf.zeroState(input)
    for edge in zip(sheaf.network.edges, patterns) {
      let source = state.stalks[edge.0.source]
      edge.0.operation.apply(source, at: edge.1, into: &state.stalks[edge.0.target])
    }
    forward = state
    var (maps, noises) = ([EffectiveMap](), [EffectiveNoise]())
    for group in paths.groups {
      let (found, covariance) = Self.sweep(sheaf, paths, group, patterns, stiffness)
      maps += found
      do throws(FactorizationError) {
        noises.append(
          EffectiveNoise(
            vertices: group, covariance: covariance,
            factors: try CholeskyFactorization(covariance)))
      } catch {
        throw .factorization(error)
      }
    }
    self.maps = maps.sorted { ($0.target, $0.source) < ($1.target, $1.source) }
    self.noises = noises
    var (starts, next) = ([Int: Int](), 0)
    for v in vertices {
      starts[v] = next
      next += sheaf.network.vertices[v].dimension
    }
    self.starts = starts
  }

  /// One reverse sweep with a column for each coordinate of a group of kept stalks, which ends at kept stalks: what arrives at one is a
  /// transposed block of J, and it starts anew with its own coordinates. The noise of every vertex on the way adds its Gram matrix to N.
  private static func sweep(
    _ sheaf: NeuralSheaf, _ paths: KeptPaths, _ group: [Int], _ patterns: [ActivationPattern],
    _ stiffness: Stiffness
  ) -> (maps: [EffectiveMap], covariance: Matrix) {
    let network = sheaf.network
    var (columns, count) = ([Int: Range<Int>](), 0)
    for v in group {
      let n = network.vertices[v].dimension
      columns[v] = count..<count + n
      count += n
    }
    var u = [Matrix?](repeating: nil, count: network.vertices.count)
    var maps: [EffectiveMap] = []
    var noise = Matrix(rows: count, columns: count)
    func read(_ source: Int) {
      guard let rows = u[source] else { return }
      for v in group where paths.reach[source].contains(v) {
        maps.append(
          EffectiveMap(source: source, target: v, matrix: rows.columns(columns[v]!).transposed))
      }
    }
    let one = [Int](repeating: 0, count: count)
    for t in network.vertices.indices.dropFirst().reversed() {
      if paths.isKept[t] {
        read(t)
        u[t] = nil
        guard let own = columns[t] else { continue }
        var identity = Matrix(rows: own.count, columns: count)
        for (i, j) in own.enumerated() { identity[i, j] = 1 }
        u[t] = identity
      }
      guard let rows = u[t] else { continue }
      var scaled = rows
      if let gamma = stiffness[t] { scaled.scaleRows(by: gamma.map { 1 / $0.squareRoot() }) }
      noise.addGram(scaled, transposed: true)
      for e in network.incoming[t] {
        let edge = network.edges[e]
        var source =
          u[edge.source]
          ?? Matrix(rows: network.vertices[edge.source].dimension, columns: count)
        u[edge.source] = nil
        edge.operation.addTranspose(
          rows, at: patterns[e].samples(one), keeping: 1, into: &source)
        u[edge.source] = source
      }
      u[t] = nil
    }
    read(0)
    return (maps, noise)
  }
}

/// Which kept stalks each vertex has paths to without a kept one between.
struct KeptPaths: Sendable {
  /// The kept vertices, ascending.
  let kept: [Int]
  let isKept: [Bool]
  /// By vertex the first kept ones on the paths that leave it.
  let reach: [Set<Int>]
  /// The kept vertices in groups, each joined through vertices that are not kept and have paths to all of them.
  let groups: [[Int]]

  init(_ network: Network, keeping vertices: [Int], limit: Int) throws(ScaleError) {
    precondition(
      !vertices.isEmpty
        && vertices.allSatisfy { network.vertices.indices.dropFirst().contains($0) },
      "vertices \(vertices), expected some of 1 to \(network.lastVertex)")
    kept = Set(vertices).sorted()
    let size = kept.reduce(0) { $0 + network.vertices[$1].dimension }
    guard size <= limit else { throw .tooLarge(coordinates: size, most: limit) }
    var isKept = [Bool](repeating: false, count: network.vertices.count)
    for v in kept { isKept[v] = true }
    var reach = [Set<Int>](repeating: [], count: network.vertices.count)
    var sets = DisjointSets(count: network.vertices.count)
    for v in network.vertices.indices.reversed() {
      for e in network.outgoing[v] {
        let target = network.edges[e].target
        reach[v].formUnion(isKept[target] ? [target] : reach[target])
      }
      if v > 0 && !isKept[v], let first = reach[v].first {
        for other in reach[v] { sets.join(first, other) }
      }
    }
    groups = Dictionary(grouping: kept) { sets.root($0) }.values.sorted { $0[0] < $1[0] }
    (self.isKept, self.reach) = (isKept, reach)
  }
}

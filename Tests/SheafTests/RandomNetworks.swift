import LinearAlgebra
import NetworkKernels
import NeuralSheaves

/// Seeded random networks for property tests: below 84 chains, beyond graphs, from 10,000 on of all
/// operations.
func randomNetwork(seed: UInt64) throws -> (Network, RandomGenerator) {
  if seed >= 84 {
    var graph = RandomGraph(seed: seed, drawsOnAll: seed >= 10_000)
    graph.grow(operations: 1 + Int(seed % 40))
    return (graph.network, graph.g)
  }
  return try randomChain(seed: seed)
}

/// Chains of depth 0–6 and, every third time, a residual block through a junction. Biases are not
/// zero.
private func randomChain(seed: UInt64) throws -> (Network, RandomGenerator) {
  var g = RandomGenerator(case: seed)
  let depth = Int(seed % 7)
  let widths = (0..<depth + 2).map { _ in 1 + Int(g.uniform(0, 6)) }
  var network = Network(inputDimension: widths[0])
  var last = 0
  for (l, (n, m)) in zip(widths, widths.dropFirst()).enumerated() {
    if seed % 3 == 0 && l > 0 {
      // a ↦ [a ; a'] with a' = ReLU(W a + b), then [I I]-like mixing by the next dense layer.
      let side = network.append(dense(n, n, &g), to: last)
      let active = network.append(Elementwise.rectifier(dimension: n), to: side)
      let junction = network.appendJunction(of: [last, active])
      last = network.append(dense(2 * n, m, &g), to: junction)
    } else {
      last = network.append(dense(n, m, &g), to: last)
    }
    if l + 2 < widths.count {
      last = network.append(Elementwise.rectifier(dimension: m), to: last)
    }
  }
  return (network, g)
}

func dense(_ n: Int, _ m: Int, _ g: inout RandomGenerator) -> Dense {
  Dense(
    weight: g.normalMatrix(rows: m, columns: n, deviation: (2 / Double(n)).squareRoot()),
    bias: (0..<m).map { _ in 0.3 * g.normal() })
}

extension RandomGenerator {
  mutating func element<T>(_ list: [T]) -> T { list[integer(0...list.count - 1)] }
  /// A window of any stride, dilation and padding over images of up to 9 × 40.
  mutating func slidingWindow(channels: Int) -> SlidingWindow {
    while true {
      let window = SlidingWindow(
        channels: channels, image: Extent(integer(1...9), integer(1...40)),
        kernel: Extent(integer(1...4), integer(1...5)),
        stride: Extent(integer(1...3), integer(1...3)),
        dilation: Extent(integer(1...2), integer(1...3)),
        paddingBefore: Extent(integer(0...3), integer(0...3)),
        paddingAfter: Extent(integer(0...3), integer(0...3)), roundsUp: uniform() < 0.5)
      if window.outputSize > 0 { return window }
    }
  }
  mutating func normals(_ n: Int) -> [Double] { (0..<n).map { _ in normal() } }
}

/// A random directed acyclic graph that draws on every operation.
struct RandomGraph {
  var network: Network
  var g: RandomGenerator
  /// The image shape of each vertex that has one.
  private var images: [Int: (channels: Int, size: Extent)] = [:]
  private let widest = 24
  /// Whether volumes, transposed convolutions, minima, sparse maps and splines occur.
  private let drawsOnAll: Bool

  init(seed: UInt64, drawsOnAll: Bool) {
    self.drawsOnAll = drawsOnAll
    g = RandomGenerator(case: seed)
    let image = (channels: g.integer(1...2), size: Extent(g.integer(1...4), g.integer(1...3)))
    network = Network(inputDimension: image.channels * image.size.height * image.size.width)
    images[0] = image
  }

  mutating func grow(operations: Int) {
    while network.edges.count < operations - 1 { growOnce() }
    let last = network.lastVertex
    network.append(dense(network.vertices[last].dimension, g.integer(1...4), &g), to: last)
  }

  /// Appends one random operation, preferring recent vertices.
  private mutating func growOnce() {
    let count = network.vertices.count
    let source = g.uniform() < 0.7 ? count - 1 : g.integer(0...count - 1)
    let n = network.vertices[source].dimension
    var image = images[source]
    // The channels of an image as one volume.
    if drawsOnAll, let plane = image, plane.size.depth == nil, plane.channels <= widest,
      g.uniform() < 0.3
    {
      image = (1, Extent(plane.channels, plane.size.height, plane.size.width))
    }
    let new: Int
    switch g.integer(0...(drawsOnAll ? 15 : 11)) {
    case 0, 1:
      new = network.append(convolutional(image ?? (n, Extent(1, 1))), to: source)
    case 2, 3: new = network.append(pooling(image ?? (1, Extent(1, n))), to: source)
    case 4: new = network.append(dense(n, g.integer(1...12), &g), to: source)
    case 5: new = network.append(channelAffine(n), to: source)
    case 6: new = network.append(sum(of: source), to: network.lastVertex)
    case 7:
      let other = g.integer(0...count - 1)
      guard n + network.vertices[other].dimension <= widest else { return }
      new = network.appendJunction(of: [source, other])
    case 8: new = network.append(relabelled(n), to: source)
    case 12: new = network.append(transposed(image ?? (n, Extent(1, 1))), to: source)
    case 13: new = network.append(minimum(image ?? (1, Extent(1, n))), to: source)
    case 14: new = network.append(sparse(n), to: source)
    case 15: new = network.append(splines(n), to: source)
    default: new = network.append(activation(n), to: source)
    }
    if images[new] == nil && network.vertices[new].dimension == n { images[new] = image }
  }

  private mutating func activation(_ n: Int) -> any NetworkOperation {
    let functions: [PiecewiseAffine] = [
      .rectifier, .rectifier, .leakyRectifier(slope: 0.1), .clip(lower: 0, upper: 1),
      .clip(lower: -0.4, upper: .infinity), .clip(lower: -.infinity, upper: 0.7), .absolute,
      .clip(lower: -0.3, upper: 0.9), .hardSigmoid(slope: 0.4, offset: 0.5),
    ]
    switch g.integer(0...10) {
    case 0:
      let channels = divisor(of: n)
      return ParametricRectifier(slopes: g.normals(channels), extent: n / channels)
    case 1: return Inclusion.identity(dimension: n)
    default: return Elementwise(g.element(functions), dimension: n)
    }
  }

  private mutating func channelAffine(_ n: Int) -> ChannelAffine {
    let channels = divisor(of: n)
    return ChannelAffine(
      scale: g.normals(channels), shift: g.normals(channels), extent: n / channels,
      isTrained: g.uniform() < 0.5)
  }

  /// A residual sum: a junction of `source` with itself transformed, whose sum the caller appends.
  private mutating func sum(of source: Int) -> Sum {
    let n = network.vertices[source].dimension
    network.appendJunction(of: [source, network.lastVertex(of: n)])
    return g.uniform() < 0.7 ? Sum(terms: 2, dimension: n) : .difference(dimension: n)
  }

  private mutating func relabelled(_ n: Int) -> Relabelled {
    let m = g.integer(1...min(n + 2, widest))
    let order = (0..<m).map { _ in Int32(g.integer(0...n - 1)) }
    switch g.integer(0...2) {
    case 0: return Relabelled(activation(m), order: order, sourceDimension: n)
    case 1:
      return Relabelled(
        MaximumPooling(SlidingWindow(channels: 1, image: Extent(1, m), kernel: Extent(1, m))),
        order: order, sourceDimension: n)
    default:
      var padded = order
      padded[0] = -1
      return Relabelled(dense(m, g.integer(1...6), &g), order: padded, sourceDimension: n)
    }
  }

  private mutating func window(
    _ image: (channels: Int, size: Extent), hasPadding: Bool
  ) -> SlidingWindow {
    for _ in 0..<1000 {
      let lengths = image.size.lengths
      func extent(_ length: (Int) -> Int) -> Extent { Extent(lengths.map(length), missing: 1) }
      let kernel = extent { g.integer(1...min(3, $0 + 1)) }
      // Padding below half a kernel, as PyTorch wants it in pooling.
      func padding() -> Extent {
        Extent(
          kernel.lengths.map { k in hasPadding ? g.integer(0...2) : g.integer(0...k / 2) },
          missing: 0)
      }
      let stride = lengths.indices.map { g.integer(1...($0 == lengths.count - 1 ? 3 : 2)) }
      let window = SlidingWindow(
        channels: image.channels, image: image.size, kernel: kernel,
        stride: Extent(stride, missing: 1), dilation: extent { _ in g.integer(1...2) },
        paddingBefore: padding(), paddingAfter: padding(), roundsUp: g.uniform() < 0.3)
      if window.outputSize > 0 && window.outputSize <= widest { return window }
    }
    // A long volume that no such window makes short: all of it.
    return SlidingWindow(channels: image.channels, image: image.size, kernel: image.size)
  }

  private mutating func convolutional(
    _ image: (channels: Int, size: Extent)
  ) -> Convolutional {
    let window = window(image, hasPadding: true)
    let groups = divisor(of: image.channels)
    let filters = groups * max(1, min(g.integer(1...2), widest / (groups * window.outputSize)))
    let convolution = Convolution(window: window, filters: filters, groups: groups)
    images[network.vertices.count] = (filters, window.output)
    let deviation = (1 / Double(convolution.filterSize)).squareRoot()
    return Convolutional(
      convolution,
      weight: g.normalMatrix(
        rows: convolution.filterSize, columns: filters, deviation: deviation),
      bias: g.normals(filters))
  }

  private mutating func pooling(
    _ image: (channels: Int, size: Extent)
  ) -> any NetworkOperation {
    var window = window(image, hasPadding: false)
    for _ in 0..<1000 where window.windows.contains(where: \.isEmpty) {
      window = self.window(image, hasPadding: false)
    }
    images[network.vertices.count] = (image.channels, window.output)
    if g.uniform() < 0.6 { return MaximumPooling(window) }
    return AveragePooling(window, includesPadding: g.uniform() < 0.5)
  }

  /// A transposed convolution whose source is the image.
  private mutating func transposed(
    _ image: (channels: Int, size: Extent)
  ) -> any NetworkOperation {
    let groups = divisor(of: image.channels)
    for _ in 0..<50 {
      let lengths = image.size.lengths.indices.map { _ in g.integer(1...5) }
      let size = Extent(lengths, missing: 1)
      let channels = groups * g.integer(1...2)
      guard channels * size.size <= widest else { continue }
      let window = window((channels, size), hasPadding: true)
      guard window.output == image.size else { continue }
      let convolution = Convolution(window: window, filters: image.channels, groups: groups)
      images[network.vertices.count] = (channels, size)
      return TransposedConvolutional(
        convolution,
        weight: g.normalMatrix(
          rows: convolution.filterSize, columns: image.channels,
          deviation: (1 / Double(convolution.filterSize)).squareRoot()),
        bias: g.normals(channels))
    }
    return sparse(image.channels * image.size.size)
  }

  private mutating func minimum(
    _ image: (channels: Int, size: Extent)
  ) -> any NetworkOperation {
    let base = pooling(image)
    let window = (base as? MaximumPooling)?.window ?? (base as? AveragePooling)?.window
    return MaximumPooling(window!, isMinimum: true)
  }

  private mutating func sparse(_ n: Int) -> SparseLinear {
    let rows = (0..<g.integer(1...min(n + 2, widest))).map { _ in
      (0..<g.integer(0...3)).map { _ in (column: g.integer(0...n - 1), value: g.normal()) }
    }
    return SparseLinear(SparseMatrix(rows: rows, columns: n))
  }

  private mutating func splines(_ n: Int) -> ElementwiseSplines {
    let most = g.integer(1...3)
    var kinks = Matrix(rows: n, columns: most, repeating: .infinity)
    for i in 0..<n {
      for (k, kink) in g.normals(g.integer(0...most)).sorted().enumerated() { kinks[i, k] = kink }
    }
    return ElementwiseSplines(
      LinearSplines(
        kinks: kinks, slopes: g.normalMatrix(rows: n, columns: most + 1),
        firstOffsets: g.normalMatrix(rows: n, columns: 1)))
  }

  private mutating func divisor(of n: Int) -> Int {
    g.element((1...n).filter { n % $0 == 0 })
  }
}

extension Network {
  /// The last vertex of dimension `n`.
  fileprivate func lastVertex(of n: Int) -> Int {
    vertices.indices.last { vertices[$0].dimension == n }!
  }
}

/// Patterns with independent random branches.
func randomPatterns(
  _ network: Network, batch: Int, using g: inout RandomGenerator
) -> [ActivationPattern] {
  network.edges.map { edge in
    var pattern = edge.operation.blankPattern(batch: batch)
    for j in 0..<pattern.batch {
      for i in 0..<pattern.dimension {
        pattern[i, j] = g.integer(0...edge.operation.branchCount(ofRow: i) - 1)
      }
    }
    return pattern
  }
}

func randomCochain(
  _ network: Network, batch: Int, using g: inout RandomGenerator
) -> [Matrix] {
  network.vertices.enumerated().map { v, vertex in
    v == 0
      ? Matrix(rows: 0, columns: batch)
      : g.normalMatrix(rows: vertex.dimension, columns: batch)
  }
}

/// The free coordinates of one sample as one column.
func flat(_ cochain: [Matrix], sample j: Int = 0) -> Matrix {
  Matrix(column: cochain.dropFirst().flatMap { $0.column(j) })
}

func inner(_ a: [Matrix], _ b: [Matrix]) -> Double {
  zip(a, b).dropFirst().reduce(0) { $0 + dot($1.0, $1.1) }
}

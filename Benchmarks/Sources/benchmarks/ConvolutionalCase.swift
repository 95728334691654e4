import Foundation
import LinearAlgebra
import NetworkKernels
import NeuralSheaves
import SheafFlows

/// A network of convolutions with a batch, and the matrix products that its forward pass contains.
struct ConvolutionalCase {
  private(set) var network: Network
  let input: Matrix
  private var generator = RandomGenerator(seed: 3)
  /// Places, filters and filter size of each convolution.
  private var products: [(places: Int, filters: Int, size: Int)] = []
  /// Channels and extent of the last image.
  private var (channels, side): (Int, Int)

  private init(channels: Int, side: Int, batch: Int) {
    (self.channels, self.side) = (channels, side)
    network = Network(inputDimension: channels * side * side)
    input = generator.normalMatrix(rows: channels * side * side, columns: batch)
  }

  /// A residual network on 3×32×32: eight 3×3 convolutions with 16 to 64 channels, two blocks
  /// that halve the image with 1×1 projections, a global mean and a dense layer.
  static func residual(batch: Int) -> ConvolutionalCase {
    var this = ConvolutionalCase(channels: 3, side: 32, batch: batch)
    var last = this.rectify(this.convolve(0, filters: 16))
    for filters in [16, 32, 64] {
      let (channels, side) = (this.channels, this.side)
      let stride = filters == channels ? 1 : 2
      let first = this.rectify(this.convolve(last, filters: filters, stride: stride))
      let branch = this.convolve(first, filters: filters)
      if stride > 1 {
        (this.channels, this.side) = (channels, side)
        last = this.convolve(last, filters: filters, kernel: 1, stride: stride)
      }
      let junction = this.network.appendJunction(of: [branch, last])
      let sum = this.network.append(
        Sum(terms: 2, dimension: filters * this.side * this.side), to: junction)
      last = this.rectify(sum)
    }
    last = this.rectify(this.convolve(last, filters: 64))
    let image = Extent(this.side, this.side)
    let mean = SlidingWindow(channels: 64, image: image, kernel: image, stride: image)
    last = this.network.append(AveragePooling(mean), to: last)
    this.side = 1
    this.classify(last)
    return this
  }

  /// One convolution, 3 × 3 windows, as many channels as before.
  static func single(channels: Int, side: Int) -> ConvolutionalCase {
    var this = ConvolutionalCase(channels: channels, side: side, batch: 1)
    _ = this.convolve(0, filters: channels)
    return this
  }

  /// The shape of the verification benchmark cifar_base: seven 3×3 convolutions on 3×32×32, a dense layer; 90,122
  /// free coordinates.
  static func deep(batch: Int) -> ConvolutionalCase {
    var this = ConvolutionalCase(channels: 3, side: 32, batch: batch)
    var last = 0
    for (filters, stride) in [(16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), (128, 1)] {
      last = this.rectify(this.convolve(last, filters: filters, stride: stride))
    }
    this.classify(last)
    return this
  }

  /// Six 3×3 convolutions with three 2×2 maxima on 3×32×32, a dense layer, as VGG has them.
  static func pooled(batch: Int) -> ConvolutionalCase {
    var this = ConvolutionalCase(channels: 3, side: 32, batch: batch)
    var last = 0
    for filters in [32, 64, 128] {
      for _ in 0..<2 { last = this.rectify(this.convolve(last, filters: filters)) }
      last = this.pool(last)
    }
    this.classify(last)
    return this
  }

  /// The small network for the 8×8 digits: two 3×3 convolutions with maximum pooling, a dense layer.
  static func digits(batch: Int) -> ConvolutionalCase {
    var this = ConvolutionalCase(channels: 1, side: 8, batch: batch)
    var last = 0
    for filters in [8, 16] {
      last = this.rectify(this.convolve(last, filters: filters))
      last = this.pool(last)
    }
    this.classify(last)
    return this
  }

  private mutating func convolve(
    _ source: Int, filters: Int, kernel: Int = 3, stride: Int = 1
  ) -> Int {
    let pad = Extent(kernel / 2, kernel / 2)
    let convolution = Convolution(
      window: SlidingWindow(
        channels: channels, image: Extent(side, side), kernel: Extent(kernel, kernel),
        stride: Extent(stride, stride), paddingBefore: pad, paddingAfter: pad), filters: filters)
    let size = convolution.filterSize
    (channels, side) = (filters, side / stride)
    products.append((side * side, filters, size))
    var weight = generator.normalMatrix(rows: size, columns: filters)
    weight.scale(by: (2 / Double(size)).squareRoot())
    return network.append(
      Convolutional(
        convolution, weight: weight,
        bias: (0..<filters).map { _ in 0.1 * generator.normal() }), to: source)
  }

  private mutating func rectify(_ source: Int) -> Int {
    network.append(
      Elementwise.rectifier(dimension: network.vertices[source].dimension), to: source)
  }

  /// 2×2 maxima.
  private mutating func pool(_ source: Int) -> Int {
    let window = SlidingWindow(
      channels: channels, image: Extent(side, side), kernel: Extent(2, 2), stride: Extent(2, 2))
    side /= 2
    return network.append(MaximumPooling(window), to: source)
  }

  private mutating func classify(_ source: Int) {
    let n = channels * side * side
    var weight = generator.normalMatrix(rows: 10, columns: n)
    weight.scale(by: 1 / Double(n).squareRoot())
    network.append(Dense(weight: weight, bias: [Double](repeating: 0, count: 10)), to: source)
    products.append((1, 10, n))
  }

  /// Milliseconds of the products alone, places × filters × filter size for each layer and sample,
  /// the samples shared out among the threads; layer by layer, so that the factors are in cache.
  func productTime(threads: Int) -> Double {
    struct Task: Sendable { var factors: [(a: Matrix, b: Matrix, c: Matrix)] }
    var generator = RandomGenerator(seed: 4)
    var tasks = (0..<threads).map { _ in
      Task(
        factors: products.map {
          (
            generator.normalMatrix(rows: $0.places, columns: $0.size),
            generator.normalMatrix(rows: $0.size, columns: $0.filters),
            Matrix(rows: $0.places, columns: $0.filters)
          )
        })
    }
    let samples = input.columns / threads
    let time = ContinuousClock().measure {
      forEachInParallel(&tasks, threads: threads) { task in
        for l in task.factors.indices {
          for _ in 0..<samples {
            task.factors[l].c.setProduct(task.factors[l].a, task.factors[l].b)
          }
        }
      }
    }
    return time / .milliseconds(1)
  }

  /// Milliseconds of a forward pass for its output.
  func forwardTime(threads: Int) -> Double {
    ContinuousClock().measure { _ = network.logits(input, threads: threads) } / .milliseconds(1)
  }

  /// The cost of a heat step with the input held.
  func heatStep(threads: Int, steps: Int, repeats: Int) throws -> StepCost {
    let flow = try HeatFlow(NeuralSheaf(network), pins: Pins(network: network, input: input))
    var generator = generator
    let start = flow.sheaf.randomState(input, using: &generator)
    return try StepCost(steps: steps, repeats: repeats) { n in
      _ = try Euler(
        step: 1e-3, stop: .change(1e-300), stepLimit: n, allowsUnstable: true, threads: threads
      ).run(flow, from: start)
    }
  }

  /// The most memory that the process has held so far, in megabytes.
  static var peakMegabytes: Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_maxrss) / 1000
  }
}

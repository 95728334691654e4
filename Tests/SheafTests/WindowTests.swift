import LinearAlgebra
import NetworkKernels
import NeuralSheaves
import Testing

/// Convolution and pooling against loops written from their definitions.
struct WindowTests {
  /// Non-square strides, even kernels, asymmetric padding, dilation, groups, hanging windows.
  static let seeds = Array(UInt64(0)..<200)

  /// The places (c, y, x) of window (p, q), those outside the image as nil.
  private func places(_ w: SlidingWindow, _ c: Int, _ p: Int, _ q: Int) -> [(
    k: Int, l: Int, i: Int?
  )] {
    (0..<w.kernel.height).flatMap { k in
      (0..<w.kernel.width).map { l in
        let y = p * w.stride.height - w.paddingBefore.height + k * w.dilation.height
        let x = q * w.stride.width - w.paddingBefore.width + l * w.dilation.width
        let inside = y >= 0 && y < w.image.height && x >= 0 && x < w.image.width
        return (k, l, inside ? (c * w.image.height + y) * w.image.width + x : nil)
      }
    }
  }

  @Test(arguments: seeds) func convolutionIsItsDefinition(seed: UInt64) {
    var g = RandomGenerator(case: seed)
    let groups = g.integer(1...3)
    let channels = groups * g.integer(1...3)
    let filters = groups * g.integer(1...3)
    let w = g.slidingWindow(channels: channels)
    let convolution = Convolution(window: w, filters: filters, groups: groups)
    let weight = g.normalMatrix(rows: convolution.filterSize, columns: filters)
    let bias = g.normals(filters)
    let layer = Convolutional(convolution, weight: weight, bias: bias)
    let x = g.normalMatrix(rows: w.imageSize, columns: 2)
    var exact = Matrix(rows: convolution.targetSize, columns: 2)
    for j in 0..<2 {
      for f in 0..<filters {
        for p in 0..<w.output.height {
          for q in 0..<w.output.width {
            var sum = bias[f]
            for c in 0..<channels / groups {
              let channel = f / (filters / groups) * (channels / groups) + c
              for (k, l, i) in places(w, channel, p, q) {
                guard let i else { continue }
                sum += weight[(c * w.kernel.height + k) * w.kernel.width + l, f] * x[i, j]
              }
            }
            exact[(f * w.output.height + p) * w.output.width + q, j] = sum
          }
        }
      }
    }
    var y = Matrix(rows: convolution.targetSize, columns: 2)
    layer.apply(x, into: &y)
    #expect(relativeError(y, exact) < 1e-13, "seed \(seed), \(w)")
  }

  @Test(arguments: seeds) func poolingIsItsDefinition(seed: UInt64) {
    var g = RandomGenerator(case: seed)
    let w = g.slidingWindow(channels: 2)
    let x = g.normalMatrix(rows: w.imageSize, columns: 2)
    let n = w.channels * w.outputSize
    let windows = (0..<n).map { i in
      places(w, i / w.outputSize, i % w.outputSize / w.output.width, i % w.output.width)
    }
    for j in 0..<2 {
      for includesPadding in [false, true] {
        var mean = Matrix(rows: n, columns: 2)
        AveragePooling(w, includesPadding: includesPadding).apply(x, into: &mean)
        for (i, window) in windows.enumerated() {
          let (p, q) = (i % w.outputSize / w.output.width, i % w.output.width)
          // Places beyond the padding, of a window that hangs over, count in neither mean.
          let counted = window.filter { k, l, place in
            if !includesPadding { return place != nil }
            let y = p * w.stride.height - w.paddingBefore.height + k * w.dilation.height
            let x = q * w.stride.width - w.paddingBefore.width + l * w.dilation.width
            return y < w.image.height + w.paddingAfter.height
              && x < w.image.width + w.paddingAfter.width
          }
          let sum = window.reduce(0.0) { $0 + ($1.i.map { x[$0, j] } ?? 0) }
          let expected = counted.isEmpty ? 0 : sum / Double(counted.count)
          #expect(abs(mean[i, j] - expected) < 1e-14, "seed \(seed), \(w)")
        }
      }
      if windows.allSatisfy({ $0.contains { $0.i != nil } }) {
        var largest = Matrix(rows: n, columns: 2)
        MaximumPooling(w).apply(x, into: &largest)
        for (i, window) in windows.enumerated() {
          #expect(
            largest[i, j] == window.compactMap { $0.i.map { x[$0, j] } }.max(), "seed \(seed)")
        }
      }
    }
  }
}

import LinearAlgebra
@testable import NetworkKernels
import Testing

/// The direct kernels against panels and matrix products. Where the machine lacks AVX-512 both are the
/// same; `WindowTests` compares the one in use with the definition.
struct ConvolutionTests {
  @Test(arguments: UInt64(0)..<300) func directKernelsAgreeWithPanels(seed: UInt64) {
    var g = RandomGenerator(case: seed)
    let groups = g.integer(1...2)
    // Up to more filters and places than a tile of the kernel has, and every remainder.
    let (channels, filters) = (groups * g.integer(1...5), groups * g.integer(1...19))
    let window = g.slidingWindow(channels: channels)
    let direct = Convolution(window: window, filters: filters, groups: groups)
    var panels = direct
    panels.usesPanels = true
    let weight = g.normalMatrix(rows: direct.filterSize, columns: filters)
    let bias = g.normalMatrix(rows: filters, columns: 1)
    let x = g.normalMatrix(rows: direct.sourceSize, columns: 3)
    let y = g.normalMatrix(rows: direct.targetSize, columns: 3)
    func agree(_ start: Matrix, _ body: (Convolution, inout Matrix) -> Void) {
      var (a, b) = (start, start)
      body(direct, &a)
      body(panels, &b)
      #expect(relativeError(a, b) < 1e-13, "seed \(seed), \(window)")
    }
    agree(y) { $0.apply(x, weight: weight, bias: bias, into: &$1) }
    agree(Matrix(rows: y.rows, columns: 3, repeating: .nan)) {
      $0.apply(x, weight: weight, bias: bias, into: &$1)
    }
    agree(Matrix(rows: y.rows, columns: 3)) {
      $0.discrepancy(x, y, weight: weight, bias: bias, into: &$1)
    }
    for keep in [0, 1, -1, 0.3] {
      agree(y) { $0.addProduct(x, weight: weight, scale: -0.7, keeping: keep, into: &$1) }
      agree(x) { $0.addTransposedProduct(y, weight: weight, keeping: keep, into: &$1) }
    }
  }
}

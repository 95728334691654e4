import Foundation
import LinearAlgebra
import ModelFormats
import NeuralSheaves
import Testing

@testable import SheafTraining

/// Scaling of inputs as a network's first operation.
struct StandardizationTests {
  @Test(arguments: UInt64(0)..<20) func columnsHaveMeanZeroAndDeviationOne(seed: UInt64) throws {
    var g = RandomGenerator(seed: seed)
    var x = g.normalMatrix(rows: 5, columns: g.integer(2...40))
    for j in 0..<x.columns {
      x[1, j] = 1e6 + 1e-3 * x[1, j]
      x[2, j] = 0.1
      x[3, j] *= 1e200
      x[4, j] *= 1e-200
    }
    let scales = Standardization(x)
    #expect(scales.deviations[2] == 0 && scales.means[2] == 0.1)
    var z = x
    scales.operation.apply(x, into: &z)
    let n = Double(x.columns)
    for i in 0..<5 {
      let row = (0..<x.columns).map { z[i, $0] }
      #expect(abs(row.reduce(0, +) / n) < (i == 1 ? 1e-5 : 1e-12), "seed \(seed), row \(i)")
      let square = row.reduce(0) { $0 + $1 * $1 } / n
      #expect(abs(square - (i == 2 ? 0 : 1)) < 1e-5, "seed \(seed), row \(i): \(square)")
    }
    let extremes = try #require(scales.extremes)
    #expect(extremes.least == 4 && extremes.largest == 3 && extremes.ratio > 1e300)
  }

  /// f ∘ P, for graphs with junctions too: same values, same structure one vertex further on.
  @Test(arguments: UInt64(0)..<40) func aNetworkBehindAScaling(seed: UInt64) throws {
    var (network, g) = try randomNetwork(seed: seed)
    let n = network.inputDimension
    let x = g.normalMatrix(rows: n, columns: 4)
    let scaling = ChannelAffine(
      scale: (0..<n).map { _ in g.uniform(0.5, 2) }, shift: (0..<n).map { _ in g.normal() },
      extent: 1, isTrained: false)
    var scaled = network
    scaled.classNames = (0..<network.outputDimension).map { "class \($0)" }
    scaled = scaled.preceded(by: scaling)
    var z = x
    scaling.apply(x, into: &z)
    #expect(scaled(x) == network(z), "seed \(seed)")
    #expect(scaled.vertices.count == network.vertices.count + 1)
    #expect(scaled.vertices[1].name == "z1" && scaled.classNames.count == network.outputDimension)
    #expect(scaled.parameterCount == network.parameterCount)
    for name in network.aliases.keys {
      let (old, new) = (network.aliases[name]!, scaled.aliases[name]!)
      #expect(new == (old == 0 ? 0 : old + 1))
    }
    // Through a file.
    let path = NSTemporaryDirectory() + "sheaf-\(UInt64.random(in: 0...UInt64.max)).onnx"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try NetworkFile.write(scaled, to: path, precision: .float64)
    let read = try NetworkFile.read(path)
    #expect(relativeError(read(x), scaled(x)) < 1e-12, "seed \(seed)")
  }
}

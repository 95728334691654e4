import LinearAlgebra
import NeuralSheaves
import Testing

/// He's initialisation of networks that are there already.
struct InitializationTests {
  /// A chain gets what `Network(widths:)` draws, number by number.
  @Test(arguments: 0..<10 as Range<UInt64>) func chainsAreDrawnAlike(seed: UInt64) throws {
    var g = RandomGenerator(case: seed)
    let widths = (0...g.integer(1...4)).map { _ in g.integer(1...9) }
    var (first, second) = (g, g)
    let expected = try Network(widths: widths, using: &first)
    var network = try Network(widths: widths, using: &g)
    for e in network.edges.indices {
      network.updateParameters(of: e) { $1.fill(.nan) }
    }
    network.reinitialize(using: &second)
    for (a, b) in zip(network.edges, expected.edges) {
      #expect(a.operation.parameters == b.operation.parameters, "seed \(seed)")
    }
    #expect(first == second, "seed \(seed)")
  }

  /// By name: biases and shifts 0, scales 1, slopes as they were, weights of variance 2/n.
  @Test func parametersAreDrawnByName() throws {
    var squares = (sum: 0.0, count: 0)
    for seed in NeuralSheafLawTests.graphSeeds {
      var (network, g) = try randomNetwork(seed: seed)
      let before = network
      network.reinitialize(using: &g)
      for (edge, old) in zip(network.edges, before.edges) {
        let operation = edge.operation
        for (i, name) in operation.parameterNames.enumerated() {
          let matrix = operation.parameters[i]
          switch name {
          case "weight":
            squares.sum += matrix.sumOfSquares * Double(operation.entriesPerRow) / 2
            squares.count += matrix.count
          case "bias", "shift": #expect(matrix.maximumMagnitude == 0, "seed \(seed)")
          case "scale": #expect(matrix.elements.allSatisfy { $0 == 1 }, "seed \(seed)")
          default: #expect(matrix == old.operation.parameters[i], "seed \(seed)")
          }
        }
        // What an operation derives from its parameters follows.
        var copy = old.operation
        copy.parameters = operation.parameters
        let s = g.normalMatrix(rows: operation.sourceDimension, columns: 2)
        var (t, u) = (
          Matrix(rows: operation.targetDimension, columns: 2),
          Matrix(rows: operation.targetDimension, columns: 2)
        )
        operation.apply(s, into: &t)
        copy.apply(s, into: &u)
        #expect(t == u, "seed \(seed), \(operation.summary)")
      }
    }
    let variance = squares.sum / Double(squares.count)
    #expect(abs(variance - 1) < 6 * (2 / Double(squares.count)).squareRoot())
  }
}

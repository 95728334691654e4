import CellComplexes
import CellularSheaves
import Foundation
import LinearAlgebra
import NetworkScales
import NeuralSheaves
import SheafPersistence
import Testing

/// A graph of neurons by the definition: the entries of dense matrices, wiring as connections of value −1.
private struct DenseGraph {
  var count: Int
  var edges: [(a: Int, b: Int, value: Double)] = []

  /// The number of components of the connections up to a value, among the vertices that are there, by searching.
  func components(upTo value: Double, present: (Int) -> Bool) -> Int {
    var neighbours = [[Int]](repeating: [], count: count)
    for edge in edges where edge.value <= value {
      neighbours[edge.a].append(edge.b)
      neighbours[edge.b].append(edge.a)
    }
    var seen = [Bool](repeating: false, count: count)
    var found = 0
    for start in 0..<count where !seen[start] && present(start) {
      found += 1
      var open = [start]
      seen[start] = true
      while let v = open.popLast() {
        for w in neighbours[v] where !seen[w] {
          seen[w] = true
          open.append(w)
        }
      }
    }
    return found
  }

  /// The values of a spanning tree of least values, by Prim's algorithm.
  var treeValues: [Double] {
    var least = [[Double]](repeating: [Double](repeating: .infinity, count: count), count: count)
    for e in edges {
      least[e.a][e.b] = min(least[e.a][e.b], e.value)
      least[e.b][e.a] = least[e.a][e.b]
    }
    var (distance, isIn) = (least[0], [Bool](repeating: false, count: count))
    isIn[0] = true
    var values: [Double] = []
    for _ in 1..<count {
      let next = (0..<count).filter { !isIn[$0] }.min { distance[$0] < distance[$1] }!
      guard distance[next] < .infinity else { break }
      values.append(distance[next])
      isIn[next] = true
      for v in 0..<count { distance[v] = min(distance[v], least[next][v]) }
    }
    return values
  }
}

/// The dense matrix of an operation with one branch.
private func matrix(_ operation: any NetworkOperation) -> Matrix {
  var m = Matrix(rows: operation.targetDimension, columns: operation.sourceDimension)
  operation.addLinearPart(
    .identity(operation.sourceDimension), at: .affine, scale: 1, keeping: 0, into: &m)
  return m
}

@Suite struct NeuralPersistenceTests {
  /// Neurons 0, 1 → 2, 3 with |w| = 4, 2; 1, 3 of 4.
  @Test func smallLayerByHand() throws {
    let network = try Network(weights: [Matrix([[4, -2], [1, 3]])], biases: [[7, 7]])
    let graph = try NeuronGraph(network)
    #expect(graph.layers.map(\.neurons) == [4] && graph.neuronCount == 4)
    // 4 joins 0–2 at 0, 3 joins 1–3 at ¼, 2 joins both at ½.
    let bars = graph.barcode(ofLayer: 0)
    #expect(bars.intervals.map(\.death) == [0.25, 0.5, .infinity])
    let found = graph.persistence(ofLayer: 0)
    #expect(abs(found.value - (0.0625 + 0.25).squareRoot()) < 1e-15)
    #expect(abs(found.bound - 0.75 * 3.0.squareRoot()) < 1e-15)
    #expect(graph.persistence(ofLayer: 0, exponent: 1).value == 0.75)
    // With their connections: 0 and 2 at 0; 1 and 3 at ¼, joining at ½ the older part.
    let late = graph.barcode(ofLayer: 0, appearing: .withConnections)
    #expect(
      late.intervals == [
        PersistenceInterval(degree: 0, birth: 0, death: .infinity),
        PersistenceInterval(degree: 0, birth: 0.25, death: 0.5),
      ])
    let equal = try NeuronGraph(Network(weights: [Matrix([[3, -3], [3, 3]])], biases: [[0, 0]]))
    #expect(equal.persistence(ofLayer: 0).value == 0 && equal.persistence().normalized == 0)
    let none = try NeuronGraph(Network(weights: [Matrix([[0, 0]])], biases: [[0]]))
    #expect(none.persistence(ofLayer: 0).normalized == 1)
  }

  /// Layers of random networks of all operations, convolutions as their matrices.
  @Test func layerBarcodesAreThoseOfBruteForce() throws {
    try Tally.over(Array(0..<60) + Array(84..<124) + Array(10_000..<10_060)) { seed, tally in
      let (network, _) = try randomNetwork(seed: seed)
      let graph = try NeuronGraph(network)
      for (k, layer) in graph.layers.enumerated() {
        let operation = network.edges[layer.edge].operation
        let w = matrix(operation)
        let n = operation.sourceDimension
        var dense = DenseGraph(count: n + operation.targetRows.count)
        for i in operation.targetRows {
          // Entries 0 of a convolution's matrix are none; those of a dense one are, with the value 1 at the end.
          for j in 0..<n where w[i, j] != 0 {
            dense.edges.append(
              (j, n + i - operation.targetRows.lowerBound, 1 - abs(w[i, j]) / graph.largestWeight))
          }
        }
        let bars = graph.barcode(ofLayer: k)
        let late = graph.barcode(ofLayer: k, appearing: .withConnections)
        for a in [0, 0.2, 0.5, 0.8, 0.95, 0.999] {
          tally.expect(
            bars.betti(0, at: a) == dense.components(upTo: a) { _ in true }, "\(seed): b₀ at \(a)")
          let present = Set(dense.edges.filter { $0.value <= a }.flatMap { [$0.a, $0.b] })
          tally.expect(
            late.betti(0, at: a) == dense.components(upTo: a, present: present.contains),
            "\(seed): b₀ of those that are there at \(a)")
        }
        let lengths = dense.treeValues
        let expected = lengths.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let found = graph.persistence(ofLayer: k)
        if lengths.count == dense.count - 1 {
          tally.expect(
            abs(found.value - expected) < 1e-12, "\(seed): NP \(found.value), Prim \(expected)")
        }
        for reference in NeuronGraph.Reference.allCases {
          let p = graph.persistence(ofLayer: k, relativeTo: reference, exponent: 3)
          tally.expect(
            p.value >= 0 && p.value <= p.bound * (1 + 1e-12), "\(seed): \(p.value) over \(p.bound)")
        }
      }
    }.check(atLeast: 1000)
  }

  /// The whole graph and a layer's are filtrations of constant sheaves: barcodes from their coboundary.
  @Test func barcodesAreThoseOfTheConstantSheaf() throws {
    try Tally.over(Array(0..<40)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let widths = (0..<g.integer(2...4)).map { _ in g.integer(1...4) }
      let network = try Network(widths: widths, using: &g)
      let graph = try NeuronGraph(network)
      let starts = widths.indices.map { widths[..<$0].reduce(0, +) }
      var edges: [(Int, Int?)] = []
      var values: [Double] = []
      for (l, layer) in graph.layers.enumerated() {
        let w = matrix(network.edges[layer.edge].operation)
        for i in 0..<w.rows {
          for j in 0..<w.columns {
            edges.append((starts[l] + j, starts[l + 1] + i))
            values.append(1 - abs(w[i, j]) / graph.largestWeight)
          }
        }
      }
      let n = widths.reduce(0, +)
      tally.expect(graph.neuronCount == n, "\(seed): \(graph.neuronCount) neurons of \(n)")
      let complex = try CellComplex.graph(vertices: n, edges: edges)
      let sheaf = CellularSheaf.constant(on: complex)
      let filtration = try SheafFiltration(
        sheaf, values: [Double](repeating: 0, count: n) + values)
      tally.expect(
        graph.barcode() == (try filtration.barcode(over: .prime(2), maximumDegree: 0)),
        "\(seed): all at the start")
      var first = [Double](repeating: .infinity, count: n)
      for (edge, value) in zip(edges, values) {
        first[edge.0] = min(first[edge.0], value)
        first[edge.1!] = min(first[edge.1!], value)
      }
      let late = try SheafFiltration(sheaf, values: first + values)
      tally.expect(
        graph.barcode(appearing: .withConnections)
          == (try late.barcode(over: .prime(2), maximumDegree: 0)), "\(seed): with connections")
    }.check(atLeast: 120)
  }

  @Test func scalingALayerLeavesItsOwnPersistence() throws {
    var g = RandomGenerator(case: 3)
    let weights = [g.normalMatrix(rows: 5, columns: 4), g.normalMatrix(rows: 3, columns: 5)]
    let biases = [g.normals(5), g.normals(3)]
    var scaled = weights
    scaled[0].scale(by: 4)
    let one = try NeuronGraph(Network(weights: weights, biases: biases))
    let other = try NeuronGraph(Network(weights: scaled, biases: biases))
    for k in 0..<2 {
      #expect(
        abs(
          one.persistence(ofLayer: k, relativeTo: .layer).normalized
            - other.persistence(ofLayer: k, relativeTo: .layer).normalized) < 1e-12)
    }
    #expect(one.meanPersistence() != other.meanPersistence())
    // A residual stream is one neuron per coordinate: x, its sum with a dense layer's output, no more.
    var residual = Network(inputDimension: 2)
    let z = residual.append(Dense(weight: Matrix([[1, 2], [3, 4]]), bias: [0, 0]), to: 0)
    let junction = residual.appendJunction(of: [0, z])
    residual.append(Sum(terms: 2, dimension: 2), to: junction)
    #expect(try NeuronGraph(residual).neuronCount == 2)
    #expect(throws: ScaleError.self) {
      var broken = residual
      broken.updateParameters(of: 0) { i, m in if i == 0 { m[0, 1] = .nan } }
      _ = try NeuronGraph(broken)
    }
  }
}

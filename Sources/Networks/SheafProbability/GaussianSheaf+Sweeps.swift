import Foundation
import LinearAlgebra
import NeuralSheaves

/// A coordinate of a free stalk.
struct StalkCoordinate: Sendable {
  let vertex: Int
  let row: Int
}

extension Network {
  /// All coordinates of some vertices, in order.
  func coordinates(of vertices: [Int]) -> [StalkCoordinate] {
    vertices.flatMap { v in
      precondition(
        self.vertices.indices.dropFirst().contains(v),
        "vertex \(v), expected a free one, 1 to \(lastVertex)")
      return (0..<self.vertices[v].dimension).map { StalkCoordinate(vertex: v, row: $0) }
    }
  }
}

/// Reverse sweeps with a column for each chosen coordinate of each sample.
extension GaussianSheaf {
  /// Rows of E₀δ_Ω⁻¹, E₀ selecting m coordinates, edge by edge, on blocks of samples.
  ///
  /// - Parameters:
  ///   - patterns: one per edge, of `batch` samples.
  ///   - input: whether the sweep goes on to the input.
  ///   - part: what is made of a block, from its samples.
  ///   - atInput: called at the end, where the sweep goes on to the input, with the transpose of ∂E₀ω/∂x.
  ///   - visit: called with an edge and the transpose of its block of E₀δ_Ω⁻¹: the rows are the coordinates of the
  ///     edge's stalk, the m columns of each sample follow each other.
  /// - Returns: the parts in the order of the samples.
  /// - Complexity: a reverse sweep with m · batch columns. A block takes dim Ω numbers for each of its columns,
  ///   which are m at least and else about 256.
  func pullBack<Part: Sendable>(
    _ selection: [StalkCoordinate], at patterns: [ActivationPattern], batch: Int, threads: Int,
    input: InputRole = .held, part: (Range<Int>) -> Part,
    atInput: @Sendable (Matrix, Range<Int>, inout Part) -> Void = { _, _, _ in },
    visit: @Sendable (Int, Matrix, Range<Int>, inout Part) -> Void
  ) -> [Part] {
    let m = selection.count
    guard m > 0 && batch > 0 else { return batch > 0 ? [part(0..<batch)] : [] }
    let count = min(batch, max((batch * m + 255) / 256, threads))
    var blocks = (0..<count).map { b -> (samples: Range<Int>, part: Part) in
      let range = b * batch / count..<(b + 1) * batch / count
      return (samples: range, part: part(range))
    }
    let (sheaf, network) = (sheaf, network)
    forEachInParallel(&blocks, threads: threads) { block in
      let samples = block.samples
      let repeated = samples.flatMap { [Int](repeating: $0, count: m) }
      let patterns = patterns.map { $0.samples(repeated) }
      var u = sheaf.zeroCochain(batch: repeated.count, input: input)
      for (k, c) in selection.enumerated() {
        for j in 0..<samples.count { u[c.vertex][c.row, j * m + k] = 1 }
      }
      sheaf.substituteBackward(&u, at: patterns, input: input) { e, target in
        let rows = network.edges[e].operation.targetRows
        visit(e, rows.count == target.rows ? target : target.rows(rows), samples, &block.part)
      }
      if input == .free { atInput(u[0], samples, &block.part) }
    }
    return blocks.map(\.part)
  }

  /// E₀L⁻¹E₀ᵀ of each sample, L = δ_ΩᵀΓδ_Ω: the covariance of the chosen coordinates under p(ω | x) on fixed patterns.
  func covariances(
    of selection: [StalkCoordinate], at patterns: [ActivationPattern], batch: Int, threads: Int
  ) -> [Matrix] {
    let m = selection.count
    let noise = noise
    return pullBack(
      selection, at: patterns, batch: batch, threads: threads,
      part: { [Matrix](repeating: Matrix(rows: m, columns: m), count: $0.count) }
    ) { e, rows, samples, grams in
      var rows = rows
      rows.scale(by: noise.variance(ofEdge: e).squareRoot())
      for j in 0..<samples.count { grams[j].addGram(ofColumns: j * m..<(j + 1) * m, of: rows) }
    }.flatMap { $0 }.map(\.mirrored)
  }
}

extension Matrix {
  /// The symmetric matrix of a lower triangle.
  var mirrored: Matrix {
    var full = self
    for j in 0..<columns { for i in 0..<j { full[i, j] = self[j, i] } }
    return full
  }
}

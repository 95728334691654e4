import LinearAlgebra

/// The values of all vertices of a neural sheaf over a batch of samples: a 0-cochain per sample.
public struct SheafState: Sendable, Equatable {
  /// The value of each vertex of the network, (dimension, batch): x, z₁, a₁, …, z_{k+1}.
  public var stalks: [Matrix]
  /// a_{k+1}, where the sheaf has that vertex.
  public var output: Matrix?

  /// A state from the values of its vertices.
  public init(stalks: [Matrix], output: Matrix? = nil) {
    self.stalks = stalks
    self.output = output
  }

  /// The number of samples.
  public var batch: Int { stalks[0].columns }

  /// The samples in `range` alone.
  public func samples(_ range: Range<Int>) -> SheafState {
    SheafState(stalks: stalks.map { $0.columns(range) }, output: output?.columns(range))
  }

  /// The samples with the given indices.
  public func samples(_ indices: [Int]) -> SheafState {
    SheafState(stalks: stalks.map { $0.columns(indices) }, output: output?.columns(indices))
  }

  /// Overwrites the samples from `start` on.
  public mutating func setSamples(from start: Int, to block: SheafState) {
    for v in stalks.indices { stalks[v].setColumns(from: start, to: block.stalks[v]) }
    if let o = block.output { output?.setColumns(from: start, to: o) }
  }

  /// The place of the first number that is not finite, as (vertex, coordinate, sample).
  public var firstNonFinite: (vertex: Int, row: Int, sample: Int)? {
    for (v, stalk) in stalks.enumerated() {
      if let (i, j) = stalk.firstNonFinite { return (v, i, j) }
    }
    return nil
  }
}

import Foundation
import LinearAlgebra

/// The forward pass for its output alone.
extension Network {
  /// φ(z_{k+1}) of the forward pass. Input (n₀, batch), output (n_{k+1}, batch).
  public func callAsFunction(_ input: Matrix) -> Matrix { outputActivation(logits(input)) }

  /// z_{k+1} of the forward pass. Input (n₀, batch), output (n_{k+1}, batch).
  ///
  /// Works on a few samples at a time and forgets a stalk when its last reader has run, so memory
  /// does not grow with the batch.
  public func logits(
    _ input: Matrix, threads: Int = ProcessInfo.processInfo.activeProcessorCount
  ) -> Matrix {
    precondition(
      input.rows == inputDimension, "input \(input.shape), expected (\(inputDimension), batch)")
    let threads = SampleBlocks.threads(network: self, batch: input.columns, limit: threads)
    let ranges = SampleBlocks.ranges(network: self, batch: input.columns, threads: threads)
    var shares = (0..<threads).map { t in
      (
        ranges: stride(from: t, to: ranges.count, by: threads).map { ranges[$0] },
        outputs: [Matrix]()
      )
    }
    let plan = BufferPlan(self)
    forEachInParallel(&shares, threads: threads) { share in
      var buffers = [[Double]](repeating: [], count: plan.count)
      for range in share.ranges {
        share.outputs.append(forward(input.columns(range), plan, &buffers))
      }
    }
    var result = Matrix(rows: outputDimension, columns: input.columns)
    for share in shares {
      for (range, output) in zip(share.ranges, share.outputs) {
        result.setColumns(from: range.lowerBound, to: output)
      }
    }
    return result
  }

  private func forward(_ input: Matrix, _ plan: BufferPlan, _ buffers: inout [[Double]]) -> Matrix {
    var stalks = [Matrix?](repeating: nil, count: vertices.count)
    stalks[0] = input
    for (e, edge) in edges.enumerated() {
      if stalks[edge.target] == nil {
        let dimension = vertices[edge.target].dimension
        let buffer = plan.buffer[edge.target]
        stalks[edge.target] = Matrix(
          rows: dimension, columns: input.columns, reusing: &buffers[buffer])
      }
      let source = stalks[edge.source]!
      edge.operation.apply(source, into: &stalks[edge.target]!)
      if outgoing[edge.source].last == e && edge.source > 0 {
        var finished: Matrix? = nil
        swap(&finished, &stalks[edge.source])
        buffers[plan.buffer[edge.source]] = finished!.elements
      }
    }
    return stalks[lastVertex]!
  }
}

/// Which stalks may take turns in one buffer.
private struct BufferPlan: Sendable {
  /// The buffer of each vertex.
  var buffer: [Int]
  /// The number of buffers.
  var count = 0

  init(_ network: Network) {
    buffer = [Int](repeating: -1, count: network.vertices.count)
    var free: [Int] = []
    for (e, edge) in network.edges.enumerated() {
      if buffer[edge.target] < 0 {
        if free.isEmpty {
          free.append(count)
          count += 1
        }
        buffer[edge.target] = free.removeLast()
      }
      if network.outgoing[edge.source].last == e && edge.source > 0 {
        free.append(buffer[edge.source])
      }
    }
  }
}

import ArrayFiles
import LinearAlgebra
import NetworkKernels
import NeuralSheaves

/// Reductions of axes.
extension ONNXImporter {
  /// Mean, maximum or sum (of absolute values) over axes: pooling over all of the image that they
  /// make.
  mutating func reduction(
    _ node: ONNXNode, _ x: ONNXInputs
  ) throws(ArrayFileError) -> [ONNXValue] {
    var q = try x.tensor(0)
    if batch == 1 { q.layout = q.layout.whole }
    let rank = q.layout.rank
    var given = try node.integers("axes")
    if let c = try x.constant(1) {
      guard let list = c.integers else { throw node.failure("expected whole numbers as axes") }
      given = list
    }
    if given?.isEmpty ?? true {
      if try node.integer("noop_with_empty_axes") ?? 0 != 0 { return [x.values[0]!] }
      given = Array(0..<rank)
    }
    var axes: Set<Int> = []
    for a in given! { axes.insert(try node.axis(a, rank: rank)) }
    if let k = q.layout.batchAxis, axes.contains(k) {
      throw node.failure("reduces the batch, axis \(k), which mixes samples")
    }
    if node.type == "ReduceL1" {
      q = try appendElementwise(to: q, for: node) { Elementwise(.absolute, dimension: $0) }
    }
    let reduced = axes.sorted().compactMap { q.layout.sampleAxis($0) }
    let kept = q.shape.indices.filter { !reduced.contains($0) }
    var layout = q.layout
    if try node.integer("keepdims") ?? 1 != 0 {
      layout.sample = q.shape.indices.map { reduced.contains($0) ? 1 : q.shape[$0] }
    } else {
      layout.sample = kept.map { q.shape[$0] }
      layout.batchAxis = layout.batchAxis.map { k in k - axes.count { $0 < k } }
    }
    let (channels, places) = (
      kept.reduce(1) { $0 * q.shape[$1] }, reduced.reduce(1) { $0 * q.shape[$1] }
    )
    var result: ONNXQuantity
    if places == 1 {
      result = q
    } else if node.type == "ReduceSum" || node.type == "ReduceL1" {
      let blocks = viewed(q, as: q.view.transposed(reduced + kept))
      result = try append(
        Sum(terms: places, dimension: channels), to: blocks, shape: layout.sample, for: node)
    } else {
      var image = viewed(q, as: q.view.transposed(kept + reduced))
      image.layout = TensorShape(sample: [channels, places])
      let isPlane = reduced.count == 2
      let extent =
        isPlane ? Extent(q.shape[reduced[0]], q.shape[reduced[1]]) : Extent(1, places)
      result = try pooled(
        image, SlidingWindow(channels: channels, image: extent, kernel: extent), node)
    }
    result.layout = layout
    return [.quantity(result)]
  }
}

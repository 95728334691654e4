/// The shape of a tensor whose samples lie along one axis, wherever that stands.
///
/// Without that axis it is the shape of one sample, whose elements are in row-major order. Where a
/// reshape has put the batch and the sample's axis behind it into one, sample after sample, the two
/// share `batchAxis`.
struct TensorShape: Equatable {
  /// The extents of one sample.
  var sample: [Int]
  /// The axis along which samples lie; nil where the whole tensor is one sample.
  var batchAxis: Int?
  /// Whether `batchAxis` also holds axis `batchAxis` of the sample.
  var isMerged: Bool

  init(sample: [Int], batchAxis: Int? = 0, isMerged: Bool = false) {
    self.sample = sample
    self.batchAxis = batchAxis
    self.isMerged = isMerged
  }

  /// The number of the tensor's axes.
  var rank: Int { sample.count + (batchAxis == nil || isMerged ? 0 : 1) }

  /// The tensor's extents for so many samples.
  func extents(batch: Int) -> [Int] {
    guard let k = batchAxis else { return sample }
    var result = sample
    if isMerged { result[k] *= batch } else { result.insert(batch, at: k) }
    return result
  }

  /// The sample's axis that is axis `axis` of the tensor; nil for the batch.
  func sampleAxis(_ axis: Int) -> Int? {
    guard let k = batchAxis else { return axis }
    if axis == k { return nil }
    return isMerged || axis < k ? axis : axis - 1
  }

  /// The same tensor as one sample, where the batch is one.
  var whole: TensorShape { TensorShape(sample: extents(batch: 1), batchAxis: nil) }

  /// The same tensor with the batch as axis 0; nil if it is not of that form. An axis 0 of extent 1
  /// is as good as the batch where that is one.
  func batchFirst(batch: Int) -> TensorShape? {
    if batchAxis == 0 && !isMerged { return self }
    guard batch == 1, whole.sample.first == 1 else { return nil }
    return TensorShape(sample: Array(whole.sample.dropFirst()))
  }

  /// The shape after a reshape to `extents`; nil if that mixes the batch with other axes.
  func reshaped(_ extents: [Int], batch: Int) -> TensorShape? {
    guard batch > 1, let k = batchAxis else { return TensorShape(sample: extents, batchAxis: nil) }
    // The batch stays where as many elements of a sample lie in front of it.
    let before = sample[..<k].reduce(1, *)
    var product = 1
    for (axis, extent) in extents.enumerated() {
      if product == before, extent > 0, extent % batch == 0 {
        var rest = extents
        if extent == batch {
          rest.remove(at: axis)
          return TensorShape(sample: rest, batchAxis: axis)
        }
        rest[axis] = extent / batch
        return TensorShape(sample: rest, batchAxis: axis, isMerged: true)
      }
      product = product.multipliedReportingOverflow(by: extent).partialValue
    }
    return nil
  }

  /// The common shape of tensors that are broadcast against each other (NumPy's rule), with the
  /// shape of each one's sample, of as many axes; nil if they do not broadcast or their batches do
  /// not meet.
  static func broadcast(_ shapes: [TensorShape]) -> (common: TensorShape, samples: [[Int]])? {
    let rank = shapes.map(\.rank).max() ?? 0
    var common = TensorShape(sample: [], batchAxis: nil)
    for shape in shapes {
      guard let k = shape.batchAxis else { continue }
      let axis = k + rank - shape.rank
      guard common.batchAxis == nil || (common.batchAxis, common.isMerged) == (axis, shape.isMerged)
      else { return nil }
      (common.batchAxis, common.isMerged) = (axis, shape.isMerged)
    }
    var samples: [[Int]] = []
    for shape in shapes {
      var extents = [Int](repeating: 1, count: rank - shape.rank) + shape.sample
      if shape.batchAxis == nil, let k = common.batchAxis {
        guard extents[k] == 1 else { return nil }
        if !common.isMerged { extents.remove(at: k) }
      }
      samples.append(extents)
    }
    var sample = samples.first ?? []
    for extents in samples {
      guard let both = broadcastShape(sample, extents) else { return nil }
      sample = both
    }
    common.sample = sample
    return (common, samples)
  }
}

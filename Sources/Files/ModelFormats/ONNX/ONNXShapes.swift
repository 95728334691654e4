import ArrayFiles

/// The operators that only rearrange: on a constant they choose numbers, on a quantity coordinates.
enum ONNXShapes {
  /// The operators.
  static let operators: Set<String> = [
    "DepthToSpace", "Expand", "Flatten", "Gather", "GatherElements",
    "GatherND", "Pad", "Reshape", "Slice",
    "SpaceToDepth",
    "Split", "SplitToSequence", "Squeeze", "Tile", "Transpose", "Trilu", "Unsqueeze",
  ]

  /// What a tensor becomes: another shape for the same elements, or a choice of them, with a value
  /// for those that are none of its own.
  struct Result {
    var layout: TensorShape
    var view: TensorView?
    var fill = 0.0
  }

  /// A shape for messages, with the batch as a word.
  static func describe(_ layout: TensorShape, _ batch: Int) -> String {
    var extents = layout.extents(batch: 1).map { "\($0)" }
    if let k = layout.batchAxis, batch > 1 {
      extents[k] = layout.isMerged ? "\(extents[k])·batch" : "batch"
    }
    return "[\(extents.joined(separator: ", "))]"
  }
}

/// One node that rearranges a tensor.
struct ONNXRearrangement {
  let node: ONNXNode
  /// The shape of the first input.
  let layout: TensorShape
  /// Its extents, the batch's included.
  let extents: [Int]
  let batch: Int
  /// Whether the first input is a constant, which may be repeated along the batch.
  let isConstant: Bool
  /// The other inputs; nil where they are left out.
  let parameters: [ONNXConstant?]
  /// The most elements of a view.
  let limit: Int
  /// Makes a view of a sample of the first input.
  let view: () -> TensorView

  var rank: Int { extents.count }
  var size: Int { layout.sample.reduce(1, *) }

  /// A rearrangement of a tensor; where the batch is one, the whole tensor is the sample.
  init(
    _ node: ONNXNode, _ layout: TensorShape, batch: Int, isConstant: Bool,
    parameters: [ONNXConstant?], limit: Int, view: @escaping () -> TensorView
  ) {
    self.node = node
    self.layout = batch == 1 ? layout.whole : layout
    extents = layout.extents(batch: batch)
    self.batch = batch
    self.isConstant = isConstant
    self.parameters = parameters
    self.limit = limit
    let sample = self.layout.sample
    self.view = { view().reshaped(sample) }
  }

  /// What the first input becomes under each output.
  func results() throws(ArrayFileError) -> [ONNXShapes.Result] {
    switch node.type {
    case "Reshape": [try reshape()]
    case "Flatten": [try flatten()]
    case "Squeeze": [try squeeze()]
    case "Unsqueeze": [try unsqueeze()]
    case "Transpose": [try transpose()]
    case "Gather": [try gather()]
    case "GatherElements": [try gatherElements()]
    case "GatherND": [try gatherPlaces()]
    case "Slice": [try slice()]
    case "Split": try split()
    case "SplitToSequence": try splitToSequence()
    case "Expand": [try expand()]
    case "Tile": [try tile()]
    case "Pad": [try pad()]
    case "DepthToSpace": [try depthToSpace()]
    case "SpaceToDepth": [try spaceToDepth()]
    case "Trilu": [try triangle()]
    default: throw node.failure("is not an operator that rearranges")
    }
  }

  /// A list of whole numbers, an attribute or an input.
  ///
  /// - Parameter mayCountSamples: whether they may depend on the extent of the batch.
  func integers(
    _ i: Int, _ attribute: String, mayCountSamples: Bool = false
  ) throws(ArrayFileError) -> [Int]? {
    if let list = try node.integers(attribute) { return list }
    guard i < parameters.count, let p = parameters[i] else { return nil }
    guard let list = p.integers else {
      throw node.failure("expected whole numbers as \(attribute)")
    }
    guard p.alternative == nil || mayCountSamples else {
      throw node.failure("\(attribute) depends on the number of samples, which mixes them")
    }
    return list
  }

  /// The sample's axis that is axis `axis` of the tensor, which may count from the end.
  func sampleAxis(_ axis: Int) throws(ArrayFileError) -> Int {
    let axis = try node.axis(axis, rank: rank)
    guard let result = layout.sampleAxis(axis) else {
      throw node.failure("works on the batch, axis \(axis)")
    }
    return result
  }

  /// Checks the number of elements of a view before it is made.
  func check(_ shape: [Int]) throws(ArrayFileError) {
    guard elementCount(shape, limit: limit) != nil else {
      throw node.failure("makes a tensor of shape \(shape), expected at most \(limit) elements")
    }
  }

  /// A view whose axes are those of the sample.
  func chosen(_ view: TensorView, fill: Double = 0) -> ONNXShapes.Result {
    var result = layout
    result.sample = view.shape
    return ONNXShapes.Result(layout: result, view: view, fill: fill)
  }

  /// The view of one axis at the given positions, those that are negative filled.
  func gathered(
    _ view: TensorView, axis: Int, _ positions: [Int]
  ) throws(ArrayFileError) -> TensorView {
    var shape = view.shape
    shape[axis] = positions.count
    try check(shape)
    return view.gathered(axis: axis, positions)
  }
}

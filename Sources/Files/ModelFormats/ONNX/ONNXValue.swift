import ArrayFiles
import LinearAlgebra
import NeuralSheaves

/// What a tensor of an ONNX graph is to the sheaf: a constant, or a choice of coordinates of a
/// vertex.
enum ONNXValue {
  case constant(ONNXConstant)
  case quantity(ONNXQuantity)

  var layout: TensorShape {
    switch self {
    case .constant(let c): c.layout
    case .quantity(let q): q.layout
    }
  }

  /// The computed tensor, if it is one.
  var quantity: ONNXQuantity? {
    if case .quantity(let q) = self { q } else { nil }
  }
}

/// A computed tensor: the stalk of a vertex, perhaps under another order.
struct ONNXQuantity {
  var vertex: Int
  /// Its shape: that of a sample, and the place of the batch.
  var layout: TensorShape
  /// The vertex's coordinate of each element of a sample; nil for its own order.
  var order: [Int32]?
  /// φ, where the tensor is φ of the vertex: nothing but relabelling may follow.
  var activation = OutputActivation.identity
  /// Functions of the elements that have no vertex yet; nil for the elements themselves.
  var pieces: ONNXPieces?

  init(vertex: Int, layout: TensorShape, order: [Int32]? = nil) {
    self.vertex = vertex
    self.layout = layout
    self.order = order
  }

  /// A tensor with the batch as axis 0.
  init(vertex: Int, shape: [Int], order: [Int32]? = nil) {
    self.init(vertex: vertex, layout: TensorShape(sample: shape), order: order)
  }

  /// The shape of a sample: without the batch.
  var shape: [Int] {
    get { layout.sample }
    set { layout.sample = newValue }
  }

  var size: Int { shape.reduce(1, *) }

  var view: TensorView {
    order.map { TensorView(shape: shape, indices: $0) } ?? TensorView(shape: shape)
  }
}

/// A node's inputs, checked.
struct ONNXInputs {
  let node: ONNXNode
  let values: [ONNXValue?]
  /// The extent of the batch.
  let batch: Int

  /// A computed input with the batch as axis 0, not φ of one.
  func quantity(_ i: Int) throws(ArrayFileError) -> ONNXQuantity {
    var q = try tensor(i)
    guard let layout = q.layout.batchFirst(batch: batch) else {
      throw node.failure(
        "works on \(ONNXShapes.describe(q.layout, batch)), expected "
          + (batch == 1 ? "axis 0 of extent 1" : "the batch as axis 0"))
    }
    q.layout = layout
    return q
  }

  /// A computed input, its batch wherever it stands, not φ of one.
  func tensor(_ i: Int) throws(ArrayFileError) -> ONNXQuantity {
    guard i < values.count, case .quantity(let q)? = values[i] else {
      throw node.failure("expected a computed tensor as input \(i), found a constant or nothing")
    }
    guard q.activation == .identity else {
      throw node.failure(
        "reads the result of a hidden \(q.activation.rawValue): hidden operations must be piecewise "
          + "linear; sigmoid and softmax may only come last")
    }
    return q
  }

  /// Whether an input is a constant.
  func isConstant(_ i: Int) -> Bool {
    if i < values.count, case .constant? = values[i] { true } else { false }
  }

  /// A constant input, nil if it is left out.
  func constant(_ i: Int) throws(ArrayFileError) -> ONNXConstant? {
    guard i < values.count, let value = values[i] else { return nil }
    guard case .constant(let c) = value else {
      throw node.failure("expected a constant as input \(i), found a computed tensor")
    }
    return c
  }

  /// A constant input of finite numbers that must be there.
  func weights(_ i: Int, _ name: String) throws(ArrayFileError) -> ONNXConstant {
    let c = try operand(i, name)
    guard c.batchAxis == nil else {
      throw node.failure("the \(name) \"\(node.inputs[i].printable)\" is as long as the batch")
    }
    return c
  }

  /// A constant input of finite numbers that must be there, perhaps repeated along the batch.
  func operand(_ i: Int, _ name: String) throws(ArrayFileError) -> ONNXConstant {
    guard let c = try constant(i) else { throw node.failure("lacks the \(name), input \(i)") }
    guard c.count > 0 else { throw node.failure("the \(name) has shape \(c.shape), no numbers") }
    try checkIndependent(c, name)
    if let k = c.firstNonFinite {
      throw node.failure(
        "number \(k) of the \(name) \"\(node.inputs[i].printable)\" is not finite")
    }
    return c
  }

  /// A single constant number, nil if it is left out.
  func number(_ i: Int, _ name: String) throws(ArrayFileError) -> Double? {
    guard let c = try constant(i) else { return nil }
    try checkIndependent(c, name)
    guard c.count == 1, !c.reals[0].isNaN else {
      throw node.failure("expected a single number as \(name), found shape \(c.shape)")
    }
    return c.reals[0]
  }

  /// Refuses numbers that depend on how many samples there are.
  private func checkIndependent(_ c: ONNXConstant, _ name: String) throws(ArrayFileError) {
    guard c.alternative == nil else {
      throw node.failure("the \(name) depends on the number of samples, which mixes them")
    }
  }
}

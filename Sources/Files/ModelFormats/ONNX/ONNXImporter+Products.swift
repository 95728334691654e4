import ArrayFiles
import Foundation
import LinearAlgebra
import NeuralSheaves

/// Gemm, MatMul and Einsum.
extension ONNXImporter {
  /// α A B + β C, each of A and B perhaps transposed; one of them and C may be constant.
  mutating func gemm(_ node: ONNXNode, _ x: ONNXInputs) throws(ArrayFileError) -> [ONNXValue] {
    guard x.values.count >= 2, x.isConstant(0) != x.isConstant(1) else {
      throw node.failure(
        "multiplies computed tensors, which is not piecewise linear; expected a constant as input 1"
      )
    }
    // Row, summed and column letter.
    let a = try node.integer("transA") ?? 0 == 0 ? [0, 1] : [1, 0]
    let b = try node.integer("transB") ?? 0 == 0 ? [1, 2] : [2, 1]
    let isRight = x.isConstant(1)
    var weight = try x.weights(isRight ? 1 : 0, "weight")
    let q = try x.tensor(isRight ? 0 : 1)
    guard q.layout.rank == 2, weight.shape.count == 2 else {
      throw node.failure(
        "shapes \(ONNXShapes.describe(q.layout, batch)) and \(weight.shape), expected two axes")
    }
    let (letters, weightLetters) = isRight ? (a, b) : (b, a)
    let (axis, summed) = (weightLetters.firstIndex(of: 1)!, letters.firstIndex(of: 1)!)
    let found = q.layout.extents(batch: batch)[summed]
    guard weight.shape[axis] == found || summed == q.layout.batchAxis else {
      throw node.failure(
        "a weight of shape \(weight.shape) for \(found) coordinates, expected \(found) along axis "
          + "\(axis)")
    }
    let alpha = try node.real("alpha") ?? 1
    if alpha != 1 { weight = weight.mapped { alpha * $0 } }
    let (product, biasAxis) = try contraction(
      q, letters, weight, weightLetters, to: [0, 2], for: node)
    guard x.values.count > 2, let c = x.values[2] else {
      if let biasAxis { markBiasless(node, product, axis: biasAxis) }
      return [.quantity(product)]
    }
    return [.quantity(try gemmSum(product, biasAxis, c, x, node))]
  }

  /// The product and β C, a bias or computed.
  private mutating func gemmSum(
    _ product: ONNXQuantity, _ axis: Int?, _ c: ONNXValue, _ x: ONNXInputs, _ node: ONNXNode
  ) throws(ArrayFileError) -> ONNXQuantity {
    let beta = try node.real("beta") ?? 1
    if x.isConstant(2) { _ = try x.operand(2, "bias") } else { _ = try x.tensor(2) }
    let terms = ONNXInputs(node: node, values: [.quantity(product), c], batch: batch)
    let (common, values) = try broadcast(node, terms)
    guard common.extents(batch: batch) == product.layout.extents(batch: batch) else {
      throw node.failure(
        "a bias of shape \(ONNXShapes.describe(values[1].layout, batch)) for \(product.shape.last ?? 1) outputs"
      )
    }
    switch values[1] {
    case .constant(let c):
      let bias = beta == 1 ? c : c.mapped { beta * $0 }
      if let axis, addBias(bias, to: product, axis: axis) { return product }
      return try scaleAndShift(product, scale: .number(1), shift: bias, node)
    case .quantity(let q):
      let scaled =
        beta == 1 ? q : try scaleAndShift(q, scale: .number(beta), shift: .number(0), node)
      let sum = try combination(
        node,
        ONNXInputs(node: node, values: [.quantity(product), .quantity(scaled)], batch: batch),
        [1, 1])
      guard case .quantity(let result) = sum[0] else { return product }
      return result
    }
  }

  /// NumPy's product of matrices in the last two axes, whose other axes broadcast; a tensor of one
  /// axis is a row on the left and a column on the right.
  mutating func matrixProduct(
    _ node: ONNXNode, _ x: ONNXInputs
  ) throws(ArrayFileError) -> [ONNXValue] {
    guard x.values.count == 2, x.isConstant(0) != x.isConstant(1) else {
      throw node.failure(
        "multiplies computed tensors, which is not piecewise linear; expected a constant weight")
    }
    let isRight = x.isConstant(1)
    var q = try x.tensor(isRight ? 0 : 1)
    if batch == 1 { q.layout = q.layout.whole }
    var w = try x.operand(isRight ? 1 : 0, "weight")
    func failure(_ why: String) -> ArrayFileError {
      node.failure(
        "shapes \(ONNXShapes.describe(q.layout, batch)) and \(w.shape), \(why)")
    }
    let (rank, weightRank) = (q.layout.rank, w.layout.rank)
    guard rank > 0, weightRank > 0 else { throw failure("expected at least one axis") }
    // Letters: 0 for rows, 1 for what is summed, 2 for columns, 3 and more for the other axes, from
    // the last.
    func stack(_ rank: Int) -> [Int] { (0..<max(0, rank - 2)).reversed().map { 3 + $0 } }
    let onLeft = { (r: Int) in stack(r) + (r == 1 ? [1] : [0, 1]) }
    let onRight = { (r: Int) in stack(r) + (r == 1 ? [1] : [1, 2]) }
    var letters = isRight ? onLeft(rank) : onRight(rank)
    var wLetters = isRight ? onRight(weightRank) : onLeft(weightRank)
    let output =
      stack(max(rank, weightRank)) + ((isRight ? rank : weightRank) == 1 ? [] : [0])
      + ((isRight ? weightRank : rank) == 1 ? [] : [2])
    // A weight for each sample must be the same for all.
    if let k = q.layout.batchAxis, let axis = wLetters.firstIndex(of: letters[k]) {
      if let own = w.batchAxis {
        guard own == axis else { throw failure("whose batches do not meet") }
        w.batchAxis = nil
        wLetters.remove(at: axis)
      } else if letters[k] >= 3, w.shape[axis] == batch, !q.layout.isMerged,
        let one = w.withoutRepetition(along: axis)
      {
        w = one
        wLetters.remove(at: axis)
      }
    }
    guard w.batchAxis == nil else { throw failure("whose batches do not meet") }
    // Axes of extent 1 broadcast.
    for axis in wLetters.indices.reversed() where wLetters[axis] >= 3 && w.shape[axis] == 1 {
      guard letters.contains(wLetters[axis]) else { continue }
      w.shape.remove(at: axis)
      wLetters.remove(at: axis)
    }
    let extents = q.layout.extents(batch: batch)
    for axis in letters.indices
    where letters[axis] >= 3 && extents[axis] == 1 && wLetters.contains(letters[axis]) {
      letters[axis] = -letters[axis]
    }
    let (result, biasAxis) = try contraction(q, letters, w, wLetters, to: output, for: node)
    if let biasAxis { markBiasless(node, result, axis: biasAxis) }
    return [.quantity(result)]
  }

  /// Einstein's sum of a computed tensor and constants.
  mutating func einsum(_ node: ONNXNode, _ x: ONNXInputs) throws(ArrayFileError) -> [ONNXValue] {
    guard let first = x.values.indices.first(where: { !x.isConstant($0) }),
      x.values.indices.allSatisfy({ $0 == first || x.isConstant($0) })
    else {
      throw node.failure(
        "multiplies computed tensors, which is not piecewise linear; expected one computed tensor")
    }
    let q = try x.tensor(first)
    var weights: [(c: ONNXConstant, letters: [Int])] = []
    let ranks = x.values.indices.map { i in
      switch x.values[i] {
      case .quantity(let q)?: q.layout.rank
      case .constant(let c)?: c.layout.rank
      case nil: 0
      }
    }
    let equation = try ONNXEquation(node, ranks: ranks)
    for i in x.values.indices where i != first {
      weights.append(
        try withoutRepetition(
          try x.operand(i, "operand"), equation.inputs[i], along: q, equation.inputs[first], node))
    }
    // Constants multiply to one with an axis for each of their letters.
    var (weight, letters) = weights.first ?? (.number(1), [])
    for (c, other) in weights.dropFirst() {
      let all = letters + other.filter { !letters.contains($0) }
      guard Set(letters).count == letters.count, Set(other).count == other.count else {
        throw node.failure("repeats a letter in one of several constants")
      }
      let (a, b) = (weight.along(letters, of: all), c.along(other, of: all))
      guard let shape = broadcastShape(a.shape, b.shape),
        elementCount(shape, limit: foldingRoom) != nil
      else { throw node.failure("multiplies shapes \(weight.shape) and \(c.shape)") }
      weight = ONNXConstant(
        shape: shape,
        .real(zip(a.reals(broadcastTo: shape), b.reals(broadcastTo: shape)).map { $0 * $1 }))
      letters = all
    }
    let (result, biasAxis) = try contraction(
      q, equation.inputs[first], weight, letters, to: equation.output, for: node)
    if let biasAxis { markBiasless(node, result, axis: biasAxis) }
    return [.quantity(result)]
  }

  /// A constant of an Einstein sum without the axes that broadcast: those of extent 1 that are
  /// longer in the quantity, and the batch.
  private func withoutRepetition(
    _ constant: ONNXConstant, _ letters: [Int], along q: ONNXQuantity, _ own: [Int],
    _ node: ONNXNode
  ) throws(ArrayFileError) -> (ONNXConstant, [Int]) {
    var (c, rest) = (constant, letters)
    let sample = q.layout.batchAxis.map { own[$0] }
    if let k = c.batchAxis {
      guard rest[k] == sample, !q.layout.isMerged else {
        throw node.failure("a constant as long as the batch, which does not meet that of its input")
      }
      rest.remove(at: k)
      c.batchAxis = nil
    }
    let extents = q.layout.extents(batch: batch)
    for axis in rest.indices.reversed() where letters.count(where: { $0 == rest[axis] }) == 1 {
      guard let k = own.firstIndex(of: rest[axis]), extents[k] > 1 else { continue }
      if c.shape[axis] == 1 {
        c.shape.remove(at: axis)
        rest.remove(at: axis)
      } else if rest[axis] == sample, c.shape[axis] == batch, !q.layout.isMerged,
        let row = c.withoutRepetition(along: axis)
      {
        c = row
        rest.remove(at: axis)
      }
    }
    return (c, rest)
  }
}

extension ONNXConstant {
  /// With an axis for each letter of `all`, of extent 1 for those that are not among `letters`.
  fileprivate func along(_ letters: [Int], of all: [Int]) -> ONNXConstant {
    let own = all.filter { letters.contains($0) }
    var result = chosen(
      by: TensorView(shape: shape).transposed(own.map { letters.firstIndex(of: $0)! }))
    result.shape = all.map { letter in
      letters.firstIndex(of: letter).map { shape[$0] } ?? 1
    }
    return result
  }
}

/// The letters of an Einstein sum as numbers; the axes of an ellipsis have those from 1000 on, from
/// the last.
struct ONNXEquation {
  let inputs: [[Int]]
  let output: [Int]

  init(_ node: ONNXNode, ranks: [Int]) throws(ArrayFileError) {
    guard let text = try node.text("equation") else { throw node.failure("lacks the equation") }
    func fail(_ why: String) -> ArrayFileError {
      node.failure("equation \"\(text.printable)\" \(why)")
    }
    let equation = text.filter { !$0.isWhitespace }
    let sides = equation.components(separatedBy: "->")
    let terms = sides[0].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard sides.count <= 2, terms.count == ranks.count else {
      throw fail("for \(ranks.count) inputs")
    }
    var ellipsis = 0
    func letters(_ term: String, rank: Int?) throws(ArrayFileError) -> [Int] {
      let parts = term.components(separatedBy: "...")
      guard parts.count <= 2, parts.joined().allSatisfy({ $0.isASCII && $0.isLetter }) else {
        throw fail("is none")
      }
      let named = parts.map { $0.unicodeScalars.map { Int($0.value) } }
      guard parts.count == 2 else {
        guard rank == nil || rank == named[0].count else { throw fail("for \(rank!) axes") }
        return named[0]
      }
      let count = rank.map { $0 - named[0].count - named[1].count } ?? ellipsis
      guard (0...16).contains(count) else { throw fail("for \(rank ?? 0) axes") }
      ellipsis = max(ellipsis, count)
      return named[0] + (0..<count).reversed().map { 1000 + $0 } + named[1]
    }
    var inputs: [[Int]] = []
    for (term, rank) in zip(terms, ranks) { inputs.append(try letters(term, rank: rank)) }
    self.inputs = inputs
    if sides.count == 2 {
      output = try letters(sides[1], rank: nil)
    } else {
      // What occurs once, in alphabetical order, behind the ellipsis.
      let all = inputs.flatMap { $0 }
      let once = Set(all).filter { l in l < 1000 && all.count { $0 == l } == 1 }.sorted()
      output = (0..<ellipsis).reversed().map { 1000 + $0 } + once
    }
    let known = Set(inputs.flatMap { $0 })
    guard Set(output).count == output.count, output.allSatisfy({ known.contains($0) }) else {
      throw fail("has an output of letters that are not its inputs', or twice")
    }
  }
}

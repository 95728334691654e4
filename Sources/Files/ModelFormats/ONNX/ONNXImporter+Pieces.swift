import ArrayFiles
import LinearAlgebra
import NetworkKernels
import NeuralSheaves

/// Functions of one tensor put together of comparisons with constants and choices: leaky and gated ReLU as
/// `Where(x > 0, x, s x)` or `x (x > 0)`, signs, soft thresholds.
///
/// Such a node is worked out as a function of each element (`ONNXPieces`). If it is continuous it becomes one
/// edge; if not, as a comparison is not, it waits for what is made of it.
extension ONNXImporter {
  /// The names of tensors that get no vertex of their own: affine and other continuous functions of a tensor
  /// that nothing reads but choices among functions of that same tensor.
  static func deferred(in graph: ONNXGraph, output: String, marks: ONNXMarks) -> Set<String> {
    var isGated: [Bool] = []
    var gated: Set<String> = []
    for node in graph.nodes {
      let isGate =
        graph.isComputed(node)
        && (ONNXPieces.gates.contains(node.type)
          || (ONNXPieces.others.contains(node.type) && node.inputs.contains { gated.contains($0) }))
      isGated.append(isGate)
      if isGate { gated.formUnion(node.outputs) }
    }
    func source(_ node: ONNXNode) -> String? {
      let computed = node.inputs.filter { graph.computed.contains($0) }
      return computed.count == 1 ? computed[0] : nil
    }
    var candidates: Set<Int> = []
    for (k, node) in graph.nodes.enumerated().reversed() {
      guard ONNXPieces.others.contains(node.type), source(node) != nil,
        let name = node.outputs.first, name != output, let readers = graph.readers[name]
      else { continue }
      if readers.allSatisfy({ isGated[$0] || candidates.contains($0) }) { candidates.insert(k) }
    }
    // There must be something to choose from.
    var result: Set<String> = []
    for (k, node) in graph.nodes.enumerated() {
      if let name = node.outputs.first, let readers = graph.readers[name],
        readers.contains(where: { marks.sparse.contains(graph.nodes[$0].name) })
      {
        result.insert(name)
      }
      guard candidates.contains(k), let source = source(node) else { continue }
      let hasRival = graph.readers[source, default: []].contains {
        $0 != k && (isGated[$0] || candidates.contains($0))
      }
      if hasRival || result.contains(source) { result.insert(node.outputs[0]) }
    }
    return result.union(links(in: graph, output: output, isGated: isGated))
  }

  /// The links of chains of choices: choices among functions of one tensor that other choices among
  /// functions of that tensor read.
  private static func links(
    in graph: ONNXGraph, output: String, isGated: [Bool]
  ) -> Set<String> {
    func computed(_ node: ONNXNode) -> Set<String> { graph.computed.intersection(node.inputs) }
    // The tensor that each is a function of.
    var roots: [String: String] = [:]
    for (k, node) in graph.nodes.enumerated()
    where isGated[k] || ONNXPieces.others.contains(node.type) {
      let sources = Set(computed(node).map { roots[$0] ?? $0 })
      if sources.count == 1, let name = node.outputs.first { roots[name] = sources.first }
    }
    var result: Set<String> = []
    for (k, node) in graph.nodes.enumerated() where isGated[k] {
      guard let name = node.outputs.first, name != output, let root = roots[name],
        let readers = graph.readers[name]
      else { continue }
      let isLink = readers.allSatisfy { r in
        let reader = graph.nodes[r]
        return isGated[r] && computed(reader).count > 1
          && reader.outputs.first.flatMap { roots[$0] } == root
      }
      if isLink { result.insert(name) }
    }
    return result
  }

  /// The result of a node as functions of the elements of one tensor; nil if it is an ordinary node.
  mutating func piecewise(
    _ node: ONNXNode, _ values: [ONNXValue?]
  ) throws(ArrayFileError) -> ONNXValue? {
    if marks.sparse.contains(node.name), case .quantity(let q)? = values.first ?? nil,
      let entries = q.pieces
    {
      return .quantity(try sparseMap(node, q, entries))
    }
    let isGate = ONNXPieces.gates.contains(node.type)
    let hasPieces = values.contains {
      if case .quantity(let q)? = $0 { q.pieces != nil } else { false }
    }
    let isDeferred = node.outputs.first.map { deferred.contains($0) } ?? false
    guard isGate || isDeferred || (hasPieces && ONNXPieces.others.contains(node.type)),
      let operation = try ONNXPieces.operation(node), let first = values.first, first != nil
    else { return nil }
    let present = values.compactMap { $0 }
    guard let (base, operands) = try functions(node, present) else {
      if isGate && node.type != "Where" {
        throw node.failure(
          "compares computed tensors that are no functions of one, which is not continuous; "
            + "expected a comparison with constants")
      }
      return nil
    }
    guard let pieces = ONNXPieces.combined(operands, operation) else {
      throw node.failure("makes a function that is not piecewise linear")
    }
    var result = base
    result.pieces = pieces
    if isDeferred || pieces.functions.contains(where: { $0.jump != nil }) {
      return .quantity(result)
    }
    return .quantity(try settled(result, for: node))
  }

  /// The operands of a node as functions of the elements of one computed tensor, which is `base`; nil if
  /// there are several.
  private mutating func functions(
    _ node: ONNXNode, _ values: [ONNXValue]
  ) throws(ArrayFileError) -> (base: ONNXQuantity, [ONNXPieces])? {
    var plain = values
    for (i, value) in values.enumerated() {
      guard case .quantity(var q) = value else { continue }
      q.pieces = nil
      plain[i] = .quantity(q)
    }
    let inputs = ONNXInputs(node: node, values: plain, batch: batch)
    for i in values.indices where inputs.isConstant(i) { _ = try inputs.operand(i, "constant") }
    let (common, operands) = try broadcast(node, inputs)
    var base: ONNXQuantity?
    var result: [ONNXPieces] = []
    for (value, operand) in zip(values, operands) {
      switch operand {
      case .constant(let c): result.append(ONNXPieces(c.expanded(to: common.sample)))
      case .quantity(let q):
        var pieces = ONNXPieces.identity
        if case .quantity(let given) = value, let own = given.pieces { pieces = own }
        result.append(pieces.expanded(from: q.shape, to: common.sample))
        let whole = try expanded(q, to: common.sample, for: node)
        if let base, base.vertex != whole.vertex || base.order != whole.order { return nil }
        base = whole
      }
    }
    guard var base, base.order?.contains(-1) != true else { return nil }
    base.layout = common
    return (base, result)
  }

  /// A quantity with its functions as an edge, if they are continuous.
  mutating func settled(
    _ q: ONNXQuantity, for node: ONNXNode
  ) throws(ArrayFileError) -> ONNXQuantity {
    guard let pieces = q.pieces else { return q }
    if let jump = pieces.functions.lazy.compactMap(\.jump).first {
      throw node.failure(
        "a function of \(network.vertices[q.vertex].name) that jumps at \(jump.at + 0), from \(jump.left) to "
          + "\(jump.value == jump.left ? jump.right : jump.value), is not continuous; expected pieces that "
          + "meet, as those of max(x, s x) do")
    }
    var base = q
    base.pieces = nil
    let functions = pieces.functions.map(\.withoutIdleKinks)
    guard functions.allSatisfy({ ($0.breaks + $0.slopes + $0.offsets).allSatisfy(\.isFinite) })
    else { throw node.failure("its constant is not finite in double") }
    let most = functions.map(\.breaks.count).max()!
    if most == 0 {
      func constant(_ numbers: [Double]) -> ONNXConstant {
        guard let index = pieces.index else { return .number(numbers[0]) }
        return ONNXConstant(shape: q.shape, .real(index.map { numbers[Int($0)] }))
      }
      return try scaleAndShift(
        base, scale: constant(functions.map { $0.slopes[0] }),
        shift: constant(functions.map { $0.offsets[0] }), node)
    }
    if pieces.index == nil, most <= 2 {
      let f = functions[0]
      let s = splines([f], count: 1)
      return try appendElementwise(to: base, for: node) {
        Elementwise(
          PiecewiseAffine(kinks: f.breaks, slopes: f.slopes, offsets: s.offsets.elements),
          dimension: $0)
      }
    }
    try reserve(3 * (most + 1) * q.size, for: node)
    let all = (0..<q.size).map { i in functions[pieces.index.map { Int($0[i]) } ?? 0] }
    return try append(
      ElementwiseSplines(splines(all, count: q.size)), to: base, shape: q.shape, for: node)
  }

  /// The sums over the last axis of weighted coordinates, as our own files write a sparse map.
  private mutating func sparseMap(
    _ node: ONNXNode, _ q: ONNXQuantity, _ entries: ONNXPieces
  ) throws(ArrayFileError) -> ONNXQuantity {
    guard let most = q.shape.last, entries.functions.allSatisfy({ $0.breaks.isEmpty }) else {
      throw node.failure(
        "expected a sparse map: the sums over the last axis of weighted coordinates")
    }
    try reserve(q.size, for: node)
    let columns = q.view.indices
    let rows = (0..<q.size / max(most, 1)).map { row in
      (row * most..<(row + 1) * most).compactMap { k -> (column: Int, value: Double)? in
        let value = entries.function(at: k).slopes[0]
        return value == 0 || columns[k] < 0 ? nil : (Int(columns[k]), value)
      }
    }
    var source = q
    (source.pieces, source.order) = (nil, nil)
    return try append(
      SparseLinear(
        SparseMatrix(rows: rows, columns: network.vertices[q.vertex].dimension)),
      to: source, shape: Array(q.shape.dropLast()), for: node)
  }

  private func splines(_ functions: [PieceFunction], count: Int) -> LinearSplines {
    let most = functions.map(\.breaks.count).max()!
    var kinks = Matrix(rows: count, columns: most, repeating: .infinity)
    var slopes = Matrix(rows: count, columns: most + 1)
    var first = Matrix(rows: count, columns: 1)
    for (i, f) in functions.enumerated() {
      for (k, z) in f.breaks.enumerated() { kinks[i, k] = z }
      for (k, slope) in f.slopes.enumerated() { slopes[i, k] = slope }
      first[i, 0] = f.offsets[0]
    }
    return LinearSplines(kinks: kinks, slopes: slopes, firstOffsets: first)
  }
}

import ArrayFiles
import LinearAlgebra
import NetworkKernels
import NeuralSheaves

/// Products of a computed tensor with a constant one.
extension ONNXImporter {
  /// Σ over the letters that are not in `output` of quantity × weight, where each axis bears a
  /// letter (Einstein's convention, as of Einsum).
  ///
  /// With b the letters of all three, m those of the weight and the output, k those of the quantity
  /// and the output, and c the others, it is the product with |b| matrices of shape (|m|, |c|) at
  /// |k| places: a dense layer, or a pointwise convolution in |b| groups, without a bias.
  ///
  /// - Returns: the result, and the axis of its sample along which a bias lies.
  mutating func contraction(
    _ quantity: ONNXQuantity, _ letters: [Int], _ weight: ONNXConstant, _ weightLetters: [Int],
    to output: [Int], for node: ONNXNode
  ) throws(ArrayFileError) -> (ONNXQuantity, biasAxis: Int?) {
    var q = quantity
    if batch == 1 { q.layout = q.layout.whole }
    var letters = letters
    var layout = TensorShape(sample: [], batchAxis: nil)
    var target = output
    if let k = q.layout.batchAxis {
      let letter = letters[k]
      guard let place = output.firstIndex(of: letter), !weightLetters.contains(letter),
        letters.count(where: { $0 == letter }) == 1
      else {
        throw node.failure(
          "multiplies along the batch, axis \(k) of \(ONNXShapes.describe(q.layout, batch)), which "
            + "mixes samples")
      }
      (layout.batchAxis, layout.isMerged) = (place, q.layout.isMerged)
      if !q.layout.isMerged {
        letters.remove(at: k)
        target.remove(at: place)
      }
    }
    var view: TensorView?
    if Set(letters).count < letters.count {
      (letters, view) = try diagonal(letters, q.view, node)
      q.shape = view!.shape
    }
    let (w, wLetters) = try prepared(weight, weightLetters, letters, q.shape, target, node)
    var extents: [Int: Int] = [:]
    for (letter, extent) in zip(letters + wLetters, q.shape + w.shape) {
      guard extents[letter] ?? extent == extent else {
        throw node.failure(
          "shapes \(ONNXShapes.describe(quantity.layout, batch)) and \(weight.shape), which meet in "
            + "axes of \(extents[letter]!) and \(extent)")
      }
      extents[letter] = extent
    }
    let groups = wLetters.filter { letters.contains($0) && target.contains($0) }
    let filters = wLetters.filter { !letters.contains($0) }
    let summed = wLetters.filter { !target.contains($0) }
    let kept = letters.filter { !wLetters.contains($0) }
    let order = groups + summed + kept
    if order != letters {
      view = (view ?? q.view).transposed(order.map { letters.firstIndex(of: $0)! })
    }
    if let view { q = viewed(q, as: view) }
    q.layout = TensorShape(sample: q.shape)
    func size(_ list: [Int]) -> Int { list.reduce(1) { $0 * extents[$1]! } }
    guard
      let count = elementCount(
        (groups + filters + kept).map { extents[$0]! }, limit: Self.sizeLimit), count > 0,
      size(summed) > 0
    else { throw node.failure("makes no coordinate, or more than 2^26") }
    let operation = product(
      w, wLetters, groups: groups, filters: filters, summed: summed, places: size(kept),
      extents)
    let made = groups + filters + kept
    var result = try append(operation, to: q, shape: made.map { extents[$0]! }, for: node)
    if made != target {
      result = viewed(
        result, as: result.view.transposed(target.map { made.firstIndex(of: $0)! }))
    }
    layout.sample = result.shape
    result.layout = layout
    return (
      result,
      size(groups) == 1 && filters.count == 1 ? target.firstIndex(of: filters[0])! : nil
    )
  }

  /// The layer of a weight whose axes bear letters.
  private func product(
    _ w: ONNXConstant, _ letters: [Int], groups: [Int], filters: [Int], summed: [Int], places: Int,
    _ extents: [Int: Int]
  ) -> any NetworkOperation {
    func size(_ list: [Int]) -> Int { list.reduce(1) { $0 * extents[$1]! } }
    let (b, m, c) = (size(groups), size(filters), size(summed))
    let isDense = b == 1 && places == 1
    // The weight of a layer is (m, c), that of a convolution (c, b·m), each column by column.
    let byColumns = groups + (isDense ? summed + filters : filters + summed)
    let byRows = groups + (isDense ? filters + summed : summed + filters)
    func long(_ list: [Int]) -> [Int] { list.filter { extents[$0]! > 1 } }
    let isRowMajor = b == 1 && long(letters) == long(byRows) && long(letters) != long(byColumns)
    var w = w
    if !isRowMajor && long(letters) != long(byColumns) {
      w = w.chosen(
        by: TensorView(shape: w.shape).transposed(byColumns.map { letters.firstIndex(of: $0)! }))
    }
    let bias = [Double](repeating: 0, count: b * m)
    if isDense {
      return Dense(weight: w.matrix(rows: m, columns: c, isRowMajor: isRowMajor), bias: bias)
    }
    let window = SlidingWindow(channels: b * c, image: Extent(1, places), kernel: Extent(1, 1))
    return Convolutional(
      Convolution(window: window, filters: b * m, groups: b),
      weight: w.matrix(rows: c, columns: b * m, isRowMajor: isRowMajor), bias: bias)
  }

  /// The weight with an axis for each letter that is summed, and none else that is not in the
  /// output.
  private func prepared(
    _ weight: ONNXConstant, _ weightLetters: [Int], _ letters: [Int], _ shape: [Int],
    _ output: [Int], _ node: ONNXNode
  ) throws(ArrayFileError) -> (ONNXConstant, [Int]) {
    var (w, wLetters) = (weight, weightLetters)
    if Set(wLetters).count < wLetters.count {
      let view: TensorView
      (wLetters, view) = try diagonal(wLetters, TensorView(shape: w.shape), node)
      w = w.chosen(by: view)
    }
    for axis in wLetters.indices.reversed()
    where !letters.contains(wLetters[axis]) && !output.contains(wLetters[axis]) {
      w = w.summed(along: axis)
      wLetters.remove(at: axis)
    }
    // What only the quantity has is summed with the same weight everywhere.
    for (letter, extent) in zip(letters, shape)
    where !output.contains(letter) && !wLetters.contains(letter) {
      guard elementCount([extent] + w.shape, limit: Self.sizeLimit) != nil else {
        throw node.failure("sums over too many coordinates")
      }
      w.shape.insert(1, at: 0)
      w = w.expanded(to: [extent] + w.shape.dropFirst())
      wLetters.insert(letter, at: 0)
    }
    return (w, wLetters)
  }

  /// A view with one axis for each letter.
  private func diagonal(
    _ letters: [Int], _ view: TensorView, _ node: ONNXNode
  ) throws(ArrayFileError) -> ([Int], TensorView) {
    var (letters, view) = (letters, view)
    for j in letters.indices.reversed() {
      guard let i = letters[..<j].firstIndex(of: letters[j]) else { continue }
      guard view.shape[i] == view.shape[j] else {
        throw node.failure("a diagonal of axes of \(view.shape[i]) and \(view.shape[j])")
      }
      view = view.diagonal(i, j)
      letters.remove(at: j)
    }
    return (letters, view)
  }
}

extension ONNXConstant {
  /// The sums along an axis, which falls away.
  func summed(along axis: Int) -> ONNXConstant {
    let inner = shape[(axis + 1)...].reduce(1, *)
    let outer = shape[..<axis].reduce(1, *)
    let x = reals
    var sums = [Double](repeating: 0, count: outer * inner)
    for o in 0..<outer {
      for p in 0..<shape[axis] {
        for i in 0..<inner { sums[o * inner + i] += x[(o * shape[axis] + p) * inner + i] }
      }
    }
    var result = self
    result.shape.remove(at: axis)
    result.values = .real(sums)
    return result
  }
}

extension TensorView {
  /// The elements that lie alike on two axes of one extent, i < j; axis j falls away.
  func diagonal(_ i: Int, _ j: Int) -> TensorView {
    let others = shape.indices.filter { $0 != i && $0 != j }
    let last = transposed(others + [i, j])
    let n = shape[i]
    let blocks = indices.count / max(n * n, 1)
    let picked = TensorView(
      shape: others.map { shape[$0] } + [n],
      indices: (0..<blocks * n).map { last.indices[$0 / n * n * n + $0 % n * (n + 1)] })
    var order = Array(others.indices)
    order.insert(others.count, at: others.count { $0 < i })
    return picked.transposed(order)
  }
}

/// A tensor as a choice of coordinates from a flat source: element i is `indices[i]` of the source,
/// or 0 where that is negative.
///
/// Transposition, slicing, gathering, expansion and padding only choose; they change neither the
/// numbers of a constant nor the stalk of a vertex.
struct TensorView {
  /// The extents, the first axis slowest.
  var shape: [Int]
  /// The source coordinate of each element.
  var indices: [Int32]

  /// The whole source in its own order.
  init(shape: [Int]) {
    self.init(shape: shape, indices: (0..<Int32(shape.reduce(1, *))).map { $0 })
  }

  init(shape: [Int], indices: [Int32]) {
    self.shape = shape
    self.indices = indices
  }

  /// Whether each element is the source coordinate of the same number, of `count` in all.
  func isIdentity(count: Int) -> Bool {
    indices.count == count && indices.enumerated().allSatisfy { $0.offset == Int($0.element) }
  }

  /// Whether each of `count` source coordinates occurs exactly once.
  func isPermutation(count: Int) -> Bool {
    guard indices.count == count else { return false }
    var seen = [Bool](repeating: false, count: count)
    for i in indices {
      guard i >= 0, !seen[Int(i)] else { return false }
      seen[Int(i)] = true
    }
    return true
  }

  /// Axis k of the result is axis `permutation[k]`.
  func transposed(_ permutation: [Int]) -> TensorView {
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * shape[axis + 1]
    }
    let extents = permutation.map { shape[$0] }
    let steps = permutation.map { strides[$0] }
    var result: [Int32] = []
    result.reserveCapacity(indices.count)
    var place = [Int](repeating: 0, count: extents.count)
    var at = 0
    for _ in indices {
      result.append(indices[at])
      for axis in extents.indices.reversed() {
        place[axis] += 1
        at += steps[axis]
        if place[axis] < extents[axis] { break }
        at -= extents[axis] * steps[axis]
        place[axis] = 0
      }
    }
    return TensorView(shape: extents, indices: result)
  }

  /// The given positions of an axis, in their order; a negative one stands for zeros.
  func gathered(axis: Int, _ positions: [Int]) -> TensorView {
    let inner = shape[(axis + 1)...].reduce(1, *)
    let outer = shape[..<axis].reduce(1, *)
    var result: [Int32] = []
    result.reserveCapacity(outer * positions.count * inner)
    for o in 0..<outer {
      for p in positions {
        if p < 0 {
          result.append(contentsOf: repeatElement(-1, count: inner))
        } else {
          let start = (o * shape[axis] + p) * inner
          result.append(contentsOf: indices[start..<start + inner])
        }
      }
    }
    var extents = shape
    extents[axis] = positions.count
    return TensorView(shape: extents, indices: result)
  }

  /// The same elements under another shape.
  func reshaped(_ shape: [Int]) -> TensorView { TensorView(shape: shape, indices: indices) }

  /// Repeated along axes of extent 1, and along new axes in front, up to a shape (NumPy's
  /// broadcasting; the shape must be one that this broadcasts to).
  func expanded(to target: [Int]) -> TensorView {
    var view = reshaped([Int](repeating: 1, count: target.count - shape.count) + shape)
    for axis in target.indices where view.shape[axis] != target[axis] {
      view = view.gathered(axis: axis, [Int](repeating: 0, count: target[axis]))
    }
    return view
  }
}

/// The shape that two shapes broadcast to (NumPy's rule), nil if they do not.
func broadcastShape(_ a: [Int], _ b: [Int]) -> [Int]? {
  let rank = max(a.count, b.count)
  let (p, q) = (
    [Int](repeating: 1, count: rank - a.count) + a, [Int](repeating: 1, count: rank - b.count) + b
  )
  var result: [Int] = []
  for (m, n) in zip(p, q) {
    guard m == n || m == 1 || n == 1 else { return nil }
    result.append(m == 1 ? n : m)
  }
  return result
}

/// The number of elements of a shape; nil if an extent is negative or there are more than `limit`,
/// extents of 0 left out: products of some of the others are taken elsewhere.
func elementCount(_ shape: [Int], limit: Int) -> Int? {
  var count = 1
  for n in shape {
    guard n >= 0 else { return nil }
    let (product, overflow) = count.multipliedReportingOverflow(by: max(n, 1))
    guard !overflow, product <= limit else { return nil }
    count = product
  }
  return shape.contains(0) ? 0 : count
}

/// The shape of tensors joined along an axis; nil if they differ along another.
func joinedShape(_ shapes: [[Int]], axis: Int) -> [Int]? {
  guard var whole = shapes.first, whole.indices.contains(axis) else { return nil }
  for shape in shapes.dropFirst() {
    var rest = shape
    guard rest.count == whole.count else { return nil }
    rest[axis] = whole[axis]
    guard rest == whole else { return nil }
    whole[axis] += shape[axis]
  }
  return whole
}

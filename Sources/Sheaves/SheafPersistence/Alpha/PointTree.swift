/// Points in a tree of boxes, halved along their longest sides, that is asked for a point within a distance (Bentley 1975).
///
/// Cost: O(n log² n) to build, O(log n) for most questions.
struct PointTree {
  private struct Node {
    var low, high: SIMD3<Double>
    var range: Range<Int>
    /// The second half, the first one being the next node; 0 for a leaf.
    var second = 0
  }

  private var points: [SIMD3<Double>]
  private var nodes: [Node] = []

  init(_ points: [SIMD3<Double>]) {
    self.points = points
    if !points.isEmpty { build(points.indices) }
  }

  private mutating func build(_ range: Range<Int>) {
    var (low, high) = (points[range.lowerBound], points[range.lowerBound])
    for p in points[range] {
      low = pointwiseMin(low, p)
      high = pointwiseMax(high, p)
    }
    let place = nodes.count
    nodes.append(Node(low: low, high: high, range: range))
    guard range.count > 8 else { return }
    let sides = high - low
    let axis = (0..<3).max { sides[$0] < sides[$1] }!
    points[range].sort { $0[axis] < $1[axis] }
    let middle = (range.lowerBound + range.upperBound) / 2
    build(range.lowerBound..<middle)
    nodes[place].second = nodes.count
    build(middle..<range.upperBound)
  }

  /// Whether a point has a power below a bound with respect to a ball.
  func contains(powerBelow bound: Double, of ball: Circumball) -> Bool {
    var stack = nodes.isEmpty ? [] : [0]
    while let place = stack.popLast() {
      let node = nodes[place]
      // The point of the box that is nearest to the centre has the least power.
      if ball.power(ball.center.clamped(lowerBound: node.low, upperBound: node.high)) >= bound {
        continue
      }
      if node.second == 0 {
        if points[node.range].contains(where: { ball.power($0) < bound }) { return true }
      } else {
        stack.append(node.second)
        stack.append(place + 1)
      }
    }
    return false
  }
}

/// Level sets of a function on a grid, interpolated linearly along its edges.
struct Contours {
  private let x: [Double]
  private let y: [Double]
  private let values: [Double]

  /// `values[j * x.count + i]` is at (xᵢ, yⱼ).
  init(x: [Double], y: [Double], values: [Double]) {
    precondition(
      values.count == x.count * y.count, "\(values.count) values at \(x.count) × \(y.count) points")
    (self.x, self.y, self.values) = (x, y, values)
  }

  /// An edge of the grid, from point (i, j) to the next one on the right or above it.
  private struct Edge: Hashable {
    let i: Int
    let j: Int
    let upwards: Bool
  }

  private func value(_ i: Int, _ j: Int) -> Double { values[j * x.count + i] }

  /// Where the level crosses an edge.
  private func crossing(_ edge: Edge, _ level: Double) -> Point {
    let (i, j) = edge.upwards ? (edge.i, edge.j + 1) : (edge.i + 1, edge.j)
    let (a, b) = (value(edge.i, edge.j), value(i, j))
    let t = (level - a) / (b - a)
    return Point(
      x: x[edge.i] + t * (x[i] - x[edge.i]), y: y[edge.j] + t * (y[j] - y[edge.j]))
  }

  /// The pieces of a level set in the cells, as pairs of crossed edges.
  private func pieces(_ level: Double) -> [(Edge, Edge)] {
    var pieces: [(Edge, Edge)] = []
    for j in 0..<max(y.count - 1, 0) {
      for i in 0..<max(x.count - 1, 0) {
        let corners = [value(i, j), value(i + 1, j), value(i + 1, j + 1), value(i, j + 1)]
        guard corners.allSatisfy(\.isFinite) else { continue }
        let sides = [
          Edge(i: i, j: j, upwards: false), Edge(i: i + 1, j: j, upwards: true),
          Edge(i: i, j: j + 1, upwards: false), Edge(i: i, j: j, upwards: true),
        ]
        let above = corners.map { $0 > level }
        let crossed = (0..<4).filter { above[$0] != above[($0 + 1) % 4] }.map { sides[$0] }
        guard crossed.count == 4 else {
          if crossed.count == 2 { pieces.append((crossed[0], crossed[1])) }
          continue
        }
        // A saddle: the corners on the side of the mean are joined.
        let joined = corners.reduce(0, +) / 4 > level
        let first = joined == above[0] ? 0 : 1
        pieces.append((sides[first], sides[first + 1]))
        pieces.append((sides[first + 2], sides[(first + 3) % 4]))
      }
    }
    return pieces
  }

  /// The curves of a level set; closed ones end where they begin.
  func curves(_ level: Double) -> [[Point]] {
    let pieces = pieces(level)
    var ends: [Edge: [Int]] = [:]
    for (k, piece) in pieces.enumerated() {
      ends[piece.0, default: []].append(k)
      ends[piece.1, default: []].append(k)
    }
    var used = Array(repeating: false, count: pieces.count)
    /// The edges that follow one in unused pieces.
    func walk(from start: Edge) -> [Edge] {
      var (edge, way) = (start, [Edge]())
      while let k = ends[edge]?.first(where: { !used[$0] }) {
        used[k] = true
        edge = pieces[k].0 == edge ? pieces[k].1 : pieces[k].0
        way.append(edge)
      }
      return way
    }
    return pieces.indices.compactMap { k in
      guard !used[k] else { return nil }
      let forwards = walk(from: pieces[k].0)
      let backwards = walk(from: pieces[k].0)
      return (backwards.reversed() + [pieces[k].0] + forwards).map { crossing($0, level) }
    }
  }
}

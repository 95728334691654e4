import CellularSheaves
import LinearAlgebra
import SheafCohomology

extension VertexHierarchy {
  /// A hierarchy by maximal independent sets: at each level parts that are not coupled with one another are chosen, the
  /// most strongly coupled first, and each other part joins that of them with which it is coupled most (aggregation;
  /// Luby 1986 for independent sets).
  ///
  /// It ends with one part for each connected component, or after so many levels.
  public static func independentSets(
    _ couplings: VertexCouplings, maximumLevels: Int = .max
  ) -> VertexHierarchy {
    var (current, labels) = (couplings, Array(0..<couplings.count))
    var list: [[Int]] = []
    while list.count < maximumLevels {
      let degrees = current.degrees
      let order = (0..<current.count).sorted { (-degrees[$0], $0) < (-degrees[$1], $1) }
      var owner = [Int](repeating: -1, count: current.count)
      var isNext = [Bool](repeating: false, count: current.count)
      var count = 0
      for part in order where !isNext[part] {
        owner[part] = count
        count += 1
        current.weights.forEachEntry(ofColumn: part) { i, _ in isNext[i] = true }
      }
      if count == current.count { break }
      for part in order where owner[part] < 0 {
        var (best, strength) = (-1, 0.0)
        current.weights.forEachEntry(ofColumn: part) { i, w in
          if !isNext[i] && w > strength { (best, strength) = (owner[i], w) }
        }
        owner[part] = best
      }
      labels = labels.map { owner[$0] }
      list.append(labels)
      current = current.merged(owner, parts: count)
    }
    return made(couplings.count, list)
  }

  /// A hierarchy by recursive spectral bisection: from the connected components on, parts are split by the signs of the
  /// Fiedler vector of their couplings (Fiedler 1973; Pothen, Simon, Liou 1990), a side that is not connected into its
  /// components, until they have at most so many vertices. Level 1 has the smallest parts.
  ///
  /// - Complexity: some smallest eigenvectors of every part.
  public static func spectralBisection(
    _ couplings: VertexCouplings, smallestPart: Int = 2
  ) throws(FactorizationError) -> VertexHierarchy {
    precondition(smallestPart >= 1, "parts of \(smallestPart) vertices")
    let n = couplings.count
    func labels(_ parts: [[Int]]) -> [Int] {
      var labels = [Int](repeating: 0, count: n)
      for (k, part) in parts.enumerated() { for v in part { labels[v] = k } }
      return labels
    }
    var parts = couplings.weights.connectedComponents
    var list = [labels(parts)]
    while true {
      var next: [[Int]] = []
      for part in parts { next += part.count > smallestPart ? try split(part, couplings) : [part] }
      if next.count == parts.count { break }
      list.append(labels(next))
      parts = next
    }
    return made(n, list.reversed())
  }

  private static func split(
    _ part: [Int], _ couplings: VertexCouplings
  ) throws(FactorizationError) -> [[Int]] {
    let local = VertexCouplings(weights: couplings.weights.part(rows: part, columns: part))
    let vectors = try LaplacianSpectrum(smallest: 2, of: local.laplacian).vectors
    var sides = [[Int]](repeating: [], count: 2)
    for i in part.indices { sides[vectors[i, 1] < 0 ? 0 : 1].append(i) }
    if sides.contains(where: \.isEmpty) {
      // A search that did not come to a vector with both signs: half of the vertices each.
      let order = part.indices.sorted { (vectors[$0, 1], $0) < (vectors[$1, 1], $1) }
      sides = [Array(order.prefix(part.count / 2)), Array(order.dropFirst(part.count / 2))]
    }
    return sides.flatMap { side in
      local.weights.part(rows: side, columns: side).connectedComponents.map { component in
        component.map { part[side[$0]] }
      }
    }
  }

  /// The quadtree of an image, pixels row by row: blocks of 2 × 2, of 4 × 4, ….
  public static func blocks(height: Int, width: Int) -> VertexHierarchy {
    var list: [[Int]] = []
    var size = 2
    while size / 2 < max(height, width) {
      let across = (width + size - 1) / size
      list.append(
        (0..<height * width).map { ($0 / width / size) * across + $0 % width / size })
      size *= 2
    }
    return made(height * width, list)
  }

  /// Labels that are nested by construction.
  private static func made(_ n: Int, _ labels: [[Int]]) -> VertexHierarchy {
    do {
      return try VertexHierarchy(vertices: n, labels: labels, closing: false)
    } catch {
      preconditionFailure("\(error)")
    }
  }
}

import LinearAlgebra
import NeuralSheaves

/// The coordinates of a stalk that distances are taken in: all of them, or of large stalks fewer random combinations, which keep
/// distances up to a small factor (Johnson, Lindenstrauss 1984; the sparse maps of Clarkson, Woodruff 2013).
public struct StalkFeatures: Sendable {
  /// The most coordinates.
  public static let most = 512
  /// The vertex.
  public let vertex: Int
  /// How many coordinates there are.
  public let dimension: Int
  /// Of a large stalk, by coordinate the combination that it goes into and its sign.
  private let places: [(row: Int, sign: Double)]

  /// Those of a stalk; the seed is the vertex's number.
  init(vertex: Int, dimension n: Int) {
    self.vertex = vertex
    dimension = min(n, Self.most)
    var generator = RandomGenerator(seed: UInt64(vertex))
    places =
      n > Self.most
      ? (0..<n).map { _ in
        (Int(generator.next() % UInt64(Self.most)), generator.next() >> 63 == 0 ? 1 : -1)
      } : []
  }

  /// The features, (dimension, samples), of a stalk's values.
  func callAsFunction(_ stalk: Matrix) -> Matrix {
    guard !places.isEmpty else { return stalk }
    var result = Matrix(rows: dimension, columns: stalk.columns)
    for j in 0..<stalk.columns {
      for (i, place) in places.enumerated() { result[place.row, j] += place.sign * stalk[i, j] }
    }
    return result
  }
}

extension Network {
  /// The vertices at which inputs are looked at: the input, what activations give, and the output.
  var familiarVertices: [Int] { [0] + activatedVertices.filter { $0 > 0 } }

  /// The vertices that activations give, and the output.
  var activatedVertices: [Int] {
    vertices.indices.filter { v in
      v == lastVertex || edges[incoming[v]].contains { $0.operation.kind == .activation }
    }
  }
}

import CellComplexes
import CellularSheaves
import LinearAlgebra
import SheafPersistence

extension SheafFiltration {
  /// The Čech filtration by definition: every simplex at the radius of the smallest ball with its vertices, found among
  /// the balls with some of them on the boundary.
  static func cech(points: Matrix, maximumDimension: Int) throws -> SheafFiltration {
    let n = points.columns
    let complex = try SimplicialComplex.flag(
      (0..<n).map { i in (i + 1..<max(n, i + 1)).map { Int32($0) } },
      maximumDimension: maximumDimension)
    var values = (0..<complex.complex.count).map { cell in
      smallestRadius(complex.simplices[cell].map { Int($0) }, points)
    }
    for cell in values.indices {
      for i in complex.complex.incidences(of: cell) {
        values[cell] = max(values[cell], values[complex.complex.face(i)])
      }
    }
    return try SheafFiltration(.constant(on: complex.complex), values: values)
  }

  private static func smallestRadius(_ vertices: [Int], _ points: Matrix) -> Double {
    var best = Double.infinity
    for mask in 1..<1 << vertices.count {
      let chosen = vertices.indices.filter { mask >> $0 & 1 == 1 }.map { vertices[$0] }
      guard let ball = circumball(chosen, points), ball.radius < best else { continue }
      let isAround = vertices.allSatisfy {
        distance(points.columns($0..<$0 + 1).elements, ball.center) <= ball.radius * (1 + 1e-9)
      }
      if isAround { best = ball.radius }
    }
    return best
  }

  /// The centre p₀ + Σ λⱼ uⱼ in the affine hull has the same distance from all: 2 Gλ = diag G for the Gram matrix G of
  /// the uⱼ = pⱼ − p₀.
  static func circumball(
    _ vertices: [Int], _ points: Matrix
  ) -> (center: [Double], radius: Double)? {
    let origin = points.columns(vertices[0]..<vertices[0] + 1).elements
    let edges = vertices.dropFirst().map { j in
      zip(points.columns(j..<j + 1).elements, origin).map { $0 - $1 }
    }
    let gram = edges.map { a in edges.map { b in zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } } }
    guard let lambda = eliminated(gram, gram.indices.map { gram[$0][$0] / 2 }) else { return nil }
    var center = origin
    for (edge, factor) in zip(edges, lambda) {
      for i in center.indices { center[i] += factor * edge[i] }
    }
    return (center, distance(center, origin))
  }

  static func distance(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
  }

  /// Gaussian elimination, nil where a pivot is rounding.
  private static func eliminated(_ matrix: [[Double]], _ right: [Double]) -> [Double]? {
    var rows = zip(matrix, right).map { $0 + [$1] }
    let n = rows.count
    let scale = rows.indices.map { rows[$0][$0] }.max() ?? 0
    for k in 0..<n {
      let p = (k..<n).max { abs(rows[$0][k]) < abs(rows[$1][k]) }!
      rows.swapAt(k, p)
      guard abs(rows[k][k]) > 1e-13 * scale else { return nil }
      for i in 0..<n where i != k {
        let factor = rows[i][k] / rows[k][k]
        for j in k...n { rows[i][j] -= factor * rows[k][j] }
      }
    }
    return rows.indices.map { rows[$0][n] / rows[$0][$0] }
  }
}

extension RandomGenerator {
  /// A random rotation of ℝᵈ, perhaps with a reflection.
  mutating func rotation(_ d: Int) -> Matrix {
    var columns: [[Double]] = []
    while columns.count < d {
      var v = normalMatrix(rows: d, columns: 1).elements
      for u in columns {
        let c = zip(u, v).reduce(0) { $0 + $1.0 * $1.1 }
        for i in 0..<d { v[i] -= c * u[i] }
      }
      let length = v.reduce(0) { $0 + $1 * $1 }.squareRoot()
      if length > 0.1 { columns.append(v.map { $0 / length }) }
    }
    return Matrix(rows: d, columns: d, columnMajor: columns.flatMap { $0 })
  }
}

/// Points in special position.
enum Clouds {
  /// All points with whole coordinates 0 ≤ xᵢ < nᵢ.
  static func grid(_ sizes: [Int]) -> Matrix {
    let count = sizes.reduce(1, *)
    return Matrix(
      rows: sizes.count, columns: count,
      columnMajor: (0..<count).flatMap { place -> [Double] in
        var rest = place
        return sizes.map { n in
          defer { rest /= n }
          return Double(rest % n)
        }
      })
  }

  /// Some of the columns, or the same more than once.
  static func columns(_ points: Matrix, _ chosen: [Int]) -> Matrix {
    Matrix(
      rows: points.rows, columns: chosen.count,
      columnMajor: chosen.flatMap { points.columns($0..<$0 + 1).elements })
  }

  /// Multiplied by a number.
  static func scaled(_ points: Matrix, _ factor: Double) -> Matrix {
    Matrix(
      rows: points.rows, columns: points.columns, columnMajor: points.elements.map { factor * $0 })
  }

  /// Each coordinate moved by a normal number times `scale`.
  static func moved(
    _ points: Matrix, by scale: Double, _ generator: inout RandomGenerator
  ) -> Matrix {
    let steps = generator.normalMatrix(rows: points.rows, columns: points.columns).elements
    return Matrix(
      rows: points.rows, columns: points.columns,
      columnMajor: zip(points.elements, steps).map { $0 + scale * $1 })
  }
}

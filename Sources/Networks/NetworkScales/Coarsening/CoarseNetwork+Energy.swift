import LinearAlgebra
import NeuralSheaves

extension CoarseNetwork {
  /// S_K, symmetric and positive definite, of order |K|. Cost: that of products with J and N⁻¹, block by block.
  public var precision: Matrix {
    var s = Matrix(rows: dimension, columns: dimension)
    for noise in noises {
      let (rows, coordinates) = coboundaryRows(of: noise)
      var solved = rows
      noise.factors.solve(&solved)
      let block = Matrix.product(of: rows, transposed: solved)
      for (q, j) in coordinates.enumerated() {
        for (p, i) in coordinates.enumerated() { s[i, j] += block[p, q] }
      }
    }
    s.symmetrize()
    return s
  }

  /// The rows of I − J that belong to a group, for the coordinates of K where they are not 0, and these.
  func coboundaryRows(of noise: EffectiveNoise) -> (rows: Matrix, coordinates: [Int]) {
    let own = noise.vertices
    let read = maps.filter { $0.source > 0 && own.contains($0.target) }
    let all = Set(own + read.map(\.source)).sorted()
    var (columns, count) = ([Int: Int](), 0)
    for v in all {
      columns[v] = count
      count += range(of: v).count
    }
    var rows = Matrix(rows: noise.covariance.rows, columns: count)
    var (first, start) = ([Int: Int](), 0)
    for v in own {
      first[v] = start
      for i in 0..<range(of: v).count { rows[start + i, columns[v]! + i] = 1 }
      start += range(of: v).count
    }
    for map in read {
      var negative = map.matrix
      negative.scale(by: -1)
      rows.setBlock(row: first[map.target]!, column: columns[map.source]!, to: negative)
    }
    return (rows, all.flatMap { range(of: $0) })
  }

  /// E_K L⁻¹ E_Kᵀ = S_K⁻¹: the covariance of the kept stalks under independent noise N(0, Γ⁻¹) on the edges of the network.
  /// Cost: order |K|³, less for sparse J.
  public var covariance: Matrix {
    let root = self.root
    var c = Matrix(rows: dimension, columns: dimension)
    c.addGram(root)
    return c
  }

  /// (I − J)⁻¹ R, N = R Rᵀ.
  var root: Matrix {
    let n = dimension
    var rows = [Int: Matrix]()
    for noise in noises {
      let triangle = noise.factors.lowerTriangle
      var start = 0
      let places = noise.vertices.flatMap { range(of: $0) }
      for v in noise.vertices {
        var part = Matrix(rows: range(of: v).count, columns: n)
        for j in places.indices {
          for i in 0..<part.rows where start + i >= j {
            part[i, places[j]] = triangle[start + i, j]
          }
        }
        start += part.rows
        rows[v] = part
      }
    }
    for map in maps where map.source > 0 {
      // By target, and sources come before their targets.
      rows[map.target]!.addProduct(map.matrix, rows[map.source]!)
    }
    return Matrix(stacking: vertices.map { rows[$0]! }, columns: n)
  }

  /// log det S_K = −log det N, as det(I − J) = 1.
  public var logDeterminant: Double { noises.reduce(0) { $0 - $1.factors.logDeterminant } }

  /// E_K(x), the least energy of a state whose kept stalks are x, for each column of (|K|, columns).
  public func energies(of x: Matrix) -> [Double] {
    let rho = discrepancy(of: x)
    var solved = rho
    applyStiffness(&solved)
    return (0..<x.columns).map { j in
      (0..<x.rows).reduce(0) { $0 + rho[$1, j] * solved[$1, j] } / 2
    }
  }

  /// What the effective edges leave of x, x_v − (Σ_u J_vu x_u + c), column by column.
  public func discrepancy(of x: Matrix) -> Matrix {
    let parts = deviations(of: x)
    var rho = parts
    for map in maps where map.source > 0 {
      rho[map.target]!.addProduct(map.matrix, parts[map.source]!, scale: -1)
    }
    return stacked(rho, x.columns)
  }

  /// The state of least energy whose kept stalks are x, on the pattern: ω̂ + L⁻¹E_KᵀS_K(x − x̂_K), the harmonic extension, a sample for each
  /// column of (|K|, columns). Cost: two sweeps.
  public func extended(_ x: Matrix) -> SheafState {
    // E_KᵀS_K(x − x̂): N⁻¹ρ, then (I − J)ᵀ.
    var momenta = discrepancy(of: x)
    applyStiffness(&momenta)
    let parts = blocks(momenta)
    var force = parts
    for map in maps where map.source > 0 {
      force[map.source]!.addProduct(
        map.matrix, parts[map.target]!, transposing: .left, scale: -1)
    }
    var change = sheaf.zeroCochain(batch: x.columns)
    for v in vertices { change[v] = force[v]! }
    let one = [Int](repeating: 0, count: x.columns)
    let patterns = patterns.map { $0.samples(one) }
    sheaf.substituteBackward(&change, at: patterns)
    stiffness.multiply(&change) { 1 / $0 }
    sheaf.substituteForward(&change, at: patterns)
    var state = forward.samples(one)
    for v in state.stalks.indices.dropFirst() { state.stalks[v].add(change[v]) }
    return state
  }

  /// x − x̂ by vertex.
  private func deviations(of x: Matrix) -> [Int: Matrix] {
    precondition(x.rows == dimension, "stalks \(x.shape), expected (\(dimension), any)")
    let one = [Int](repeating: 0, count: x.columns)
    var parts = blocks(x)
    for v in vertices { parts[v]!.add(forward.stalks[v].columns(one), scale: -1) }
    return parts
  }

  private func blocks(_ x: Matrix) -> [Int: Matrix] {
    Dictionary(uniqueKeysWithValues: vertices.map { ($0, x.rows(range(of: $0))) })
  }

  private func stacked(_ parts: [Int: Matrix], _ columns: Int) -> Matrix {
    Matrix(stacking: vertices.map { parts[$0]! }, columns: columns)
  }

  /// ρ ← N⁻¹ρ.
  private func applyStiffness(_ rho: inout Matrix) {
    for noise in noises {
      let places = noise.vertices.flatMap { range(of: $0) }
      var part = rho[rows: places, columns: Array(0..<rho.columns)]
      noise.factors.solve(&part)
      for j in 0..<rho.columns {
        for (p, i) in places.enumerated() { rho[i, j] = part[p, j] }
      }
    }
  }
}

extension Matrix {
  /// Aᵀ B.
  static func product(of a: Matrix, transposed b: Matrix) -> Matrix {
    var c = Matrix(rows: a.columns, columns: b.columns)
    c.setProduct(a, b, transposing: .left)
    return c
  }

  /// The mean of a square matrix and its transpose.
  mutating func symmetrize() {
    for j in 0..<columns {
      for i in 0..<j {
        let mean = (self[i, j] + self[j, i]) / 2
        (self[i, j], self[j, i]) = (mean, mean)
      }
    }
  }
}

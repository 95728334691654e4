import LinearAlgebra

extension CoarseNetwork {
  /// How strongly two kept stalks hold each other.
  public struct Coupling: Sendable, Equatable {
    /// The earlier vertex.
    public let first: Int
    /// The later one.
    public let second: Int
    /// ‖S_ii^(−½) S_ij S_jj^(−½)‖₂, from 0 to below 1.
    public let strength: Double
  }

  /// The pairs of kept stalks whose block of S_K is not 0 by the graph, with the strength
  ///
  ///     ‖S_ii^(−½) S_ij S_jj^(−½)‖₂,
  ///
  /// the largest partial canonical correlation of x_i and x_j given all other kept stalks: 0 where they are independent given those,
  /// near 1 where a direction of one determines one of the other. It does not depend on the bases of the stalks. Pairs that are missing meet
  /// neither on an effective edge nor in a common target or noise.
  ///
  /// - Throws: `factorization` where numbers are not finite.
  /// - Complexity: S_K, and a singular value decomposition for each pair.
  public func couplings() throws(ScaleError) -> [Coupling] {
    let s = precision
    var pairs = Set<[Int]>()
    for noise in noises {
      let sources = maps.filter { $0.source > 0 && noise.vertices.contains($0.target) }
      let meeting = Set(noise.vertices + sources.map(\.source)).sorted()
      for (q, j) in meeting.enumerated() { for i in meeting[..<q] { pairs.insert([i, j]) } }
    }
    func block(_ i: Int, _ j: Int) -> Matrix {
      s[rows: Array(range(of: i)), columns: Array(range(of: j))]
    }
    do throws(FactorizationError) {
      // L⁻¹ of each S_ii = L Lᵀ, once.
      var roots: [Int: Matrix] = [:]
      for v in vertices {
        let n = range(of: v).count
        roots[v] = try CholeskyFactorization(block(v, v)).inverseTriangle(order: n)
      }
      var couplings: [Coupling] = []
      for pair in pairs.sorted(by: { ($0[0], $0[1]) < ($1[0], $1[1]) }) {
        let (i, j) = (pair[0], pair[1])
        var scaled = Matrix(rows: range(of: i).count, columns: range(of: j).count)
        scaled.setProduct(roots[i]! * block(i, j), roots[j]!, transposing: .right)
        let top = try SingularValueDecomposition(scaled).values.first ?? 0
        couplings.append(Coupling(first: i, second: j, strength: top))
      }
      return couplings
    } catch {
      throw .factorization(error)
    }
  }
}

extension CholeskyFactorization {
  /// L⁻¹ of A = L Lᵀ, as Lᵀ A⁻¹.
  func inverseTriangle(order n: Int) -> Matrix {
    var lower = lowerTriangle
    for j in 0..<n { for i in 0..<j { lower[i, j] = 0 } }
    var inverse = lower.transposed
    solveFromRight(&inverse)
    return inverse
  }
}

import LinearAlgebra

/// The Euclidean Jordan algebra of a product of cones, block by block: u ∘ v is elementwise in an orthant and
/// (uᵀv, u₀ v₁ + v₀ u₁) in a second-order cone, with units 1 and (1, 0).
struct ConeBlocks: Sendable {
  /// Consecutive rows of one kind.
  struct Block: Sendable {
    let start: Int
    let end: Int
    let isOrthant: Bool
  }

  let blocks: [Block]
  let rows: Int
  /// The degree of the barrier: the rows of orthants and the number of second-order cones.
  let degree: Int

  init(_ cones: [ConicProgram.Cone]) {
    var list: [Block] = []
    list.reserveCapacity(cones.count)
    var (row, degree) = (0, 0)
    for cone in cones where cone.rows > 0 {
      switch cone {
      case .orthant(let n):
        list.append(Block(start: row, end: row + n, isOrthant: true))
        degree += n
      case .secondOrder(let n):
        list.append(Block(start: row, end: row + n, isOrthant: n == 1))
        degree += 1
      }
      row += cone.rows
    }
    (blocks, rows, self.degree) = (list, row, degree)
  }

  /// v + a e.
  func addUnit(_ a: Double, to v: inout [Double]) {
    for block in blocks {
      if block.isOrthant {
        for i in block.start..<block.end { v[i] += a }
      } else {
        v[block.start] += a
      }
    }
  }

  /// u ∘ v.
  func product(_ u: [Double], _ v: [Double]) -> [Double] {
    var result = [Double](repeating: 0, count: rows)
    for block in blocks {
      if block.isOrthant {
        for i in block.start..<block.end { result[i] = u[i] * v[i] }
      } else {
        let (u0, v0) = (u[block.start], v[block.start])
        var sum = u0 * v0
        for i in block.start + 1..<block.end {
          sum += u[i] * v[i]
          result[i] = u0 * v[i] + v0 * u[i]
        }
        result[block.start] = sum
      }
    }
    return result
  }

  /// The x with u ∘ x = d, for u in the interior.
  func quotient(_ d: [Double], by u: [Double]) -> [Double] {
    var result = [Double](repeating: 0, count: rows)
    for block in blocks {
      if block.isOrthant {
        for i in block.start..<block.end { result[i] = d[i] / u[i] }
      } else {
        let k = block.start
        var dot = 0.0
        for i in k + 1..<block.end { dot += u[i] * d[i] }
        let first = (u[k] * d[k] - dot) / determinant(u, block)
        result[k] = first
        for i in k + 1..<block.end { result[i] = (d[i] - first * u[i]) / u[k] }
      }
    }
    return result
  }

  /// t² − ‖u‖² of a block (t, u), without cancellation of the squares.
  func determinant(_ v: [Double], _ block: Block) -> Double {
    let tail = tailNorm(v, block)
    return (v[block.start] - tail) * (v[block.start] + tail)
  }

  private func tailNorm(_ v: [Double], _ block: Block) -> Double {
    var sum = 0.0
    for i in block.start + 1..<block.end { sum += v[i] * v[i] }
    return sum.squareRoot()
  }

  /// The largest a with v − a e ∈ K; ∞ for no rows.
  func depth(_ v: [Double]) -> Double {
    var least = Double.infinity
    for block in blocks {
      if block.isOrthant {
        for i in block.start..<block.end { least = min(least, v[i]) }
      } else {
        least = min(least, v[block.start] - tailNorm(v, block))
      }
    }
    return least
  }

  /// The largest α with v + α d ∈ K, for v in the interior; ∞ if all are.
  ///
  /// For a second-order cone the smallest positive root of (v₀ + α d₀)² − ‖v₁ + α d₁‖² = a α² + 2 b α + c with c > 0,
  /// which is c / (√(b² − a c) − b).
  func largestStep(_ v: [Double], along d: [Double]) -> Double {
    var step = Double.infinity
    for block in blocks {
      if block.isOrthant {
        for i in block.start..<block.end where d[i] < 0 { step = min(step, -v[i] / d[i]) }
      } else {
        let k = block.start
        let (a, c) = (determinant(d, block), determinant(v, block))
        var b = v[k] * d[k]
        for i in k + 1..<block.end { b -= v[i] * d[i] }
        let discriminant = b * b - a * c
        if discriminant >= 0 {
          let denominator = discriminant.squareRoot() - b
          if denominator > 0 { step = min(step, max(c, 0) / denominator) }
        }
        if d[k] < 0 { step = min(step, -v[k] / d[k]) }
      }
    }
    return step
  }

  /// The nearest point of K.
  func projection(_ v: [Double]) -> [Double] {
    var result = v
    for block in blocks {
      if block.isOrthant {
        for i in block.start..<block.end { result[i] = max(v[i], 0) }
      } else {
        let (t, tail) = (v[block.start], tailNorm(v, block))
        if tail <= t { continue }
        let factor = tail <= -t ? 0 : (t + tail) / (2 * tail)
        result[block.start] = factor * tail
        for i in block.start + 1..<block.end { result[i] = factor * v[i] }
      }
    }
    return result
  }
}

/// Σ aᵢ bᵢ.
func dot(_ a: [Double], _ b: [Double]) -> Double {
  precondition(a.count == b.count)
  var sum = 0.0
  for i in a.indices { sum += a[i] * b[i] }
  return sum
}

/// a + scale · b.
func sum(_ a: [Double], _ b: [Double], scale: Double = 1) -> [Double] {
  precondition(a.count == b.count)
  var result = a
  for i in a.indices { result[i] += scale * b[i] }
  return result
}

extension [Double] {
  /// The largest magnitude; NaN if there is one.
  var size: Double {
    var most = 0.0
    for x in self {
      if x.isNaN { return .nan }
      most = Swift.max(most, abs(x))
    }
    return most
  }

  /// All elements times a factor.
  func scaled(by factor: Double) -> [Double] { map { factor * $0 } }
}

import LinearAlgebra

/// The Gram matrix of samples of a stalk, for linear centred kernel alignment (Kornblith et al. 2019) by unbiased estimates (Song et al. 2012), so that
/// stalks that have nothing in common are at 0 whatever their dimension.
struct StalkKernel {
  /// K without its diagonal.
  private let matrix: Matrix
  /// Its row sums, and their sum.
  private let sums: [Double]
  private let total: Double
  /// The unbiased estimate of its own independence criterion.
  private let own: Double

  /// Of four samples or more, (dimension, samples).
  init(_ stalk: Matrix) {
    var gram = Matrix(rows: stalk.columns, columns: stalk.columns)
    gram.addGram(stalk.centred, transposed: true, keeping: 0)
    for j in 0..<gram.columns { gram[j, j] = 0 }
    var ones = Matrix(rows: gram.rows, columns: 1)
    ones.addRowSums(of: gram)
    (matrix, sums, total) = (gram, ones.elements, ones.elements.reduce(0, +))
    own = Self.criterion(gram, ones.elements, total, gram, ones.elements, total)
  }

  /// ⟨K, L⟩ + 1ᵀK1 1ᵀL1/((n − 1)(n − 2)) − 2/(n − 2) 1ᵀKL1, over n(n − 3).
  private static func criterion(
    _ k: Matrix, _ kSums: [Double], _ kTotal: Double, _ l: Matrix, _ lSums: [Double],
    _ lTotal: Double
  ) -> Double {
    let n = Double(k.rows)
    let cross = zip(kSums, lSums).reduce(0) { $0 + $1.0 * $1.1 }
    return
      (dot(k, l) + kTotal * lTotal / ((n - 1) * (n - 2)) - 2 / (n - 2) * cross) / (n * (n - 3))
  }

  /// 1 for a rotated and scaled copy, 0 on average for independent stalks; NaN where a stalk is the same for all samples.
  func alignment(_ other: StalkKernel) -> Double {
    guard own > 0 && other.own > 0 else { return .nan }
    return Self.criterion(matrix, sums, total, other.matrix, other.sums, other.total)
      / (own * other.own).squareRoot()
  }
}

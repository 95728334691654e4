import CellComplexes
import CellularSheaves
import LinearAlgebra

/// A sheaf on the nerve of views of an image, whose stalks are what classifiers say of each: centred logits, in Helmert
/// coordinates ℝ⁹.
///
/// Edge u < v: δ = z_v − F z_u, F by ridge regression (λ = 10), weight shrink(cov δ)⁻¹, of the training samples. They have to be
/// cross-validated logits: those of samples that a classifier was fitted to are too sure.
struct ViewSheaf {
  let sheaf: CellularSheaf
  /// Of the coordinates, by view.
  private let means: [[Double]]
  /// shrink(cov(z_v − ẑ_v))⁻¹ of the training samples.
  private let extensionWeights: [Matrix]
  /// shrink(cov z)⁻¹ of all views together, (45, 45).
  private let joint: Matrix

  /// Learns the sheaf from logits of each view, (10, samples).
  init(_ logits: [Matrix], pairs: [(Int, Int)]) throws {
    let raw = logits.map { Moments.product(Logits.helmert, $0, .left) }
    let means = raw.map { z in
      (0..<z.rows).map { i in (0..<z.columns).reduce(0) { $0 + z[i, $1] } / Double(z.columns) }
    }
    self.means = means
    let z = Self.coordinates(logits, means)
    let parts = z.split([Int](repeating: 9, count: logits.count))
    let graph = try CellComplex.graph(
      vertices: logits.count, edges: pairs.map { ($0.0, $0.1) })
    var maps: [RestrictionMap] = []
    var weights = [InnerProduct](repeating: .standard, count: logits.count)
    for (u, v) in pairs {
      let f = try Moments.ridge(from: parts[u], to: parts[v], 10)
      maps += [.matrix(f), .identity]
      weights.append(
        .matrix(try Moments.precision(Matrix.difference(parts[v], f * parts[u]))))
    }
    let sheaf = try CellularSheaf(
      graph, stalks: [Int](repeating: 9, count: graph.count), weights: weights
    ) { maps[$0] }
    self.sheaf = sheaf
    extensionWeights = try logits.indices.map { v in
      let extended = try Self.extended(z, to: v, in: sheaf)
      return try Moments.precision(Matrix.difference(parts[v], extended))
    }
    joint = try Moments.precision(z)
  }

  /// The cochain of logits: z_v = HᵀL_v − mean, (9 · views, samples).
  private static func coordinates(_ logits: [Matrix], _ means: [[Double]]) -> Matrix {
    let parts = zip(logits, means).map { l, mean in
      var z = Moments.product(Logits.helmert, l, .left)
      for j in 0..<z.columns { for i in 0..<z.rows { z[i, j] -= mean[i] } }
      return z
    }
    return Matrix(stacking: parts, columns: logits[0].columns)
  }

  /// The cochain of logits.
  func coordinates(_ logits: [Matrix]) -> Matrix { Self.coordinates(logits, means) }

  private static func extended(
    _ z: Matrix, to view: Int, in sheaf: CellularSheaf
  ) throws -> Matrix {
    let others = sheaf.complex.cells(ofDimension: 0).filter { $0 != view }
    return try sheaf.extended(z.rows(sheaf.coordinates(others)), from: others)
      .rows(sheaf.range(of: view))
  }

  /// How far each view is from what the others say.
  enum Discrepancy: String, CaseIterable {
    /// Σ δᵀWδ over the edges at the view.
    case edgeSum = "edge sum"
    /// (z − ẑ)ᵀ shrink(cov(z − ẑ))⁻¹ (z − ẑ), ẑ the harmonic extension from the other views.
    case harmonic
    /// rᵀ K_vv⁻¹ r with r = (K z)_v, K the inverse of the shrunk joint covariance: leave-one-out of a Gaussian of all views.
    case joint
    /// Kullback and Leibler's divergence of the view from the mean log-probability of the others; no sheaf.
    case divergence = "KL from the mean of the others"
    /// ‖L_v − mean of the others‖²; no sheaf.
    case distance = "distance to the mean of the others"
  }

  /// (views, samples).
  func discrepancies(_ logits: [Matrix], _ kind: Discrepancy) throws -> Matrix {
    let n = logits[0].columns
    var result = Matrix(rows: logits.count, columns: n)
    func put(_ view: Int, _ values: [Double]) {
      for (j, d) in values.enumerated() { result[view, j] = d }
    }
    let z = coordinates(logits)
    switch kind {
    case .edgeSum:
      let energies = sheaf.edgeEnergies(z)
      let complex = sheaf.complex
      for (e, edge) in complex.cells(ofDimension: 1).enumerated() {
        for i in complex.incidences(of: edge) {
          for j in 0..<n { result[complex.face(i), j] += energies[e, j] }
        }
      }
    case .harmonic:
      for v in logits.indices {
        let rest = Matrix.difference(
          z.rows(sheaf.range(of: v)), try Self.extended(z, to: v, in: sheaf))
        put(v, Moments.energies(rest, extensionWeights[v]))
      }
    case .joint:
      let r = joint * z
      for v in logits.indices {
        let range = Array(sheaf.range(of: v))
        put(
          v,
          Moments.energies(r.rows(range), try Moments.inverse(joint[rows: range, columns: range])))
      }
    case .divergence, .distance:
      for v in logits.indices {
        let mean = Self.mean(logits.indices.filter { $0 != v }.map { logits[$0] })
        put(
          v,
          kind == .divergence
            ? Self.divergences(mean, logits[v])
            : Moments.squaredNorms(Matrix.difference(logits[v], mean)))
      }
    }
    return result
  }

  private static func mean(_ list: [Matrix]) -> Matrix {
    var sum = list[0]
    for m in list.dropFirst() { sum.add(m) }
    sum.scale(by: 1 / Double(list.count))
    return sum
  }

  /// Σ p log(p/q) for the probabilities p, q of logits a, b.
  private static func divergences(_ a: Matrix, _ b: Matrix) -> [Double] {
    let p = Logits.probabilities(a)
    return (0..<a.columns).map { j in
      let (la, lb) = (Logits.logSumExp(a.column(j)), Logits.logSumExp(b.column(j)))
      return (0..<a.rows).reduce(0) { $0 + p[$1, j] * (a[$1, j] - la - b[$1, j] + lb) }
    }
  }

  /// Logits with one view of each sample replaced by its harmonic extension from the others; nil for a sample to leave alone.
  func repaired(_ logits: [Matrix], _ views: [Int?]) throws -> [Matrix] {
    var result = logits
    let z = coordinates(logits)
    for v in logits.indices {
      let samples = views.indices.filter { views[$0] == v }
      guard !samples.isEmpty else { continue }
      var extended = try Self.extended(z.columns(samples), to: v, in: sheaf)
      for j in 0..<extended.columns { for i in 0..<9 { extended[i, j] += means[v][i] } }
      result[v].scatterColumns(samples, from: Logits.helmert * extended)
    }
    return result
  }
}

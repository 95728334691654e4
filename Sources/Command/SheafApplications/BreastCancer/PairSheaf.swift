import CellComplexes
import CellularSheaves
import LinearAlgebra
import SheafInference

/// A sheaf on a graph whose vertices are sensors, its maps learnt from samples pair by pair.
///
/// The edge u–v holds δ = F_v x_v − F_u x_u with the weight shrink(cov δ)⁻¹ of the training samples.
struct PairSheaf {
  /// How the maps (F_u, F_v) of an edge are learnt from the samples A, B of its ends (ridge λ = 5).
  enum Kind: String, CaseIterable {
    /// F_u = F_v = 1: the sensors read the same numbers.
    case identity
    /// F_u = diag(Σab/(Σa² + λ)), F_v = 1.
    case diagonal
    /// F_u orthogonal with Σ‖b − F_u a‖² least, F_v = 1 (Schönemann 1966).
    case procrustes = "Procrustes"
    /// F_u = B Aᵀ(A Aᵀ + λ)⁻¹, F_v = 1.
    case ridge
    /// Canonical variates of both ends (Hotelling 1936): with C_a, C_b = shrink(cov)^(−1/2) and the singular value
    /// decomposition C_a (A Bᵀ/n) C_b = U s Vᵀ, F_u = s Uᵀ C_a and F_v = Vᵀ C_b.
    case canonical
  }

  static let ridge = 5.0

  /// Vertices are the sensors.
  let sheaf: CellularSheaf

  /// The sheaf of a kind.
  ///
  /// Maps are learnt from u towards v. Where the map of u has small singular values, as canonical ones have in directions that
  /// v tells nothing of, extension from v back to u makes noise large: to extend to a sensor, have its edges lead to it.
  ///
  /// - Parameters:
  ///   - samples: of each sensor, (coordinates, samples).
  ///   - pairs: the edges (u, v); all u < v in lexicographic order if nil.
  init(_ kind: Kind, _ samples: [Matrix], names: [String], pairs: [(Int, Int)]? = nil) throws {
    let n = samples.count
    let pairs = pairs ?? (0..<n).flatMap { u in (u + 1..<max(n, u + 1)).map { (u, $0) } }
    let graph = try CellComplex.graph(
      vertices: n, edges: pairs.map { ($0.0, $0.1) },
      names: names + pairs.map { "\(names[$0.0])–\(names[$0.1])" })
    var maps: [RestrictionMap] = []
    var weights = [InnerProduct](repeating: .standard, count: n)
    var stalks = samples.map(\.rows)
    for (u, v) in pairs {
      let (f, g) = try Self.maps(kind, samples[u], samples[v])
      maps += [.matrix(f), .matrix(g)]
      let delta = Matrix.difference(g * samples[v], f * samples[u])
      weights.append(.matrix(try Moments.precision(delta)))
      stalks.append(delta.rows)
    }
    // The incidences of an edge are its tail u and its head v.
    sheaf = try CellularSheaf(graph, stalks: stalks, weights: weights) { maps[$0] }
  }

  /// (F_u, F_v) from the samples of both ends.
  static func maps(_ kind: Kind, _ a: Matrix, _ b: Matrix) throws -> (Matrix, Matrix) {
    let one = Matrix.identity(b.rows)
    switch kind {
    case .identity: return (one, one)
    case .diagonal:
      let slopes = (0..<a.rows).map { i -> Double in
        let row = (0..<a.columns).map { (a[i, $0] * b[i, $0], a[i, $0] * a[i, $0]) }
        return row.reduce(0) { $0 + $1.0 } / (row.reduce(0) { $0 + $1.1 } + ridge)
      }
      return (.diagonal(slopes), one)
    case .procrustes: return (try ProcrustesFit.map(a, b), one)
    case .ridge: return (try Moments.ridge(from: a, to: b, ridge), one)
    case .canonical:
      let ca = try Moments.inverseRoot(Moments.shrunk(Moments.covariance(a)))
      let cb = try Moments.inverseRoot(Moments.shrunk(Moments.covariance(b)))
      var across = Moments.product(a, b, .right)
      across.scale(by: 1 / Double(a.columns))
      let m = ca * across * cb
      // M = U s Vᵀ and MᵀM = V s² Vᵀ, so that s Uᵀ = Vᵀ Mᵀ.
      let v = try SymmetricEigendecomposition(Moments.product(m, m, .left)).vectors
      return (
        Moments.product(m * v, ca, .left), Moments.product(v, cb, .left)
      )
    }
  }
}

import Datasets
import LinearAlgebra

/// Which residues of ubiquitin move: spectra of a sheaf of charged points, elastic networks and the distance from the middle.
struct ProteinFlexibility {
  /// A way to predict B-factors.
  struct Predictor {
    let name: String
    /// Of every residue; several are chosen from inside of the leave-one-out, at most three.
    let features: [[Double]]

    init(_ name: String, _ features: [[Double]]) { (self.name, self.features) = (name, features) }

    init(_ name: String, _ matrices: [Matrix]) {
      self.init(name, matrices.flatMap { m in (0..<m.columns).map { m.column($0) } })
    }
  }

  /// Residues from the first to this one are the protein without its loose end.
  static let core = 72

  let points: Matrix
  let factors: [Double]
  let predictors: [Predictor]
  /// Of every residue by all others, one list for each predictor.
  let predictions: [[Double]]
  /// The same on residues 1–72 alone.
  let corePredictions: [[Double]]

  init() throws {
    let (points, factors) = (Ubiquitin.atoms, Ubiquitin.temperatureFactors)
    let spectra = NeighbourhoodSpectra(points: points)
    let sheaf = try spectra.vertexFeatures(charges: NeighbourhoodSpectra.charges)
    let predictors = [
      Predictor("sheaf, charges 0, −1, 2", sheaf),
      Predictor("sheaf, all charges 1", try spectra.vertexFeatures(charges: [1])),
      Predictor("sheaf with L₁", sheaf + (try spectra.edgeFeatures())),
      Predictor("squared distance from the centroid", [ElasticMobility.squaredDistances(points)]),
      Predictor("GNM, 8 Å", [try ElasticMobility.gaussian(points, cutoff: 8)]),
      Predictor("GNM, 9 Å", [try ElasticMobility.gaussian(points, cutoff: 9)]),
      Predictor("GNM of all pairs, 1/r²", [try ElasticMobility.parameterFree(points)]),
      Predictor("ANM, 13 Å", [try ElasticMobility.anisotropic(points, cutoff: 13)]),
      Predictor("ANM, 15 Å", [try ElasticMobility.anisotropic(points, cutoff: 15)]),
      Predictor("contacts within 10 Å", [ElasticMobility.contacts(points, within: 10)]),
    ]
    (self.points, self.factors, self.predictors) = (points, factors, predictors)
    predictions = predictors.map { Self.predictions($0.features, factors) }
    let core = Array(factors[..<Self.core])
    corePredictions = predictors.map {
      Self.predictions($0.features.map { Array($0[..<Self.core]) }, core)
    }
  }

  private static func predictions(_ features: [[Double]], _ y: [Double]) -> [Double] {
    if features.count > 1 { return ForwardRegression.nested(features, y, atMost: 3) }
    return zip(y, ForwardRegression.fitted(features, y)).map { $0 - $1 }
  }

  /// The number of features that are not the same everywhere.
  static func featureCount(_ predictor: Predictor) -> Int {
    predictor.features.count { ReportText.deviation($0) > 1e-12 }
  }

  /// Pearson's r of two lists, at some places.
  static func correlation(_ a: [Double], _ b: [Double], at places: [Int]? = nil) -> Double {
    let places = places ?? Array(a.indices)
    let (x, y) = (places.map { a[$0] }, places.map { b[$0] })
    let (m, n) = (ReportText.mean(x), ReportText.mean(y))
    var (xx, xy, yy) = (0.0, 0.0, 0.0)
    for (u, v) in zip(x, y) {
      xx += (u - m) * (u - m)
      xy += (u - m) * (v - n)
      yy += (v - n) * (v - n)
    }
    return xy / (xx * yy).squareRoot()
  }

  /// r of each predictor, on all residues and on 1–72.
  func correlations(_ k: Int) -> (all: Double, core: Double) {
    (
      Self.correlation(predictions[k], factors),
      Self.correlation(corePredictions[k], Array(factors[..<Self.core]))
    )
  }

  /// The root mean square error of a predictor.
  func error(_ k: Int) -> Double {
    let sum = zip(predictions[k], factors).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    return (sum / Double(factors.count)).squareRoot()
  }

  /// The middle and the ends of the 95 % interval of r of one predictor minus that of another, over draws of the
  /// residues with replacement: 2,000, those of SplitMix64(1), …
  func bootstrap(_ a: Int, _ b: Int) -> (low: Double, middle: Double, high: Double) {
    let differences = (1...2000).map { seed in
      var generator = SplitMix64(seed: UInt64(seed))
      let draw = factors.map { _ in generator.below(factors.count) }
      return Self.correlation(predictions[a], factors, at: draw)
        - Self.correlation(predictions[b], factors, at: draw)
    }
    return (
      Ranking.quantile(differences, 0.025), Ranking.quantile(differences, 0.5),
      Ranking.quantile(differences, 0.975)
    )
  }

  /// r of a predictor where B-factors are permuted among the residues: in the order of the numbers of
  /// SplitMix64(9000 + seed).
  func permuted(_ k: Int, seed: Int) -> Double {
    var generator = SplitMix64(seed: UInt64(9000 + seed))
    let keys = factors.map { _ in generator.next() }
    let y = keys.indices.sorted { keys[$0] < keys[$1] }.map { factors[$0] }
    return Self.correlation(Self.predictions(predictors[k].features, y), y)
  }
}

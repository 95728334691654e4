import LinearAlgebra

/// Learned maps against what is there without learning: the identity sheaf where all stalks have one dimension, otherwise
/// the prediction of the means.
///
/// On five benchmarks sheaf networks with identity maps did about as well as with learned ones (Hernandez Caralt,
/// Gonzàlez i Català, Bazaga, Liò 2026, arXiv 2603.05395); so a family is preferred
/// only where its held-out imputation is better beyond doubt: where the mean of the paired differences of the samples'
/// errors, learned minus baseline, is below 0 by more than so many of its standard errors. Each family has its own chance to
/// pass by luck; who tries many should ask for more standard errors.
public struct MapComparison: Sendable {
  /// What families are compared with.
  public enum Baseline: Sendable, Equatable {
    /// The identity sheaf, learned with the same edges' selection and weighting.
    case identity
    /// The means of the samples learned from.
    case means
  }

  /// A family against the baseline.
  public struct Candidate: Sendable {
    /// The maps.
    public let family: MapFamily
    /// How they do.
    public let validation: MapValidation
    /// The mean over the held-out samples of e_s minus the baseline's.
    public let difference: Double
    /// Its standard error; ∞ for fewer than two samples.
    public let standardError: Double
    /// Whether the difference is below 0 by more than the standard errors asked for.
    public let isBetter: Bool
  }

  /// What families are compared with.
  public let baseline: Baseline
  /// The identity sheaf on the held-out samples; nil where the means are the baseline.
  public let identity: MapValidation?
  /// The families, in the order given.
  public let candidates: [Candidate]
  /// The family to use: of those that are better the one of least error; nil for the baseline.
  public let choice: MapFamily?
  /// The sheaf to use, learned from all samples; nil where the means are to be predicted.
  public let sheaf: LearnedSheaf?
}

extension MapLearning {
  /// Compares families of maps with the identity sheaf, or the means, on held-out signals, and says which to use.
  ///
  /// - Parameters:
  ///   - families: what is tried, beside the identity.
  ///   - signals: on a graph.
  ///   - split: the same for all.
  ///   - options: centring, selection and weighting, for all; its family does not matter.
  ///   - standardErrors: how many of them the difference must be below 0.
  /// - Throws: What `fit` throws; `split`.
  public static func compare(
    _ families: [MapFamily], on signals: VertexSignals, _ split: SampleSplit = .folds(5),
    options: MapLearning = MapLearning(.identity), standardErrors: Double = 2
  ) throws(LearningError) -> MapComparison {
    func learning(_ family: MapFamily) -> MapLearning {
      var result = options
      result.family = family
      return result
    }
    let identity =
      signals.haveEqualStalks ? try learning(.identity).validate(signals, split) : nil
    var candidates: [MapComparison.Candidate] = []
    for family in families {
      let validation = try learning(family).validate(signals, split)
      let other = identity?.errors ?? validation.meanErrors
      let mean = SampleMean(zip(validation.errors, other).map { $0 - $1 })
      candidates.append(
        MapComparison.Candidate(
          family: family, validation: validation, difference: mean.value,
          standardError: mean.standardError,
          isBetter: mean.value < -standardErrors * mean.standardError))
    }
    let best = candidates.filter(\.isBetter).min { $0.difference < $1.difference }?.family
    let used = best ?? (identity == nil ? nil : .identity)
    var sheaf: LearnedSheaf?
    if let used { sheaf = try learning(used).fit(signals) }
    return MapComparison(
      baseline: identity == nil ? .means : .identity, identity: identity, candidates: candidates,
      choice: best, sheaf: sheaf)
  }
}

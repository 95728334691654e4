import FaultLocation
import LinearAlgebra
import NeuralSheaves
import SheafDiagnostics

/// What is wrong with a network, with its samples, and where: all parts of a diagnosis that apply.
public struct Diagnosis: Sendable {
  /// What a diagnosis is made from, beside the samples.
  public struct Evidence: Sendable {
    /// What training inputs are like.
    public var familiarity: FamiliarityModel?
    /// The mean along training of the flip energy of each sample.
    public var flipRecord: [Double] = []
    /// The outputs of a reference on the samples, (n_{k+1}, samples).
    public var reference: Matrix?
    /// Another network of the same inputs and outputs.
    public var other: Network?

    /// Nothing.
    public init() {}
  }

  /// How a diagnosis is made.
  public struct Settings: Sendable {
    /// Which parts are wanted.
    public var parts = Set(DiagnosisPart.allCases)
    /// Whether networks may be trained, for suspect labels.
    public var mayTrain = true
    /// How.
    public var training = CrossValidation.Settings()
    /// The share of right labels among the suspects that is put up with, and of familiar inputs among the unfamiliar.
    public var falseDiscoveryRate = 0.1
    /// What counts as a finding.
    public var thresholds = FindingThresholds()
    /// The most samples that discord is averaged over.
    public var discordSamples = 1000
    /// The most samples whose spectra are worked out.
    public var spectrumSamples = 20
    /// The most samples whose derivatives are.
    public var sensitivitySamples = 1000
    /// The most samples whose distances are.
    public var distanceSamples = 100
    /// The samples that are looked at one by one: the worst, and the likeliest suspects.
    public var listed = 40
    /// How many counterfactuals are worked out.
    public var counterfactuals = 6
    /// Of everything that is drawn.
    public var seed: UInt64 = 0
    /// Asked whether to end; what is not done by then is skipped.
    public var halt = Halt.never

    /// The usual ones.
    public init() {}
  }

  /// The network and the samples.
  public let samples: NetworkSamples
  /// Loss and accuracy.
  public private(set) var fit: Fit?
  /// Whether probabilities come true.
  public private(set) var calibration: Calibration?
  /// The samples of the largest loss, worst first.
  public private(set) var worst: [Int] = []
  /// Labels that look wrong.
  public private(set) var suspects: SuspectLabels?
  /// Inputs unlike those of training.
  public private(set) var familiarity: Familiarity?
  /// Neurons and layers.
  public private(set) var neurons: NeuronReport?
  /// Discord on average.
  public private(set) var discord: ClampedDiscord?
  /// Discord of the worst samples and of the suspects.
  public private(set) var listedDiscord: ClampedDiscord?
  /// Spectra, of the samples of `spectrumSamples`.
  public private(set) var spectrum: SheafSpectrum?
  /// The samples whose spectra were worked out.
  public private(set) var spectrumSamples: [Int] = []
  /// Derivatives, distances, counterfactuals.
  public private(set) var robustness: RobustnessReport?
  /// Where the network has changed.
  public private(set) var change: LayerChange?
  /// How far outputs are from the reference's, relative to their size, where that is no more than rounding to single precision.
  public private(set) var unchanged: Double?
  /// How it differs from another.
  public private(set) var difference: NetworkDifference?
  /// What was left out.
  public private(set) var skipped: [SkippedPart] = []
  /// What is worth knowing.
  public private(set) var findings: [Finding] = []

  /// The relative difference of outputs up to which two networks are one in single precision.
  private static let rounding = 1e-6

  /// Makes a diagnosis: every part that applies, one after the other.
  ///
  /// - Parameter onPart: called before each part.
  public init(
    _ samples: NetworkSamples, evidence: Evidence = .init(), settings: Settings = .init(),
    onPart: (DiagnosisPart) -> Void = { _ in }
  ) {
    self.samples = samples
    for part in DiagnosisPart.allCases {
      guard settings.parts.contains(part) else {
        skipped.append(SkippedPart(part: part, reason: .notAsked))
        continue
      }
      var reason = Self.missing(part, samples, evidence, folds: settings.training.folds)
      if reason == nil, let halt = settings.halt.reason {
        reason = .other("\(Interruption(reason: halt))")
      }
      if reason == nil {
        onPart(part)
        do {
          try make(part, evidence, settings)
        } catch {
          reason = .other("\(error)")
        }
      }
      if let reason { skipped.append(SkippedPart(part: part, reason: reason)) }
    }
  }

  /// What a part lacks.
  private static func missing(
    _ part: DiagnosisPart, _ samples: NetworkSamples, _ evidence: Evidence, folds: Int
  ) -> SkippedPart.Reason? {
    switch part {
    case .fit, .discord: samples.target == nil ? .needsTargets : nil
    case .suspects:
      if let classes = samples.classes {
        Self.tooFew(classes, folds)
      } else {
        samples.target == nil ? .needsTargets : .needsClasses
      }
    case .unfamiliar: evidence.familiarity == nil ? .needsTraining : nil
    case .neurons, .spectra, .robustness: nil
    case .changed: evidence.reference == nil ? .needsReference : nil
    case .compared: evidence.other == nil ? .needsOther : nil
    }
  }

  /// Why labels say too little of classes.
  private static func tooFew(_ classes: [Int], _ folds: Int) -> SkippedPart.Reason? {
    let sizes = Dictionary(grouping: classes) { $0 }.mapValues(\.count)
    guard sizes.count > 1 else {
      return .other("all \(classes.count) labels are one class, expected at least two classes")
    }
    let count = sizes.values.filter { $0 >= folds }.reduce(0, +)
    guard count >= 20 else {
      return .other(
        "\(count) samples are of classes with \(folds) samples or more, expected at least 20")
    }
    return nil
  }

  private mutating func make(
    _ part: DiagnosisPart, _ evidence: Evidence, _ settings: Settings
  ) throws {
    var generator = RandomGenerator(seed: settings.seed)
    switch part {
    case .fit: makeFit(settings, using: &generator)
    case .suspects: try makeSuspects(evidence, settings)
    case .unfamiliar:
      familiarity = Familiarity(
        samples, evidence.familiarity!, falseDiscoveryRate: settings.falseDiscoveryRate)
    case .neurons:
      let report = try NeuronReport(
        samples, thresholds: settings.thresholds, using: &generator)
      neurons = report
      findings += report.findings
    case .discord: try makeDiscord(settings)
    case .spectra:
      var own = SheafSpectrum.Settings()
      (own.tolerance, own.halt) = (1e-6, settings.halt)
      spectrumSamples = samples.spread(settings.spectrumSamples)
      spectrum = SheafSpectrum(
        NeuralSheaf(samples.network), at: samples.state.samples(spectrumSamples), settings: own)
    case .robustness:
      robustness = try RobustnessReport(
        samples, settings: settings, chosen: listed(settings.counterfactuals), halt: settings.halt)
    case .changed:
      do throws(FaultError) {
        let found = try LayerChange(samples, reference: evidence.reference!, using: &generator)
        if found.difference.relative < Self.rounding {
          unchanged = found.difference.relative
        } else {
          change = found
        }
      } catch {
        guard case .noDifference(let relative) = error else { throw error }
        unchanged = relative
      }
    case .compared: difference = NetworkDifference(samples, evidence.other!)
    }
  }

  private mutating func makeFit(_ settings: Settings, using generator: inout RandomGenerator) {
    guard let fit = Fit(samples) else { return }
    self.fit = fit
    let order = fit.losses.indices.sorted { fit.losses[$0] > fit.losses[$1] }
    worst = Array(order.prefix(settings.listed))
    guard let classes = samples.classes else { return }
    let calibration = Calibration(
      samples.network.classLogits(samples.logits), classes, using: &generator)
    self.calibration = calibration
    let (thresholds, error) = (settings.thresholds, calibration.expectedError)
    if calibration.pValue <= thresholds.calibrationPValue && error >= thresholds.calibrationError {
      let size = { (x: Double) in "\((1000 * x).rounded() / 10) %" }
      findings.append(
        Finding(
          .miscalibrated, "output", share: 1,
          "confidence and accuracy differ by \(size(error)) (expected calibration error), \(calibration.overconfidence > 0 ? "overconfident" : "underconfident") by "
            + "\(size(abs(calibration.overconfidence))); labels drawn from the network's own probabilities differ as much with p = \(calibration.pValue)"
        ))
    }
  }

  private mutating func makeSuspects(_ evidence: Evidence, _ settings: Settings) throws {
    let isTrainable = samples.network.sharedParameters.isEmpty
    let validation =
      settings.mayTrain && isTrainable
      ? try CrossValidation(samples, settings: settings.training, halt: settings.halt) : nil
    suspects = SuspectLabels(
      samples, validation: validation, folds: settings.training.folds,
      why: isTrainable
        ? "training was not allowed"
        : "several operations share parameters, which cannot be trained",
      flipEnergies: FlipEnergies(samples, classes: samples.classes!).energies,
      record: evidence.flipRecord, falseDiscoveryRate: settings.falseDiscoveryRate)
  }

  private mutating func makeDiscord(_ settings: Settings) throws {
    let some = samples.spread(settings.discordSamples)
    discord = try ClampedDiscord(samples.samples(some), places: some, halt: settings.halt)
    let listed = listed(2 * settings.listed)
    if !listed.isEmpty {
      listedDiscord = try ClampedDiscord(
        samples.samples(listed), places: listed, halt: settings.halt)
    }
  }

  /// The samples that are looked at one by one: the likeliest suspects, then the worst; some at even distances where there are none.
  public func listed(_ most: Int) -> [Int] {
    let suspects = suspects.map { Array($0.ranking.prefix(most / 2)) } ?? []
    let rest = worst.filter { !suspects.contains($0) }
    let all = Array((suspects + rest).prefix(most))
    return all.isEmpty ? samples.spread(most) : all
  }
}

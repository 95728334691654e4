import Foundation
import NetworkDiagnosis
import NeuralSheaves
import SheafTraining

/// What a diagnosis comes to, in words.
struct DiagnosisSummary {
  /// How grave a sentence is.
  enum Severity: String {
    case problem, notice, fine
  }

  /// A sentence of the summary.
  struct Line {
    let severity: Severity
    let text: String
    let part: DiagnosisPart

    /// How grave it is, as a sign.
    var sign: String {
      switch severity {
      case .problem: "✕"
      case .notice: "!"
      case .fine: "✓"
      }
    }
  }

  let diagnosis: Diagnosis
  /// What the network is called.
  let name: String

  var network: Network { diagnosis.samples.network }
  var count: Int { diagnosis.samples.count }

  /// The name of a class.
  func className(_ c: Int) -> String {
    let names = network.classNames
    guard !names.isEmpty else { return "\(c)" }
    if names.count == network.classCount { return names[c] }
    return c == 1 ? names[0] : "not \(names[0])"
  }

  /// A share in per cent.
  static func percent(_ x: Double) -> String { String(format: "%.1f %%", 100 * x) }

  /// A number for people.
  static func number(_ x: Double?) -> String {
    guard let x, !x.isNaN else { return "–" }
    if x != 0 && abs(x) < 1e-100 { return "< 1e-100" }
    return x.isInfinite ? "∞" : String(format: "%.3g", x)
  }

  /// The summary, the gravest first.
  var lines: [Line] {
    let all =
      fitLines + suspectLines + unfamiliarLines + findingLines + discordLines
      + robustnessLines + changeLines + differenceLines
    return [Severity.problem, .notice, .fine].flatMap { s in
      all.filter { $0.severity == s }.map {
        Line(severity: s, text: $0.text.prefix(1).uppercased() + $0.text.dropFirst(), part: $0.part)
      }
    }
  }

  private var fitLines: [Line] {
    guard let fit = diagnosis.fit else { return [] }
    let n = Self.number
    if let own = fit.classification {
      let wrong = own.given.indices.count { own.given[$0] != own.predicted[$0] }
      return [
        Line(
          severity: .notice,
          text:
            "\(Self.percent(own.accuracy)) of \(counted(count, "sample")) get the class given (\(wrong) do not); mean loss \(n(fit.loss))",
          part: .fit)
      ]
    }
    let explained = fit.explained.map { list in
      let known = list.filter { !$0.isNaN }
      return known.isEmpty
        ? ""
        : ", \(Self.percent(known.reduce(0, +) / Double(known.count))) of the variance explained"
    }
    return [
      Line(
        severity: .notice,
        text: "mean loss \(n(fit.loss)) on \(counted(count, "sample"))\(explained ?? "")",
        part: .fit)
    ]
  }

  private var suspectLines: [Line] {
    guard let suspects = diagnosis.suspects else { return [] }
    let rate = Self.percent(suspects.noise.rate)
    let judges = Self.judges(suspects)
    if suspects.accuracy < 0.5 {
      return [
        Line(
          severity: .notice,
          text:
            "labels can hardly be judged: only \(Self.percent(suspects.accuracy)) of them are predicted by \(judges); "
            + "\(suspects.suspects.count) look wrong",
          part: .suspects)
      ]
    }
    guard !suspects.suspects.isEmpty else {
      return [
        Line(
          severity: .fine, text: "no label looks wrong (estimated rate of wrong labels \(rate))",
          part: .suspects)
      ]
    }
    let share = Self.percent(suspects.falseDiscoveryRate)
    return [
      Line(
        severity: .problem,
        text: counted(suspects.suspects.count, "label")
          + " of \(count) look\(suspects.suspects.count == 1 ? "s" : "") wrong, of which at most \(share) are right as the model of wrong labels has it; estimated rate \(rate)",
        part: .suspects)
    ]
  }

  /// What labels are judged by.
  static func judges(_ suspects: SuspectLabels) -> String {
    switch suspects.source {
    case .crossValidation: "networks that have not seen the sample"
    case .network: "the network itself"
    }
  }

  private var unfamiliarLines: [Line] {
    guard let familiarity = diagnosis.familiarity else { return [] }
    let found = familiarity.unfamiliar
    let short =
      familiarity.isShort
      ? " (\(familiarity.count) training inputs are fewer than the dimensions of some stalk, so covariances are filled up)"
      : ""
    guard !found.isEmpty else {
      return [
        Line(
          severity: .fine, text: "no input stands out from the training inputs\(short)",
          part: .unfamiliar)
      ]
    }
    return [
      Line(
        severity: .problem,
        text: counted(found.count, "input")
          + " of \(count) \(found.count == 1 ? "is" : "are") unlike the training inputs\(short)",
        part: .unfamiliar)
    ]
  }

  private var findingLines: [Line] {
    let lines = diagnosis.findings.map { finding in
      Line(
        severity: isGrave(finding) ? .problem : .notice, text: finding.evidence,
        part: finding.kind == .miscalibrated ? .fit : .neurons)
    }
    guard let neurons = diagnosis.neurons, neurons.findings.isEmpty else { return lines }
    return lines + [
      Line(
        severity: .fine,
        text:
          "no neuron is dead, always on or a multiple of another, and no signal or gradient vanishes or explodes",
        part: .neurons)
    ]
  }

  /// Whether a finding is a problem by itself. Some dead or double neurons every network has; confidence that is too low does less harm.
  private func isGrave(_ finding: Finding) -> Bool {
    switch finding.kind {
    case .dead, .saturated: finding.share > 0.5
    case .alwaysActive, .duplicate, .opposite, .rankDeficient: false
    case .miscalibrated: (diagnosis.calibration?.overconfidence ?? 1) > 0
    case .saturatedOutput, .vanishingSignal, .explodingSignal, .vanishingGradient,
      .explodingGradient, .bottleneck:
      true
    }
  }

  private var discordLines: [Line] {
    guard let discord = diagnosis.discord else { return [] }
    let open = discord.unsettled
    if open > 0 {
      return [
        Line(
          severity: .notice,
          text:
            "\(open) of \(counted(discord.statuses.count, "clamped sample")) did not come to an equilibrium",
          part: .discord)
      ]
    }
    let ratios = zip(discord.report.edges, discord.expected).compactMap { edge, expected in
      expected > 0 ? (edge.edge, edge.discord / expected) : nil
    }
    guard let top = ratios.max(by: { $0.1 < $1.1 }), let low = ratios.min(by: { $0.1 < $1.1 })
    else { return [] }
    let n = Self.number
    return [
      Line(
        severity: .notice,
        text:
          "with the outputs clamped, discord is \(n(low.1)) to \(n(top.1)) times what the network itself leads to expect, the most on \(top.0)",
        part: .discord)
    ]
  }

  private var robustnessLines: [Line] {
    guard let robustness = diagnosis.robustness, let distances = robustness.distances else {
      return []
    }
    let sorted = distances.entries.map(\.reached).sorted()
    guard !sorted.isEmpty, sorted[(sorted.count - 1) / 2].isFinite else { return [] }
    let median = sorted[(sorted.count - 1) / 2]
    return [
      Line(
        severity: .notice,
        text:
          "half of \(counted(sorted.count, "sample")) looked at are within \(Self.number(median)) of another decision (Euclidean norm of the input)",
        part: .robustness)
    ]
  }

  private var changeLines: [Line] {
    if let relative = diagnosis.unchanged {
      return [
        Line(
          severity: .fine,
          text:
            "the outputs are the reference's, but for \(Self.number(relative)) of their size, which is rounding",
          part: .changed)
      ]
    }
    guard let change = diagnosis.change else { return [] }
    let first = change.ranking.entries[0].layer
    let p =
      change.test.map {
        "; if no layer were off by more than the others, p = \(Self.number($0.pValue))"
      } ?? ""
    let isClear = (change.test?.pValue ?? 1) <= 0.05
    return [
      Line(
        severity: .problem,
        text:
          "the outputs differ from the reference's by \(Self.percent(change.difference.relative)) (root mean square, of the larger); "
          + (isClear
            ? "the change is most likely in \(first)"
            : "\(first) is the likeliest place, without certainty") + p,
        part: .changed)
    ]
  }

  private var differenceLines: [Line] {
    guard let difference = diagnosis.difference else { return [] }
    if difference.relative < 1e-6 {
      return [
        Line(
          severity: .fine, text: "the other network's outputs are this one's, but for rounding",
          part: .compared)
      ]
    }
    guard network.classCount != nil else {
      return [
        Line(
          severity: .notice,
          text:
            "the other network's outputs differ by \(Self.percent(difference.relative)) of the size of this one's",
          part: .compared)
      ]
    }
    let right = difference.onlyRight.map {
      "; only this one is right on \($0.own.count), only the other on \($0.other.count) (p = \(Self.number(difference.pValue)))"
    }
    guard !difference.disagreements.isEmpty else {
      return [
        Line(
          severity: .fine, text: "the networks agree on the classes of all \(count) samples",
          part: .compared)
      ]
    }
    return [
      Line(
        severity: .notice,
        text:
          "the networks disagree on \(difference.disagreements.count) of \(count) samples\(right ?? "")",
        part: .compared)
    ]
  }

  /// What to say where something did not converge; nil where all did.
  var failure: WorkFailure? {
    guard let discord = diagnosis.discord else { return nil }
    let open = discord.unsettled
    return open == 0
      ? nil
      : WorkFailure(
        description:
          "\(open) of \(counted(discord.statuses.count, "clamped sample")) did not come to an equilibrium; expected all to"
      )
  }

  /// What was left out, in words; parts that nobody asked for are not among them.
  var skipped: [(part: DiagnosisPart, why: String)] {
    diagnosis.skipped.compactMap { skipped in
      why(skipped.reason).map { (skipped.part, $0) }
    }
  }

  private func why(_ reason: SkippedPart.Reason) -> String? {
    switch reason {
    case .notAsked: nil
    case .needsTargets: "needs --labels or --target"
    case .needsClasses:
      "needs classes: --labels, or targets that are classes of a network with a softmax or a single sigmoid"
    case .needsTraining: "needs --train-input or --statistics"
    case .needsReference: "needs --reference"
    case .needsOther: "needs --compare"
    case .other(let text): text
    }
  }
}

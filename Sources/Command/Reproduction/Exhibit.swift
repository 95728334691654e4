import Figures

/// A figure or table of the paper (Bosca, Ghrist 2026), worked out anew from runs of one's own.
public struct Exhibit: Sendable {
  /// What it is called on the command line and in the names of its files.
  public let name: String
  /// What it shows.
  public let title: String
  /// Works it out.
  let make: @Sendable (Laboratory) throws -> Findings
}

/// What an exhibit has come to.
public struct Findings: Sendable {
  /// What is to be seen, in a sentence or two.
  public var sentence: String
  /// The settings that made it.
  public var settings: String
  /// The figures, with what their names add to the exhibit's; "" for the only one.
  public var figures: [(suffix: String, figure: Figure)] = []
  /// The tables, likewise.
  public var tables: [(suffix: String, table: ResultTable)] = []
  /// Own numbers beside the paper's, where it prints one or its authors' implementation gave one.
  public var comparisons: [Comparison] = []

  init(_ sentence: String, settings: String) {
    (self.sentence, self.settings) = (sentence, settings)
  }
}

/// A number beside the paper's.
public struct Comparison: Sendable, Codable {
  /// What is compared.
  public let what: String
  /// Ours.
  public let found: Double
  /// Theirs.
  public let paper: Double

  init(_ what: String, _ found: Double, paper: Double) {
    (self.what, self.found, self.paper) = (what, found, paper)
  }
}

extension Exhibit {
  /// All, in the order of the paper: §6, then appendix E.
  public static let all: [Exhibit] = [
    .firstFlow, .trainingCurves, .surfaces, .rateScaling, .eigenvectors, .activations, .dashboard,
    .phasePlanes, .trainingTable, .learnedOutputs, .depthAndTime, .gapAndDepth, .spectralEvolution,
    .pinnedDiscord, .pinnedTable,
  ]
}

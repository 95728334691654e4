import Figures

/// What an application found: tables and figures, and its numbers by name.
public struct ApplicationReport: Sendable {
  /// A table with a heading; the first row names the columns.
  public struct Table: Sendable {
    /// The heading.
    public let title: String
    /// The rows, as long as the first.
    public let rows: [[String]]

    /// A table.
    public init(_ title: String, _ rows: [[String]]) { (self.title, self.rows) = (title, rows) }
  }

  /// What was asked, in a sentence.
  public let title: String
  /// In the order in which they are to be read.
  public var tables: [Table] = []
  /// By file name without extension.
  public var figures: [(name: String, figure: Figure)] = []
  /// By name, for whoever compares.
  public var numbers: [String: Double] = [:]
  /// What is to be said in words, what fails included.
  public var remarks: [String] = []

  /// A report without findings yet.
  public init(_ title: String) { self.title = title }
}

/// An application of sheaves to data that the package carries with it.
public struct Application: Sendable {
  /// As the command calls it.
  public let name: String
  /// In a few words.
  public let summary: String
  /// Runs it over so many seeds.
  public let run: @Sendable (_ seeds: Int) throws -> ApplicationReport

  /// All applications.
  public static let all: [Application] = [
    .elNino,
    .searchAndRescue,
    .breastCancer,
    .digitViews,
    .digitScales,
    .elNinoScales,
    .digitLoops,
    .proteinFlexibility,
    .circleAndTorus,
  ]
}

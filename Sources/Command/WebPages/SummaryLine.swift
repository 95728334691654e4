/// A finding, in a sentence or two.
public struct SummaryLine: Sendable, Equatable {
  /// How grave it is. Shown by a word, a sign and a colour.
  public enum Severity: String, Sendable, Equatable, CaseIterable {
    case problem, notice, fine

    /// The word.
    var word: String {
      switch self {
      case .problem: "Problem"
      case .notice: "Notice"
      case .fine: "Fine"
      }
    }

    /// The sign.
    var sign: String {
      switch self {
      case .problem: "✕"
      case .notice: "!"
      case .fine: "✓"
      }
    }

    /// A number of them, in words.
    func counted(_ count: Int) -> String {
      switch self {
      case .problem: count == 1 ? "1 problem" : "\(count) problems"
      case .notice: count == 1 ? "1 notice" : "\(count) notices"
      case .fine: "\(count) fine"
      }
    }
  }

  /// How grave it is.
  public var severity: Severity
  /// What was found.
  public var text: Inline
  /// The section that tells more.
  public var target: String?

  /// A finding, with the section that tells more.
  public init(_ severity: Severity, _ text: Inline, target: String? = nil) {
    self.severity = severity
    self.text = text
    self.target = target
  }
}

/// A report as one HTML file that stands alone: it loads nothing, says everything without scripts, and is
/// well-formed XML besides.
///
/// ```swift
/// let page = Page(
///   title: "digits.onnx", summary: [SummaryLine(.notice, "Layer \(.code("z2")) is stiff.", target: "stiffness")],
///   sections: [Section(id: "stiffness", title: "Stiffness", blocks: [.table(table)])])
/// try Data(page.html.utf8).write(to: file)
/// ```
///
/// Names of places (`id`) are the caller's, in any characters. The first of those alike counts; a link to a place
/// that is not on the page becomes plain text, so a table can be cut short without a thought of what points to it.
public struct Page: Sendable {
  /// The heading, also of the window.
  public var title: String
  /// Under the heading: what was looked at, when; empty for none.
  public var subtitle: String
  /// The language of the caller's texts, as BCP 47 names it. The page's own words are English.
  public var language: String
  /// What there is to know, the gravest first; it stands before the sections.
  public var summary: [SummaryLine]
  /// The body, in order.
  public var sections: [Section]

  /// A report of sections after a summary.
  public init(
    title: String, subtitle: String = "", language: String = "en", summary: [SummaryLine] = [],
    sections: [Section] = []
  ) {
    self.title = title
    self.subtitle = subtitle
    self.language = language
    self.summary = summary
    self.sections = sections
  }
}

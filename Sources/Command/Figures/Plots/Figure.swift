/// A figure of one or more panels as a value. `drawn(as:)` renders it by gnuplot, `script(as:)` gives gnuplot's
/// commands, and `text(columns:rows:)` plots it in a terminal.
///
/// The same figure gives the same bytes in every run. Texts are taken literally, whatever characters they hold;
/// line breaks become spaces, and what is too long for its place loses its middle.
public struct Figure: Sendable, Hashable {
  /// How wide a figure is in print.
  public enum Width: Sendable, Hashable {
    /// A column of two, 8.6 cm.
    case column
    /// A page, 17.8 cm.
    case page

    /// In centimetres.
    public var centimetres: Double {
      switch self {
      case .column: 8.6
      case .page: 17.8
      }
    }
  }

  /// What a figure can be written as.
  public typealias Format = DrawingFormat

  /// The heading; nil for none.
  public var title: String?
  /// The panels, row by row.
  public var panels: [Panel]
  /// Panels per row.
  public var columns: Int
  /// Width of the whole figure.
  public var width: Width
  /// Height over width of each panel, with its labels.
  public var aspect: Double

  /// A figure of panels, `columns` to a row.
  ///
  /// - Parameters:
  ///   - columns: at least 1.
  ///   - aspect: height over width of each panel, with its labels; 0.1…10.
  public init(
    _ title: String? = nil, columns: Int = 1, width: Width = .column, aspect: Double = 0.72,
    panels: [Panel]
  ) {
    precondition(columns > 0, "\(columns) columns")
    precondition(aspect >= 0.1 && aspect <= 10, "aspect \(aspect), outside 0.1…10")
    self.title = title
    self.panels = panels
    self.columns = columns
    self.width = width
    self.aspect = aspect
  }
}

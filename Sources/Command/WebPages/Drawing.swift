/// A figure in SVG, as gnuplot and Graphviz write it; it is adapted to the page (`SVG.adapted`).
///
/// Its links `#place` lead to places of the page. On a dark screen black, white and greys change with the page;
/// other colours stay, so text should not stand on a coloured ground.
public struct Drawing: Sendable, Equatable {
  /// The place, for links.
  public var id: String?
  /// The document of SVG.
  public var svg: String
  /// What stands under it.
  public var caption: Inline
  /// What it shows, for those who do not see it.
  public var alternative: String
  /// Whether it needs room: it may be as wide as the page, and on a narrow one it scrolls rather than shrink until
  /// nobody can read it. Other figures always fit.
  public var isWide: Bool

  /// A figure with its caption.
  public init(
    id: String? = nil, svg: String, caption: Inline, alternative: String, isWide: Bool = false
  ) {
    self.id = id
    self.svg = svg
    self.caption = caption
    self.alternative = alternative
    self.isWide = isWide
  }
}

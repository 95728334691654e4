/// Documents of SVG made fit for a page.
public enum SVG {
  /// A document of gnuplot or Graphviz as an element of a page: without prolog, size, white ground and names of
  /// curves; its greys the page's (`currentColor` and `--tone-1`…`--tone-9`); its ids, and what refers to them,
  /// with a prefix, so that several fit into one page. Whatever could run or be loaded is left out: elements other
  /// than shapes, texts, links, clips and paints, handlers, and references to other files.
  ///
  /// Where there is room, the least text is 11 pixels high: `--natural` is the width for that.
  ///
  /// - Parameters:
  ///   - idPrefix: of letters, digits, hyphens.
  ///   - title: what the figure shows, for those who do not see it.
  /// - Returns: a well-formed element; empty where the text holds none named `svg`.
  public static func adapted(_ svg: String, idPrefix: String, title: String) -> String {
    adapted(svg, idPrefix: idPrefix, title: title) { Anchor.id($0) }?.element ?? ""
  }

  /// As above, where links to places outside of the figure lead to what `place` gives, or nowhere; nil where there
  /// is no element `svg`.
  static func adapted(
    _ svg: String, idPrefix: String, title: String, place: (String) -> String?
  ) -> Adapted? {
    let tokens = SVGScanner.tokens(svg).drop {
      if case .open("svg", _, _) = $0 { false } else { true }
    }
    if tokens.isEmpty { return nil }
    return withoutActuallyEscaping(place) {
      var adapter = SVGAdapter(
        tokens: Array(tokens), idPrefix: idPrefix, title: title, place: $0)
      return Adapted(element: adapter.run(), width: adapter.naturalWidth)
    }
  }

  /// A figure that fits a page.
  struct Adapted {
    let element: String
    /// Where the least text is 11 pixels high, in pixels.
    let width: Int
  }
}

/// How a curve is drawn.
public struct LineStyle: Sendable, Hashable {
  /// The pattern of a curve, which tells series apart without colours.
  public enum Dash: Sendable, Hashable, CaseIterable {
    /// By the colour's place among the series; solid for other colours.
    case automatic
    case solid, dashed, dotted, dashDotted, longDashed
  }

  /// The colour.
  public var colour: Colour
  /// The pattern.
  public var dash: Dash
  /// In points (1/72 inch).
  public var width: Double
  /// From 0, which is invisible, to 1.
  public var opacity: Double

  /// A style; the default takes the next colour of the panel.
  public init(
    _ colour: Colour = .automatic, dash: Dash = .automatic, width: Double = 1.2,
    opacity: Double = 1
  ) {
    self.colour = colour
    self.dash = dash
    self.width = width
    self.opacity = opacity
  }

  /// Of level sets.
  public static let contour = LineStyle(.ink, dash: .solid, width: 0.6)
  /// Of fields of arrows.
  public static let vector = LineStyle(.ink, dash: .solid, width: 0.5)
}

/// How points are marked.
public struct PointStyle: Sendable, Hashable {
  /// The form of a mark.
  public enum Marker: Sendable, Hashable, CaseIterable {
    /// By the colour's place among the series; a circle for other colours.
    case automatic
    case circle, square, triangle, diamond, cross, plus, openCircle, openSquare
  }

  /// The colour.
  public var colour: Colour
  /// The form.
  public var marker: Marker
  /// Diameter in points (1/72 inch).
  public var size: Double
  /// From 0, which is invisible, to 1.
  public var opacity: Double

  /// A style; the default takes the next colour of the panel.
  public init(
    _ colour: Colour = .automatic, marker: Marker = .automatic, size: Double = 3.5,
    opacity: Double = 1
  ) {
    self.colour = colour
    self.marker = marker
    self.size = size
    self.opacity = opacity
  }
}

/// The colour of a layer.
public enum Colour: Sendable, Hashable {
  /// The next of the panel's series.
  case automatic
  /// Of the series with this place, from 0: blue, vermilion, green, purple, orange, sky blue, black, yellow,
  /// and again.
  case series(Int)
  /// Nearly black.
  case ink
  /// Grey, for what stands back.
  case muted
  /// White, over heat maps.
  case paper
}

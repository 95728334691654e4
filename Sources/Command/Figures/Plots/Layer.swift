/// What is drawn in a panel. Coordinates are data; where one is not finite (or beyond ±10¹⁰⁰, or not positive on
/// a logarithmic axis) lines have a gap, and points, bars and arrows are left out.
///
/// Arrays of one layer are equally long, unless noted; drawing others is a caller's bug.
public enum Layer: Sendable, Hashable {
  /// A curve through points.
  case line(x: [Double], y: [Double], label: String? = nil, style: LineStyle = LineStyle())
  /// Marks at points.
  case points(x: [Double], y: [Double], label: String? = nil, style: PointStyle = PointStyle())
  /// The area between two curves, such as quartiles; on a logarithmic axis a lower end that is not positive
  /// counts as the end of the axis. Unless told otherwise it has the colour of the next curve.
  case band(
    x: [Double], low: [Double], high: [Double], label: String? = nil, colour: Colour = .automatic)
  /// The outline of a histogram: `counts.count + 1` edges.
  case steps(
    edges: [Double], counts: [Double], label: String? = nil, style: LineStyle = LineStyle())
  /// A histogram, filled and translucent, so that several can be compared: `counts.count + 1` edges.
  case histogram(
    edges: [Double], counts: [Double], label: String? = nil, colour: Colour = .automatic)
  /// Groups of bars, one group for each category, one bar in it for each series. Category k stands at x = k;
  /// the axis is linear whatever it says.
  case bars(categories: [String], series: [Series])
  /// Cells around the centres (x, y), both increasing; `values[j * x.count + i]` is at (xᵢ, yⱼ).
  /// Cells without a value are grey. `range` is what the palette spans: nil for that of the values, or the least one
  /// around 0 if diverging.
  case heatMap(
    x: [Double], y: [Double], values: [Double], palette: Palette = .sequential,
    range: ClosedRange<Double>? = nil, scale: Axis.Scale = .linear)
  /// Level sets of the function that interpolates `values`, laid out as of a heat map, linearly along the edges
  /// of its grid.
  case contours(
    x: [Double], y: [Double], values: [Double], levels: [Double], labelled: Bool = false,
    style: LineStyle = .contour)
  /// A curve with an arrow at its end, such as a trajectory in a phase plane.
  case path(x: [Double], y: [Double], label: String? = nil, style: LineStyle = LineStyle())
  /// Arrows from (x, y) to (x + dx, y + dy).
  case vectors(
    x: [Double], y: [Double], dx: [Double], dy: [Double], style: LineStyle = .vector)
  /// A line over the whole height.
  case verticalMark(x: Double, label: String? = nil)
  /// A line over the whole width.
  case horizontalMark(y: Double, label: String? = nil)
  /// A note that begins at (x, y).
  case text(x: Double, y: Double, String)
  /// Intervals of persistent homology, a row for each, from the bottom by dimension, then birth. The legend names
  /// the dimensions. The vertical axis is linear whatever it says.
  case barcode([Interval])

  /// Crosses, such as those at chosen places of a curve.
  public static func crosses(
    x: [Double], y: [Double], label: String? = nil, colour: Colour = .ink
  ) -> Layer {
    .points(x: x, y: y, label: label, style: PointStyle(colour, marker: .cross))
  }

  /// The bars of one colour.
  public struct Series: Sendable, Hashable {
    /// The name in the legend.
    public var label: String
    /// The height for each category.
    public var values: [Double]

    /// A named series.
    public init(_ label: String, _ values: [Double]) {
      self.label = label
      self.values = values
    }
  }

  /// A class of persistent homology.
  public struct Interval: Sendable, Hashable {
    /// Where it begins.
    public var birth: Double
    /// Where it ends; infinite if it does not.
    public var death: Double
    /// Of the homology.
    public var dimension: Int

    /// A class that lives from birth to death.
    public init(birth: Double, death: Double, dimension: Int) {
      self.birth = birth
      self.death = death
      self.dimension = dimension
    }
  }

  /// The colours of a heat map.
  public enum Palette: Sendable, Hashable, CaseIterable {
    /// From dark blue to yellow, perceptually uniform.
    case sequential
    /// From blue over white at 0 to orange.
    case diverging
    /// One colour for each whole number.
    case categorical
  }
}

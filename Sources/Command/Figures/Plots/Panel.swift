/// One pair of axes with what is drawn between them.
public struct Panel: Sendable, Hashable {
  /// Where the names of the series stand. In a corner they push the data aside, where the range of the vertical
  /// axis is open.
  public enum Legend: Sendable, Hashable, CaseIterable {
    case none, topRight, topLeft, bottomRight, bottomLeft
    /// Under the horizontal axis, outside of the data.
    case below
  }

  /// The heading; nil for none.
  public var title: String?
  /// The horizontal axis.
  public var x: Axis
  /// The vertical axis.
  public var y: Axis
  /// From the bottom to the top.
  public var layers: [Layer]
  /// Where the names of the series stand.
  public var legend: Legend
  /// What the colours of a heat map measure; nil for none. The bar of colours is drawn in any case.
  public var colourLabel: String?
  /// Whether faint lines continue the ticks.
  public var grid: Bool

  /// A panel of layers, the first at the bottom.
  public init(
    _ title: String? = nil, x: Axis = Axis(), y: Axis = Axis(), legend: Legend = .none,
    colourLabel: String? = nil, grid: Bool = false, layers: [Layer]
  ) {
    self.title = title
    self.x = x
    self.y = y
    self.layers = layers
    self.legend = legend
    self.colourLabel = colourLabel
    self.grid = grid
  }
}

/// An axis of a panel.
public struct Axis: Sendable, Hashable {
  /// How values become lengths.
  public enum Scale: Sendable, Hashable {
    case linear
    /// Values that are not positive are left out.
    case logarithmic
  }

  /// A labelled place on an axis.
  public struct Tick: Sendable, Hashable {
    /// In the axis's unit.
    public var value: Double
    /// What stands beside it.
    public var label: String

    /// A label at a value.
    public init(_ value: Double, _ label: String) {
      self.value = value
      self.label = label
    }
  }

  /// What is measured, with its unit.
  public var label: String
  /// How values become lengths.
  public var scale: Scale
  /// The ends; nil, or what a scale cannot show, for those of the data.
  public var range: ClosedRange<Double>?
  /// The labelled places; nil for round numbers.
  public var ticks: [Tick]?

  /// An axis that finds what it is not told.
  public init(
    _ label: String = "", scale: Scale = .linear, range: ClosedRange<Double>? = nil,
    ticks: [Tick]? = nil
  ) {
    self.label = label
    self.scale = scale
    self.range = range
    self.ticks = ticks
  }
}

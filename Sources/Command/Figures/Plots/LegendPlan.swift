/// The names of a panel's series in rows and columns.
struct LegendPlan {
  let entries: [LegendEntry]
  let place: Panel.Legend
  /// Of the columns, in points.
  let widths: [Double]

  static let rowHeight = 9.5
  static let swatchWidth = 17.0
  /// Between a swatch and its name.
  static let gap = 4.0

  /// A plan for a panel of so many points; nil if nothing has a name.
  init?(_ panel: Panel, width: Double) {
    guard panel.legend != .none, !panel.entries.isEmpty else { return nil }
    place = panel.legend
    let below = place == .below
    let limit = below ? width - 60 : width * 0.5
    entries = panel.entries.map {
      LegendEntry(
        label: Typesetting.fitted($0.label, width: limit, Typesetting.small), swatch: $0.swatch)
    }
    let needed = entries.map {
      Self.swatchWidth + Self.gap + Typesetting.width($0.label, Typesetting.small)
        + (below ? 10 : 0)
    }
    var columns = below ? entries.count : 1
    func widths() -> [Double] {
      (0..<columns).map { column in
        stride(from: column, to: needed.count, by: columns).reduce(0) { max($0, needed[$1]) }
      }
    }
    while columns > 1 && widths().reduce(0, +) > width - 14 { columns -= 1 }
    self.widths = widths()
  }

  var columns: Int { widths.count }
  var rows: Int { (entries.count + columns - 1) / columns }
  var height: Double { Double(rows) * Self.rowHeight }
  var width: Double { widths.reduce(0, +) }

  /// What is added under the axis.
  var heightBelow: Double { place == .below ? height + 4 : 0 }

  /// Where the legend lies around the frame of a panel in its cell.
  func box(frame: Box, cell: Box) -> Box {
    let inset = 4.0
    let left: Double
    let top: Double
    switch place {
    case .topLeft, .bottomLeft: left = frame.left + inset
    case .topRight, .bottomRight: left = frame.right - inset - width
    case .none, .below:
      left = max(cell.left + 4, min((frame.left + frame.right - width) / 2, cell.right - width))
    }
    switch place {
    case .topLeft, .topRight: top = frame.top - inset
    case .bottomLeft, .bottomRight: top = frame.bottom + inset + height
    case .none, .below: top = cell.bottom + 2 + height
    }
    return Box(left: left, bottom: top - height, right: left + width, top: top)
  }
}

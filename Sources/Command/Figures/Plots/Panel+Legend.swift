extension Panel {
  /// The names of the series, in the order of the layers.
  var entries: [LegendEntry] {
    zip(layers, turns).flatMap { $0.entries(turn: $1) }
  }
}

extension Layer {
  /// What a legend says of a layer, where `turn` is its place among the series.
  func entries(turn: Int) -> [LegendEntry] {
    func named(_ label: String?, _ swatch: LegendEntry.Swatch) -> [LegendEntry] {
      guard let label, !label.isEmpty else { return [] }
      return [LegendEntry(label: label, swatch: swatch)]
    }
    switch self {
    case .line(_, _, let label, let style), .steps(_, _, let label, let style),
      .path(_, _, let label, let style):
      return named(label, .stroke(style.stroke(turn)))
    case .points(_, _, let label, let style):
      let paint = style.colour.paint(turn, opacity: style.opacity)
      return named(label, .marker(style.shape(turn), size: style.size, paint))
    case .band(_, _, _, let label, let colour):
      return named(label, .area(colour.paint(turn, opacity: 0.25)))
    case .histogram(_, _, let label, let colour):
      return named(label, .area(colour.paint(turn, opacity: 0.5)))
    case .bars(_, let series):
      return series.enumerated().flatMap { named($1.label, .area(.series($0))) }
    case .barcode(let intervals):
      return Set(intervals.map(\.dimension)).sorted().map {
        LegendEntry(label: Self.homology($0), swatch: .area(.series($0)))
      }
    case .heatMap, .contours, .vectors, .verticalMark, .horizontalMark, .text: return []
    }
  }

  /// The name of a homology, H₀, H₁, …
  static func homology(_ dimension: Int) -> String { "H" + lowered(dimension) }

  /// A number in small lowered digits.
  static func lowered(_ number: Int) -> String {
    let digits = Array("₀₁₂₃₄₅₆₇₈₉")
    return (number < 0 ? "₋" : "")
      + String(String(abs(number)).map { digits[$0.wholeNumberValue ?? 0] })
  }
}

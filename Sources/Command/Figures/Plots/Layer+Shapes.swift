import Foundation

extension Layer {
  /// What a layer consists of, from the bottom to the top, where `turn` is its place among the series.
  func shapes(in frame: Frame, turn: Int) -> [Shape] {
    switch self {
    case .line(let x, let y, _, let style):
      return [.curves(frame.runs(pairs(x, y)), style.stroke(turn))]
    case .points(let x, let y, _, let style):
      return [
        .markers(
          pairs(x, y).filter(frame.contains), style.shape(turn), size: style.size,
          style.colour.paint(turn, opacity: style.opacity))
      ]
    case .band(let x, let low, let high, _, let colour):
      return [.areas(Self.band(x, low, high, in: frame), colour.paint(turn, opacity: 0.25))]
    case .steps(let edges, let counts, _, let style):
      let runs = frame.runs(Self.outline(edges, counts))
      return [.curves(runs, style.stroke(turn))]
    case .histogram(let edges, let counts, _, let colour):
      let runs = frame.runs(Self.outline(edges, counts))
      let areas = runs.map { run in
        [Point(x: run[0].x, y: frame.base)] + run + [Point(x: run[run.count - 1].x, y: frame.base)]
      }
      return [
        .areas(areas, colour.paint(turn, opacity: 0.35)),
        .curves(runs, Stroke(paint: colour.paint(turn), width: 0.8)),
      ]
    case .bars(let categories, let series): return Self.bars(categories, series, in: frame)
    case .heatMap(let x, let y, let values, let palette, let range, let scale):
      let picture = Picture(
        columns: CellEdges(x, frame.x.scale), rows: CellEdges(y, frame.y.scale), values: values,
        palette: palette, span: palette.span(of: values, range: range, scale: scale),
        scale: scale, in: frame)
      return [.picture(picture)]
    case .contours(let x, let y, let values, let levels, let labelled, let style):
      let contours = Contours(x: x, y: y, values: values)
      let curves = levels.filter(\.isFinite).map { level in
        (level, contours.curves(level).flatMap(frame.runs))
      }
      return curves.flatMap { Self.contour($1, style.stroke(turn)) }
        + (labelled ? Self.levelLabels(curves, in: frame) : [])
    case .path(let x, let y, _, let style):
      return Self.path(frame.runs(pairs(x, y)), style.stroke(turn))
    case .vectors(let x, let y, let dx, let dy, let style):
      let arrows = zip(pairs(x, y), pairs(sum(x, dx), sum(y, dy))).filter {
        frame.admits($0) && frame.admits($1) && $0 != $1
      }
      return [.arrows(arrows.map { ($0, $1) }, style.stroke(turn), headLength: 3)]
    case .verticalMark(let x, let label):
      guard frame.x.contains(x) else { return [] }
      let ends = [Point(x: x, y: frame.y.low), Point(x: x, y: frame.y.high)]
      return [.curves([ends], Self.mark), .words(label ?? "", at: ends[1], .alongUp)]
    case .horizontalMark(let y, let label):
      guard frame.y.contains(y) else { return [] }
      let ends = [Point(x: frame.x.low, y: y), Point(x: frame.x.high, y: y)]
      return [.curves([ends], Self.mark), .words(label ?? "", at: ends[1], .aboveEnd)]
    case .text(let x, let y, let words):
      let place = Point(x: x, y: y)
      return frame.contains(place) ? [.words(words, at: place, .leading)] : []
    case .barcode(let intervals): return Self.barcode(intervals, in: frame)
    }
  }

  private static let mark = Stroke(
    paint: Paint(rgb: 0x7A7A7A), width: 0.7, dash: LineStyle.Dash.dashed.pattern(place: 0))

  /// The areas between two curves where both can be shown.
  private static func band(
    _ x: [Double], _ low: [Double], _ high: [Double], in frame: Frame
  ) -> [[Point]] {
    let floor = low.map { frame.y.scale == .logarithmic && $0 < frame.y.low ? frame.y.low : $0 }
    let ends = zip(pairs(x, floor), pairs(x, high))
    let runs = ends.split { !(frame.admits($0.0) && frame.admits($0.1)) }
    return runs.map { run in run.map(\.1) + run.reversed().map(\.0) }
  }

  /// The upper edge of a histogram.
  private static func outline(_ edges: [Double], _ counts: [Double]) -> [Point] {
    precondition(
      edges.count == counts.count + 1, "\(edges.count) edges of \(counts.count) counts")
    return counts.indices.flatMap {
      [Point(x: edges[$0], y: counts[$0]), Point(x: edges[$0 + 1], y: counts[$0])]
    }
  }

  /// A curve for each run, and an arrowhead in the direction of the last one's end.
  private static func path(_ runs: [[Point]], _ stroke: Stroke) -> [Shape] {
    let curves = Shape.curves(runs, stroke)
    guard let run = runs.last, let head = run.last, let tail = run.last(where: { $0 != head })
    else { return [curves] }
    var solid = stroke
    solid.dash = []
    return [curves, .arrows([(tail, head)], solid, headLength: 5)]
  }
}

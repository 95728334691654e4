/// Places labels beside the last part of each edge, in the strip above the layer of its target,
/// clear of other lines and labels where that can be done.
struct EdgeLabels {
  private let graph: LayeredGraph
  private let columns: Columns
  private let spacing: LayeredLayout.Spacing
  /// Points of each segment in its strip.
  private let samples: [[Point]]

  init(
    _ graph: LayeredGraph, _ gapPaths: [Path], _ columns: Columns,
    _ spacing: LayeredLayout.Spacing
  ) {
    self.graph = graph
    self.columns = columns
    self.spacing = spacing
    samples = gapPaths.map { $0.samples(perPiece: 16) }
  }

  /// The label of each edge of positive width. One side is preferred throughout, the one with fewer
  /// collisions.
  func places(widths: [Double]) -> [Box?] {
    var labelled = [[Int]](repeating: [], count: graph.layers.count)
    for (e, route) in graph.routes.enumerated() where widths[e] > 0 {
      labelled[graph.layer[graph.segments[route.last!].lower]].append(e)
    }
    let choices = [true, false].map { preferringRight in
      var cost = 0.0
      var places = [Box?](repeating: nil, count: graph.routes.count)
      for l in labelled.indices.dropFirst() where !labelled[l].isEmpty {
        let lines = graph.segmentsBelow(layer: l - 1)
        var taken: [Box] = []
        for e in labelled[l] {
          let own = graph.routes[e].last!
          let best = candidates(own, width: widths[e], layer: l).map { box, isRight in
            (
              box,
              collisions(box, lines.filter { $0 != own }, taken)
                + (isRight == preferringRight ? 0 : 0.5)
            )
          }.min { $0.1 < $1.1 }!
          cost += best.1
          taken.append(best.0)
          places[e] = best.0
        }
      }
      return (cost, places)
    }
    return choices[0].0 <= choices[1].0 ? choices[0].1 : choices[1].1
  }

  /// Places on both sides of a segment at several heights of its strip, best first.
  private func candidates(
    _ s: Int, width: Double, layer l: Int
  ) -> [(box: Box, isRight: Bool)] {
    let strip = columns.gap(above: l)
    let height = spacing.labelHeight
    let room = strip.upperBound - strip.lowerBound - height - 4
    return [0.5, 0.75, 0.25, 1, 0].flatMap { fraction -> [(box: Box, isRight: Bool)] in
      let top = strip.lowerBound + 2 + fraction * room
      let beside = samples[s].filter { top - 2 < $0.y && $0.y < top + height + 2 }.map(\.x)
      let (low, high) = (beside.min() ?? samples[s][0].x, beside.max() ?? samples[s][0].x)
      return [
        (
          Box(left: high + spacing.labelGap, top: top, width: width, height: height), true
        ),
        (
          Box(
            left: low - spacing.labelGap - width, top: top, width: width, height: height),
          false
        ),
      ]
    }
  }

  /// The sampled points of the lines inside the box, and much more for a label there.
  private func collisions(_ box: Box, _ lines: [Int], _ taken: [Box]) -> Double {
    let margin = 2.0
    let wide = Box(
      left: box.left - margin, top: box.top, width: box.width + 2 * margin, height: box.height)
    var count = 0
    for s in lines {
      let ends = (samples[s].first!.x, samples[s].last!.x)
      if min(ends.0, ends.1) > wide.right || max(ends.0, ends.1) < wide.left { continue }
      count += samples[s].count { wide.contains($0) }
    }
    return Double(count + 100 * taken.count { wide.overlaps($0) })
  }
}

extension GnuplotScript {
  /// The commands for a panel whose frame has a place on the page, and with the first one for the page's heading.
  mutating func add(_ plan: PanelPlan, frame box: Box, cell: Box, heading: String?) {
    start(frame: box)
    if let heading {
      let text = Typesetting.fitted(heading, width: width - 16, Typesetting.heading)
      label(text, x: 8, y: height - 10, size: Typesetting.heading)
    }
    let axes = plan.frame
    add("set clip two")
    add("set border 3 front linewidth 0.6 linecolor rgb \(Paint.frame.code)")
    axis("x", axes.x, plan.xTicks)
    axis("y", axes.y, plan.yTicks)
    add(
      plan.panel.grid
        ? "set grid xtics ytics back linetype 1 linewidth 0.4 dashtype solid linecolor rgb '#dcdcdc'"
        : "unset grid")
    // What is written under a panel keeps close to it, if its neighbours need more room.
    var inner = cell
    inner.bottom = box.bottom - plan.margins.bottom
    headings(plan, frame: box, cell: inner)
    tickLabels(plan, frame: box)

    let shapes = zip(plan.panel.layers, plan.panel.turns).flatMap {
      plan.isEmpty ? [] : $0.shapes(in: axes, turn: $1)
    }
    for case .words(let text, let place, let anchor) in shapes {
      let x = box.left + axes.x.fraction(place.x) * box.width
      let y = box.bottom + axes.y.fraction(place.y) * box.height
      words(text, x: x, y: y, anchor, frame: box)
    }
    if plan.isEmpty {
      label(
        "no data", x: box.left + box.width / 2, y: box.bottom + box.height / 2, .center,
        size: Typesetting.label, paint: Paint(rgb: 0x7A7A7A))
    } else if let legend = plan.legend {
      add(legend, in: legend.box(frame: box, cell: inner))
    }
    plot(shapes.flatMap { elements($0) }, axes)
    if let bar = plan.colourBar, !plan.isEmpty { add(bar, plan.panel.colourLabel, frame: box) }
  }

  /// Clears what the last panel left, and sets the frame of the next.
  private mutating func start(frame box: Box) {
    for thing in ["label", "arrow", "object", "logscale"] { add("unset \(thing)") }
    add("set lmargin at screen \(Self.number(box.left / width))")
    add("set rmargin at screen \(Self.number(box.right / width))")
    add("set bmargin at screen \(Self.number(box.bottom / height))")
    add("set tmargin at screen \(Self.number(box.top / height))")
  }

  private mutating func axis(_ name: String, _ span: Span, _ ticks: Ticks) {
    if span.scale == .logarithmic { add("set logscale \(name) 10") }
    add("set \(name)range [\(span.low):\(span.high)]")
    let places = ticks.labelled.map { "'' \($0.value) 0" } + ticks.minor.map { "'' \($0) 1" }
    add(
      places.isEmpty
        ? "unset \(name)tics"
        : "set \(name)tics out nomirror scale 0.5,0.3 (\(places.joined(separator: ", ")))")
  }

  /// An invisible line first: gnuplot refuses to plot nothing.
  private mutating func plot(_ elements: [String], _ axes: Frame) {
    let corner = block(["\(axes.x.low) \(axes.y.low)"])
    let all = ["\(corner) using 1:2 with lines linewidth 0.1"] + elements
    add("plot " + all.map { $0 + " notitle" }.joined(separator: ", \\\n  "))
  }

  private mutating func headings(_ plan: PanelPlan, frame box: Box, cell: Box) {
    let (size, panel) = (Typesetting.label, plan.panel)
    let title = Typesetting.fitted(panel.title ?? "", width: cell.right - box.left - 4, size)
    label(title, x: box.left, y: box.top + 9, size: size)
    let across = (box.left + box.right) / 2
    let room = 2 * min(across - cell.left, cell.right - across) - 4
    let below = plan.legend?.heightBelow ?? 0
    label(
      Typesetting.fitted(panel.x.label, width: room, size), x: across,
      y: cell.bottom + below + 7, .center, size: size)
    label(
      Typesetting.fitted(panel.y.label, width: cell.top - cell.bottom - 8, size),
      x: box.left - plan.margins.left + 7,
      y: clamped(
        (box.bottom + box.top) / 2, panel.y.label, from: cell.bottom + 4, to: cell.top - 4),
      .center, rotation: 90, size: size)
  }

  /// The middle of a text, moved so that it stays between two ends.
  private func clamped(_ middle: Double, _ text: String, from low: Double, to high: Double)
    -> Double
  {
    let half = min(Typesetting.width(text, Typesetting.label), high - low) / 2
    return min(max(middle, low + half), high - half)
  }

  private mutating func tickLabels(_ plan: PanelPlan, frame box: Box) {
    for tick in plan.xTicks.labelled {
      let x = box.left + plan.frame.x.fraction(tick.value) * box.width
      if plan.rotated {
        label(
          tick.label, x: x + 2, y: box.bottom - 7, .right, rotation: PanelPlan.rotation)
      } else {
        label(tick.label, x: x, y: box.bottom - 8.5, .center)
      }
    }
    for tick in plan.yTicks.labelled {
      let y = box.bottom + plan.frame.y.fraction(tick.value) * box.height
      label(tick.label, x: box.left - 5, y: y, .right)
    }
  }

  private mutating func words(
    _ text: String, x: Double, y: Double, _ anchor: Anchor, frame box: Box
  ) {
    let size = Typesetting.small
    switch anchor {
    case .leading:
      label(Typesetting.fitted(text, width: box.right - x + 6, size), x: x, y: y)
    case .onGround:
      let half = Typesetting.width(text, size) / 2 + 1
      let inside = min(max(x, box.left + half), box.right - half)
      let level = min(max(y, box.bottom + 5), box.top - 5)
      area(
        Box(left: inside - half, bottom: level - 4, right: inside + half, top: level + 4),
        Paint(rgb: 0xFFFFFF, opacity: 0.75))
      label(text, x: inside, y: level, .center)
    case .aboveEnd:
      label(
        Typesetting.fitted(text, width: box.width - 8, size), x: box.right - 2,
        y: y + 5 > box.top ? y - 5 : y + 5, .right)
    case .alongUp:
      label(
        Typesetting.fitted(text, width: box.height - 8, size),
        x: x - 5 < box.left ? x + 5 : x - 5, y: box.top - 2, .right, rotation: 90)
    }
  }

  /// The bar of colours on the right of a frame.
  private mutating func add(_ bar: PanelPlan.ColourBar, _ name: String?, frame box: Box) {
    let strip = Box(left: box.right + 7, bottom: box.bottom, right: box.right + 14, top: box.top)
    start(frame: strip)
    add("unset border")
    add("unset grid")
    add("unset xtics")
    add("unset ytics")
    add("set xrange [0:1]")
    add("set yrange [0:1]")
    let unit = Frame(
      x: Span(Extent(low: 0, high: 1), range: nil, scale: .linear, padding: 0),
      y: Span(Extent(low: 0, high: 1), range: nil, scale: .linear, padding: 0))
    let steps = bar.palette == .categorical ? Int(bar.span.high - bar.span.low) : 128
    // Two columns: gnuplot draws no picture of one.
    let cells = (0..<2 * steps).map {
      bar.palette.paint(bar.span.value((Double($0 / 2) + 0.5) / Double(steps)), in: bar.span)
    }
    for tick in bar.ticks.labelled {
      let y = strip.bottom + bar.span.fraction(tick.value) * strip.height
      line(
        from: (strip.right, y), to: (strip.right + 2, y), Stroke(paint: .frame, width: 0.6))
      label(tick.label, x: strip.right + 4, y: y)
    }
    let widest =
      bar.ticks.labelled.map { Typesetting.width($0.label, Typesetting.small) }.max() ?? 0
    label(
      Typesetting.fitted(name ?? "", width: box.height + 20, Typesetting.label),
      x: strip.right + 4 + widest + 8, y: (box.bottom + box.top) / 2, .center, rotation: 90,
      size: Typesetting.label)
    plot(elements(.picture(Picture(columns: 2, cells: cells))), unit)
  }

  private mutating func add(_ legend: LegendPlan, in box: Box) {
    if legend.place != .below {
      area(
        Box(left: box.left - 2, bottom: box.bottom - 1, right: box.right + 2, top: box.top + 1),
        Paint(rgb: 0xFFFFFF, opacity: 0.8))
    }
    for (k, entry) in legend.entries.enumerated() {
      let left = box.left + legend.widths.prefix(k % legend.columns).reduce(0, +)
      let y = box.top - (Double(k / legend.columns) + 0.5) * LegendPlan.rowHeight
      let right = left + LegendPlan.swatchWidth
      switch entry.swatch {
      case .stroke(let stroke): line(from: (left, y), to: (right, y), stroke)
      case .area(let paint):
        area(Box(left: left + 1.5, bottom: y - 2.5, right: right - 1.5, top: y + 2.5), paint)
      case .marker(let marker, let size, let paint):
        mark(x: (left + right) / 2, y: y, marker, size: size, paint)
      }
      label(entry.label, x: right + LegendPlan.gap, y: y)
    }
  }
}

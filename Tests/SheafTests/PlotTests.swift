import Foundation
import Testing

@testable import Figures

/// Figures drawn by gnuplot, as scripts and as text.
struct PlotTests {
  static let trap = FileManager.default.temporaryDirectory
    .appendingPathComponent("sheaf-trap-\(UInt64.random(in: 0...UInt64.max))")
  static let hostile = [
    "'; system \"touch \(trap.path)\"; '", "\"; system \"touch \(trap.path)\"; \"",
    "'''", "''\u{301}'", "\"", "\\", "\\n\\", "{/Symbol a}",
    "a_b^c",
    "%", "100%% %d", "line\nbreak\r\n", "$0 $data1 _012345", "@x", "`date`", "<b>&amp;</b>", "# no",
    "END",
    "]]> -->", "λ₁ ‖ρ‖² β Σ δ_Ω", "\u{0}\u{7}",
  ]

  /// A panel for each kind of layer, with data that have gaps.
  static let kinds: [(name: String, panel: Panel)] = {
    let x: [Double] = (0..<12).map { Double($0) + 1 }
    let y: [Double] = x.map { $0 == 5 ? .nan : $0 * $0 }
    let low: [Double] = y.map { $0 - 1 }
    var field: [Double] = (0..<132).map { sin(Double($0 / 12)) + cos(Double($0 % 12)) }
    field[40] = .nan
    let rows = Array(x.prefix(11))
    let counts = Array(y.dropLast())
    let curves: [(String, Layer)] = [
      ("line", .line(x: x, y: y, label: "line")),
      ("points", .points(x: x, y: y, label: "points")),
      ("band", .band(x: x, low: low, high: y, label: "band")),
      ("steps", .steps(edges: x, counts: counts, label: "steps")),
      ("histogram", .histogram(edges: x, counts: counts, label: "histogram")),
      ("bars", .bars(categories: ["a", "b"], series: [Layer.Series("s", [1, .nan])])),
    ]
    let maps: [(String, Layer)] = [
      ("heatMap", .heatMap(x: x, y: rows, values: field)),
      ("diverging", .heatMap(x: x, y: rows, values: field, palette: .diverging)),
      ("categorical", .heatMap(x: x, y: [1], values: x, palette: .categorical)),
      ("contours", .contours(x: x, y: rows, values: field, levels: [0, 1, 9], labelled: true)),
      ("path", .path(x: x, y: y, label: "path")),
      ("vectors", .vectors(x: x, y: y, dx: x, dy: y)),
    ]
    let marks: [(String, Layer)] = [
      ("verticalMark", .verticalMark(x: 2, label: "mark")),
      ("horizontalMark", .horizontalMark(y: 2, label: "mark")),
      ("text", .text(x: 1, y: 2, "text")),
      ("crosses", .crosses(x: x, y: y, label: "crosses")),
      (
        "barcode",
        .barcode([
          Layer.Interval(birth: 1, death: 2, dimension: 0),
          Layer.Interval(birth: 1, death: .infinity, dimension: 1),
        ])
      ),
    ]
    return (curves + maps + marks).map {
      ($0, Panel($0, legend: .below, colourLabel: "c", grid: true, layers: [$1]))
    }
  }()

  /// What gnuplot draws; fails if it says anything beside it.
  static func draw(_ figure: Figure, as format: Figure.Format = .svg, _ note: String) throws -> Data
  {
    let answer = try Gnuplot.run(figure.script(as: format), as: format, path: nil)
    #expect(answer.warnings.isEmpty, "\(note), \(format): \(answer.warnings)")
    return answer.drawing
  }

  static func svg(_ figure: Figure, _ note: String) throws -> String {
    String(decoding: try draw(figure, note), as: UTF8.self)
  }

  /// What stands in the text elements of a document, without its entities.
  static func texts(_ svg: String) -> [String] {
    svg.replacingOccurrences(of: "<text xml:space=\"preserve\">", with: "<text>")
      .components(separatedBy: "<text>").dropFirst().map {
        ($0.components(separatedBy: "</text>").first ?? "")
          .replacingOccurrences(of: "&lt;", with: "<").replacingOccurrences(of: "&gt;", with: ">")
          .replacingOccurrences(of: "&amp;", with: "&")
      }
  }

  @Test func everyKindOfLayerIsDrawnOnEveryScaleWithoutWarnings() throws {
    for (name, panel) in Self.kinds {
      for scales in [
        (Axis.Scale.linear, Axis.Scale.linear), (.logarithmic, .logarithmic),
        (.linear, .logarithmic),
      ] {
        var panel = panel
        panel.x.scale = scales.0
        panel.y.scale = scales.1
        let blank = Figure(panels: [Panel(panel.title, x: panel.x, y: panel.y, layers: [])])
        let svg = try Self.svg(Figure(panels: [panel]), "\(name) \(scales)")
        #expect(!svg.contains("no data"), "\(name)")
        #expect(svg != (try Self.svg(blank, name)), "\(name)")
      }
    }
  }

  @Test(arguments: Figure.Format.allCases) func bytesAreTheSameInEveryRun(format: Figure.Format)
    throws
  {
    let figure = Figure("all", columns: 4, width: .page, panels: Self.kinds.map(\.panel))
    let first = try Self.draw(figure, as: format, "first")
    // The clock goes on, which dates in files would show.
    Thread.sleep(forTimeInterval: 1.1)
    #expect(first == (try Self.draw(figure, as: format, "second")))
    switch format {
    case .svg: #expect(first.starts(with: Array("<?xml".utf8)))
    case .pdf: #expect(first.starts(with: Array("%PDF".utf8)))
    case .png: #expect(first.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]))
    }
    #expect(first.count > 20_000 && first.count < 2_000_000, "\(first.count) bytes")
  }

  /// Every place of a text takes every text literally.
  @Test func textsAreLiteral() throws {
    for text in Self.hostile {
      let panel = Panel(
        text, x: Axis(text, ticks: [Axis.Tick(0, text)]), y: Axis(text), legend: .topRight,
        layers: [
          .line(x: [0, 1], y: [0, 1], label: text), .text(x: 0, y: 0.5, text),
          .verticalMark(x: 0.5, label: text), .horizontalMark(y: 0.5, label: text),
        ])
      let figure = Figure(text, width: .page, panels: [panel])
      let texts = Self.texts(try Self.svg(figure, text))
      let shown = Typesetting.line(text)
      // A label of a tick has less room than the others.
      let count = Typesetting.width(shown, Typesetting.small) > 90 ? 8 : 9
      #expect(texts.filter { $0 == shown }.count == count, "\(text): \(texts)")
      for format in [Figure.Format.pdf, .png] { _ = try Self.draw(figure, as: format, text) }
    }
    #expect(FileManager.default.fileExists(atPath: Self.trap.path) == false)
    #expect(Typesetting.line("a\nb\u{1}") == "a b\u{FFFD}")
  }

  @Test func longTextsLoseTheirMiddle() throws {
    let long = String(repeating: "encoder.block.", count: 500) + "end"
    let panel = Panel(
      long, x: Axis(long), y: Axis(long), legend: .below,
      layers: [.bars(categories: [long, "b"], series: [Layer.Series(long, [1, 2])])])
    for text in Self.texts(try Self.svg(Figure(long, panels: [panel]), "long")) {
      #expect(text.count < 80, "\(text)")
    }
  }

  @Test func nothingFiniteIsNoData() throws {
    let nan = [Double.nan, .infinity, -.infinity]
    let layers: [Layer] = [
      .line(x: [], y: []), .line(x: nan, y: nan), .points(x: [1, 2, 3], y: nan),
      .band(x: nan, low: nan, high: nan), .histogram(edges: [0], counts: []),
      .bars(categories: [], series: []), .heatMap(x: [], y: [], values: []),
      .contours(x: [], y: [], values: [], levels: [1]), .path(x: [], y: []),
      .vectors(x: nan, y: nan, dx: nan, dy: nan), .verticalMark(x: .nan), .barcode([]),
    ]
    for layer in layers {
      let svg = try Self.svg(Figure(panels: [Panel(layers: [layer])]), "\(layer)")
      #expect(Self.texts(svg).contains("no data"), "\(layer)")
    }
    #expect(Self.texts(try Self.svg(Figure(panels: []), "no panel")).contains("no data"))
  }

  /// Gaps part a curve, and zeros are left out of logarithmic axes.
  @Test func gapsAndZeros() throws {
    let x = [0.0, 1, 10, 100, 1000, 1e4]
    let layer = Layer.line(x: x, y: [1, 2, 4, 0, 8, 16])
    let panel = Panel(
      x: Axis(scale: .logarithmic), y: Axis(scale: .logarithmic), layers: [layer])
    let frame = try #require(panel.frame)
    #expect(frame.x.low == 1 && frame.x.high == 1e4)
    guard case .curves(let curves, _) = layer.shapes(in: frame, turn: 0)[0] else {
      Issue.record("no curve")
      return
    }
    #expect(curves.map { $0.map(\.y) } == [[2, 4], [8, 16]])
    _ = try Self.svg(Figure(panels: [panel]), "zeros")
    let map = Layer.heatMap(x: [0, 1], y: [0, 1], values: [0, .nan, 2, 3])
    let square = try #require(Panel(layers: [map]).frame)
    guard case .picture(let picture) = map.shapes(in: square, turn: 0)[0] else {
      Issue.record("no picture")
      return
    }
    let missing = picture.cells.map { $0 == Paint.missing }
    #expect(picture.columns == 2 && missing == [false, true, false, false])
    let histogram = Panel(
      y: Axis(scale: .logarithmic), layers: [.histogram(edges: [0, 1, 2, 3], counts: [5, 0, 7])])
    _ = try Self.svg(Figure(panels: [histogram]), "empty bin")
  }

  @Test func extremeValues() throws {
    let huge = [-1.7e308, -1e100, 1e-300, 1e100, 1.7e308]
    let close: [Double] = [1, 1 + 1e-15, 1, 1, 1]
    let all: [[Double]] = [
      huge, [1, 1, 1, 1, 1], [0, 0, 0, 0, 0], [1e-300, 1, 2, 3, 1e99], close,
    ]
    for scale in [Axis.Scale.linear, .logarithmic] {
      for y in all {
        let axis = Axis("y", scale: scale)
        let panel = Panel(x: axis, y: axis, layers: [.line(x: y, y: y), .points(x: huge, y: y)])
        _ = try Self.svg(Figure(panels: [panel]), "\(y) \(scale)")
        let outside = Axis("y", scale: scale, range: -1...1e-30)
        _ = try Self.svg(Figure(panels: [Panel(x: outside, y: axis, layers: panel.layers)]), "\(y)")
      }
    }
  }

  /// A legend in a corner has no data under it, unless the axis's range was asked for.
  @Test func legendsKeepClearOfData() throws {
    let x: [Double] = (0...100).map(Double.init)
    let places: [Panel.Legend] = [.topRight, .topLeft, .bottomRight, .bottomLeft]
    for place in places {
      let series: [Layer] = (0..<4).map { .line(x: x, y: x.map { sin($0) }, label: "series \($0)") }
      var panel = Panel(legend: place, layers: series)
      let plan = PanelPlan(panel, width: 244, height: 176)
      let cell = Box(left: 0, bottom: 0, right: 244, top: 176)
      let (m, legend) = (plan.margins, try #require(plan.legend))
      let frame = Box(left: m.left, bottom: m.bottom, right: 244 - m.right, top: 176 - m.top)
      let box = legend.box(frame: frame, cell: cell)
      let y = [-1.0, 1.0].map { frame.bottom + plan.frame.y.fraction($0) * frame.height }
      #expect(y[1] < box.bottom || y[0] > box.top, "\(place): \(y), \(box)")
      panel.y.range = -1...1
      #expect(PanelPlan(panel, width: 244, height: 176).frame.y.high == 1)
    }
  }

  @Test func contoursFollowALinearFunctionAndCloseAroundAPeak() {
    let x = [0.0, 1, 3, 4], y = [0.0, 2, 5]
    let plane = y.flatMap { y in x.map { x in 2 * x + y } }
    let lines = Contours(x: x, y: y, values: plane).curves(4.5)
    #expect(lines.count == 1)
    #expect(lines.joined().allSatisfy { abs(2 * $0.x + $0.y - 4.5) < 1e-12 })
    let peak = Contours(x: [0, 1, 2], y: [0, 1, 2], values: [0, 0, 0, 0, 1, 0, 0, 0, 0]).curves(0.5)
    #expect(peak.count == 1 && peak[0].count == 5 && peak[0].first == peak[0].last)
    // A saddle whose mean lies above joins its high corners.
    let saddle = Contours(x: [0, 1], y: [0, 1], values: [1, 0, 0, 1]).curves(0.4)
    #expect(saddle.count == 2)
    let sides = saddle.map { curve in Set(curve.map { $0.x > $0.y }) }
    #expect(sides.allSatisfy { $0.count == 1 } && sides[0] != sides[1])
  }

  @Test func ticksAreRoundAndInside() {
    for (low, high) in [(0.0, 1.0), (-3.1, 7.2), (1e-9, 3e-9), (1e6, 1.5e6), (99.99, 100.01)] {
      let span = Span(Extent(), range: low...high, scale: .linear, padding: 0)
      let ticks = Ticks(span, count: 5).labelled
      #expect((3...6).contains(ticks.count), "\(low)…\(high): \(ticks)")
      #expect(ticks.allSatisfy { span.contains($0.value) }, "\(low)…\(high)")
      #expect(Set(ticks.map(\.label)).count == ticks.count, "\(low)…\(high): \(ticks)")
    }
    let decades = Span(Extent(), range: 1e-3...1e3, scale: .logarithmic, padding: 0)
    let labels = Ticks(decades, count: 9).labelled.map(\.label)
    #expect(labels == ["10⁻³", "10⁻²", "10⁻¹", "10⁰", "10¹", "10²", "10³"])
  }

  @Test func withoutGnuplotAMessageNamesThePackage() {
    let script = Figure(panels: []).script(as: .svg)
    let text = message { _ = try Gnuplot.run(script, as: .svg, path: "/nonexistent") }
    #expect(text == "the command gnuplot is not on the PATH; Debian's package is gnuplot-nox")
    let failure = message { _ = try Gnuplot.draw("nonsense", as: .svg) }
    #expect(failure.hasPrefix("the command gnuplot ended with status 1"), "\(failure)")
  }

  @Test func textHasItsRowsAndColumns() {
    for (columns, rows) in [(78, 20), (20, 6), (133, 41)] {
      for (name, panel) in Self.kinds {
        var panel = panel
        panel.x.label = "a label of the horizontal axis"
        let lines = Figure(name, panels: [panel]).text(columns: columns, rows: rows)
          .split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == rows + 1 && lines.last == "", "\(name): \(lines.count)")
        #expect(lines.dropLast().allSatisfy { $0.count == columns }, "\(name)")
      }
    }
    #expect(Figure(panels: [Panel(layers: [])]).text().contains("no data"))
  }

  /// A rising line goes from the lower left to the upper right corner, with its letter on it and in the legend.
  @Test func textOfALineRises() {
    let line = Layer.line(x: [0, 1], y: [0, 1], label: "identity")
    let text = Figure(panels: [Panel(y: Axis(range: 0...1), layers: [line])]).text(
      columns: 40, rows: 13)
    let lines = text.split(separator: "\n").map(Array.init)
    let starts = lines.prefix(10).compactMap { line in
      line.firstIndex { !" 01│".contains($0) }
    }
    #expect(starts.count == 10 && starts == starts.sorted(by: >), "\(text)")
    #expect(text.contains("A identity"))
    let map = Layer.heatMap(x: [0, 1], y: [0, 1], values: [0, 1, 2, 3])
    #expect(Figure(panels: [Panel(layers: [map])]).text().contains { "░▒▓█".contains($0) })
  }
}

import Foundation
import Testing

@testable import Figures

/// Barcodes, persistence diagrams, spectra, images and landscapes as figures.
@Suite struct PersistenceFigureTests {
  static let infinity = Double.infinity
  static let intervals = [
    (0.0, infinity, 0), (0, 1, 0), (0, 1, 0), (0, 1, 0), (0, 2, 0), (1, 3, 1), (1, 3, 1),
    (2, infinity, 1), (2, infinity, 1), (2.5, 2.75, 2), (.nan, 1, 1), (1, .nan, 0),
  ].map { Layer.Interval(birth: $0.0, death: $0.1, dimension: $0.2) }

  /// The marks of a panel, all within its frame.
  static func marks(_ panel: Panel) throws -> [[Point]] {
    let frame = try #require(panel.frame)
    return zip(panel.layers, panel.turns).flatMap { $0.shapes(in: frame, turn: $1) }.compactMap {
      guard case .markers(let points, _, _, _) = $0 else { return nil }
      #expect(points.allSatisfy { frame.contains($0) && frame.x.fraction($0.x) > 0.02 })
      #expect(points.allSatisfy { frame.y.fraction($0.y) > 0.02 && frame.y.fraction($0.y) < 0.98 })
      return points
    }
  }

  /// A mark for each different pair, on the diagonal or above, those without end on one line over all others, with the
  /// number of classes where it is more than one.
  @Test func diagramsShowAllClasses() throws {
    let panel = Panel.persistenceDiagram(Self.intervals)
    let marks = try Self.marks(panel)
    #expect(marks.map(\.count) == [3, 2, 1])
    let top = try #require(marks[0].map(\.y).max())
    #expect(
      marks.map { $0.filter { $0.y != top } }
        == [
          [Point(x: 0, y: 1), Point(x: 0, y: 2)], [Point(x: 1, y: 3)], [Point(x: 2.5, y: 2.75)],
        ])
    #expect(marks.map { $0.filter { $0.y == top }.map(\.x) } == [[0], [2], []])
    #expect(top > 3.12 && panel.y.ticks?.last == Axis.Tick(top, "∞"))
    let notes = panel.layers.compactMap { layer -> String? in
      if case .text(_, _, let words) = layer { words } else { nil }
    }
    #expect(notes == ["×3", "×2", "×2"])
    #expect(panel.entries.map(\.label) == ["H₀", "H₁", "H₂"])
  }

  @Test func diagramsOfAnyValues() throws {
    let cases: [(births: [Double], deaths: [Double])] = [
      ([0], [1]), ([0], [Self.infinity]), ([-3e-9, 1e-9], [0, 2e-9]), ([-5, -5], [-4, -4.5]),
      ([1e12], [1e12 + 1]), ([7], [7]),
    ]
    for (births, deaths) in cases {
      let panel = Panel.persistenceDiagram(
        zip(births, deaths).map { .init(birth: $0, death: $1, dimension: 0) })
      #expect(
        try Self.marks(panel).joined().count == Set(zip(births, deaths).map { [$0, $1] }).count)
      // The diagonal goes from corner to corner of what births span.
      let (x, y) = (try #require(panel.x.range), try #require(panel.y.range))
      #expect(x.lowerBound == y.lowerBound && x.upperBound <= y.upperBound)
    }
    #expect(Panel.persistenceDiagram([]).frame == nil)
  }

  /// A Betti number holds until the next scale.
  @Test func bettiNumbersAreSteps() throws {
    let figure = Figure.spectrum(
      scales: [0, 1, 3], eigenvalues: [[0, 0], [0, 0.5, 2], [0.25]], betti: [2, 1, 0])
    #expect(figure.panels.count == 2)
    guard case .line(let x, let y, _, _) = figure.panels[1].layers[0],
      case .line(_, let third, let name, _) = figure.panels[0].layers[2]
    else {
      Issue.record("no lines")
      return
    }
    #expect(x == [0, 1, 1, 3, 3] && y == [2, 2, 1, 1, 0])
    #expect(third[0].isNaN && third[1] == 2 && third[2].isNaN && name == "λ₃")
    #expect(figure.panels.map(\.x.range) == [0...3, 0...3])
    #expect(Figure.spectrum(scales: [], eigenvalues: []).panels.count == 1)
  }

  /// All kinds, with and without data, give drawings without a warning.
  @Test func allAreDrawn() throws {
    let panels: [Panel] = [
      .barcode(Self.intervals, title: "bars"), .barcode([Self.intervals[0]]), .barcode([]),
      .persistenceDiagram(Self.intervals, title: "pairs"), .persistenceDiagram([]),
      .persistenceImage(
        births: [0, 1], persistences: [0.5, 1.5, 2.5], values: [0, 1, 2, 3, 4, 5]),
      .persistenceLandscape((1...10).map { ([0, Double($0), 20], [0, 1 / Double($0), 0]) }),
      .persistenceLandscape([]),
    ]
    let figures =
      [Figure(columns: 3, width: .page, aspect: 1, panels: panels)]
      + [Axis.Scale.linear, .logarithmic].map {
        .spectrum(
          scales: [0, 1, 2], eigenvalues: [[0], [0, 1], [0.5, 2]], betti: [1, 1, 0],
          eigenvalueScale: $0)
      }
    for figure in figures {
      let (drawing, warnings) = try Gnuplot.run(figure.script(as: .svg), as: .svg, path: nil)
      #expect(warnings.isEmpty && drawing.count > 1000, "\(warnings)")
      #expect(!figure.text().isEmpty)
    }
  }
}

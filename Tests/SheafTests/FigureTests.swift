import Foundation
import LinearAlgebra
import NeuralSheaves
import Testing

@testable import Figures

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// Laws of the drawings, on seeded random graphs and at the extremes.
struct FigureTests {
  static let seeds = Array(UInt64(0)..<50)

  /// Deep and broad graphs in turn, with skips, parallel edges, extra roots and labels.
  static func randomDrawing(seed: UInt64) -> GraphDrawing {
    var g = RandomGenerator(case: seed)
    let count = 1 + Int(g.uniform(0, 90))
    let span = seed % 2 == 0 ? 4.0 : 30.0
    let kinds = ["affine", "activation", "pooling", "junction", "other"]
    var edges: [GraphDrawing.Edge] = []
    for target in 1..<max(count, 1) {
      for _ in 0..<Int(g.uniform(0.9, 3.5)) {
        edges.append(
          GraphDrawing.Edge(
            source: max(0, target - 1 - Int(g.uniform(0, span))), target: target,
            label: g.uniform() < 0.3 ? "\(target) parameters" : "",
            kind: kinds[Int(g.uniform(0, 5))]))
      }
    }
    let vertices = (0..<count).map { v in
      GraphDrawing.Vertex(
        name: String(repeating: "v", count: 1 + Int(g.uniform(0, 12))) + "\(v)",
        detail: "\(v)", kind: v == 0 ? "input" : kinds[v % 5])
    }
    return GraphDrawing(vertices: vertices, edges: edges, title: "seed \(seed)")
  }

  @Test(arguments: seeds) func boxesAndLabelsAreDisjoint(seed: UInt64) {
    let layout = Self.randomDrawing(seed: seed).layout
    for (i, box) in layout.boxes.enumerated() {
      for other in layout.boxes[..<i] { #expect(!box.overlaps(other), "seed \(seed)") }
      for label in layout.labels {
        if let label { #expect(!box.overlaps(label), "seed \(seed)") }
      }
    }
  }

  @Test(arguments: seeds) func linesMeetBoxesAtTheirEndsOnly(seed: UInt64) {
    let drawing = Self.randomDrawing(seed: seed)
    let layout = drawing.layout
    #expect(layout.routes.count == drawing.edges.count, "seed \(seed)")
    for (edge, route) in zip(drawing.edges, layout.routes) {
      let (source, target) = (layout.boxes[edge.source], layout.boxes[edge.target])
      #expect(route.start.y == source.bottom && route.end.y == target.top, "seed \(seed)")
      #expect(source.left < route.start.x && route.start.x < source.right, "seed \(seed)")
      #expect(target.left < route.end.x && route.end.x < target.right, "seed \(seed)")
      let points = route.samples(perPiece: 64)
      #expect(
        !points.contains { p in layout.boxes.contains { $0.contains(p) } },
        "seed \(seed), \(edge.source) → \(edge.target)")
      #expect(
        points.allSatisfy {
          -1e-9 <= $0.x && $0.x <= layout.width + 1e-9 && -1e-9 <= $0.y
            && $0.y <= layout.height + 1e-9
        }, "seed \(seed)")
    }
  }

  @Test(arguments: seeds) func documentsParseAndAreComplete(seed: UInt64) {
    let drawing = Self.randomDrawing(seed: seed)
    let elements = ElementCounter.count(drawing.svg)
    #expect(elements?["vertex"] == drawing.vertices.count, "seed \(seed)")
    #expect(elements?["edge"] ?? 0 == drawing.edges.count, "seed \(seed)")
    #expect(drawing.svg == Self.randomDrawing(seed: seed).svg, "seed \(seed)")
  }

  @Test func chainsAreStraightAndLongOnesFold() {
    func chain(_ count: Int) -> LayeredLayout {
      LayeredLayout(
        widths: (0..<count).map { 50 + Double($0 % 3) * 20 },
        edges: (1..<count).map { LayeredGraph.Edge(source: $0 - 1, target: $0) },
        labelWidths: (1..<count).map { Double($0 % 2) * 70 })
    }
    let short = chain(20)
    #expect(short.columnCount == 1)
    for box in short.boxes { #expect(abs(box.centre.x - short.boxes[0].centre.x) < 1e-9) }
    let long = chain(500)
    #expect(long.columnCount == 17)
    #expect(long.width < 2 * long.height)
  }

  @Test func skipsRunStraightBesideTheChain() {
    // 0 → 1 → … → 12 with skips over three, nested in one over all.
    var edges = (0..<12).map { LayeredGraph.Edge(source: $0, target: $0 + 1) }
    for v in stride(from: 0, to: 12, by: 3) {
      edges.append(LayeredGraph.Edge(source: v, target: v + 3))
    }
    edges.append(LayeredGraph.Edge(source: 0, target: 12))
    let layout = LayeredLayout(
      widths: (0..<13).map { 50 + Double($0 % 4) * 20 }, edges: edges,
      labelWidths: edges.map { _ in 0 })
    for box in layout.boxes { #expect(abs(box.centre.x - layout.boxes[0].centre.x) < 1e-9) }
    for route in layout.routes.dropFirst(12) {
      #expect(route.pieces.count { !$0.isLine } == 2, "one curve out and one back")
    }
  }

  @Test func nearestSeparatedPoints() {
    // Two coincident points move apart evenly, or as their weights say; one at rest stays.
    #expect(separated([0, 0, 9], weights: [1, 1, 1], by: [2, 2]) == [-1, 1, 9])
    #expect(separated([0, 0], weights: [3, 1], by: [4]) == [-1, 3])
    #expect(separated([5, 0], weights: [1, 1], by: [1]) == [2, 3])
  }

  @Test func extremes() {
    let long = String(repeating: "encoder.block.", count: 1000)
    let nasty = GraphDrawing(
      vertices: [
        GraphDrawing.Vertex(name: long, detail: "<a & b>\u{1}", kind: "\"kind\""),
        GraphDrawing.Vertex(name: "名前]]>", detail: "", kind: "input"),
      ],
      edges: [GraphDrawing.Edge(source: 0, target: 1, label: long, kind: "'")], title: long)
    #expect(ElementCounter.count(nasty.svg)?["vertex"] == 2)
    #expect(nasty.layout.width < 400)
    #expect(ElementCounter.count(GraphDrawing(vertices: [], edges: [], title: "").svg) != nil)
    let fan = GraphDrawing(
      vertices: (0..<42).map { GraphDrawing.Vertex(name: "\($0)", detail: "", kind: "affine") },
      edges: (1..<41).flatMap {
        [
          GraphDrawing.Edge(source: 0, target: $0, kind: "affine"),
          GraphDrawing.Edge(source: $0, target: 41, kind: "junction"),
        ]
      }, title: "")
    let ports = fan.layout.routes.filter { $0.end.y == fan.layout.boxes[41].top }.map(\.end.x)
    #expect(ports.count == 40)
    for (a, b) in zip(ports.sorted(), ports.sorted().dropFirst()) { #expect(b - a > 8) }
  }

  @Test func networksShowDimensionsOperationsAndOutput() throws {
    var g = RandomGenerator(seed: 1)
    var network = try Network(widths: [64, 128, 64, 10], outputActivation: .softmax, using: &g)
    let drawing = GraphDrawing(network, title: "chain")
    #expect(drawing.vertices.map(\.name) == ["x", "z1", "a1", "z2", "a2", "z3", "a3"])
    #expect(drawing.vertices.map(\.detail) == ["64", "128", "128", "64", "64", "10", "10"])
    #expect(
      drawing.vertices.map(\.kind) == [
        "input", "affine", "activation", "affine", "activation", "affine", "output",
      ])
    #expect(
      drawing.edges.map(\.label) == [
        "dense 64→128", "ReLU", "dense 128→64", "ReLU", "dense 64→10", "φ = softmax",
      ])
    network.outputActivation = .identity
    #expect(GraphDrawing(network, title: "").vertices.count == 6)
  }
}

/// Counts the elements of an XML document by their class.
private final class ElementCounter: NSObject, XMLParserDelegate {
  private var counts: [String: Int] = [:]

  /// The counts, or nil if the document is not well formed.
  static func count(_ document: String) -> [String: Int]? {
    let counter = ElementCounter()
    let parser = XMLParser(data: Data(document.utf8))
    parser.delegate = counter
    return parser.parse() ? counter.counts : nil
  }

  func parser(
    _ parser: XMLParser, didStartElement _: String, namespaceURI _: String?,
    qualifiedName _: String?, attributes: [String: String]
  ) {
    if let name = attributes["class"] { counts[name, default: 0] += 1 }
  }
}

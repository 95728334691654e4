import Foundation
import LinearAlgebra
import NeuralSheaves
import Testing

@testable import Figures

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// Drawings of seeded random graphs and at the extremes, by Graphviz.
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

  /// Graphviz draws every graph, box by box and arrow by arrow, and the same graph gives the same text.
  @Test(arguments: seeds) func drawingsAreComplete(seed: UInt64) throws {
    let drawing = Self.randomDrawing(seed: seed)
    #expect(drawing.dot == Self.randomDrawing(seed: seed).dot, "seed \(seed)")
    let elements = ElementCounter.count(try Self.svg(drawing))
    #expect(elements?["node"] == drawing.vertices.count, "seed \(seed)")
    #expect(elements?["edge"] ?? 0 == drawing.edges.count, "seed \(seed)")
  }

  private static func svg(_ drawing: GraphDrawing) throws -> String {
    String(decoding: try Graphviz.draw(drawing.dot, as: .svg), as: UTF8.self)
  }

  @Test func extremes() throws {
    let long = String(repeating: "encoder.block.", count: 1000)
    let nasty = GraphDrawing(
      vertices: [
        GraphDrawing.Vertex(name: long, detail: "<a & b>\u{1}\\N\\", kind: "\"kind\""),
        GraphDrawing.Vertex(name: "名前]]>", detail: "", kind: "input"),
        GraphDrawing.Vertex(name: "", detail: "\n", kind: ""),
      ],
      edges: [GraphDrawing.Edge(source: 0, target: 1, label: long, kind: "'")], title: long)
    let svg = try Self.svg(nasty)
    #expect(ElementCounter.count(svg)?["node"] == 3)
    #expect(svg.contains("&lt;a &amp; b&gt;\u{FFFD}") && svg.count < 5000)
    let none = GraphDrawing(vertices: [], edges: [], title: "")
    #expect(ElementCounter.count(try Self.svg(none)) != nil)
    #expect(try Graphviz.draw(nasty.dot, as: .png).starts(with: [0x89, 0x50, 0x4E, 0x47]))
    #expect(try Graphviz.draw(nasty.dot, as: .pdf).starts(with: Array("%PDF".utf8)))
    #expect(throws: DrawingFailure.self) { try Graphviz.draw("digraph {", as: .svg) }
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

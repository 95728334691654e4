import Foundation
import LinearAlgebra
import Testing

@testable import WebPages

/// Drawings of gnuplot and Graphviz made fit for a page.
struct PageFigureTests {
  static let docs = PageTests.root.appendingPathComponent("Docs")

  private func adapted(_ svg: String) throws -> XMLReader {
    let element = SVG.adapted(svg, idPrefix: "f-", title: "a \"title\" <")
    return try #require(XMLReader.read(element), "\(element.prefix(2000))")
  }

  @Test(arguments: [
    "architecture.svg", "figures/breast-cancer.svg", "figures/circle-and-torus.svg",
    "figures/digit-loops.svg", "figures/digit-scales.svg", "figures/digit-views.svg",
    "figures/el-nino.svg", "figures/el-nino-scales.svg", "figures/protein-flexibility.svg",
    "figures/search-and-rescue.svg",
  ])
  func figuresKeepWhatTheySay(file: String) throws {
    let svg = try String(contentsOf: Self.docs.appendingPathComponent(file), encoding: .utf8)
    let (before, after) = (try #require(XMLReader.read(svg)), try adapted(svg))
    // Graphviz sets texts of its own, gnuplot within elements of theirs.
    func words(_ reader: XMLReader) -> [String] {
      reader.text(of: "text").map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
    }
    #expect(words(after) == words(before) && words(after).count > 10)
    for shape in ["path", "polygon", "use", "image", "polyline", "ellipse"] {
      // The ground may be one of them.
      #expect(before.all(shape).count - after.all(shape).count <= (shape == "polygon" ? 1 : 0))
    }
    let root = try #require(after.elements.first).attributes
    #expect(root["aria-label"] == "a \"title\" <" && root["role"] == "img")
    #expect(root["width"] == nil && root["height"] == nil)
    #expect(root["viewBox"] == before.elements.first?.attributes["viewBox"])
    let ids = after.attributes("id")
    #expect(ids.allSatisfy { $0.hasPrefix("f-") } && Set(ids).count == ids.count)
    let references = after.attributes("href").filter { !$0.hasPrefix("data:") }
    #expect(references.allSatisfy { ids.contains(String($0.dropFirst())) })
    let text = after.source
    #expect(!text.contains("http") && !text.contains("<?") && !text.contains("<!"))
    #expect(text.contains("currentColor"))
    #expect(
      !text.contains("\"black\"") && !text.contains("\"#000000\"") && !text.contains("#FFFFFF"))
    #expect(after.all("title").isEmpty && after.all("desc").isEmpty)
  }

  @Test func whatRunsOrLoadsIsLeftOut() throws {
    let after = try adapted(
      """
      <?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x "y">]><svg width="20pt" height="10" onload="a()">
      <script>alert(1)</script><style>@import "//a"</style><set attributeName="href" to="javascript:a()"/>
      <foreignObject><b>b</b></foreignObject><rect fill="white" width="20" height="10"/>
      <a href="javascript:a()" xlink:title="t"><rect fill="url(http://a/#b)" class="table"/></a>
      <image href="https://a/b.png"/><image xlink:href="data:image/png;base64,AA"/><image href="data:text/html,x"/>
      <use href="other.svg#x"/><g style="fill:url(#p);stroke: black;background:url(//a)"/>
      <circle id="p" fill="url('#p')" stroke='rgb( 26, 26,26)' onclick=a() r=1 />
      <rect fill="#ffffff"/><rect fill="#fafbfa"/></stray><text>a &nbsp; &amp; &#65; &#0; <tspan>b</tspan></text>
      </svg><script>late()</script>
      """)
    #expect(!after.source.contains("http") && !after.source.contains("javascript"))
    #expect(!after.source.contains("//") && !after.source.contains("alert"))
    #expect(!after.source.contains("late"))
    let names = Set(after.elements.map(\.name))
    #expect(names == ["svg", "g", "rect", "image", "use", "circle", "text", "tspan"])
    #expect(after.elements.allSatisfy { !$0.attributes.keys.contains { $0.hasPrefix("on") } })
    #expect(after.attributes("class").isEmpty)
    #expect(after.attributes("href") == ["data:image/png;base64,AA"])
    #expect(after.attributes("viewBox") == ["0 0 20.0 10.0"])
    #expect(after.attributes("style").last == "fill:url(#f-p);stroke:currentColor")
    let circle = try #require(after.all("circle").first)
    #expect(circle["fill"] == "url(#f-p)" && circle["stroke"] == "var(--tone-1,#1a1a1a)")
    // The first white rectangle was the ground, the second is not.
    #expect(after.all("rect").map { $0["fill"] } == [nil, "var(--ground,#ffffff)", "#fafbfa"])
    #expect(after.text(of: "text") == ["a &nbsp; & A &#0; b"])
  }

  @Test func linksLeadToPlacesOfThePage() throws {
    let svg =
      "<svg viewBox=\"0 0 9 9\"><a xlink:href=\"#row&#45;1 &amp; 2\" xlink:title=\"one\"><path/></a>"
      + "<a href=\"#own\"><path id=\"own\"/></a><a href=\"#none\"><path/></a><a href=\"#own\"><text>2</text></a></svg>"
    let adapted = SVG.adapted(svg, idPrefix: "f-", title: "") { $0 == "none" ? nil : Anchor.id($0) }
    let after = try #require(XMLReader.read(adapted?.element ?? ""))
    #expect(after.attributes("href") == ["#" + Anchor.id("row-1 & 2"), "#f-own", "#f-own"])
    #expect(after.all("a").map { $0["tabindex"] } == [nil, nil, "-1"])
    #expect(after.all("a").first?["aria-label"] == "one" && after.text(of: "title") == ["one"])
    #expect(after.elements.first?.attributes["role"] == "group")
    #expect(SVG.adapted("no figure", idPrefix: "f-", title: "") == "")
  }

  @Test func greysAreTonesAndColoursStay() {
    for (given, expected) in [
      ("black", "currentColor"), ("#000", "currentColor"), ("rgb(5, 5,5)", "currentColor"),
      ("white", "var(--ground,#ffffff)"), ("#666666", "var(--tone-4,#666666)"),
      ("lightgrey", "var(--tone-8,#d3d3d3)"), ("none", "none"), ("#0072b2", "#0072b2"),
      ("currentColor", "currentColor"), ("rgb(1,2,3)", "rgb(1,2,3)"), ("#00000", "#00000"),
      ("rgb(999,999,999)", "rgb(999,999,999)"), ("", ""),
    ] { #expect(SVG.adapted(colour: given) == expected, "\(given)") }
  }

  /// Whatever the document, an element comes out that XML can read.
  @Test func damagedFiguresStayReadable() throws {
    let svg = try String(
      contentsOf: Self.docs.appendingPathComponent("figures/el-nino-gap.svg"), encoding: .utf8)
    let start = Array(svg.utf8.prefix(5000))
    let signs = Array("<>\"'/=& ;#![-?x\u{0}".utf8)
    let tally = try Tally.over(Array(0..<200)) { seed, tally in
      var g = RandomGenerator(case: seed)
      var bytes = start
      for _ in 0..<g.integer(1...12) {
        let place = g.integer(0...bytes.count - 1)
        switch g.integer(0...2) {
        case 0: bytes[place] = signs[g.integer(0...signs.count - 1)]
        case 1: bytes.removeSubrange(place..<min(place + g.integer(1...80), bytes.count))
        default: bytes.insert(signs[g.integer(0...signs.count - 1)], at: place)
        }
      }
      let text = String(decoding: bytes, as: UTF8.self)
      let adapted = SVG.adapted(text, idPrefix: "f-", title: "")
      tally.expect(adapted.isEmpty || XMLReader.read(adapted) != nil, "seed \(seed)")
    }
    tally.check(atLeast: 200)
  }
}

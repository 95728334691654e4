import ArrayFiles
import CellComplexes
import CellularSheaves
import Foundation
import LinearAlgebra
import SheafCohomology
import Testing

@testable import SheafFiles

/// Sheaf files: every form, there and back, and one clear error for what is none.
@Suite(.serialized) struct SheafFileTests {
  static func read(_ text: String) throws -> SheafFile {
    try SheafFile(json: Data(text.utf8), file: "a.json")
  }

  static func cellular(_ text: String) throws -> CellularSheaf {
    guard case .cellular(let sheaf) = try read(text).content else {
      preconditionFailure("a poset")
    }
    return sheaf
  }

  static func names(_ complex: CellComplex) -> [String] { (0..<complex.count).map(complex.name) }

  /// Equal stalks, maps, incidences, names and inner products.
  static func same(_ a: CellularSheaf, _ b: CellularSheaf) -> Bool {
    let (x, y) = (a.complex, b.complex)
    return x.dimensionStarts == y.dimensionStarts && names(x) == names(y) && a.stalks == b.stalks
      && (0..<x.count).allSatisfy { cell in
        let n = a.stalk(of: cell)
        return a.innerProduct(of: cell).dense(n) == b.innerProduct(of: cell).dense(n)
          && x.incidences(of: cell) == y.incidences(of: cell)
          && x.incidences(of: cell).allSatisfy { i in
            let d = a.stalk(of: x.face(i))
            return x.face(i) == y.face(i) && x.sign(i) == y.sign(i)
              && a.map(i).dense(d) == b.map(i).dense(d)
          }
      }
  }

  static let edge = """
    {"name": "two", "cells": [
      {"id": "ab", "stalk": 1, "weight": 4, "faces": [
        {"of": "a", "sign": -1, "map": [[1, 0]]}, {"map": [[0, 1e0]], "of": 7, "sign": 1}]},
      {"id": "a", "stalk": 2, "weight": [1, 2.5], "position": [0.5, -1]},
      {"id": 7, "stalk": 2, "weight": [[2, 1], [1, 2]]},
      {"id": "ray", "stalk": 2, "faces": [{"of": "a", "sign": -1, "map": "identity"}]},
      {"id": "loop", "stalk": 2, "faces": [
        {"of": "a", "sign": -1, "map": -0.5}, {"of": "a", "sign": 1, "map": "identity"}]},
      {"id": "none", "stalk": 0, "faces": [{"of": "a", "sign": 1, "map": []}]},
      {"id": "empty", "stalk": 0}, {"id": "from", "stalk": 1, "faces": [
        {"of": "empty", "sign": -1, "map": [[]]}, {"of": "a", "sign": 1, "map": [[3, 4]]}]}],
     "comment": "half-open edges, loops, weights and stalks of dimension 0"}
    """

  @Test func cellsAreReadAsTheyStand() throws {
    let file = try Self.read(Self.edge)
    let sheaf = try Self.cellular(Self.edge)
    let complex = sheaf.complex
    #expect(Self.names(complex) == ["a", "7", "empty", "ab", "ray", "loop", "none", "from"])
    #expect(sheaf.stalks == [2, 2, 0, 1, 2, 2, 0, 1])
    #expect(file.positions == ["a": [0.5, -1]])
    #expect(sheaf.innerProduct(of: 0) == .diagonal([1, 2.5]))
    #expect(sheaf.innerProduct(of: 1) == .matrix(Matrix([[2, 1], [1, 2]])))
    #expect(sheaf.innerProduct(of: 3) == .scalar(4) && sheaf.innerProduct(of: 4) == .standard)
    // Columns a (2), 7 (2); rows ab, ray (2), loop (2), from.
    let expected = Matrix([
      [-1, 0, 0, 1], [-1, 0, 0, 0], [0, -1, 0, 0], [1.5, 0, 0, 0], [0, 1.5, 0, 0], [3, 4, 0, 0],
    ])
    #expect(sheaf.coboundary(0).dense == expected)
    #expect(complex.isComplete() == [true, true, true, true, false, true, false, true])
    #expect(Self.same(try SheafFile(json: sheaf.json, file: "b").cellular()!, sheaf))
  }

  @Test func shorthandsAreConstantSheaves() throws {
    let graph = try Self.cellular(
      #"{"graph": [["a", "b"], ["b", "c"], ["a", "b"], ["c"], [4, "a"]], "vertices": ["z", "c"], "stalk": 2}"#
    )
    #expect(
      Self.names(graph.complex)
        == ["z", "c", "a", "b", "4", "a,b", "b,c", "a,b#2", "c,", "4,a"])
    #expect(graph.stalks == [Int](repeating: 2, count: 10))
    #expect(graph.complex.incidences(of: 6).map { graph.complex.face($0) } == [3, 1])
    #expect(graph.complex.incidences(of: 8).map { graph.complex.face($0) } == [1])
    #expect(try Self.cellular(#"{"graph": []}"#).complex.count == 0)

    let rips = try Self.read(
      #"{"points": [[0, 0], [1, 0], [0, 1], [5, 5]], "radius": 1, "maximumDimension": 1}"#)
    #expect(rips.cellular()!.complex.cellCounts == [4, 2])
    #expect(Self.names(rips.cellular()!.complex).suffix(2) == ["0,1", "0,2"])
    #expect(rips.positions["3"] == [5, 5])
    // Dimension 2 if none is given; a stalk of 3.
    let filled = try Self.cellular(
      #"{"points": [[0], [1], [2], [2.5]], "radius": 10, "stalk": 3}"#)
    #expect(filled.complex.cellCounts == [4, 6, 4] && filled.stalks.allSatisfy { $0 == 3 })
    #expect(try Self.cellular(#"{"points": [], "radius": 0}"#).complex.count == 0)
  }

  @Test func posetsAreRead() throws {
    let file = try Self.read(
      """
      {"poset": [{"id": "x", "stalk": 1, "below": [{"of": "y", "map": 2}, {"of": "z", "map": [[1, 3]]}]},
       {"id": "y", "stalk": 1}, {"id": "z", "stalk": 2}]}
      """)
    guard case .poset(let sheaf) = file.content else {
      Issue.record("no poset")
      return
    }
    #expect(sheaf.poset.names == ["x", "y", "z"] && sheaf.poset.below == [[1, 2], [], []])
    #expect(
      sheaf.stalks == [1, 1, 2] && sheaf.maps[0] == [.scalar(2), .matrix(Matrix([[1, 3]]))])
    // H⁰: 2y = z₀ + 3z₁.
    #expect(try RealCohomology(#require(file.cellular())).betti == [2, 0])
  }

  private func write(_ name: String, _ data: Data) throws -> String {
    let folder = NSTemporaryDirectory() + "sheaf-files-\(getpid())/"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try data.write(to: URL(fileURLWithPath: folder + name))
    return folder + name
  }

  @Test func graphsAreReadFromTheirFiles() throws {
    let tables = [
      ("a.csv", "source,target,weight\na,b,1\n\"b\", c ,2\r\n\n# a comment\nc,a,3\n"),
      ("b.tsv", "From\tTo\na\tb\nb\tc\nc\ta"), ("c.txt", "a b\n  b   c 5\n\nc a\n"),
      ("d.csv", "a;b\nb;c\nc;a\n"),
    ]
    for (name, text) in tables {
      let path = try write(name, Data(text.utf8))
      let sheaf = try #require(try SheafFile(contentsOf: path).cellular())
      #expect(Self.names(sheaf.complex) == ["a", "b", "c", "a,b", "b,c", "c,a"], "\(name)")
      #expect(try RealCohomology(sheaf).betti == [1, 1], "\(name)")
    }
    let graphML = """
      <?xml version="1.0" encoding="UTF-8"?>
      <!-- a < b -->
      <g:graphml xmlns:g='http://graphml.graphdrawing.org/xmlns'>
        <g:key id="d0" for="node" attr.name="colour"/>
        <g:graph id="G" edgedefault="undirected">
          <g:node id="a&amp;&#x62;"><g:data key="d0"><![CDATA[<node id="no"/>]]></g:data></g:node>
          <g:node id='b'/> <g:node id = "c"/>
          <g:edge source="a&#38;b" target="b"/><g:edge id="e" target="c" source="b"></g:edge>
        </g:graph>
      </g:graphml>
      """
    for name in ["a.graphml", "b.XML"] {
      let sheaf = try #require(
        try SheafFile(contentsOf: write(name, Data(graphML.utf8))).cellular())
      #expect(Self.names(sheaf.complex) == ["a&b", "b", "c", "a&b,b", "b,c"])
    }
    let json = try SheafFile(contentsOf: write("a.json", Data(Self.edge.utf8)))
    #expect(Self.same(try #require(json.cellular()), try Self.cellular(Self.edge)))
    let bad = [
      ("e.csv", "a,b\nc\n", "line 2: \"c\", expected the two ends of an edge"),
      ("f.csv", "a,\n", "line 1"), ("f.graphml", "<a></a>", "no element graph"),
      ("g.graphml", "<graph><node/></graph>", "a node without id"),
      ("h.graphml", "<graph><edge source=\"a\"/></graph>", "source or target"),
      ("i.graphml", "<graph><node id=\"a\"/><edge source=\"a\" target=\"q\"/></graph>", "\"q\""),
      ("j.graphml", "<graph><node id=\"a\"/><node id=\"a\"/></graph>", "two nodes"),
      ("k.graphml", "<!DOCTYPE x [<!ENTITY a \"b\">]><graph/>", "document type"),
      ("l.graphml", "<graph><node id=\"&q;\"/></graph>", "&q;"),
      ("m.graphml", "<graph><node id=\"a", "the end within a value"),
      ("n.graphml", "<graph><node id", "without a value"),
      ("o.graphml", "<graph><hyperedge/></graph>", "hyperedge"), ("p.graphml", "<!-- ", "-->"),
    ]
    for (name, text, expected) in bad {
      let path = try write(name, Data(text.utf8))
      let found = message { _ = try SheafFile(contentsOf: path) }
      #expect(found.hasPrefix(path + ": ") && found.contains(expected), "\(found)")
    }
    #expect(message { _ = try SheafFile(contentsOf: "/nowhere.json") }.contains("/nowhere.json"))
  }

  @Test func sheavesComeBackFromTheirFiles() throws {
    try Tally.over(Array(0..<60)) { seed, tally in
      var g = RandomGenerator(case: seed)
      let sheaf: CellularSheaf
      if seed % 2 == 0 {
        sheaf = g.weightedSheaf(
          on: g.simplicial(vertices: 5, facets: 4, dimension: 3).complex, summands: 3)
      } else {
        let graph = g.graph(vertices: 5, edges: 8, halfOpen: true)
        let stalks = (0..<graph.count).map { _ in g.integer(0...3) }
        sheaf = try .random(on: graph, stalks: stalks, using: &g).weighted(g.weights(stalks))
      }
      let back = try #require(try SheafFile(json: sheaf.json, file: "a").cellular())
      tally.expect(Self.same(sheaf, back), "\(seed)")
      tally.expect(back.json == sheaf.json, "\(seed), text")
    }.check(atLeast: 120)
    for sheaf in [
      CellularSheaf.constant(2, on: Spaces.lens(3)), .zero(on: .path(3)),
      .constant(1, on: try .graph(vertices: 2, edges: [(0, 1)], names: ["\"\\\n", "é", "\u{7f}"])),
    ] {
      #expect(
        Self.same(sheaf, try #require(try SheafFile(json: sheaf.json, file: "a").cellular())))
    }
  }

  /// A face of an edge between stalks of dimensions 2 and 1.
  static func face(_ face: String) -> String {
    #"{"cells":[{"id":"a","stalk":2},{"id":"b","stalk":2},{"id":"ab","stalk":1,"faces":[\#(face)]}]}"#
  }

  static let refused: [(text: String, says: [String])] = [
    (face(#"{"of":"a","sign":1,"map":[[1,2,3]]}"#), ["\"ab\"", "\"a\"", "(1, 3)", "(1, 2)"]),
    (face(#"{"of":"a","sign":1,"map":[[1,2],[3,4]]}"#), ["\"ab\"", "\"a\"", "(2, 2)", "(1, 2)"]),
    (
      face(#"{"of":"a","sign":1,"map":[[1,2],[3]]}"#),
      ["\"ab\"", "\"a\"", "different lengths", "(1, 2)"]
    ),
    (face(#"{"of":"a","sign":1,"map":[]}"#), ["\"ab\"", "\"a\"", "(0, 2)", "(1, 2)"]),
    (face(#"{"of":"a","sign":1,"map":"identity"}"#), ["\"ab\"", "\"a\"", "identity", "(1, 2)"]),
    (face(#"{"of":"a","sign":1,"map":3}"#), ["\"ab\"", "\"a\"", "(1, 2)"]),
    (face(#"{"of":"q","sign":1,"map":3}"#), ["\"ab\"", "\"q\"", "id of a cell"]),
    (face(#"{"of":"a","sign":2,"map":[[1,2]]}"#), ["\"ab\"", "\"a\"", "2.0", "1 or -1"]),
    (face(#"{"of":"a","sign":0,"map":[[1,2]]}"#), ["\"ab\"", "0.0", "1 or -1"]),
    (face(#"{"of":"a","map":[[1,2]]}"#), ["\"ab\"", "\"a\"", "missing", "1 or -1"]),
    (face(#"{"of":"a","sign":1}"#), ["\"ab\"", "\"a\"", "without \"map\""]),
    (face(#"{"sign":1,"map":1}"#), ["\"ab\"", "without \"of\""]),
    (face(#"{"of":"a","sign":1,"map":"identiti"}"#), ["\"ab\"", "identiti", "\"identity\""]),
    (
      face(#"{"of":"a","sign":1,"map":{"distance":[1]}}"#),
      ["\"ab\"", "\"a\"", "(1, 1)", "expected (1, 2)"]
    ),
    (face(#"{"of":"a","sign":1,"map":null}"#), ["\"ab\"", "found \"n\"", "a map"]),
    (face(#"{"of":"a","sign":1,"map":[[1,NaN]]}"#), ["\"ab\"", "found \"N\""]),
    (face(#"{"of":"a","sign":1,"map":[[1,-Infinity]]}"#), ["\"ab\"", "-", "finite number"]),
    (face(#"{"of":"a","sign":1,"map":[[1,1e999]]}"#), ["\"ab\"", "1e999", "finite number"]),
    (
      face(#"{"of":"a","sign":1,"maps":[[1,1]]}"#),
      ["\"ab\"", "\"maps\"", "\"of\", \"sign\", \"map\""]
    ),
    (face(#"{"of":"a","sign":1,"map":[[1,1]],"of":"b"}"#), ["\"ab\"", "\"of\" twice"]),
    (face(#"{"of":"ab","sign":1,"map":1}"#), ["circle", "\"ab\" < \"ab\""]),
    (#"{"cells":[{"id":"a","stalk":1},{"id":"a","stalk":1}]}"#, ["\"a\"", "different ids"]),
    (#"{"cells":[{"id":"a"}]}"#, ["\"a\"", "no \"stalk\""]),
    (#"{"cells":[{"stalk":1}]}"#, ["cell 0", "no \"id\""]),
    (#"{"cells":[{"id":"a","stalk":-1}]}"#, ["\"a\"", "-1", "whole number"]),
    (#"{"cells":[{"id":"a","stalk":1.5}]}"#, ["\"a\"", "1.5", "whole number"]),
    (#"{"cells":[{"id":"a","stalk":1,"degree":0}]}"#, ["\"a\"", "\"degree\"", "\"id\""]),
    (#"{"cells":[{"id":"a","stalk":9223372036854775807},{"id":"b","stalk":9}]}"#, ["100000000"]),
    (#"{"cells":[{"id":"a","stalk":3000000000}]}"#, ["100000000"]),
    (
      #"{"cells":[{"id":"a","stalk":1,"faces":[{"of":"b","sign":1,"map":1}]},{"id":"b","stalk":1,"faces":[{"of":"a","sign":1,"map":1}]}]}"#,
      ["circle", "\"a\" < \"b\" < \"a\""]
    ),
    (
      #"{"cells":[{"id":"a","stalk":1},{"id":"e","stalk":1,"faces":[{"of":"a","sign":1,"map":1}]},{"id":"f","stalk":1,"faces":[{"of":"e","sign":1,"map":1},{"of":"a","sign":1,"map":1}]}]}"#,
      ["\"f\"", "\"a\" of dimension 0", "dimension 1"]
    ),
    (#"{"cells":[{"id":"a","stalk":1,"weight":0}]}"#, ["\"a\"", "0.0", "positive"]),
    (#"{"cells":[{"id":"a","stalk":1,"weight":-2}]}"#, ["\"a\"", "-2.0", "positive"]),
    (#"{"cells":[{"id":"a","stalk":2,"weight":[1]}]}"#, ["\"a\"", "1 numbers", "2"]),
    (#"{"cells":[{"id":"a","stalk":2,"weight":[1,0]}]}"#, ["\"a\"", "0.0", "positive"]),
    (#"{"cells":[{"id":"a","stalk":2,"weight":[[1,2],[2,1]]}]}"#, ["\"a\"", "positive definite"]),
    (#"{"cells":[{"id":"a","stalk":2,"weight":[[1,2],[0,1]]}]}"#, ["\"a\"", "symmetric"]),
    (#"{"cells":[{"id":"a","stalk":2,"weight":[[1,2]]}]}"#, ["\"a\"", "square"]),
    (#"{"cells":[{"id":"a","stalk":2,"weight":[[1]]}]}"#, ["\"a\"", "(1, 1)", "(2, 2)"]),
    (#"{"cells":[{"id":"a","stalk":2,"weight":[1,[1]]}]}"#, ["\"a\"", "square"]),
    (#"{"cells":[{"id":"a\nb","stalk":1},{"id":"a\nb","stalk":1}]}"#, [#"\n"#, "different ids"]),
    (#"{"cells":[{"id":"a\nb","stalk":1,"weight":-1}]}"#, [#"\n"#, "positive"]),
    (#"{"cells":[]"#, ["the sheaf", "the end"]), ("", ["the end", "\"{\""]), ("[]", ["\"[\""]),
    (#"{"cells":[]} x"#, ["\"x\"", "the end"]), ("{}", ["\"cells\"", "\"poset\""]),
    (#"{"cell":[]}"#, ["\"cell\"", "\"cells\""]),
    (#"{"cells":[],"graph":[]}"#, ["\"graph\" beside \"cells\""]),
    (#"{"poset":[],"cells":[]}"#, ["\"cells\" beside \"poset\""]),
    (#"{"graph":[],"points":[],"radius":1}"#, ["\"points\" beside \"graph\""]),
    (#"{"cells":[],"radius":1}"#, ["\"radius\" beside \"cells\""]),
    (#"{"graph":[["a","b"]],"radius":1}"#, ["\"radius\" beside \"graph\""]),
    (#"{"stalk":1}"#, ["none of"]),
    (#"{"graph":[["a","b","c"]]}"#, ["3 ends"]), (#"{"graph":[[]]}"#, ["0 ends"]),
    (#"{"graph":[["a","b"]],"vertices":["c","c"]}"#, ["\"c\"", "different ids"]),
    (#"{"graph":[["a","b"]],"vertices":["a,b"]}"#, ["\"a,b\"", "both"]),
    (#"{"graph":[["a","b"]],"stalk":9223372036854775807}"#, ["9223372036854775807", "smaller"]),
    (#"{"points":[[0],[1]],"radius":1,"stalk":9223372036854775807}"#, ["9223372036854775807"]),
    (#"{"points":[[0],[1]]}"#, ["without \"radius\""]),
    (#"{"points":[[0],[1,2]],"radius":1}"#, ["point 1", "2 coordinates", "1"]),
    (#"{"points":[[0]],"radius":-1}"#, ["radius", "-1"]),
    (#"{"points":[[0]],"radius":1,"maximumDimension":-1}"#, ["-1", "whole number"]),
    (#"{"poset":[{"id":"a","stalk":1,"below":[{"of":"b","map":1}]}]}"#, ["\"a\"", "\"b\""]),
    (#"{"poset":[{"id":"a","stalk":1,"below":[{"of":"a","map":1}]}]}"#, ["circle"]),
    (#"{"poset":[{"id":"a","stalk":1},{"id":"a","stalk":1}]}"#, ["\"a\""]),
    (#"{"poset":[{"id":"a","stalk":1,"below":[{"of":"b"}]},{"id":"b","stalk":1}]}"#, ["\"map\""]),
    (
      #"{"poset":[{"id":"a","stalk":1,"below":[{"of":"b","map":[[1,2]]}]},{"id":"b","stalk":1}]}"#,
      ["\"a\"", "\"b\"", "(1, 2)", "(1, 1)"]
    ),
    (#"{"poset":[{"id":"a","stalk":1,"below":[{"of":"b","map":1,"sign":1}]}]}"#, ["\"sign\""]),
    (
      #"{"poset":[{"id":"d","stalk":1,"below":[{"of":"b","map":1},{"of":"c","map":2}]},{"id":"b","stalk":1,"below":[{"of":"a","map":1}]},{"id":"c","stalk":1,"below":[{"of":"a","map":1}]},{"id":"a","stalk":1}]}"#,
      ["from \"a\" to \"d\"", "\"b\" and \"c\"", "1.0"]
    ),
    (
      #"{"poset":[{"id":"a","stalk":9223372036854775807},{"id":"b","stalk":9223372036854775807,"below":[{"of":"a","map":2}]}]}"#,
      ["100000000"]
    ),
  ]

  @Test func eachFaultGetsOneClearError() {
    for (text, says) in Self.refused {
      let found = message { _ = try Self.read(text) }
      #expect(found.hasPrefix("a.json: ") && !found.contains { $0.isNewline }, "\(text): \(found)")
      for part in says { #expect(found.contains(part), "\(text): \(found), without \(part)") }
    }
    // Stalks as large as may be, without a matrix of that size.
    let large =
      #"{"poset":[{"id":"a","stalk":40000000},{"id":"b","stalk":40000000,"below":[{"of":"a","map":2}]}]}"#
    #expect(throws: Never.self) { try Self.read(large) }
  }

  @Test func assignmentsGoToTheirCells() throws {
    let sheaf = try Self.cellular(Self.edge)
    func read(_ text: String) throws -> (degree: Int, coordinates: [Int], values: [Double]) {
      try AssignmentFile(json: Data(text.utf8), file: "v.json").coordinates(
        in: sheaf, file: "v.json")
    }
    let both = try read(#"{"7": [3, 4], "a": [1, 2], "empty": []}"#)
    #expect(both.degree == 0 && both.coordinates == [0, 1, 2, 3] && both.values == [1, 2, 3, 4])
    let edges = try read(#"{"from": 5, "ab": [6]}"#)
    #expect(edges.degree == 1 && edges.coordinates == [0, 5] && edges.values == [6, 5])
    #expect(try read("{}").coordinates == [])
    for (text, says) in [
      (#"{"q": 1}"#, ["\"q\"", "ids"]), (#"{"a": 1}"#, ["\"a\"", "1 values", "2"]),
      (#"{"a": [1, 2], "ab": 1}"#, ["\"a\"", "\"ab\"", "one dimension"]),
      (#"{"a": [1, 2], "a": [1, 2]}"#, ["\"a\"", "twice"]), (#"{"a": "x"}"#, ["\"a\"", "number"]),
      (#"{"a": [1, 1e999]}"#, ["\"a\"", "1e999"]), (#"{"a": [1, 2]"#, ["the end"]),
    ] {
      let found = message { _ = try read(text) }
      #expect(found.hasPrefix("v.json: ") && !found.contains { $0.isNewline }, "\(found)")
      for part in says { #expect(found.contains(part), "\(text): \(found)") }
    }
  }

  /// Any bytes give a sheaf or an error; what is small goes through its checks and its cohomology.
  @Test func damagedFilesGiveASheafOrAnError() throws {
    var g = RandomGenerator(seed: 5)
    let sheaves = [
      g.integerSheaf(on: .grid([2, 2]), summands: 2),
      g.integerSheaf(on: g.graph(vertices: 3, edges: 4, halfOpen: true), stalks: 0...2),
      CellularSheaf.constant(1, on: Spaces.square(isTwisted: true)),
    ]
    let texts = [
      Self.edge, #"{"graph": [["a", "b"], ["b", "c"], ["c"]], "vertices": ["z"], "stalk": 2}"#,
      #"{"points": [[0, 0], [1, 0], [0, 1], [1, 1.5]], "radius": 1.2, "maximumDimension": 2}"#,
      #"{"poset":[{"id":"d","stalk":1,"below":[{"of":"b","map":1},{"of":"c","map":"identity"}]},{"id":"b","stalk":1,"below":[{"of":"a","map":[[1]]}]},{"id":"c","stalk":1,"below":[{"of":"a","map":1}]},{"id":"a","stalk":1}]}"#,
    ]
    var computed = 0
    try fuzz(name: "sheaf", seeds: sheaves.map(\.json) + texts.map { Data($0.utf8) }) { data in
      let file = try SheafFile(json: data, file: "a")
      if case .poset(let poset) = file.content,
        poset.poset.count > 8 || poset.stalks.reduce(0, +) > 50
      {
        return
      }
      guard let sheaf = file.cellular() else { return }
      guard sheaf.stalks.reduce(0, +) <= 100 else { return }
      #expect(
        Self.same(sheaf, try #require(try SheafFile(json: sheaf.json, file: "b").cellular())))
      computed += 1
      guard (try? sheaf.check()) != nil else { return }
      // Entries of 1e300 may overflow, which is an error, no crash.
      guard let cohomology = try? RealCohomology(sheaf) else { return }
      _ = try? sheaf.exactCohomology(over: .prime(3))
      _ = sheaf.withoutOpenCells()
      #expect(cohomology.betti.allSatisfy { $0 >= 0 } || cohomology.isNarrow)
    }
    #expect(computed > fuzzCount / 40)
  }

  @Test func damagedGraphsGiveASheafOrAnError() throws {
    let xml = """
      <?xml version="1.0"?><graphml><graph id="G"><node id="a&amp;b"/><node id='c'/><!-- x -->
      <edge source="a&#38;b" target="c"/></graph></graphml>
      """
    try fuzz(name: "graphml", seeds: [Data(xml.utf8)], count: fuzzCount / 4) {
      _ = try GraphReader(graphML: $0, file: "a").sheaf()
    }
    let tables = ["source,target\na,b\n\"b\";c\n", "a\tb\nc d\n# x\n"]
    try fuzz(name: "edges", seeds: tables.map { Data($0.utf8) }, count: fuzzCount / 4) {
      _ = try GraphReader(table: $0, file: "a").sheaf()
    }
    let values = [#"{"a": [1, 2], "7": [-3.5e2, 4]}"#, #"{"from": 5, "ab": [6]}"#]
    let sheaf = try Self.cellular(Self.edge)
    try fuzz(name: "assignment", seeds: values.map { Data($0.utf8) }, count: fuzzCount / 4) {
      _ = try AssignmentFile(json: $0, file: "a").coordinates(in: sheaf, file: "a")
    }
  }
}

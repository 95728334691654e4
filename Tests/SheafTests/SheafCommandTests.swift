import Foundation
import LinearAlgebra
import Testing

/// The commands on general sheaves.
struct SheafCommandTests {
  private let sheaves = Reference.folder.appendingPathComponent("sheaves").path

  private func run(_ line: String) throws -> CommandTests.Outcome {
    try CommandTests().run(
      line.split(separator: " ").map { $0.replacingOccurrences(of: "@", with: sheaves + "/") })
  }

  @Test func bettiNumbersByField() throws {
    for (field, betti) in [
      ("real", [1, 0, 0]), ("rational", [1, 0, 0]), ("integer", [1, 0, 0]), ("prime:2", [1, 1, 1]),
      ("prime:3", [1, 0, 0]),
    ] {
      let found = try run("cohomology @rp2.json --field \(field) --json")
      #expect(found.status == 0 && found.json["betti"] as? [Int] == betti, "\(field)")
    }
    let torsion = try run("cohomology @rp2.json --field integer --json").json["torsion"]
    #expect(torsion as? [[Int]] == [[], [], [2]])
    let one = try run("cohomology @rp2.json --field prime:2 --dimension 1 --representatives --json")
    #expect(one.json["betti"] as? [Int] == [1])
    #expect((one.json["representatives"] as? [[[String: [Int]]]])?.map(\.count) == [1])
  }

  /// A ring and a point: H⁰ = 2, H¹ = 1; relative to the point and one vertex of the ring 0 and 1.
  @Test func relativeCohomology() throws {
    #expect(try run("cohomology @ring.json --json").json["betti"] as? [Int] == [2, 1])
    let relative = try run("cohomology @ring.json --relative a,d --json")
    #expect(relative.json["betti"] as? [Int] == [0, 1])
    #expect(
      try run("cohomology @ring.json --relative ab,d --json").json["betti"] as? [Int] == [0, 1])
    let unknown = try run("cohomology @ring.json --relative a,x --json")
    #expect(unknown.status == 64 && unknown.error.contains("\"x\" is no cell"))
  }

  /// L of a ring of three and a point: 0, 0, 3, 3.
  @Test func eigenvaluesAndTheirMatrix() throws {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("sheaf-\(UInt64.random(in: 0...UInt64.max)).npz")
    defer { try? FileManager.default.removeItem(at: file) }
    let found = try run("laplacian @ring.json --eigenvalues all --json --out \(file.path)")
    let values = try #require(found.json["eigenvalues"] as? [Double])
    #expect(zip(values, [0, 0, 3, 3]).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(values.prefix(2) == [0, 0])
    #expect(FileManager.default.fileExists(atPath: file.path))
  }

  @Test func harmonicExtensionWithItsFreedom() throws {
    let found = try run("harmonic @ring.json --boundary @one.json --json")
    #expect(found.status == 0 && found.json["uniqueUpTo"] as? Int == 1)
    let values = try #require(found.json["extension"] as? [String: [Double]])
    #expect(abs(values["b"]![0] - 1) < 1e-12 && values["d"]! == [0])
    #expect((found.json["basis"] as? [[String: [Double]]])?.map { Array($0.keys) } == [["d"]])
  }

  /// The nearest section of the ring's readings 1, 2, 4 is their mean; the point keeps its own.
  @Test func nearestSection() throws {
    let found = try run("sections @ring.json --nearest @readings.json --json")
    let values = try #require(found.json["nearest"] as? [String: [Double]])
    #expect(abs(values["a"]![0] - 7.0 / 3) < 1e-12 && abs(values["d"]![0]) < 1e-12)
    let moved = try #require(found.json["moved"] as? [String: Double])
    #expect(abs(moved["c"]! - 5.0 / 3) < 1e-12)
  }

  @Test func badCalls() throws {
    for (line, status, words) in [
      ("cohomology @missing.json", 1, ["missing.json", "no such file"]),
      ("cohomology @rp2.json --field prime:4", 1, ["4 is not a prime"]),
      ("cohomology @rp2.json --field complex", 64, ["field", "complex"]),
      ("cohomology @rp2.json --compact --ordinary", 64, ["--compact", "--ordinary"]),
      ("harmonic @ring.json --boundary @ring.json", 1, ["ring.json", "cells"]),
      ("laplacian @ring.json --eigenvalues 0", 64, ["eigenvalues"]),
      ("laplacian @ring.json --plot", 64, ["--eigenvalues"]),
      ("sections @ring.json --nearest @one.json", 1, ["one.json", "no value of cell \"b\""]),
      ("check @ubiquitin.csv --json", 0, []),
    ] {
      let found = try run(line)
      #expect(found.status == Int32(status), "\(line): \(found.error)")
      for word in words { #expect(found.error.contains(word), "\(line): \(found.error)") }
      #expect(found.error.split(separator: "\n").count <= 1, "\(line): \(found.error)")
    }
  }

  /// A file of this text for one call.
  private func run(_ arguments: [String], on text: String) throws -> CommandTests.Outcome {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("sheaf-\(UInt64.random(in: 0...UInt64.max)).json")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(text.utf8).write(to: file)
    return try CommandTests().run([arguments[0], file.path] + arguments.dropFirst())
  }

  /// On the edge a–b: relative to both ends H¹ = 1, to the whole edge nothing is left; the edge's id has a comma.
  @Test func idsWithCommasStandInQuotes() throws {
    let edge = #"{"graph": [["a", "b"]]}"#
    for (cells, betti) in [("a,b", [0, 1]), ("\"a,b\"", [0]), ("b,\"a,b\"", [0])] {
      let found = try run(["cohomology", "--relative", cells, "--json"], on: edge)
      #expect(found.json["betti"] as? [Int] == betti, "\(cells)")
    }
  }

  /// Open cells are left out before the others are taken relative to some: a–b relative to a is trivial either way, and of
  /// a half-open edge at b nothing is left.
  @Test func openCellsAreLeftOutFirst() throws {
    let graph = #"{"graph": [["a", "b"], ["b"]]}"#
    let all = try run(["cohomology", "--relative", "a", "--json"], on: graph)
    #expect(all.json["betti"] as? [Int] == [0, 1])
    let ordinary = try run(["cohomology", "--relative", "a", "--ordinary", "--json"], on: graph)
    #expect(ordinary.json["betti"] as? [Int] == [0, 0])
  }

  /// The path a–b–c with the map 1 on one edge and a small one on the other.
  private func path(_ small: String) -> String {
    #"{"cells": [{"id": "a", "stalk": 1}, {"id": "b", "stalk": 1}, {"id": "c", "stalk": 1}, "#
      + #"{"id": "ab", "stalk": 1, "faces": [{"of": "a", "sign": -1, "map": 1}, {"of": "b", "sign": 1, "map": 1}]}, "#
      + #"{"id": "bc", "stalk": 1, "faces": [{"of": "b", "sign": -1, "map": \#(small)}, "#
      + #"{"of": "c", "sign": 1, "map": \#(small)}]}]}"#
  }

  /// A rank that a raised tolerance decides is said to be such a one.
  @Test func raisedTolerancesAreSaid() throws {
    for (small, isRaised) in [("1e-12", true), ("1e-3", false)] {
      let found = try run(["cohomology", "--json"], on: path(small))
      let decisions = try #require(found.json["rankDecisions"] as? [[String: Any]])
      #expect(decisions.map { $0["isRaised"] as? Bool } == [isRaised])
      #expect(found.json["betti"] as? [Int] == (isRaised ? [2, 1] : [1, 0]))
      let text = try run(["cohomology"], on: path(small)).output
      #expect(text.contains("larger tolerance") == isRaised, "\(text)")
    }
    let exact = try run(["cohomology", "--field", "rational", "--json"], on: path("1e-12"))
    #expect(exact.json["betti"] as? [Int] == [1, 0])
  }

  /// A matrix that Cholesky leaves to QR, though nothing is free.
  @Test func theMethodIsTheOneThatWasNeeded() throws {
    let boundary = #"{"a": 1}"#
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("sheaf-\(UInt64.random(in: 0...UInt64.max)).json")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(boundary.utf8).write(to: file)
    for (small, method) in [("1e-7", "qr"), ("1", "cholesky")] {
      let found = try run(["harmonic", "--boundary", file.path, "--json"], on: path(small))
      #expect(found.json["method"] as? String == method && found.json["uniqueUpTo"] as? Int == 0)
    }
  }

  /// What would not fit into memory is refused before it is begun.
  @Test func whatIsTooLargeIsRefused() throws {
    let chain = (0..<60).map { i in
      #"{"id": "\#(i)", "stalk": 1\#(i > 0 ? #", "below": [{"of": "\#(i - 1)", "map": 1}]"# : "")}"#
    }
    let poset = #"{"poset": [\#(chain.joined(separator: ", "))]}"#
    let deep = try run(["cohomology"], on: poset)
    #expect(deep.status == 1 && deep.error.contains("1.15e+18 chains"), "\(deep.error)")
    #expect(
      try run(["cohomology", "--dimension", "0", "--json"], on: poset).json["betti"] as? [Int] == [
        1
      ])
    let vertices = (0..<60_000).map { "\"\($0)\"" }.joined(separator: ",")
    let wide = try run(["sections"], on: #"{"graph": [], "vertices": [\#(vertices)]}"#)
    #expect(
      wide.status == 1 && wide.error.contains("60000 dimensions, a basis of it 28 GB"),
      "\(wide.error)")
  }
}

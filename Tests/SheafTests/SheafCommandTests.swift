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
}

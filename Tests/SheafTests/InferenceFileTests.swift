import ArrayFiles
import CellComplexes
import CellularSheaves
import Foundation
import LinearAlgebra
import SheafFiles
import SheafInference
import Testing

/// Readings, constraints and maps that are not linear, from JSON.
struct InferenceFileTests {
  /// A position and what is seen of it by maps of every form.
  private static func sheaf(_ maps: [String], stalk: Int = 2) -> String {
    let seen = maps.enumerated().map { k, map in
      #"{"id": "s\#(k)", "stalk": 1, "below": [{"of": "x", "map": \#(map)}]}"#
    }
    return #"{"poset": [{"id": "x", "stalk": \#(stalk)}, "# + seen.joined(separator: ", ") + "]}"
  }

  private static func read(_ text: String) throws -> NonlinearSheaf {
    guard case .nonlinear(let sheaf) = try SheafFile(json: Data(text.utf8), file: "a").content
    else {
      throw ArrayFileError(file: "a", problem: "no sheaf of maps that are not linear")
    }
    return sheaf
  }

  /// The value of a map of the file at a point.
  private static func value(_ map: String, at x: [Double]) throws -> [Double] {
    let text =
      #"{"poset": [{"id": "x", "stalk": \#(x.count)}, {"id": "y", "stalk": "#
    for stalk in 1...3 {
      guard
        let sheaf = try? read(text + "\(stalk)" + #", "below": [{"of": "x", "map": \#(map)}]}]}"#)
      else { continue }
      return sheaf.maps[1][0].value(x)
    }
    // For its message.
    return try read(text + #"1, "below": [{"of": "x", "map": \#(map)}]}]}"#).maps[1][0].value(x)
  }

  @Test func everyFormIsRead() throws {
    let cases: [(String, [Double], [Double])] = [
      (#"{"distance": [0, 0]}"#, [3, 4], [5]), (#"{"distance": [1]}"#, [3], [2]),
      (#"{"distance": [0, 0], "sphere": 1}"#, [0, 90], [.pi / 2]),
      (#"{"distance": [0, 0], "sphere": 2, "unit": "radians"}"#, [0, 1], [2]),
      (#"{"bearing": [0, 0]}"#, [0, 2], [.pi / 2]),
      (#"{"bearing": [0, 0], "unit": "degrees"}"#, [0, 2], [90]),
      (#"{"bearing": [0, 0], "unit": "degrees", "from": "north"}"#, [2, 0], [90]),
      (#"{"bearing": [0, 0], "unit": "degrees", "from": "east"}"#, [0, 2], [90]),
      (#"{"bearing": [0, 0], "sphere": 6371}"#, [0, 5], [90]),
      (#"{"rotation": 90, "unit": "degrees"}"#, [1, 0], [0, 1]),
      (#"{"rotation": 90, "unit": "degrees", "translation": [1, 2]}"#, [1, 0], [1, 3]),
      (#"{"translation": [1, 2], "rotation": 90, "unit": "degrees"}"#, [1, 0], [1, 3]),
      (#"{"rotation": [0, 0, 90], "unit": "degrees"}"#, [1, 0, 7], [0, 1, 7]),
      (#"{"translation": [1, 2]}"#, [1, 0], [2, 2]), (#"{"linear": [[1, 2]]}"#, [1, 1], [3]),
      (#"{"linear": [[1, 2]], "offset": [5]}"#, [1, 1], [8]), (#"{"linear": 3}"#, [1, 2], [3, 6]),
      (#"{"linear": "identity", "offset": [1]}"#, [1], [2]),
      (#"{"polynomial": [[{"coefficient": 2, "powers": [2, 1]}], []]}"#, [3, 2], [36, 0]),
      (
        #"{"compose": [{"linear": [[1, 0], [0, 2]]}, {"translation": [0, 1]}, {"distance": [0, 0]}]}"#,
        [0, 1], [3]
      ),
      (#"{"compose": [2, "identity", [[1, 1]]]}"#, [1, 2], [6]),
    ]
    for (map, x, expected) in cases {
      let found = try Self.value(map, at: x)
      #expect(close(found, expected, 1e-12), "\(map): \(found)")
    }
  }

  @Test func mapsThatAreWrongAreNamed() throws {
    let bad: [(String, String)] = [
      (#"{}"#, "none"), (#"{"distance": [0, 0], "bearing": [0, 0]}"#, "\"bearing\""),
      (#"{"distance": [0, 0], "sphere": -1}"#, "radius"),
      (#"{"distance": [0], "sphere": 1}"#, "expected 2"),
      (#"{"bearing": [0]}"#, "expected 2"), (#"{"bearing": [0, 0], "from": "south"}"#, "south"),
      (#"{"bearing": [0, 0], "sphere": 1, "from": "east"}"#, "east"),
      (#"{"distance": [0, 0], "unit": "degrees"}"#, "sphere"),
      (#"{"rotation": [1, 2]}"#, "2 numbers"),
      (#"{"rotation": 1, "translation": [1]}"#, "translation"),
      (#"{"translation": [0, 0], "unit": "degrees"}"#, "unit"),
      (#"{"linear": [[1, 2]], "offset": [1, 2]}"#, "offset"),
      (#"{"linear": [[1, 2], [1]]}"#, "lengths"),
      (#"{"linear": {"distance": [0, 0]}}"#, "linear"), (#"{"polynomial": []}"#, "term"),
      (
        #"{"polynomial": [[{"coefficient": 1, "powers": [1, 0]}, {"coefficient": 1, "powers": [1]}]]}"#,
        "powers"
      ),
      (#"{"polynomial": [[{"coefficient": 1, "powers": [1, 1000]}]]}"#, "64"),
      (#"{"compose": []}"#, "composite"),
      (#"{"compose": [{"distance": [0, 0]}, {"distance": [0, 0]}]}"#, "pass on"),
      (#"{"network": "n.onnx"}"#, "n.onnx"), (#"{"warp": 9}"#, "warp"),
      (#"{"distance": [0, 0, 0]}"#, "stalks"),
      (#"{"compose": [2, {"distance": [0, 0, 0]}]}"#, "stalks"),
    ]
    for (map, expected) in bad {
      let found = message { _ = try Self.value(map, at: [1, 2]) }
      #expect(found.contains(expected), "\(map): \(found)")
    }
    // Deep nesting is an error, not the end of the stack.
    let deep = String(repeating: #"{"compose": ["#, count: 100_000)
    #expect(!message { _ = try Self.value(deep, at: [1, 2]) }.isEmpty)
  }

  /// Networks are read by who is told how.
  @Test func networksAreLoaded() throws {
    let text = Self.sheaf([#"{"network": "n.onnx"}"#])
    let file = try SheafFile(json: Data(text.utf8), file: "a") { path in
      DistanceMap(from: path == "n.onnx" ? [3, 4] : [])
    }
    guard case .nonlinear(let sheaf) = file.content else {
      Issue.record("a network is no linear map")
      return
    }
    #expect(sheaf.maps[1][0].value([0, 0]) == [5] && file.cellular() == nil)
  }

  /// Variances of all three kinds, units; fused as by hand.
  @Test func readingsHaveVariances() throws {
    let text =
      #"{"a": 1, "b": {"value": [2, 3], "variance": 4, "unit": "km"}, "c": {"value": [1, 2], "variance": [1, 2]}, "d": {"value": [1, 2], "variance": [[2, 1], [1, 2]]}}"#
    let file = try AssignmentFile(json: Data(text.utf8), file: "r")
    let readings = try file.assignment(["a": 0, "b": 1, "c": 2, "d": 3], file: "r").readings
    #expect(
      readings[0] == .init([1]) && readings[1] == .init([2, 3], covariance: .scalar(4), unit: "km"))
    #expect(
      readings[2]?.covariance == .diagonal([1, 2])
        && readings[3]?.covariance == .matrix(Matrix([[2, 1], [1, 2]])))
    for (bad, expected) in [
      (#"{"a": {"variance": 1}}"#, "value"), (#"{"a": 1, "a": 2}"#, "twice"),
      (#"{"z": 1}"#, "\"z\""),
      (#"{"a": {"value": 1, "sigma": 2}}"#, "sigma"), (#"{"a": "b"}"#, "a"),
      (#"{"a": {"value": 1, "variance": "x"}}"#, "number"),
    ] {
      let found = message {
        _ = try AssignmentFile(json: Data(bad.utf8), file: "r").assignment(["a": 0], file: "r")
      }
      #expect(found.contains(expected), "\(bad): \(found)")
    }
  }

  @Test func constraintsAreRead() throws {
    let text =
      #"[{"name": "limit", "terms": {"a": [1, 0], "b": 2}, "relation": "<=", "value": 3}, {"terms": {"b": 1}, "relation": "=", "value": 0}, {"terms": {}, "relation": ">=", "value": -1}]"#
    let list = try ConstraintFile(json: Data(text.utf8), file: "c").constraints(
      ["a": 0, "b": 1], file: "c")
    #expect(
      list == [
        StalkConstraint("limit", [0: [1, 0], 1: [2]], .atMost, 3),
        StalkConstraint("constraint 1", [1: [1]], .equal, 0),
        StalkConstraint("constraint 2", [:], .atLeast, -1),
      ])
    for (bad, expected) in [
      (#"[{"terms": {"z": 1}, "relation": "=", "value": 1}]"#, "\"z\""),
      (#"[{"terms": {"a": 1}, "value": 1}]"#, "relation"),
      (#"[{"terms": {"a": 1}, "relation": "<", "value": 1}]"#, "\"<\""),
      (#"[{"relation": "=", "value": 1}]"#, "terms"),
      (#"[{"terms": {"a": 1, "a": 2}, "relation": "=", "value": 1}]"#, "twice"), (#"{}"#, "["),
    ] {
      let found = message {
        _ = try ConstraintFile(json: Data(bad.utf8), file: "c").constraints(["a": 0], file: "c")
      }
      #expect(!found.isEmpty && found.contains(expected), "\(bad): \(found)")
    }
  }

  /// Damaged files give an error or a sheaf on which readings are fused or refused.
  @Test func damagedFilesAreNoCrash() throws {
    let texts = [
      Self.sheaf([
        #"{"distance": [0, 1]}"#, #"{"bearing": [3, 4], "unit": "degrees", "from": "north"}"#,
        #"{"polynomial": [[{"coefficient": 2, "powers": [2, 1]}, {"coefficient": -1, "powers": [0, 0]}]]}"#,
      ]),
      Self.sheaf([
        #"{"distance": [50, 10], "sphere": 6371}"#, #"{"bearing": [48, 2], "sphere": 6371}"#,
      ]),
      Self.sheaf(
        [
          #"{"compose": [{"rotation": [0.1, 0.2, 0.3], "translation": [1, 2, 3]}, {"linear": [[1, 2, 3]], "offset": [4]}]}"#
        ], stalk: 3),
      #"{"cells": [{"id": "x", "stalk": 2}, {"id": "y", "stalk": 2}, {"id": "xy", "stalk": 1, "faces": [{"of": "x", "sign": -1, "map": {"distance": [0, 0]}}, {"of": "y", "sign": 1, "map": {"distance": [5, 0]}}]}]}"#,
      #"{"poset": [{"id": "x", "stalk": 1, "periods": [360]}, {"id": "s0", "stalk": 1, "below": [{"of": "x", "map": "identity"}]}]}"#,
    ]
    let readings =
      #"{"x": {"value": [1, 2], "variance": [1, 2], "unit": "km"}, "s0": {"value": 2, "variance": 0.5}, "s1": [3]}"#
    let assignment = try AssignmentFile(json: Data(readings.utf8), file: "r")
    try fuzz(name: "nonlinear", seeds: texts.map { Data($0.utf8) }, count: min(fuzzCount, 2000)) {
      data in
      guard case .nonlinear(let sheaf) = try SheafFile(json: data, file: "a").content,
        sheaf.stalks.reduce(0, +) < 30
      else { return }
      let cells = Dictionary(
        sheaf.poset.names.enumerated().map { ($1, $0) }, uniquingKeysWith: { a, _ in a })
      var settings = Fusion.Settings()
      (settings.starts, settings.maximumIterations) = (2, 30)
      if let held = try? assignment.assignment(cells, file: "r") {
        _ = try? Fusion(sheaf, held, settings: settings)
        settings.model = .agreement
        _ = try? Fusion(sheaf, held, settings: settings)
      }
    }
    let constant = CellularSheaf.constant(2, on: .path(2))
    let names = constant.complex.cellsByName()
    try fuzz(
      name: "readings",
      seeds: [
        Data(
          #"{"0": {"value": [1, 2], "variance": [[2, 1], [1, 2]], "unit": "km"}, "1": {"value": [2, 3], "variance": [1, 2]}, "2": [4, 5]}"#
            .utf8)
      ],
      count: min(fuzzCount, 2000)
    ) { data in
      let held = try AssignmentFile(json: data, file: "r").assignment(names, file: "r")
      _ = try? Fusion(constant, held)
      _ = try? Consistency(constant, held, norm: .infinity)
    }
    try fuzz(
      name: "constraints",
      seeds: [
        Data(
          #"[{"name": "limit", "terms": {"0": [1, 0], "1": [2, 3]}, "relation": "<=", "value": 3}, {"terms": {"2": [1, 1]}, "relation": "=", "value": 0.5}]"#
            .utf8)
      ],
      count: min(fuzzCount, 2000)
    ) { data in
      var settings = Fusion.Settings()
      settings.constraints = try ConstraintFile(json: data, file: "c").constraints(names, file: "c")
      _ = try? Fusion(constant, Assignment(values: [0: [1, 2], 1: [3, 4]]), settings: settings)
    }
  }
}

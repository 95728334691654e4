import Foundation
import LinearAlgebra
import NeuralSheaves
import Testing

@testable import SheafCommands

/// Which class a label means.
struct LabelTests {
  private func labels(
    _ words: [String], outputs: Int, known: [String]? = nil, named: [String] = [],
    activation: OutputActivation = .softmax
  ) throws -> Labels {
    let path = NSTemporaryDirectory() + "sheaf-\(UInt64.random(in: 0...UInt64.max)).csv"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try (["label"] + words).joined(separator: "\n").write(
      toFile: path, atomically: true, encoding: .utf8)
    var g = RandomGenerator(seed: 0)
    var network = try Network(widths: [2, outputs], outputActivation: activation, using: &g)
    network.classNames = named
    let arrays = try ArrayOptions.parse(["--header", "yes"])
    return try Labels(path, option: "--labels", for: network, arrays: arrays, known: known)
  }

  private func problem(_ words: [String], outputs: Int, known: [String]? = nil) -> String {
    message { _ = try labels(words, outputs: outputs, known: known) }
  }

  /// Words and numbers from anywhere are classes in their order; numbers in 0..<outputs are themselves.
  @Test(arguments: [
    (["b", "a", "c", "a"], 3, ["a", "b", "c"], [1, 0, 2, 0]),
    (["2", "0", "2"], 3, [], [2, 0, 2]), (["1.0", "0", "1"], 2, [], [1, 0, 1]),
    (["3", "1", "2"], 3, ["1", "2", "3"], [2, 0, 1]),
    (["10", "9", "9.0"], 2, ["9", "10"], [1, 0, 0]), (["-1", "1"], 2, ["-1", "1"], [0, 1]),
    (["b", "10", "9"], 3, ["10", "9", "b"], [2, 0, 1]), (["é", "e"], 2, ["e", "é"], [1, 0]),
  ]) func classes(words: [String], outputs: Int, names: [String], classes: [Int]) throws {
    let read = try labels(words, outputs: outputs)
    #expect(read.names == names && read.classes == classes)
    #expect(read.target.rows == outputs && read.target.columns == words.count)
    for (j, c) in classes.enumerated() {
      #expect(read.target.column(j) == (0..<outputs).map { $0 == c ? 1 : 0 })
    }
  }

  /// Names that are known win over the order, and a label that is none of them is named.
  @Test func knownClassesWin() throws {
    let names = ["b", "c", "a"]
    #expect(try labels(["a", "b"], outputs: 3, named: names).classes == [2, 0])
    #expect(try labels(["a", "b"], outputs: 3, known: names).classes == [2, 0])
    #expect(try labels(["2", "0"], outputs: 3, known: names).classes == [2, 0])
    #expect(try labels(["2", "1"], outputs: 3, known: ["1", "2", "3"]).classes == [1, 0])
    #expect(try labels(["2.0", "1"], outputs: 3, known: ["1", "2", "3"]).classes == [1, 0])
    let text = problem(["a", "d", "b"], outputs: 3, known: names)
    #expect(text.contains("line 3") && text.contains("is d") && text.contains("b, c, a"))
    #expect(problem(["0", "3"], outputs: 3, known: names).contains("b, c, a"))
  }

  /// A single sigmoid output has two classes, and the network keeps the name of 1.
  @Test func twoClassesOfOneOutput() throws {
    let read = try labels(["no", "yes", "no"], outputs: 1, activation: .sigmoid)
    #expect(read.names == ["no", "yes"] && read.target.elements == [0, 1, 0])
    var g = RandomGenerator(seed: 0)
    let network = try Network(widths: [2, 1], outputActivation: .sigmoid, using: &g)
    #expect(read.classNames(of: network) == ["yes"])
    let again = try labels(["yes", "no"], outputs: 1, named: ["yes"], activation: .sigmoid)
    #expect(again.target.elements == [1, 0])
    #expect(
      try labels(["no", "no"], outputs: 1, named: ["yes"], activation: .sigmoid).classes == [0, 0])
    #expect(
      try labels(["1", "0"], outputs: 1, named: ["yes"], activation: .sigmoid).classes == [1, 0])
    #expect(try labels(["0", "1"], outputs: 1, activation: .sigmoid).names == [])
  }

  @Test(arguments: [
    (["0", "1", "3", "2"], 3, ["line 4", "is 3", "0..<3", "start at 0"]),
    (["a", "b"], 3, ["line 2", "is a", "there are 2: a, b"]),
    (["1", "2", "3", "4"], 3, ["line 4", "is 3", "there are 4"]),
    (["0", "1.5"], 2, ["line 3", "is 1.5", "whole number"]),
    (["0", "", "1"], 2, ["missing value"]), (["0", "NA"], 2, ["line 3", "NA"]),
  ]) func wrongLabelsAreNamed(words: [String], outputs: Int, expected: [String]) {
    // An empty line would be none.
    let text = problem(words.map { $0.isEmpty ? "\"\"" : $0 }, outputs: outputs)
    for word in expected { #expect(text.contains(word), "\(text)") }
  }
}

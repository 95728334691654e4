import ArrayFiles
import Foundation
import LinearAlgebra

@testable import SheafCommands

/// Files to diagnose: three classes of points with 8 × 8 coordinates, 40 of each.
struct DiagnosisFiles {
  let folder: String
  let command = CommandTests()

  /// d.npz with the points x, their classes y, labels `one`, `big`, `few`, and `wrong`, twelve of which are another class; `odd`, the points with five strangers.
  init() throws {
    folder = NSTemporaryDirectory() + "sheaf-\(UInt64.random(in: 0...UInt64.max))/"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    var g = RandomGenerator(seed: 23)
    let centres = g.normalMatrix(rows: 64, columns: 3)
    let classes = (0..<120).map { $0 % 3 }
    var x = centres.columns(classes)
    x.add(g.normalMatrix(rows: 64, columns: 120, deviation: 1))
    var odd = x
    for j in 0..<5 { for i in 0..<64 { odd[i, j] = 6 * g.normal() } }
    func list(_ values: [Int]) -> NumericArray {
      NumericArray(shape: [values.count], elements: values.map(Double.init))
    }
    try NPZ.write(
      [
        "x": NumericArray(samples: x), "odd": NumericArray(samples: odd), "y": list(classes),
        "one": list(classes.map { _ in 1 }), "big": list(classes.map { $0 * 4 }),
        "few": list([0, 1, 2]),
        "wrong": list(
          classes.enumerated().map { $0.offset >= 108 ? ($0.element + 1) % 3 : $0.element }),
      ], to: folder + "d.npz")
  }

  func run(_ call: String) throws -> CommandTests.Outcome {
    try command.run(call.replacingOccurrences(of: "%", with: folder).words())
  }

  func clean() { try? FileManager.default.removeItem(atPath: folder) }

  /// n.npz, trained on the points.
  func train(_ more: String = "") throws -> CommandTests.Outcome {
    try run(
      "train --layers 64,16,3 --input %d.npz#x --labels %d.npz#y --output-activation softmax --method backpropagation "
        + "--epochs 12 --batch 20 --out %n.npz " + more)
  }

  /// p.onnx: n.npz with a neuron that is never active; and z.npy, the outputs of n.npz.
  func plant() throws {
    var arrays = try NPZ.read(folder + "n.npz")
    let bias = arrays["b1"]!
    arrays["b1"] = NumericArray(
      shape: bias.shape, elements: [-1e3] + bias.elements.dropFirst())
    try NPZ.write(arrays, to: folder + "p.npz")
    _ = try run("convert %p.npz %p.onnx --output-activation softmax")
    _ = try run("forward %n.npz --input %d.npz#odd --output %z.npy")
  }
}

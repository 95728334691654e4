import ArrayFiles
import Foundation
import LinearAlgebra
import ModelFormats
import NeuralSheaves
import SheafTraining

/// What the demonstration leaves to go on with: networks, and the test digits as a table.
enum DemoFiles {
  /// Writes `FOLDER/NAME.onnx`.
  static func write(_ network: Network, named name: String, in folder: String) throws {
    try NetworkFile.write(network, to: "\(folder)/\(name).onnx")
  }

  /// Writes `FOLDER/test.csv`: a header, then one row per digit: its label and its 64 pixels.
  static func write(_ digits: TrainingData, in folder: String) throws {
    var lines = [(["label"] + (0..<64).map { "p\($0)" }).joined(separator: ",")]
    for j in 0..<digits.count {
      let label = (0..<10).first { digits.target[$0, j] == 1 }!
      let pixels = (0..<64).map { "\(digits.input[$0, j])" }
      lines.append(([String(label)] + pixels).joined(separator: ","))
    }
    try ArrayFile.write(Data((lines.joined(separator: "\n") + "\n").utf8), to: "\(folder)/test.csv")
  }
}

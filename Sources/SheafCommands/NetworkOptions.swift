import ArgumentParser
import ArrayFiles
import Foundation
import LinearAlgebra
import ModelFormats
import NeuralSheaves

extension OutputActivation: ExpressibleByArgument {}
extension OutputEdge.Energy: ExpressibleByArgument {}

/// Which way samples lie in the arrays of a call.
enum SampleAxis: String, CaseIterable, ExpressibleByArgument {
  case rows, columns
}

/// NETWORK and how to read it.
struct NetworkOptions: ParsableArguments {
  @Argument(
    help: "The network: .onnx, .safetensors (a Sequential), or .npz with W1, b1, W2, b2, ….")
  var network: String

  @Option(help: "The prefix of the network's keys in an .npz or .safetensors file, such as init_.")
  var prefix = ""

  @Option(
    help: "The output activation: identity, sigmoid or softmax; default what the file says.")
  var outputActivation: OutputActivation?

  func load() throws -> Network {
    try NetworkFile.read(network, prefix: prefix, outputActivation: outputActivation)
  }
}

/// How arrays are read in a call.
struct ArrayOptions: ParsableArguments {
  @Option(help: "Whether samples are the rows or the columns of arrays.")
  var samples: SampleAxis = .rows

  /// An ARRAY as a quantity (dim, batch), every number finite.
  func read(_ reference: String) throws -> Matrix {
    let array = try ArrayFile.read(reference)
    let m =
      samples == .columns && array.shape.count == 2 ? array.samples.transposed : array.samples
    if let (i, j) = m.firstNonFinite {
      throw NetworkError.notFinite(
        array: reference, index: " (sample \(j), coordinate \(i))")
    }
    return m
  }

  /// The input of a network.
  func readInput(_ reference: String, for network: Network) throws -> Matrix {
    let x = try read(reference)
    guard x.rows == network.inputDimension && x.columns > 0 else {
      throw NetworkError.quantity(
        name: reference, found: "(\(x.columns) samples, \(x.rows))",
        expected: "(at least 1 sample, \(network.inputDimension))")
    }
    return x
  }

  /// A quantity as an array the way round that the call asks for.
  func array(_ m: Matrix) -> NumericArray {
    samples == .columns ? NumericArray(m) : NumericArray(samples: m)
  }
}

/// Says at once, before any work, that a file cannot be written.
func checkWritable(_ path: String?, extensions expected: [String]) throws {
  guard let path else { return }
  guard expected.contains(where: { path.hasSuffix("." + $0) }) else {
    throw ValidationError(
      "\(path): expected a name that ends in .\(expected.joined(separator: ", ."))")
  }
  let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
  var isDirectory: ObjCBool = false
  guard FileManager.default.fileExists(atPath: folder, isDirectory: &isDirectory),
    isDirectory.boolValue
  else { throw ArrayFileError(file: path, problem: "cannot be written: no folder \(folder)") }
  guard FileManager.default.isWritableFile(atPath: folder),
    !FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
      || !isDirectory.boolValue
  else { throw ArrayFileError(file: path, problem: "cannot be written: no permission") }
}

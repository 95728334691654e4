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

  @Option(
    help: """
      The tensor of an .onnx file that is the output: one of several, or one before a softmax, \
      log-softmax or arg-max at the end.
      """)
  var outputTensor: String?

  /// Declares the network's file.
  func declare(in files: inout CallFiles) { files.reads("NETWORK", network) }

  func load() throws -> Network {
    try NetworkFile.read(
      network, prefix: prefix, outputActivation: outputActivation, outputTensor: outputTensor)
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

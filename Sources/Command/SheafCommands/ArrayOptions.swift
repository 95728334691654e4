import ArgumentParser
import ArrayFiles
import Foundation
import LinearAlgebra
import NeuralSheaves

/// Which way samples lie in the arrays of a call.
enum SampleAxis: String, CaseIterable, ExpressibleByArgument, Codable {
  case rows, columns
}

/// Whether the first line of a table is a header.
enum HeaderLine: String, CaseIterable, ExpressibleByArgument, Codable {
  case yes, no
}

/// How arrays are read in a call.
struct ArrayOptions: ParsableArguments, Encodable {
  @Option(help: "Whether samples are the rows or the columns of arrays.")
  var samples: SampleAxis = .rows
  @Option(
    help: "Whether tables begin with a header line: yes or no; default what they look like.")
  var header: HeaderLine?

  /// The file of an ARRAY, read; how a table was read is said, once a file.
  func source(_ reference: String) throws -> ArraySource {
    let source = try ArraySource(
      ArrayReference(reference), hasHeader: header.map { $0 == .yes })
    if let reading = source.reading { Note.say(reading) }
    return source
  }

  /// An ARRAY as a quantity (dim, batch), every number finite.
  func read(_ reference: String) throws -> Matrix {
    try quantity(source(reference))
  }

  /// What was read as a quantity (dim, batch), every number finite.
  func quantity(_ source: ArraySource) throws -> Matrix {
    let array = try source.numbers()
    let m =
      samples == .columns && array.shape.count == 2 ? array.samples.transposed : array.samples
    if let (i, j) = m.firstNonFinite {
      throw NetworkError.notFinite(
        array: source.reference.description, index: " (sample \(j), coordinate \(i))")
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

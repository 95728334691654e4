import ArgumentParser
import ArrayFiles
import Foundation
import LinearAlgebra
import NeuralSheaves

struct Forward: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run the forward pass.",
    discussion: "Example: sheaf forward network.npz --input samples.csv#0:64 --json")

  @OptionGroup var network: NetworkOptions
  @OptionGroup var arrays: ArrayOptions
  @Option(
    help: "The input, an ARRAY: file.npy, file.npz#key, file.safetensors#name or file.csv#columns.")
  var input: String
  @Option(help: "Write the output to an .npy file.") var output: String?
  @Flag(help: "Print one JSON object.") var json = false

  func run() throws {
    let network = try network.load()
    let x = try arrays.readInput(input, for: network)
    try checkWritable(output, extensions: ["npy"])
    let y = network(x)
    if let output { try ArrayFile.write(NPY.encode(arrays.array(y)), to: output) }
    let isFinite = y.firstNonFinite == nil
    if json {
      try JSONOutput.print([
        "output": JSONOutput.samples(y), "status": isFinite ? "done" : "diverged",
      ])
    } else if output == nil {
      for j in 0..<y.columns {
        print(y.column(j).map { "\($0)" }.joined(separator: " "))
      }
    }
    if let (i, j) = y.firstNonFinite {
      throw WorkFailure(
        description: "coordinate \(i) of the output of sample \(j) is not finite: the forward pass "
          + "overflows")
    }
  }
}

import ArgumentParser
import ArrayFiles
import Foundation
import LinearAlgebra
import NeuralSheaves

struct Forward: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run the forward pass.",
    discussion: """
      Examples:
      sheaf forward network.npz --input samples.csv#0:64 --json
      sheaf forward network.npz --input x.npy --output - | head
      sheaf forward network.npz --input x.npy --uncertainty --noise noise.json --json
      """)

  @OptionGroup var network: NetworkOptions
  @OptionGroup var arrays: ArrayOptions
  @Option(
    help: "The input, an ARRAY: file.npy, file.npz#key, file.safetensors#name or file.csv#columns.")
  var input: String
  @Option(help: "Write the output to an .npy or .csv file, or as CSV to standard output: -.")
  var output: String?
  @OptionGroup var uncertainty: UncertaintyOptions
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    if uncertainty.uncertainty && output == CallFiles.standardStream {
      throw ValidationError(
        "--output - with --uncertainty: deviations are printed there, expected a file or no --output"
      )
    }
  }

  func run() throws {
    var files = CallFiles()
    network.declare(in: &files)
    files.reads("--input", input)
    try uncertainty.declare(in: &files)
    try files.writes("--output", output, extensions: ["npy", "csv"], orPrints: true)
    files.prints("--json", json)
    try files.check()
    let (reading, network) = (network.reading, try network.load())
    let x = try arrays.readInput(input, for: network)
    let uncertain =
      uncertainty.uncertainty ? try UncertainOutputs(network, uncertainty, reading) : nil
    let (y, deviation, end) = outputs(of: x, network, uncertain, until: .onSignals())
    var delivery = Delivery()
    if let output {
      delivery.put { try Table.write(y, of: network, arrays, to: output) }
    }
    let status = y.firstNonFinite != nil ? "diverged" : end?.rawValue ?? "done"
    if json {
      delivery.put {
        var object: [String: Any] = [
          "output": JSONOutput.samples(y), "status": status, "classes": network.classNames,
        ]
        if let deviation { object["standardDeviation"] = JSONOutput.samples(deviation) }
        try JSONOutput.print(object)
      }
    } else if let deviation {
      delivery.print(lines(output == nil ? [y, deviation] : [deviation]))
    } else if output == nil {
      delivery.print(lines([y]))
    }
    try delivery.end(failure(y, of: x.columns, end))
  }

  /// A line for each sample with its numbers, those of several quantities parted by ±.
  private func lines(_ quantities: [Matrix]) -> String {
    (0..<quantities[0].columns).map { j in
      quantities.map { m in m.column(j).map { "\($0)" }.joined(separator: " ") }
        .joined(separator: " ± ")
    }.joined(separator: "\n")
  }

  /// The outputs of as many samples as there is time for, their deviations if they are wanted, and what ended the work early.
  private func outputs(
    of x: Matrix, _ network: Network, _ uncertain: UncertainOutputs?, until halt: Halt
  ) -> (Matrix, Matrix?, SolutionStatus?) {
    guard let uncertain else {
      let (y, end) = network.outputs(of: x, until: halt)
      return (y, nil, end)
    }
    // States of all stalks are kept for a block: at most some hundred megabytes.
    let block = max(
      1, min(500_000_000 / max(uncertain.cost, 1), 20_000_000 / max(network.freeDimension, 1)))
    var y = Matrix(rows: network.outputDimension, columns: x.columns)
    var deviation = y
    for start in stride(from: 0, to: x.columns, by: block) {
      if let reason = halt.reason {
        return (y.columns(0..<start), deviation.columns(0..<start), reason)
      }
      let (part, spread) = uncertain(x.columns(start..<min(start + block, x.columns)))
      y.setColumns(from: start, to: part)
      deviation.setColumns(from: start, to: spread)
    }
    return (y, deviation, nil)
  }

  private func failure(_ y: Matrix, of samples: Int, _ end: SolutionStatus?) -> WorkFailure? {
    if let (i, j) = y.firstNonFinite {
      return WorkFailure(
        description: "coordinate \(i) of the output of sample \(j) is not finite: the forward pass "
          + "overflows")
    }
    return end.map { _ in
      WorkFailure(description: "interrupted after \(y.columns) of \(samples) samples")
    }
  }
}

extension Network {
  /// The outputs of as many samples as there is time for, and what ended the work early.
  fileprivate func outputs(of x: Matrix, until halt: Halt) -> (Matrix, SolutionStatus?) {
    // About a tenth of a second.
    let block = max(1, 500_000_000 / max(cost, 1))
    guard x.columns > block else { return (self(x), halt.reason) }
    var y = Matrix(rows: outputDimension, columns: x.columns)
    for start in stride(from: 0, to: x.columns, by: block) {
      if let reason = halt.reason { return (y.columns(0..<start), reason) }
      let range = start..<min(start + block, x.columns)
      y.setColumns(from: range.lowerBound, to: self(x.columns(range)))
    }
    return (y, nil)
  }
}

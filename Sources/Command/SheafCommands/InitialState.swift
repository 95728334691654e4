import ArgumentParser
import Foundation
import LinearAlgebra
import ModelFormats
import NeuralSheaves

/// INITIAL: `forward`, `zeros`, `random`, or an .npz file of stalks.
struct InitialOptions: ParsableArguments, Encodable {
  @Option(help: "The stalks at the start: forward, zeros, random or an .npz file with z1, a1, ….")
  var initial: String?
  @Option(help: "The prefix of the stalks' keys in an .npz file, such as init_.")
  var initialPrefix = ""
  @Option(help: "The seed of random numbers.") var seed: UInt64 = 0

  private static let words = ["forward", "zeros", "random"]

  /// The file of stalks, if INITIAL is one.
  private var file: String? {
    initial.flatMap { Self.words.contains($0) ? nil : $0 }
  }

  func validate() throws {
    guard initialPrefix.isEmpty || file != nil else {
      throw ValidationError(
        "--initial-prefix is for stalks in an .npz file, expected --initial FILE")
    }
  }

  /// Declares the file of stalks, if INITIAL is one.
  func declare(in files: inout CallFiles) { files.reads("--initial", file) }

  /// The state that INITIAL names, with a_{k+1} where the sheaf has that vertex.
  func state(
    _ sheaf: NeuralSheaf, input: Matrix, default name: String, arrays: ArrayOptions,
    hasOutput: Bool
  ) throws -> SheafState {
    let network = sheaf.network
    let shape = (rows: network.outputDimension, columns: input.columns)
    var state: SheafState
    switch initial ?? name {
    case "forward":
      state = sheaf.forwardPass(input)
      if hasOutput { state.output = network.outputActivation(state.stalks[network.lastVertex]) }
    case "zeros":
      state = sheaf.zeroState(input)
      if hasOutput { state.output = Matrix(rows: shape.rows, columns: shape.columns) }
    case "random":
      var generator = RandomGenerator(seed: seed)
      state = sheaf.randomState(input, using: &generator)
      if hasOutput {
        state.output = generator.normalMatrix(rows: shape.rows, columns: shape.columns)
      }
    case let path where path.hasSuffix(".npz"):
      state = try NPZState.read(
        path, prefix: initialPrefix, network: network, input: input,
        samplesInColumns: arrays.samples == .columns, hasOutput: hasOutput)
    case let other:
      throw ValidationError(
        "--initial \(other): expected forward, zeros, random or an .npz file")
    }
    return state
  }
}

import ArgumentParser
import ArrayFiles
import ModelFormats
import NeuralSheaves

extension OutputActivation: ExpressibleByArgument {}

/// How a network's file is to be read.
struct NetworkReadingOptions: ParsableArguments, Encodable {
  @Option(
    help:
      "The prefix of the network's keys in an .npz file, such as init_, or a module of a state dict."
  )
  var prefix = ""

  @Option(
    help: ArgumentHelp(
      "What stands between the layers, where a .safetensors file does not say.",
      discussion: """
        relu, leaky:SLOPE, relu6, clip:LO:HI, hardtanh, hardsigmoid, softshrink:WIDTH, abs, identity, prelu \
        (slopes in the file): one for all, or one for each gap between layers, joined by commas, and perhaps \
        one more behind the last.
        """))
  var activation: String?

  @Option(help: "The layers of a state dict in order, such as encoder,decoder.")
  var layerOrder: String?

  @Option(help: "The ε of batch normalisations in a state dict; default PyTorch's 1e-5.")
  var batchNormEpsilon: Double?

  @Option(
    help: "The output activation: identity, sigmoid or softmax; default what the file says.")
  var outputActivation: OutputActivation?

  @Option(
    help: """
      The tensor of an .onnx file that is the output: one of several, or one before a softmax, \
      log-softmax or arg-max at the end.
      """)
  var outputTensor: String?

  func validate() throws {
    if let epsilon = batchNormEpsilon, !(epsilon >= 0 && epsilon.isFinite) {
      throw ValidationError(
        "--batch-norm-epsilon is \(epsilon), expected 0 or a positive number")
    }
    _ = try activations()
  }

  private func activations() throws -> [LayerActivation] {
    try list(activation).map {
      do { return try LayerActivation($0) } catch {
        throw ValidationError("--activation \(activation!): \(error)")
      }
    }
  }

  private func list(_ text: String?) -> [String] {
    text?.split(separator: ",", omittingEmptySubsequences: false).map {
      $0.trimmingCharacters(in: .whitespaces)
    } ?? []
  }

  /// Reads a network; what the file does not say is stated on standard error.
  func load(_ path: String) throws -> Network {
    var reading = NetworkReading()
    reading.prefix = prefix
    reading.activations = try activations()
    reading.layerOrder = list(layerOrder)
    reading.batchNormEpsilon = batchNormEpsilon
    reading.outputActivation = outputActivation
    reading.outputTensor = outputTensor
    return try NetworkFile.read(path, reading) { Note.say($0) }
  }

  /// Reads a network that is to have the inputs and outputs of another.
  func load(_ path: String, like other: Network, in file: String) throws -> Network {
    let network = try load(path)
    guard network.inputDimension == other.inputDimension,
      network.outputDimension == other.outputDimension
    else {
      throw ArrayFileError(
        file: path,
        problem:
          "has \(network.inputDimension) inputs and \(network.outputDimension) outputs, expected "
          + "\(other.inputDimension) and \(other.outputDimension) as in \(file)")
    }
    return network
  }

  /// An option that only reading has a use for, and that was given.
  var givenForReading: String? {
    [
      ("--prefix", !prefix.isEmpty), ("--activation", activation != nil),
      ("--layer-order", layerOrder != nil),
      ("--batch-norm-epsilon", batchNormEpsilon != nil), ("--output-tensor", outputTensor != nil),
    ].first { $0.1 }?.0
  }
}

import ArgumentParser
import NeuralSheaves

/// The energy of the output edge, and with it what `output` means in a call.
struct OutputEdgeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The energy of the output edge: squared (the default) or crossEntropy.",
      discussion: """
        With crossEntropy the outputs of an identity network are logits: the output edge leads to \
        their softmax (for a single output its sigmoid), and pins on output are probabilities.
        """))
  var outputEnergy: OutputEdge.Energy?

  /// The energy, by default the squared.
  var energy: OutputEdge.Energy { outputEnergy ?? .squared }

  /// Gives a network of logits the φ that a cross-entropy is of.
  func apply(to network: inout Network) {
    guard energy == .crossEntropy && network.outputActivation == .identity else { return }
    network.outputActivation = network.outputDimension == 1 ? .sigmoid : .softmax
    // `output` is a_{k+1} now, not a tensor of that name in the file.
    network.removeAlias("output")
  }

  /// The output edge of a network: that of its φ, or of an identity whose clamp is soft.
  func edge(of network: Network, coupling: Double? = nil) -> OutputEdge? {
    guard network.outputActivation != .identity || coupling != nil else { return nil }
    return OutputEdge(
      activation: network.outputActivation, energy: energy, coupling: coupling ?? 1)
  }

  /// Checks that what pins ask of a cross-entropy's output are probabilities, for every sample.
  func check(_ pins: Pins, on network: Network) throws(NetworkError) {
    let (activation, vertex) = (network.outputActivation, network.vertices.count)
    guard energy == .crossEntropy && activation != .identity else { return }
    try activation.checkTarget(
      pins.heldValues(vertex), coordinates: pins.holdsAll(of: vertex) ? nil : pins.held(vertex),
      named: "the target on output")
    for pin in pins.soft(vertex) {
      try activation.checkTarget(
        pin.values, coordinates: pin.rows.count == network.outputDimension ? nil : pin.rows,
        named: "the target on output")
    }
  }
}

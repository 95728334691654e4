import ArgumentParser
import ArrayFiles
import Equilibria
import Foundation
import LinearAlgebra
import ModelFormats
import NeuralSheaves
import PiecewiseEnergies

extension EquilibriumMethod: ExpressibleByArgument {}

struct Equilibrate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Relax a network with pins to its equilibrium: 0 ∈ ∂E, kinks included.",
    discussion: """
      E is half the total discord plus (γ/2)(c − t)² for each soft pin. A hard pin holds its \
      coordinates, also where a soft pin pulls them. A soft pin on x, or --free, sets coordinates of \
      the input free. The end is the first on a way down from the forward pass; --method flow follows \
      the heat equation instead.

      pinForces has, by stalk as its pins name it, the coordinates and for every sample the force that \
      the pins exert on each: ∂E/∂c where c is held (how fast E rises with the value asked for), \
      γ(t − c) where it is pulled. undetermined lists samples whose freed input the pins leave open.

      Examples:
      sheaf equilibrate network.npz --input x.npy --pin output=y.npy --json
      sheaf equilibrate network.npz --input x.npy --pin 'z1[0]=0.5' --final stalks.npz
      sheaf equilibrate network.npz --input x.npy --soft-pin 'x[1]=0@0.1' --pin output=1
      """)

  @OptionGroup var network: NetworkOptions
  @OptionGroup var arrays: ArrayOptions
  @Option(
    help: "The input, an ARRAY: file.npy, file.npz#key, file.safetensors#name or file.csv#columns.")
  var input: String
  @Option(
    help: ArgumentHelp(
      "Hold coordinates: STALK=VALUE or STALK[i,j,k:l]=VALUE. Repeatable.",
      discussion: "STALK is x, z1, a1, … or output; VALUE a number or an ARRAY."))
  var pin: [String] = []
  @Option(help: "Pull coordinates: PIN@GAMMA. Repeatable.") var softPin: [String] = []
  @Option(help: "Set coordinates of the input free: x or x[i,j,k:l]. Repeatable.")
  var free: [String] = []
  @Flag(help: "Take the point of least norm where the pins leave a freed input open.")
  var leastNorm = false
  @Option(help: "The method; auto takes direct for few pins, iterative for many.")
  var method: EquilibriumMethod = .auto
  @Option(help: "Clamp the output softly, by an edge of this weight to the pin on output.")
  var coupling: Double?
  @OptionGroup var outputEdge: OutputEdgeOptions
  @Option(help: "The residual that counts as converged.") var tolerance = 1e-8
  @Option(help: "The most steps; default 1000, of coordinate 100000, of flow 200000.") var steps:
    Int?
  @Option(help: "Write the final stalks to an .npz file.") var final: String?
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    for (name, value) in [("--tolerance", tolerance), ("--coupling", coupling ?? 1)]
    where !(value > 0 && value.isFinite) {
      throw ValidationError("\(name) is \(value), expected a positive finite number")
    }
    if let steps, steps < 1 {
      throw ValidationError("--steps is \(steps), expected at least 1")
    }
    guard !leastNorm || method == .auto || method == .direct else {
      throw ValidationError(
        "--least-norm is for --method direct, found --method \(method.rawValue)")
    }
    _ = try PinOption.parse(hard: pin, soft: softPin)
  }

  func run() throws {
    try checkWritable(final, extensions: ["npz"])
    var network = try network.load()
    outputEdge.apply(to: &network)
    let x = try arrays.readInput(input, for: network)
    let requests = try requests(on: network, samples: x.columns)
    let pins = try Pins(
      requests.map(\.pin), freeing: freed(of: network), network: network, input: x)
    try outputEdge.check(pins, on: network)
    let energy = PinnedEnergy(
      NeuralSheaf(network), pins: pins, output: outputEdge.edge(of: network, coupling: coupling))
    let end = try solver(for: energy).solve(energy, input: x)
    if let final {
      var state = end.state
      // The far end of a soft clamp is no stalk of the network.
      if network.outputActivation == .identity { state.output = nil }
      try NPZ.write(
        NPZState.arrays(
          of: state, network: network, samplesInColumns: arrays.samples == .columns),
        to: final)
    }
    let report = EquilibriumReport(
      end, energy, pinned: requests.map { ($0.stalk, $0.pin) },
      method: method.chosen(for: energy).rawValue,
      isLeastNorm: leastNorm)
    if json { try JSONOutput.print(report.json) } else { print(report.text) }
    if let failure = report.failure(tolerance: tolerance) { throw failure }
  }

  private func solver(for energy: PinnedEnergy) -> any EquilibriumSolver {
    leastNorm && method.chosen(for: energy) == .direct
      ? DirectSolver(stepLimit: steps ?? 1000, tolerance: tolerance, isLeastNorm: true)
      : method.solver(for: energy, tolerance: tolerance, stepLimit: steps)
  }

  /// The pins with the names that the call has for their stalks.
  private func requests(
    on network: Network, samples: Int
  ) throws -> [(stalk: String, pin: Pin)] {
    // With a coupling `output` is the far end of the output edge, also where φ is the identity.
    let output = coupling == nil ? nil : network.vertices.count
    let requests = try PinOption.parse(hard: pin, soft: softPin).map {
      (
        stalk: $0.selection.stalk,
        pin: try $0.pin(on: network, arrays, samples: samples, output: output)
      )
    }
    guard
      coupling == nil
        || requests.contains(where: {
          $0.pin.vertex == network.vertices.count && $0.pin.strength == .hard
        })
    else {
      throw ValidationError(
        "--coupling is the weight of a clamp: expected a --pin on output, found none")
    }
    return requests
  }

  private func freed(of network: Network) throws -> [Int] {
    try free.flatMap { text in
      let selection = try StalkSelection(text[...], in: "--free \(text)")
      guard try network.vertex(named: selection.stalk) == 0 else {
        throw ValidationError(
          "--free \(text): \(selection.stalk) is free unless a pin holds it, expected coordinates "
            + "of the input, such as x[0:\(network.inputDimension)]")
      }
      return try selection.coordinates(of: network.inputDimension)
    }
  }
}

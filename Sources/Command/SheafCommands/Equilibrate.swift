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
  @Option(
    help: """
      Clamp the output to each sample's class, an ARRAY of labels: by cross-entropy with weight 1 unless \
      --output-energy and --coupling say otherwise.
      """) var labels: String?
  @Option(help: "Pull coordinates: PIN@GAMMA. Repeatable.") var softPin: [String] = []
  @Option(help: "Set coordinates of the input free: x or x[i,j,k:l]. Repeatable.")
  var free: [String] = []
  @Flag(help: "Take the point of least norm where the pins leave a freed input open.")
  var leastNorm = false
  @Option(
    help: """
      The method; auto takes direct for small networks with few pins and no maxima, iterative for others.
      """)
  var method: EquilibriumMethod = .auto
  @Option(help: "Clamp the output softly, by an edge of this weight to the pin on output.")
  var coupling: Double?
  @OptionGroup var outputEdge: OutputEdgeOptions
  @Option(help: "The residual that counts as converged.") var tolerance = SolverSettings
    .defaultTolerance
  @Option(help: "The most steps; default 1000, of coordinate 100000, of flow 200000.") var steps:
    Int?
  @Option(help: "Write the final stalks to an .npz file.") var final: String?
  @Option(help: "Write a row for each sample to a .csv file: status, energy, discord by edge, ….")
  var perSample: String?
  @Option(help: "Write a row for each neuron to a .csv file: its discord and signed discrepancy.")
  var perNeuron: String?
  @OptionGroup var limit: TimeLimitOption
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
    let requests = try PinOption.parse(hard: pin, soft: softPin)
    if labels != nil, let request = requests.first(where: { $0.selection.stalk == "output" }) {
      throw ValidationError("--labels clamps the output, found \(request.label) as well")
    }
  }

  func run() throws {
    try declaredFiles().check()
    var network = try network.load()
    var outputEdge = outputEdge
    if labels != nil { outputEdge.outputEnergy = outputEdge.outputEnergy ?? .crossEntropy }
    outputEdge.apply(to: &network)
    let x = try arrays.readInput(input, for: network)
    let requests = try requests(on: network, samples: x.columns)
    noteLogits(requests.map(\.pin), on: network)
    let pins = try Pins(
      requests.map(\.pin), freeing: freed(of: network), network: network, input: x)
    try outputEdge.check(pins, on: network)
    let energy = PinnedEnergy(
      NeuralSheaf(network), pins: pins, output: outputEdge.edge(of: network, coupling: weight))
    let bar = ProgressBar()
    var solver = solver(for: energy)
    solver.settings.halt = .onSignals(timeLimit: limit.timeLimit)
    solver.progress = bar.counter(of: x.columns, "samples")
    let end = try solver.solve(energy, input: x)
    bar.end()
    let report = EquilibriumReport(
      end, energy, pinned: requests.map { ($0.stalk, $0.pin) },
      method: method.chosen(for: energy).rawValue,
      isLeastNorm: leastNorm)
    try deliver(report)
  }

  private func declaredFiles() throws -> CallFiles {
    var files = CallFiles()
    network.declare(in: &files)
    files.reads("--input", input)
    files.reads("--labels", labels)
    PinOption.declare(hard: pin, soft: softPin, in: &files)
    try files.writes("--final", final, extensions: ["npz"])
    try files.writes("--per-sample", perSample, extensions: ["csv"], orPrints: true)
    try files.writes("--per-neuron", perNeuron, extensions: ["csv"], orPrints: true)
    files.prints("--json", json)
    return files
  }

  private func deliver(_ report: EquilibriumReport) throws {
    var delivery = Delivery()
    if let final {
      var state = report.end.state
      // The far end of a soft clamp is no stalk of the network.
      if report.network.outputActivation == .identity { state.output = nil }
      delivery.put {
        try NPZ.write(
          NPZState.arrays(
            of: state, network: report.network, samplesInColumns: arrays.samples == .columns),
          to: final)
      }
    }
    if let perSample { delivery.put { try report.bySample.write(to: perSample) } }
    if let perNeuron { delivery.put { try report.byNeuron.write(to: perNeuron) } }
    if json {
      delivery.put { try JSONOutput.print(report.json) }
    } else if ![perSample, perNeuron].contains(CallFiles.standardStream) {
      delivery.print(report.text)
    }
    try delivery.end(report.failure(tolerance: tolerance))
  }

  private func solver(for energy: PinnedEnergy) -> any EquilibriumSolver {
    let isDirect = leastNorm && method.chosen(for: energy) == .direct
    let solver = (isDirect ? EquilibriumMethod.direct : method).solver(
      tolerance: tolerance, stepLimit: steps)
    guard isDirect, var direct = solver as? DirectSolver else { return solver }
    direct.isLeastNorm = true
    return direct
  }

  /// The pins with the names that the call has for their stalks.
  private func requests(
    on network: Network, samples: Int
  ) throws -> [(stalk: String, pin: Pin)] {
    // With a coupling `output` is the far end of the output edge, also where φ is the identity.
    let output = weight == nil ? nil : network.vertices.count
    if let labels {
      let target = try Labels(labels, option: "--labels", for: network, arrays: arrays).target
      guard target.columns == samples else {
        throw NetworkError.quantity(
          name: "--labels \(labels)", found: "\(target.columns) labels",
          expected: "\(samples), one for each sample")
      }
      let clamp = Pin.clamp(target, of: network, label: "--labels \(labels)")
      return try pinRequests(on: network, samples: samples, output: output) + [("output", clamp)]
    }
    let requests = try pinRequests(on: network, samples: samples, output: output)
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

  /// The weight of the clamp, if there is one.
  private var weight: Double? { coupling ?? (labels == nil ? nil : 1) }

  private func pinRequests(
    on network: Network, samples: Int, output: Int?
  ) throws -> [(stalk: String, pin: Pin)] {
    try PinOption.parse(hard: pin, soft: softPin).map {
      (
        stalk: $0.selection.stalk,
        pin: try $0.pin(on: network, arrays, samples: samples, output: output)
      )
    }
  }

  /// Says where logits are clamped to what look like probabilities, by squared error.
  private func noteLogits(_ pins: [Pin], on network: Network) {
    guard labels == nil, outputEdge.outputEnergy == nil, network.outputActivation == .identity,
      network.outputDimension > 1
    else { return }
    let isDistribution = pins.contains { pin in
      pin.vertex >= network.lastVertex && pin.values.rows == network.outputDimension
        && (0..<pin.values.columns).allSatisfy { j in
          let column = pin.values.column(j)
          return column.allSatisfy { $0 >= 0 } && abs(column.reduce(0, +) - 1) < 1e-6
        }
    }
    guard isDistribution else { return }
    Note.say(
      "the output is clamped by squared error; if it is a classifier's logits, --labels or "
        + "--output-energy crossEntropy clamps their probabilities")
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

import ArgumentParser
import ArrayFiles
import Equilibria
import Figures
import Foundation
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies
import SheafDiagnostics

struct Spectrum: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Spectra of the restricted sheaf Laplacian at the forward pass of each sample.",
    discussion: """
      λ₁ is the rate of the slowest part of the heat flow, 2/λ_max the largest stable step of Euler's method. The \
      energies say where the Fiedler and the top eigenvector live: the share of z1, a1, … in them, mean over samples; the \
      stabilities are means of |cos| between the eigenvectors of two samples. Where an eigenvalue repeats they are those of \
      its eigenspace.

      Examples:
      sheaf spectrum network.npz --input x.npy
      sheaf spectrum network.onnx --input x.npy --pairs 5 --json
      """)

  @OptionGroup var network: NetworkOptions
  @OptionGroup var arrays: ArrayOptions
  @Option(
    help: "The input, an ARRAY: file.npy, file.npz#key, file.safetensors#name or file.csv#columns.")
  var input: String
  @Option(
    help: """
      Hold coordinates: STALK=VALUE or STALK[i,j,k:l]=VALUE. Repeatable. With pins the spectra are those of the \
      energy's Hessian at the pinned equilibrium, on the face where it is.
      """) var pin: [String] = []
  @Option(help: "Pull coordinates: PIN@GAMMA. Repeatable.") var softPin: [String] = []
  @Flag(help: "All eigenvalues of each sample, by a dense decomposition.") var full = false
  @Option(help: "How many eigenvalues at either end of the spectrum.") var pairs = 1
  @Option(
    help: """
      Estimate how all eigenvalues are distributed, for networks of any size, with so many random vectors a sample.
      """) var density: Int?
  @OptionGroup var limit: TimeLimitOption
  @OptionGroup var plot: PlotOption
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    try plot.check(json: json)
    if let density, density < 1 {
      throw ValidationError("--density is \(density), expected at least 1")
    }
    _ = try PinOption.parse(hard: pin, soft: softPin)
    guard density == nil || pin.isEmpty && softPin.isEmpty else {
      throw ValidationError("--density is of the Laplacian without pins, found pins as well")
    }
    guard pairs >= 1 else { throw ValidationError("--pairs is \(pairs), expected at least 1") }
  }

  func run() throws {
    var files = CallFiles()
    network.declare(in: &files)
    files.reads("--input", input)
    PinOption.declare(hard: pin, soft: softPin, in: &files)
    files.prints("--json", json)
    try files.check()
    let network = try network.load()
    let x = try arrays.readInput(input, for: network)
    let n = network.freeDimension
    let bytes = 16 * Double(n) * Double(n)
    guard !full || bytes <= Double(ProcessInfo.processInfo.physicalMemory) else {
      throw NetworkError.quantity(
        name: "--full", found: "\(n) free coordinates, matrices of \(Int(bytes / 1e9)) GB",
        expected: "what fits into memory; without --full the ends of the spectrum are worked out")
    }
    var settings = SheafSpectrum.Settings()
    (settings.pairs, settings.isFull) = (pairs, full)
    settings.halt = .onSignals(timeLimit: limit.timeLimit)
    let bar = ProgressBar()
    let sheaf = NeuralSheaf(network)
    let state = sheaf.forwardPass(x)
    if let v = state.stalks.indices.first(where: { state.stalks[$0].firstNonFinite != nil }) {
      throw NetworkError.quantity(
        name: "the forward pass", found: "\(network.vertices[v].name) of a sample is not finite",
        expected: "finite stalks")
    }
    let count = bar.counter(of: x.columns, "samples")
    let spectrum =
      pin.isEmpty && softPin.isEmpty
      ? SheafSpectrum(sheaf, at: state, settings: settings, progress: count)
      : try pinned(sheaf, x, settings, count)
    bar.end()
    let measures =
      density.map {
        SheafSpectrum.densities(sheaf, at: state, vectors: $0, halt: settings.halt)
      } ?? []
    let whole = measures.filter(\.isWhole)
    try deliver(
      spectrum, SpectralDensity(whole), isWhole: whole.count == measures.count, settings.halt)
  }

  /// The spectra of the Hessians at the pinned equilibria.
  private func pinned(
    _ sheaf: NeuralSheaf, _ x: Matrix, _ settings: SheafSpectrum.Settings,
    _ progress: @escaping @Sendable (Int) -> Void
  ) throws -> SheafSpectrum {
    let requests = try PinOption.parse(hard: pin, soft: softPin)
    let pins = try Pins(
      requests.map { try $0.pin(on: sheaf.network, arrays, samples: x.columns) },
      network: sheaf.network, input: x)
    let output =
      sheaf.network.outputActivation == .identity
      ? nil : OutputEdge(activation: sheaf.network.outputActivation, energy: .squared)
    let energy = PinnedEnergy(sheaf, pins: pins, output: output)
    var solver = AutomaticSolver()
    solver.settings.halt = settings.halt
    let end = try solver.solve(energy, input: x)
    let open = end.statuses.count { $0 != .converged }
    if open > 0 && settings.halt.reason == nil {
      Note.say("\(open) of \(x.columns) samples are not at an equilibrium: \(end.status.rawValue)")
    }
    return SheafSpectrum(energy, at: end.state, settings: settings, progress: progress)
  }

  private func deliver(
    _ spectrum: SheafSpectrum, _ density: SpectralDensity?, isWhole: Bool, _ halt: Halt
  )
    throws
  {
    let report = SpectrumReport(
      spectrum: spectrum, density: density, pairs: pairs, isFull: full)
    var delivery = Delivery()
    if json {
      delivery.put { try JSONOutput.print(report.json) }
    } else {
      delivery.print(report.text)
      plot.add(report.panel, to: &delivery)
    }
    let count = spectrum.samples.count
    let open = spectrum.samples.count { $0.status != .converged }
    let reason =
      halt.reason.map(\.haltWords)
      ?? "the iterations did not converge"
    let problem =
      open > 0
      ? "the spectra of \(open) of \(count) samples are not known: \(reason)"
      : isWhole ? nil : "the distribution is not that of all samples: \(reason)"
    try delivery.end(problem.map { WorkFailure(description: $0) })
  }
}

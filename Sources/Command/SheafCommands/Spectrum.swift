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
    try deliver(spectrum, Density(whole), isWhole: whole.count == measures.count, settings.halt)
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

  private func deliver(_ spectrum: SheafSpectrum, _ density: Density?, isWhole: Bool, _ halt: Halt)
    throws
  {
    var delivery = Delivery()
    if json {
      var object = object(spectrum)
      if let density { object["density"] = density.json }
      delivery.put { try JSONOutput.print(object) }
    } else {
      delivery.print(text(spectrum))
      if let density { delivery.print("\n" + density.text) }
      plot.add(density?.panel ?? panel(spectrum), to: &delivery)
    }
    let count = spectrum.samples.count
    let open = spectrum.samples.count { $0.status != .converged }
    let reason =
      halt.reason.map { $0 == .timeLimit ? "--time-limit reached" : "interrupted" }
      ?? "the iterations did not converge"
    let problem =
      open > 0
      ? "the spectra of \(open) of \(count) samples are not known: \(reason)"
      : isWhole ? nil : "the distribution is not that of all samples: \(reason)"
    try delivery.end(problem.map { WorkFailure(description: $0) })
  }

  /// All eigenvalues of the samples, or their ends.
  private func panel(_ spectrum: SheafSpectrum) -> Panel {
    func points(_ name: String, _ lists: [[Double]]) -> Layer {
      .points(
        x: lists.indices.flatMap { j in lists[j].map { _ in Double(j) } }, y: lists.flatMap { $0 },
        label: name)
    }
    let samples = spectrum.samples
    return Panel(
      "eigenvalues by sample", x: Axis("sample"), y: Axis(scale: .logarithmic),
      legend: .topRight,
      layers: full
        ? [points("all", samples.map { $0.eigenvalues ?? [] })]
        : [
          points("gap", samples.map { [$0.gap] }),
          points("largest", samples.map { [$0.top.value] }),
        ])
  }

  private func median(
    _ value: (SampleSpectrum) -> Double, _ spectrum: SheafSpectrum
  ) -> Double? {
    Statistics(spectrum.samples.map(value)).median
  }

  private func means(_ spectrum: SheafSpectrum, _ end: SheafSpectrum.End) -> [(String, Double)] {
    spectrum.blockEnergies(end).map { ($0.block, Statistics($0.energies).mean ?? .nan) }
  }

  private func object(_ spectrum: SheafSpectrum) -> [String: Any] {
    func triple(_ gap: Double?, _ largest: Double?, _ condition: Double?) -> [String: Any] {
      [
        "gap": JSONOutput.number(gap), "largest": JSONOutput.number(largest),
        "condition": JSONOutput.number(condition),
      ]
    }
    func energies(_ end: SheafSpectrum.End) -> [String: Any] {
      Dictionary(
        uniqueKeysWithValues: means(spectrum, end).map { ($0.0, JSONOutput.number($0.1)) })
    }
    return [
      "samples": spectrum.samples.map { s in
        var object = triple(s.gap, s.top.value, s.condition)
        object["status"] = s.status.rawValue
        object["residual"] = JSONOutput.number(max(s.fiedler.residual, s.top.residual))
        object["multiplicity"] = ["gap": s.fiedler.dimension, "largest": s.top.dimension]
        if pairs > 1 {
          object["pairs"] = ["smallest": s.smallest, "largest": s.largest]
        }
        if full { object["eigenvalues"] = s.eigenvalues ?? [] }
        return object
      },
      "median": triple(
        median(\.gap, spectrum), median(\.top.value, spectrum), median(\.condition, spectrum)),
      "logDeterminant": JSONOutput.number(spectrum.logDeterminant),
      "fiedlerEnergy": energies(.fiedler), "topEnergy": energies(.top),
      "fiedlerStability": JSONOutput.number(spectrum.stability(.fiedler)),
      "topStability": JSONOutput.number(spectrum.stability(.top)),
    ]
  }

  private func text(_ spectrum: SheafSpectrum) -> String {
    let n = TextOutput.number
    let m = { (value: (SampleSpectrum) -> Double) in n(median(value, spectrum) ?? .nan) }
    let count = spectrum.samples.count
    var lines = [
      "\(count) \(count == 1 ? "sample" : "samples"): median gap \(m { $0.gap }), largest "
        + "\(m { $0.top.value }), condition \(m { $0.condition }), log determinant "
        + n(spectrum.logDeterminant)
    ]
    if let fiedler = spectrum.stability(.fiedler), let top = spectrum.stability(.top) {
      lines.append("stability: Fiedler \(n(fiedler)), top \(n(top))")
    }
    var blocks = [["stalk", "Fiedler", "top"]]
    for ((block, fiedler), (_, top)) in zip(means(spectrum, .fiedler), means(spectrum, .top)) {
      blocks.append([block, n(fiedler), n(top)])
    }
    lines += ["", TextOutput.table(blocks), ""]
    var rows = [["sample", "gap", "largest", "condition"]]
    for (j, s) in spectrum.samples.prefix(20).enumerated() {
      rows.append(["\(j)", n(s.gap), n(s.top.value), n(s.condition)])
    }
    lines.append(TextOutput.table(rows))
    if spectrum.samples.count > 20 { lines.append("… all with --json") }
    return lines.joined(separator: "\n")
  }
}

/// How the eigenvalues of all samples are distributed.
private struct Density {
  /// Of cells of equal ratio.
  let edges: [Double]
  let shares: [Double]

  /// nil without measures.
  init?(_ measures: [SpectralMeasure]) {
    let nodes = measures.flatMap(\.nodes)
    guard !nodes.isEmpty else { return nil }
    let edges = Histogram(logarithmic: nodes, cells: 20).edges
    // The last cell holds its upper end.
    let cells = edges.dropLast() + [edges.last! * (1 + 1e-9)]
    let all = measures.map { $0.shares(between: Array(cells)) }
    self.edges = edges
    shares = (0..<edges.count - 1).map { k in
      all.reduce(0) { $0 + $1[k] } / Double(measures.count)
    }
  }

  var json: [String: Any] { ["edges": edges, "shares": shares] }

  var text: String {
    TextOutput.table(
      [["eigenvalues from", "to", "share"]]
        + shares.indices.map { k in
          [
            TextOutput.number(edges[k]), TextOutput.number(edges[k + 1]),
            TextOutput.number(shares[k]),
          ]
        })
  }

  var panel: Panel {
    Panel(
      "share of the eigenvalues", x: Axis("eigenvalue", scale: .logarithmic), y: Axis(),
      layers: [.histogram(edges: edges, counts: shares)])
  }
}

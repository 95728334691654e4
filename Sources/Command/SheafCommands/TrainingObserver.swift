import ArgumentParser
import ArrayFiles
import Equilibria
import Foundation
import LinearAlgebra
import NeuralSheaves
import PiecewiseEnergies
import SheafDiagnostics
import SheafTraining

/// Looks at a network while it is trained: quartiles over some training samples of the ends of their restricted
/// Laplacians' spectra, and the discord of each edge at the equilibria with the output clamped.
struct TrainingObserver {
  /// The steps from one look to the next: at the end of the first epoch after as many.
  private let interval: Int
  let path: String
  private let probe: TrainingData
  private let halt: Halt
  private var rows: [(step: Int, fields: [String])] = []
  private var header: [String] = []

  /// - Parameter isResumed: whether rows of the file that are of earlier steps stay.
  init(
    every interval: Int, to path: String, on data: TrainingData, samples: Int, isResumed: Bool,
    halt: Halt, network: Network
  ) throws {
    (self.interval, self.path, self.halt) = (interval, path, halt)
    let range = 0..<min(samples, data.count)
    probe = try TrainingData(
      input: data.input.columns(range), target: data.target.columns(range), for: network)
    guard isResumed, let text = try? String(contentsOfFile: path, encoding: .utf8) else { return }
    for line in text.split(separator: "\n").dropFirst() {
      let fields = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      if fields.count > 1, let step = Int(fields[1]) { rows.append((step, fields)) }
    }
  }

  /// `every:N`.
  static func interval(_ text: String) throws -> Int {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0] == "every", let n = Int(parts[1]), n > 0 else {
      throw ValidationError("--observe is \(text), expected every:N with a number of steps N")
    }
    return n
  }

  /// Looks, if it is time to.
  mutating func look(at network: Network, _ record: EpochRecord) throws {
    // A run that goes on from a checkpoint may have seen more than it holds.
    rows.removeAll { $0.step >= record.step }
    let next = rows.last.map { ($0.step / interval + 1) * interval } ?? 0
    guard record.step >= next else { return }
    let sheaf = NeuralSheaf(network)
    var settings = SheafSpectrum.Settings()
    (settings.tolerance, settings.halt) = (1e-4, halt)
    let spectra = SheafSpectrum(sheaf, at: sheaf.forwardPass(probe.input), settings: settings)
    let isIdentity = network.outputActivation == .identity
    let energy = PinnedEnergy(
      sheaf,
      pins: try Pins([.clamp(probe.target, of: network)], network: network, input: probe.input),
      output: OutputEdge(
        activation: network.outputActivation, energy: isIdentity ? .squared : .crossEntropy))
    var solver = AutomaticSolver()
    solver.settings.halt = halt
    let discords = energy.discords(at: try solver.solve(energy, input: probe.input).state).edges
    guard halt.reason == nil else { return }
    let measures: [(String, (SampleSpectrum) -> Double)] = [
      ("gap", { $0.gap }), ("largest", { $0.top.value }), ("condition", { $0.condition }),
    ]
    header =
      ["epoch", "step"] + measures.flatMap { ["\($0.0)Low", $0.0, "\($0.0)High"] }
      + discords.map { "discord:\($0.edge)" }
    let quartiles = measures.map { Quartiles(spectra.samples.map($0.1)) }
    let values = quartiles.flatMap { [$0.low, $0.median, $0.high] } + discords.map(\.discord)
    rows.append(
      (
        record.step,
        ["\(record.epoch)", "\(record.step)"] + values.map { $0.isFinite ? "\($0)" : "" }
      ))
  }

  /// Writes what has been seen.
  func write() throws {
    guard !header.isEmpty else { return }
    var table = Table(header)
    for row in rows { table.append(row.fields) }
    try table.write(to: path)
  }
}
